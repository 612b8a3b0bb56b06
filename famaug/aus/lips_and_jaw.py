"""How lips part (AU25), and how a dropping jaw takes them along (AU26), against modelled units.

The modelled AU25 moves the skin of the chin as far as the lips, which nobody's does. The modelled
AU26 opens the lips as far as the teeth; in videos of real people lips part later and less than the
jaw goes down, so a jaw is shown to drop less than it is measured, and lips less than the jaw.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from famaug.faces.ring import smooth_step
from famaug.types import AU_INDEX

Array = NDArray[np.float64]
_LOWER_EDGE, _LOWER_RIM, _UPPER_RIM = 17, 14, 13
_PARTED = 1.15
"""How much farther lips go at AU25 than the modelled ones."""
_CHIN_STILL = 1.0
"""Centimetres below the lower lip's edge over which AU25's motion fades out."""
_JAW, _LIP = 0.85, 0.68
"""What of AU26 is shown: of the jaw's motion, and of the way that the lower lip goes down."""


def parted(motion: Array, neutral: Array) -> Array:
    """A copy of the units in which AU25 moves the lips alone.

    Args:
        motion: `17 2 478 3`, centimetres at intensity 5 in the head frame.
        neutral: `478 3`, the mean neutral face.
    """
    out = motion.copy()
    y = neutral[:, 1]
    still = smooth_step((y[_LOWER_EDGE] - y) / _CHIN_STILL)
    out[AU_INDEX[25]] *= (_PARTED * (1 - still))[:, None]
    return out


def soften_drop(drop: Array, neutral: NDArray[Any]) -> None:
    """Makes a measured AU26 one that is shown, in place.

    Args:
        drop: `2 478 3`, the motion of AU26.
        neutral: `478 3`, the mean neutral face.
    """
    y = np.asarray(neutral, np.float64)[:, 1]
    below_seam = smooth_step(((y[_LOWER_RIM] + y[_UPPER_RIM]) / 2 - y) / 0.1 + 0.5)
    chin = smooth_step((y[_LOWER_EDGE] + 0.2 - y) / 1.2)
    drop *= _JAW
    drop[..., 1] *= 1 - below_seam * (1 - chin) * (1 - _LIP / _JAW)
