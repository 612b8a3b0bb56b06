"""Parts of pictures: tiles within a memory budget, and where a frame differs from another."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from math import ceil, isqrt
from typing import NamedTuple

import cv2
import numpy as np
from scipy import ndimage

from famaug.errors import InputError
from famaug.types import Picture

LEAST_CORE = 16
MOSTLY = 0.8
"""A frame that differs in a larger part is computed whole."""


class Region(NamedTuple):
    """Pixels `top <= y < bottom`, `left <= x < right` of a picture."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def area(self) -> int:
        return (self.bottom - self.top) * (self.right - self.left)

    @property
    def slices(self) -> tuple[slice, slice]:
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def scaled(self, by: int) -> Region:
        return Region(*(by * edge for edge in self))

    def within(self, other: Region) -> Region:
        """The same pixels, counted from the corner of a region that holds them."""
        y, x = other.top, other.left
        return Region(self.top - y, self.bottom - y, self.left - x, self.right - x)

    def widened(self, by: int, shape: tuple[int, int]) -> Region:
        """So many pixels more on each side, as far as a picture of (height, width) goes."""
        height, width = shape
        return Region(
            max(0, self.top - by),
            min(height, self.bottom + by),
            max(0, self.left - by),
            min(width, self.right + by),
        )


class Tile(NamedTuple):
    """A part of a picture: what the network sees, and what of it is kept."""

    seen: Region
    kept: Region


def tiles(region: Region, shape: tuple[int, int], *, most: int, overlap: int) -> Iterator[Tile]:
    """Tiles whose kept parts cover a region once.

    Args:
        region: of a picture of `shape`, (height, width).
        most: pixels that a tile may have, overlap included.
        overlap: pixels a tile sees around what is kept, as far as the picture goes.

    Raises:
        InputError: `most` is too small for a tile of 16 x 16 and its overlap.
    """
    whole = region.widened(overlap, shape)
    if whole.area <= most:
        yield Tile(whole, region)
        return
    core = isqrt(most) - 2 * overlap
    if core < LEAST_CORE:
        needed = (LEAST_CORE + 2 * overlap) ** 2
        raise InputError(
            f"the memory budget holds tiles of {most} pixels; with an overlap of {overlap} at "
            f"least {needed} are needed: give more memory, or lower the precision"
        )
    for top, bottom in _cuts(region.top, region.bottom, core):
        for left, right in _cuts(region.left, region.right, core):
            kept = Region(top, bottom, left, right)
            yield Tile(kept.widened(overlap, shape), kept)


def _cuts(start: int, end: int, most: int) -> Iterator[tuple[int, int]]:
    """Parts of about equal length."""
    count = ceil((end - start) / most)
    yield from pairwise(start + (end - start) * i // count for i in range(count + 1))


def changed_regions(
    frame: Picture, reference: Picture, *, tolerance: int = 0, follow: int = 0
) -> list[Region]:
    """Rectangles around all that changed, none touching another; the whole picture where that is
    most of it; none where nothing changed.

    Args:
        frame, reference: uint8 RGB `H W 3`.
        tolerance: grey levels of difference that still count as unchanged.
        follow: pixels by which what changed is widened.
    """
    apart = cv2.absdiff(np.ascontiguousarray(frame), np.ascontiguousarray(reference))
    red, green, blue = cv2.split(apart)
    mask = np.asarray(cv2.max(cv2.max(red, green), blue) > tolerance)
    height, width = mask.shape
    if not mask.any():
        return []
    found = ndimage.find_objects(ndimage.label(mask, np.ones((3, 3)))[0])
    boxes = [Region(y.start, y.stop, x.start, x.stop) for y, x in found]
    regions = _apart([box.widened(follow, (height, width)) for box in boxes])
    if sum(r.area for r in regions) > MOSTLY * height * width:
        return [Region(0, height, 0, width)]
    return regions


def _apart(regions: list[Region]) -> list[Region]:
    """Overlapping or touching rectangles become one, until none are left."""
    done: list[Region] = []
    todo = list(regions)
    while todo:
        one = todo.pop()
        near = next((o for o in done if _touch(one, o)), None)
        if near is None:
            done.append(one)
        else:
            done.remove(near)
            todo.append(_both(one, near))
    return sorted(done)


def _touch(a: Region, b: Region) -> bool:
    return a.top <= b.bottom and b.top <= a.bottom and a.left <= b.right and b.left <= a.right


def _both(a: Region, b: Region) -> Region:
    return Region(
        min(a.top, b.top), max(a.bottom, b.bottom), min(a.left, b.left), max(a.right, b.right)
    )
