"""Where each AU folds the skin: lines, hollows and bulges on the mean face.

Places and directions follow the appearance changes that the FACS manual lists for each AU (Ekman,
Friesen and Hager, 2002). Points are centimetres on the mean face of the basis (x to the person's
left, y up, origin between the outer eye corners), given for the left side; the right is its mirror
image. Depths are millimetres at intensity 5. Each face has its own of them
(`famaug.generator.skin.own`): lines move, end elsewhere, are deeper, fainter or missing, and are as
deep as the skin is lined; hollows and bulges are broad, and everybody has them. What real frames
say about AU12, and lend to AU09 and 10, is added to them (`famaug.generator.skin.learnt`).
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
        fine: a line, that runs out at its ends and is as deep as the skin is lined; otherwise it is
            broad and alike on everybody.
        overhang: height of the skin that is pushed up on the line's outer side (left of the way it
            runs), over its depth.
        deepest: where along a line it is deepest, 0-1.
        chance: share of people who have the line.
    """

    points: tuple[Point, ...]
    width: float
    height: float
    fine: bool = False
    overhang: float = 0.0
    deepest: float = 0.5
    chance: float = 1.0


def line(
    *points: Point, width: float, depth: float, deepest: float = 0.5, chance: float = 1.0
) -> Crease:
    return Crease(points, width, -depth, fine=True, deepest=deepest, chance=chance)


def fold(
    *points: Point, width: float, depth: float, deepest: float = 0.45, chance: float = 1.0
) -> Crease:
    """A line that skin on its outer side hangs over, as the cheek over the upper lip."""
    return Crease(
        points, width, -depth, fine=True, overhang=0.35, deepest=deepest, chance=chance
    )  # fmt: skip


def hollow(*points: Point, width: float, depth: float) -> Crease:
    return Crease(points, width, -depth)


def bulge(*points: Point, width: float, height: float) -> Crease:
    return Crease(points, width, height)


_CHIN_LINES = (
    ((0.1, -8.85), (0.35, -9.0), (0.5, -9.25)), ((0.55, -8.8), (0.85, -8.85), (1.1, -9.1)),
    ((0.05, -9.45), (0.3, -9.4), (0.55, -9.55)), ((0.75, -9.15), (0.8, -9.45), (1.0, -9.7)),
    ((1.15, -9.2), (1.2, -9.5), (1.1, -9.8)), ((0.15, -9.85), (0.45, -9.9), (0.65, -9.75)),
    ((0.3, -10.2), (0.6, -10.1), (0.9, -10.15)),
)  # fmt: skip
"""Crooked short lines on the chin's boss."""

CREASES: dict[int, tuple[Crease, ...]] = {
    # inner brow up: level lines in the middle of the forehead
    1: (
        line((-1.9, 2.95), (-0.9, 2.75), (0, 2.7), (0.9, 2.75), (1.9, 2.95), width=0.15, depth=0.3),
        line(
            (-2.1, 3.6), (-1.0, 3.4), (0, 3.35), (1.0, 3.4), (2.1, 3.6),
            width=0.15, depth=0.3, chance=0.7,
        ),
        bulge((0.5, 3.05), (1.6, 3.2), width=0.25, height=0.2),
    ),
    # outer brow up: arches over the outer half of the brow
    2: (
        line((2.2, 3.0), (3.3, 3.3), (4.3, 3.1), (5.0, 2.6), width=0.15, depth=0.5),
        line((2.1, 3.7), (3.2, 3.95), (4.3, 3.7), width=0.15, depth=0.4, chance=0.7),
    ),
    # brows down and together: upright lines between them, muscle above the inner ends, shade below
    4: (
        line(
            (0.98, 2.65), (0.82, 2.0), (0.69, 1.35), (0.56, 0.5),
            width=0.15, depth=3.0, deepest=0.7,
        ),
        line((0.36, 2.35), (0.28, 1.7), (0.3, 0.9), width=0.12, depth=1.6, chance=0.4),
        line((1.65, 3.05), (1.42, 2.65), (1.28, 2.2), width=0.14, depth=1.0, chance=0.6),
        line((-0.8, 0.4), (0, 0.52), (0.8, 0.4), width=0.13, depth=1.1, chance=0.5),
        hollow((0.74, 1.45), (0.66, 1.1), (0.6, 0.8), width=0.28, depth=2.2),
        bulge((0, 1.2), (0, 2.0), width=0.26, height=0.9),
        bulge((1.35, 2.35), (2.0, 2.6), width=0.4, height=1.5),
        hollow((1.4, 0.55), (1.95, 0.85), (2.8, 1.05), width=0.2, depth=1.7),
    ),
    5: (line((1.9, 0.42), (2.6, 0.88), (3.3, 0.95), (4.1, 0.6), width=0.09, depth=0.8),),
    # cheek up: crow's feet, the line below the eye, the bag between it and the lid
    6: (
        line((4.45, 0.25), (4.95, 0.5), (5.5, 0.95), width=0.11, depth=1.5, chance=0.6),
        line((4.5, 0.02), (5.1, 0.08), (5.75, 0.25), width=0.11, depth=1.7, chance=0.85),
        line((4.5, -0.25), (5.05, -0.42), (5.65, -0.65), width=0.11, depth=1.8, chance=0.9),
        line((4.35, -0.5), (4.8, -0.9), (5.25, -1.4), width=0.12, depth=1.6, chance=0.6),
        line(
            (1.65, -0.85), (2.5, -1.4), (3.5, -1.52), (4.6, -1.1),
            width=0.15, depth=2.0, deepest=0.4,
        ),
        hollow((2.1, -1.25), (2.8, -1.55), (3.6, -1.6), (4.2, -1.4), width=0.23, depth=1.6),
        bulge((2.2, -0.82), (3.0, -1.05), (3.8, -0.9), width=0.16, height=1.3),
        bulge((2.7, -2.2), (3.5, -2.4), (4.2, -2.2), width=0.48, height=3.2),
        fold((1.75, -2.7), (2.3, -3.8), (2.85, -5.0), width=0.2, depth=0.8),
    ),
    # lids tight: a pouch and a line right below the lower lid
    7: (
        line((1.8, -0.62), (2.6, -0.95), (3.4, -1.0), (4.3, -0.6), width=0.1, depth=1.4),
        hollow((2.3, -0.9), (3.0, -1.02), (3.8, -0.9), width=0.14, depth=1.3),
        bulge((2.2, -0.6), (3.1, -0.76), (3.9, -0.58), width=0.11, height=1.2),
        line((4.4, -0.1), (4.9, -0.18), (5.3, -0.3), width=0.08, depth=1.1, chance=0.7),
    ),
    # nose wrinkled: lines down its sides and across its root, folds beside the wings
    9: (
        hollow((-0.3, 0.3), (0, 0.33), (0.3, 0.3), width=0.3, depth=1.2),
        line((-0.9, 0.2), (0, 0.42), (0.9, 0.2), width=0.14, depth=1.0, chance=0.8),
        line((-0.8, -0.45), (0, -0.2), (0.8, -0.45), width=0.14, depth=0.8, chance=0.5),
        line((0.4, -0.65), (0.8, -1.15), (1.08, -1.9), width=0.13, depth=1.5, chance=0.9),
        line((0.85, -0.5), (1.2, -0.95), (1.5, -1.65), width=0.13, depth=1.5, chance=0.7),
        line((0.4, -1.4), (0.72, -1.9), (0.95, -2.5), width=0.13, depth=1.1, chance=0.4),
        hollow((0.95, -0.6), (1.2, -1.2), (1.4, -1.9), width=0.28, depth=1.8),
        bulge((1.75, -1.75), (2.1, -2.5), width=0.32, height=1.6),
        fold(
            (1.6, -2.1), (2.05, -3.15), (2.45, -4.1), (2.8, -5.0),
            width=0.17, depth=1.5, deepest=0.3,
        ),
        hollow((1.8, -2.65), (2.15, -3.5), width=0.22, depth=1.9),
        hollow((1.9, -1.05), (2.6, -1.35), (3.3, -1.35), width=0.18, depth=1.3),
        line((0.72, 1.9), (0.6, 1.3), (0.5, 0.6), width=0.15, depth=1.2),
        hollow((1.4, 0.55), (1.95, 0.85), (2.6, 1.0), width=0.2, depth=1.1),
    ),
    # upper lip up: the fold from the wing of the nose, deepest at its top
    10: (
        fold(
            (1.6, -2.1), (2.0, -3.05), (2.55, -4.2), (3.05, -5.6),
            width=0.18, depth=2.2, deepest=0.35,
        ),
        hollow((1.85, -2.75), (2.2, -3.6), (2.5, -4.3), width=0.24, depth=1.3),
        bulge((2.75, -3.1), (3.2, -4.2), width=0.45, height=1.6),
        hollow((2.1, -1.45), (3.0, -1.7), (3.9, -1.55), width=0.18, depth=1.1),
        line((0.7, -4.6), (0.85, -4.95), (1.0, -5.35), width=0.12, depth=0.7, chance=0.6),
    ),
    # lip corner up: the whole fold from nose to mouth, the cheek before it
    12: (
        fold(
            (1.7, -2.5), (2.2, -3.7), (2.8, -4.8), (3.2, -5.9), (3.25, -6.9),
            width=0.2, depth=1.9,
        ),
        bulge((3.4, -3.4), (3.8, -4.6), width=0.7, height=1.5),
        hollow((2.45, -6.5), (2.65, -6.75), width=0.15, depth=1.0),
        hollow((2.2, -1.35), (3.0, -1.6), (3.9, -1.4), width=0.15, depth=0.8),
    ),
    # dimple: the corner drawn into a pit, a bow round it, the cheek's muscle beside
    14: (
        hollow((2.25, -6.64), (2.55, -6.68), width=0.18, depth=2.3),
        hollow((2.7, -6.1), (2.8, -6.7), (2.68, -7.3), width=0.25, depth=1.5),
        fold(
            (2.5, -5.5), (2.85, -6.1), (2.95, -6.7), (2.85, -7.3), (2.55, -7.8),
            width=0.15, depth=1.7,
        ),
        bulge((3.4, -6.1), (3.5, -7.1), width=0.36, height=2.8),
        bulge((1.6, -8.0), (2.1, -7.6), width=0.22, height=0.7),
    ),
    # lip corner down: shade, a line and a pouch below it, the chin's sides hollow
    15: (
        hollow((2.35, -6.8), (2.6, -7.3), (2.55, -7.8), width=0.25, depth=2.2),
        fold((2.25, -6.55), (2.65, -7.25), (2.75, -8.0), (2.6, -8.7), width=0.15, depth=1.5),
        bulge((3.2, -7.2), (3.2, -8.0), width=0.33, height=1.6),
        hollow((0.7, -8.3), (1.3, -8.45), (1.8, -8.7), width=0.3, depth=1.1),
    ),
    # chin up: the groove under the lip, the chin's boss raised and wrinkled
    17: (
        hollow(
            (-1.5, -8.05), (-0.8, -8.25), (0, -8.3), (0.8, -8.25), (1.5, -8.05),
            width=0.19, depth=3.2,
        ),
        line((-1.9, -7.85), (-1, -8.2), (0, -8.25), (1, -8.2), (1.9, -7.85), width=0.14, depth=1.3),
        bulge((-0.5, -9.2), (0, -9.2), (0.5, -9.2), width=0.5, height=2.6),
        *(line(*points, width=0.12, depth=1.0, chance=0.5) for points in _CHIN_LINES),
        hollow((2.4, -6.85), (2.6, -7.35), width=0.17, depth=1.7),
        hollow((1.5, -8.9), (1.55, -9.5), width=0.28, depth=1.2),
    ),
    # lips stretched: bows beside the mouth
    20: (
        fold((2.7, -5.4), (3.2, -6.3), (3.25, -7.0), (3.0, -7.7), width=0.18, depth=1.0),
        line((3.6, -5.7), (4.0, -6.6), (3.9, -7.5), width=0.17, depth=0.6, chance=0.6),
        hollow((-1.9, -8.0), (0, -8.25), (1.9, -8.0), width=0.2, depth=0.8),
    ),
    # lips tight: the skin round them bulges, edges in shade, fine lines across
    23: (
        hollow(
            (-1.7, -7.6), (-0.8, -7.98), (0, -8.05), (0.8, -7.98), (1.7, -7.6),
            width=0.17, depth=2.6,
        ),
        bulge((-1.1, -8.5), (0, -8.6), (1.1, -8.5), width=0.24, height=1.6),
        hollow((0.3, -5.35), (0.85, -5.32), (1.5, -5.6), (1.95, -5.98), width=0.13, depth=1.1),
        bulge((0.6, -4.9), (1.5, -5.1), width=0.22, height=1.1),
        hollow((2.35, -6.62), (2.6, -6.7), width=0.16, depth=2.4),
        bulge((2.75, -6.1), (2.95, -6.7), (2.8, -7.3), width=0.22, height=1.0),
        line((0.42, -4.9), (0.45, -5.2), (0.5, -5.5), width=0.08, depth=0.9, chance=0.5),
        line((0.95, -4.9), (1.02, -5.2), (1.1, -5.55), width=0.08, depth=0.9, chance=0.6),
        line((1.5, -5.15), (1.6, -5.45), (1.72, -5.8), width=0.08, depth=0.9, chance=0.5),
        line((0.5, -7.85), (0.53, -8.15), (0.55, -8.5), width=0.08, depth=0.8, chance=0.5),
        line((1.15, -7.7), (1.22, -8.0), (1.3, -8.35), width=0.08, depth=0.8, chance=0.4),
    ),
}  # fmt: skip
"""AU05 deepens the lid's own fold; AU25, AU26 and AU45 move skin without folding it. A curve across
the midline is one for both sides."""
