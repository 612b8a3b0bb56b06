"""Find a face, its 478-point mesh and blendshapes; pose; crop and paste back."""
