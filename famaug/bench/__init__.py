"""What `famaug bench` measures: one module a bench, each with ratios and figures."""
