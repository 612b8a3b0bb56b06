"""Render: one neutral picture moved by AU intensities."""
