"""Sharpen: pictures and clips four times larger, by RealSR or a compact network."""
