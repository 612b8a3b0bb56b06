"""The 17 action units as displacement fields of the MakeHuman head, left and right apart.

Each unit is a mix of the face units of the asset pack. Units without a left and a right form are
split by a smooth ramp at the midline. Closed lips stay closed: for the units that do not part
them, the two rims of the lips move together.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from famaug.types import AUS
from head.makehuman import MakeHumanArchive

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

RECIPE: dict[int, dict[str, float]] = {
    1: {"browInnerUp": 1.0},
    2: {"browOuterUp": 1.0},
    4: {"browDown": 1.0},
    5: {"eyeWide": 1.0},
    6: {"cheekSquint": 1.0},
    7: {"eyeSquint": 1.0},
    9: {"noseSneer": 1.0},
    10: {"mouthUpperUp": 1.0},
    12: {"mouthSmile": 0.6, "mouthDimple": 0.9, "mouthUpperUp": 0.4},
    14: {"mouthDimple": 0.7},
    15: {"mouthFrown": 1.0},
    17: {"mouthShrugLower": 1.0, "mouthShrugUpper": 0.6},
    20: {"mouthStretch": 1.0},
    23: {"mouthRollLower": 0.6, "mouthRollUpper": 0.6, "mouthPucker": 0.3},
    25: {"mouthLowerDown": 1.0, "mouthUpperUp": 0.35},
    26: {"jawOpen": 0.6},
    45: {"eyeBlink": 1.0},
}
"""Face units and their weights at intensity 5."""

_RAMP = {1: 0.08, 17: 0.12, 23: 0.2, 25: 0.12, 26: 0.25}
"""Half-width of the midline ramp in decimetres; 0.1 for the other units."""
_SEALED = (12, 14, 15, 17, 20, 23)
_SEAL_WIDTH = 0.06


def unit_fields(archive: MakeHumanArchive, points: Array, eye_level: Array, seal: LipSeal) -> Array:
    """Displacement in decimetres at intensity 5: float `17 2 19158 3`, side 0 the person's left.

    Args:
        points: float `19158 3`, the mean head, x to the person's left.
        eye_level: float `3`, midpoint between its eyeballs.
        seal: of the same head.
    """
    sides = (True, False)
    fields = np.stack([[_side_field(archive, points, eye_level, a, s) for s in sides] for a in AUS])
    for au in _SEALED:
        for field in fields[AUS.index(au)]:
            seal.apply(field, led_by_upper=au == 12)  # in a smile the lower lip follows
    return fields


def _side_field(archive: MakeHumanArchive, points: Array, eye: Array, au: int, left: bool) -> Array:
    field = np.zeros_like(points)
    for unit, weight in RECIPE[au].items():
        sided = f"units/{unit}{'Left' if left else 'Right'}"
        if sided in archive.names:
            field += weight * archive.target(sided).dense()
        else:
            x = points[:, 0] if left else -points[:, 0]
            share = _smooth_step(x, _RAMP.get(au, 0.1))
            field += weight * archive.target(f"units/{unit}").dense() * share[:, None]
    if au == 12:
        _keep_lip_centre(points, eye, field)
    if au == 14:
        field[:, 1] *= 0.2  # a dimpler pulls back and sideways; with the lift it is a small smile
    if au in (6, 12):  # ears and hairline do not ride along with the cheeks
        field *= np.clip((points[:, 2] - (eye[2] - 0.55)) / 0.35, 0, 1)[:, None]
    return field


def _keep_lip_centre(points: Array, eye: Array, field: Array) -> None:
    """A real smile does not lift the middle of the lips and the chin with the corners."""
    below_nose = points[:, 1] < eye[1] - 0.42
    centre = 0.62 * np.exp(-((points[:, 0] / 0.17) ** 2)) * below_nose
    chin = 0.5 * np.clip((eye[1] - 0.66 - points[:, 1]) / 0.25, 0, 1)
    field[:, 1] *= (1 - centre) * (1 - chin)


def _smooth_step(x: Array, half_width: float) -> Array:
    t = np.clip((x + half_width) / (2 * half_width), 0, 1)
    result: Array = t * t * (3 - 2 * t)
    return result


class LipSeal:
    """Keeps closed lips closed: gives both rims one motion, which dies off away from the seam."""

    def __init__(self, archive: MakeHumanArchive, points: Array, eye_level: Array) -> None:
        """Args: points: float `19158 3`, the mean head; eye_level: float `3`, between its eyes."""
        body = np.unique(archive.quads["body"])
        jaw = -archive.target("units/jawOpen").dense()[:, 1]
        is_low = jaw > 0.16 - 0.175 * np.minimum(np.abs(points[:, 0]), 0.2)
        self._upper, self._lower = _lip_rims(body, points, points - eye_level, is_low)
        middle = points[self._upper].mean(axis=0)
        mouth = body[np.linalg.norm(points[body] - middle, axis=1) < 0.5]
        self._spreads = [
            (rim, mouth[side], _spread(points[mouth[side]], points[rim]))
            for rim, side in ((self._lower, is_low[mouth]), (self._upper, ~is_low[mouth]))
        ]

    def apply(self, field: Array, *, led_by_upper: bool = False) -> None:
        """Seal a displacement field, float `19158 3`, in place.

        Args:
            led_by_upper: both rims follow the upper lip; else they meet halfway.
        """
        upper, lower = self._upper, self._lower
        target = field[upper] if led_by_upper else (field[upper] + field[lower]) / 2
        for rim, where, spread in self._spreads:
            field[where] += spread @ (target - field[rim])
        field[upper] = field[lower] = target


def _lip_rims(body: Ints, points: Array, p: Array, is_low: Bools) -> tuple[Ints, Ints]:
    """Upper and lower rim vertices that face each other, one to one; `p` from the eye level."""
    x, y, z = p[body].T
    near = body[(np.abs(x) < 0.21) & (np.abs(y + 0.671) < 0.02) & (z > 0.18)]
    upper, lower = near[~is_low[near]], near[is_low[near]]
    gap = np.linalg.norm(points[upper][:, None] - points[lower][None], axis=2)
    to_lower, to_upper = gap.argmin(axis=1), gap.argmin(axis=0)
    mutual = to_upper[to_lower] == np.arange(len(upper))
    return upper[mutual], lower[to_lower[mutual]]


def _spread(points: Array, rim: Array) -> Array:
    """Weights `m n` that carry a correction at the rim to the points near it."""
    distance = np.linalg.norm(points[:, None] - rim[None], axis=2)
    kernel = np.exp(-((distance / (0.5 * _SEAL_WIDTH)) ** 2)) + 1e-12
    reach = np.exp(-((distance.min(axis=1) / _SEAL_WIDTH) ** 2) / 2)
    result: Array = reach[:, None] * kernel / kernel.sum(axis=1, keepdims=True)
    return result
