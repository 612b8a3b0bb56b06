"""One training loop for every objective: processes, averages, log, checkpoints, exact resume."""
