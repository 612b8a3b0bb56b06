"""Trainings: one loop for all (`loop`), and what it is given for GANimation and for sharpeners."""
