"""LOOK: clips as a data set's camera, file and framing would give them; a stage of rendering."""
