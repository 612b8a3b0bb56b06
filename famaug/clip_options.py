"""What a clip may be asked to be; looked at before torch is loaded, and again where it is used."""

from __future__ import annotations

from typing import Any, Literal

from famaug.errors import InputError
from famaug.named import did_you_mean

GENERATORS = ("warp",)
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


def check_generator(
    generator: str, *, skin: float = 1.0, halves: str = "maps", feather: float = 0.0
) -> None:
    """Raises InputError: an unknown name, or an option out of range. Files are not looked into."""
    if not 0 <= skin <= 3:
        raise InputError(f"skin must be 0 (motion alone) to 3; got {skin}")
    if halves not in ("maps", "paper") or not 0 <= feather <= 1:
        raise InputError(
            f"halves is 'maps' or 'paper' and feather 0 to 1; got {halves!r} and {feather}"
        )
    if generator not in GENERATORS and not generator.endswith(".safetensors"):
        raise InputError(
            f"no generator {generator!r}; there are: {', '.join(GENERATORS)}, and files of your "
            f"own (.safetensors){did_you_mean(generator, GENERATORS)}"
        )
