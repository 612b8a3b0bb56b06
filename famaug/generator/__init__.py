"""Render: one neutral picture moved by AU intensities."""

from famaug.generator.warp import WarpRenderer

__all__ = ["WarpRenderer"]
