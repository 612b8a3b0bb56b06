"""Training of generators: one loop for every objective."""
