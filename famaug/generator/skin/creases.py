"""Where each AU folds the skin: furrows and bulges on the mean face.

Places and directions follow the appearance changes that the FACS manual lists for each AU (Ekman,
Friesen and Hager, 2002). Points are centimetres on the mean face of the basis (x to the person's
left, y up, origin between the outer eye corners), given for the left side; the right is its mirror
image. Depths are millimetres at intensity 5. What real frames say about AU06, 09, 10 and 12 is
added to them (`famaug.generator.skin.learnt`).
"""

from __future__ import annotations

from dataclasses import dataclass

Point = tuple[float, float]


@dataclass(frozen=True)
class Crease:
    """A fold along a curve.

    Attributes:
        points: the curve is the smooth line through them.
        width: standard deviation of its profile, centimetres.
        height: millimetres at intensity 5; below zero a furrow, above zero a bulge.
        overhang: height of the skin that is pushed up on the crease's outer side (away from the
            midline), over the furrow's depth.
    """

    points: tuple[Point, ...]
    width: float
    height: float
    overhang: float = 0.0


def furrow(*points: Point, width: float, depth: float) -> Crease:
    return Crease(points, width, -depth)


def fold(*points: Point, width: float, depth: float) -> Crease:
    """A furrow that skin on its outer side hangs over, as the cheek over the upper lip."""
    return Crease(points, width, -depth, overhang=0.4)


def bulge(*points: Point, width: float, height: float) -> Crease:
    return Crease(points, width, height)


_CHIN_PITS = (
    (0.18, -8.98, 0.09), (0.63, -8.83, 0.12), (1.02, -9.08, 0.08), (0.37, -9.31, 0.11),
    (0.84, -9.36, 0.13), (0.09, -9.62, 0.12), (0.55, -9.72, 0.08), (1.08, -9.71, 0.1),
    (0.33, -10.02, 0.11),
)  # fmt: skip
"""x, y and width of the dimples on the chin's boss."""

CREASES: dict[int, tuple[Crease, ...]] = {
    # inner brow up: short level lines in the middle of the forehead
    1: (
        furrow((0, 2.65), (1.2, 2.75), (2.4, 3.0), width=0.15, depth=0.12),
        furrow((0, 3.4), (1.1, 3.45), (2.3, 3.65), width=0.15, depth=0.12),
        bulge((0.4, 3.0), (1.6, 3.15), width=0.22, height=0.1),
    ),
    # outer brow up: arches over the outer half of the brow
    2: (
        furrow((2.3, 3.1), (3.4, 3.35), (4.4, 3.05), (5.0, 2.6), width=0.15, depth=0.3),
        furrow((2.2, 3.75), (3.3, 3.95), (4.3, 3.65), width=0.15, depth=0.25),
    ),
    # brows down and together: upright lines between them, muscle above the inner ends
    4: (
        furrow((0.78, 2.3), (0.66, 1.75), (0.55, 1.15), (0.48, 0.65), width=0.15, depth=2.5),
        furrow((1.25, 2.6), (1.12, 2.25), (1.0, 1.9), width=0.15, depth=0.8),
        furrow((0, 0.5), (0.35, 0.55), width=0.1, depth=1.3),
        bulge((0, 1.2), (0, 2.0), width=0.28, height=0.9),
        bulge((1.2, 2.1), (1.6, 2.4), width=0.38, height=1.9),
        fold((1.45, 0.5), (1.9, 0.85), (2.6, 1.1), (3.2, 1.2), width=0.17, depth=1.3),
    ),
    5: (furrow((2.0, 0.5), (2.6, 0.88), (3.3, 0.95), (4.0, 0.68), width=0.09, depth=0.8),),
    # cheek up: crow's feet, the line below the eye, the bag between it and the lid
    6: (
        furrow((4.5, 0.18), (4.95, 0.35), (5.35, 0.62), width=0.11, depth=1.5),
        furrow((4.55, -0.1), (5.1, -0.08), (5.55, -0.02), width=0.11, depth=1.5),
        furrow((4.45, -0.38), (4.95, -0.6), (5.35, -0.9), width=0.11, depth=1.7),
        furrow((1.85, -0.95), (2.6, -1.42), (3.6, -1.52), (4.5, -1.1), width=0.15, depth=3.4),
        furrow((2.3, -0.72), (3.1, -0.95), (3.9, -0.82), width=0.08, depth=1.1),
        bulge((2.2, -0.9), (3.1, -1.2), (4.0, -1.0), width=0.16, height=1.1),
        bulge((2.9, -2.2), (3.7, -2.4), width=0.6, height=2.7),
        fold((1.85, -3.0), (2.35, -3.9), (2.8, -4.8), width=0.17, depth=0.5),
    ),
    # lids tight: a pouch and a line right below the lower lid
    7: (
        furrow((1.9, -0.68), (2.6, -0.95), (3.4, -1.0), (4.2, -0.68), width=0.1, depth=2.0),
        bulge((2.2, -0.6), (3.1, -0.76), (3.9, -0.58), width=0.11, height=1.2),
        furrow((4.5, -0.12), (4.9, -0.18), (5.2, -0.28), width=0.07, depth=1.0),
    ),
    # nose wrinkled: lines across its root and down its sides, folds beside the wings
    9: (
        furrow((0, 0.35), (0.45, 0.28), (0.85, 0.05), width=0.12, depth=1.4),
        furrow((0, -0.2), (0.5, -0.28), (0.95, -0.55), width=0.12, depth=1.3),
        furrow((0.6, -0.85), (0.98, -1.25), (1.25, -1.9), width=0.12, depth=1.3),
        furrow((1.1, -0.65), (1.42, -0.98), (1.75, -1.5), width=0.12, depth=1.3),
        bulge((0.75, -0.75), (1.15, -1.2), width=0.15, height=0.7),
        fold((1.7, -2.3), (2.1, -3.25), (2.5, -4.05), (2.8, -4.7), width=0.16, depth=0.8),
        furrow((0.6, 1.6), (0.53, 1.1), (0.45, 0.7), width=0.15, depth=1.1),
        furrow((1.8, -0.95), (2.6, -1.38), (3.3, -1.42), width=0.12, depth=0.9),
        bulge((1.5, -1.9), (1.9, -2.6), width=0.35, height=0.9),
    ),
    # upper lip up: the fold from the wing of the nose, deepest at its top
    10: (
        fold((1.8, -2.6), (2.15, -3.4), (2.65, -4.35), (3.0, -5.3), width=0.17, depth=2.4),
        bulge((2.75, -3.1), (3.2, -4.2), width=0.45, height=1.3),
        furrow((2.1, -1.4), (3.0, -1.7), (3.9, -1.55), width=0.14, depth=1.1),
        furrow((0.75, -4.75), (0.95, -5.2), width=0.12, depth=0.6),
    ),
    # lip corner up: the whole fold from nose to mouth, the cheek before it
    12: (
        fold(
            (1.85, -3.0),
            (2.3, -3.9),
            (2.85, -4.9),
            (3.2, -5.9),
            (3.25, -6.6),
            width=0.18,
            depth=1.9,
        ),
        bulge((3.4, -3.4), (3.8, -4.6), width=0.7, height=1.5),
        furrow((2.48, -6.45), (2.68, -6.8), width=0.14, depth=1.0),
        furrow((2.2, -1.35), (3.0, -1.6), (3.9, -1.4), width=0.14, depth=0.8),
    ),
    # dimple: a pit and a short bow beside the corner
    14: (
        furrow((2.95, -6.5), (2.97, -6.75), width=0.18, depth=1.9),
        fold((2.9, -5.8), (3.15, -6.5), (3.05, -7.35), width=0.14, depth=1.7),
        bulge((3.6, -6.1), (3.65, -7.0), width=0.28, height=0.4),
        bulge((2.55, -6.15), (2.6, -7.1), width=0.14, height=0.6),
    ),
    # lip corner down: a line and a pouch below it
    15: (
        fold((2.4, -6.8), (2.68, -7.4), (2.65, -8.2), width=0.14, depth=1.1),
        bulge((3.05, -7.2), (3.1, -8.0), width=0.28, height=0.5),
        furrow((0.9, -8.5), (1.5, -8.75), (1.9, -9.2), width=0.15, depth=1.0),
    ),
    # chin up: the groove under the lip, the chin's boss pitted
    17: (
        furrow((0, -8.2), (0.7, -8.25), (1.4, -8.55), width=0.17, depth=2.8),
        bulge((0, -9.4), (0.5, -9.4), width=0.55, height=2.2),
        *(Crease(((x, y), (x + 0.08, y + 0.04)), w, -0.7) for x, y, w in _CHIN_PITS),
        furrow((2.4, -6.8), (2.6, -7.3), width=0.13, depth=1.3),
    ),
    # lips stretched: bows beside the mouth
    20: (
        fold((2.9, -5.6), (3.4, -6.4), (3.35, -7.3), width=0.16, depth=0.7),
        furrow((3.6, -5.9), (4.0, -6.6), (3.95, -7.3), width=0.15, depth=0.5),
        furrow((0, -8.15), (1.2, -8.2), (2.2, -7.9), width=0.14, depth=0.8),
    ),
    # lips tight: ridges along their edges, short upright lines across
    23: (
        furrow((0, -8.0), (0.8, -7.92), (1.6, -7.6), width=0.15, depth=1.5),
        bulge((0, -8.4), (1.2, -8.2), width=0.2, height=0.7),
        furrow((0.45, -5.4), (1.1, -5.55), (1.8, -6.0), width=0.13, depth=1.2),
        furrow((0.6, -5.15), (0.62, -5.5), width=0.08, depth=0.7),
        furrow((1.05, -5.25), (1.1, -5.65), width=0.08, depth=0.7),
        fold((2.4, -6.2), (2.52, -6.65), (2.42, -7.1), width=0.12, depth=1.4),
        furrow((0.7, -7.9), (0.72, -8.3), width=0.08, depth=0.6),
    ),
}
"""AU05 deepens the lid's own fold; AU25, AU26 and AU45 move skin without folding it."""
