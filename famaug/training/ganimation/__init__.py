"""Training of GANimation: faces, objective, judges."""
