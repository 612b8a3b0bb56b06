"""What flow misses of lids: AU45 from the lids themselves, AU05 at its full size.

Optical flow follows skin that stays in sight, and a blink brings new skin out of the fold: real
closed eyes read 2.4 to 5 of 5. How far the lids are apart says more, once it is far enough from
rest that the noise of the landmarks does not matter.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from famaug.aus.basis import FULL, to_head_axes
from famaug.aus.fit import LOWER_LID, UPPER_LID, PersonBasis
from famaug.faces.pose import fit_similarity
from famaug.faces.ring import smooth_step
from famaug.types import AU_INDEX, Floats

Array = NDArray[np.float64]
_READ = ((0.03, 0.1, 0.29, 0.62, 0.8), (0.0, 0.9, 2.5, 4.0, 5.0))
"""What of the opening the mesh net sees gone, and the intensity that it means: between, as measured
on rendered half blinks, which the net sees too open; at the end, on closed eyes of four people in
videos, of which it sees .80 to .95 gone."""
_OTHERS = 0.75
"""Share that the net sees of what other AUs do to the opening."""
_TRUST = (0.1, 0.4)
"""What of the opening must be gone for the lids to count, and to count in full."""
_LIDS, _FLOW = 0.74, 0.41
"""Weights of the lids and of what was read before, where the lids count in full. The mesh net moves
the other lid along, and flow knows them apart: least squares on rendered blinks of six people."""
WIDE = 1.4
"""What AU05 of flow is multiplied by: of a lid that folds away under the brow it sees .48 (rendered
heads of known AUs) to .68 (pictures moved by the basis)."""


def with_lids(intensity: Array, person: PersonBasis, mesh: Floats, *, wide: float = 1.0) -> Array:
    """Intensities `17 2` in which AU45 follows the lids where they clearly close.

    Args:
        intensity: `17 2` of one frame (AU, left and right).
        person: the person's basis.
        mesh: `478 3`, the frame's, in picture axes.
        wide: what AU05 is multiplied by.
    """
    blink = AU_INDEX[45]
    out = intensity.copy()
    out[AU_INDEX[5]] *= wide
    seen = to_head_axes(mesh)
    laid = fit_similarity(seen, person.neutral, person.basis.rest).apply(seen)
    for side in (0, 1):
        rest = _opening(person.neutral, side)
        moved = np.array([_opening(unit[side], side) for unit in person.motion])
        moved[blink] = 0
        others = float(np.clip(out[:, side], 0, FULL) @ moved) / FULL
        gone = 1 - (_opening(laid, side) - _OTHERS * others) / rest
        share = float(smooth_step((np.array(gone) - _TRUST[0]) / (_TRUST[1] - _TRUST[0])))
        both = _LIDS * float(np.interp(gone, *_READ)) + _FLOW * out[blink, side]
        out[blink, side] += share * (both - out[blink, side])
    return out


def _opening(points: Array, side: int) -> float:
    """Mean height of an eye's opening, of points `478 3` in head axes or of their motion."""
    up, low = list(UPPER_LID[side]), list(LOWER_LID[side])
    return float((points[up, 1] - points[low, 1]).mean())
