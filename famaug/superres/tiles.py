"""Tiles with overlap, so that pictures of any size fit into a memory budget."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from math import ceil, isqrt
from typing import NamedTuple

from famaug.errors import InputError
from famaug.superres.region import Region

LEAST_CORE = 16


class Tile(NamedTuple):
    """A part of a picture: what the network sees, and what of it is kept."""

    seen: Region
    kept: Region


def tiles(height: int, width: int, *, most: int, overlap: int) -> Iterator[Tile]:
    """Tiles whose kept parts cover the picture once.

    Args:
        height, width: of the picture.
        most: pixels that a tile may have, overlap included.
        overlap: pixels a tile sees around what is kept, as far as the picture goes.

    Raises:
        InputError: `most` is too small for a tile of 16 x 16 and its overlap.
    """
    if height * width <= most:
        whole = Region(0, height, 0, width)
        yield Tile(whole, whole)
        return
    core = isqrt(most) - 2 * overlap
    if core < LEAST_CORE:
        needed = (LEAST_CORE + 2 * overlap) ** 2
        raise InputError(
            f"the memory budget holds tiles of {most} pixels; with an overlap of {overlap} at "
            f"least {needed} are needed: give more memory, or lower the precision"
        )
    for top, bottom in _cuts(height, core):
        for left, right in _cuts(width, core):
            yield Tile(
                Region(
                    max(0, top - overlap),
                    min(height, bottom + overlap),
                    max(0, left - overlap),
                    min(width, right + overlap),
                ),
                Region(top, bottom, left, right),
            )


def _cuts(length: int, most: int) -> Iterator[tuple[int, int]]:
    """Parts of about equal length."""
    count = ceil(length / most)
    edges = [length * i // count for i in range(count + 1)]
    yield from pairwise(edges)
