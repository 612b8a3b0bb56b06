"""Model files and sample media: what is known of each, and the one way to get them."""

from __future__ import annotations

from famaug.weights.fetch import fetch, find_stored, home
from famaug.weights.registry import ENTRIES, Entry, Package, find_entry

__all__ = ["ENTRIES", "Entry", "Package", "fetch", "find_entry", "find_stored", "home"]
