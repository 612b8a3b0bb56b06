"""The networks of `famaug recognise`; `RECOGNISERS` in recognisers.py lists them by name."""
