"""Find a face, its 478-point mesh and blendshapes; pose; crops."""
