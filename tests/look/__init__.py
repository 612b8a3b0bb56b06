"""Looks, drawn and applied."""
