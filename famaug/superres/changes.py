"""Where a frame differs from its clip's reference frame."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from famaug.superres.region import Region
from famaug.types import Picture

MOSTLY = 0.8
"""A frame that differs in a larger part is computed whole."""


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
    mask = _changed(frame, reference, tolerance, follow)
    height, width = mask.shape
    if not mask.any():
        return []
    found = ndimage.find_objects(ndimage.label(mask, np.ones((3, 3)))[0])
    regions = _apart([Region(y.start, y.stop, x.start, x.stop) for y, x in found])
    if sum(r.area for r in regions) > MOSTLY * height * width:
        return [Region(0, height, 0, width)]
    return regions


def changed_tiles(
    frame: Picture, reference: Picture, *, tolerance: int = 0, follow: int = 0, side: int
) -> NDArray[np.bool_]:
    """By rows and columns of tiles of so many pixels: does anything in them change? As
    `changed_regions`; the last tiles may reach beyond the picture."""
    mask = _changed(frame, reference, tolerance, follow)
    height, width = (-(-n // side) for n in mask.shape)
    whole = np.pad(mask, [(0, -n % side) for n in mask.shape])
    return np.asarray(whole.reshape(height, side, width, side).any((1, 3)))


def _changed(frame: Picture, reference: Picture, tolerance: int, follow: int) -> NDArray[np.bool_]:
    apart = cv2.absdiff(np.ascontiguousarray(frame), np.ascontiguousarray(reference))
    red, green, blue = cv2.split(apart)
    mask = np.asarray(cv2.max(cv2.max(red, green), blue) > tolerance)
    if follow and mask.any():
        wide = np.ones((2 * follow + 1,) * 2, np.uint8)
        return np.asarray(cv2.dilate(mask.view(np.uint8), wide), np.bool_)
    return mask


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
