"""Training of generators: faces, objectives, judges; the loop itself is `famaug.training`."""
