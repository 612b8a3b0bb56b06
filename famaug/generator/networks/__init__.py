"""Networks of the learned generators."""
