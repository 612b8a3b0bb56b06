"""What a clip may be asked to be; looked at before torch is loaded, and again where it is used."""

from __future__ import annotations

from typing import Any, Literal

from famaug.errors import InputError

ASSUMED_FPS = 100.0
CROP = 256
"""Side of a clip that belongs to no data set."""
Size = int | Literal["auto"] | None
"""As `check_size` takes it."""
SIDES = (64, 4096)
"""Pixels of a square clip, from and to."""


def check_size(size: Any) -> None:
    """Raises InputError: not "auto", None, or a side within `SIDES`."""
    low, high = SIDES
    if size not in ("auto", None) and not (isinstance(size, int) and low <= size <= high):
        raise InputError(f"size is 'auto', None, or {low} to {high} pixels; got {size!r}")


def check_peak(peak: float | None) -> None:
    """Raises InputError: not None, or above 0 and at most 5."""
    if peak is not None and not 0 < peak <= 5:
        raise InputError(f"peak must be above 0 and at most 5; got {peak}")
