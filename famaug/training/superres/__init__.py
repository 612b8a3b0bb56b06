"""Training of sharpeners: pictures degraded as cameras do it, objective, held-out scores."""
