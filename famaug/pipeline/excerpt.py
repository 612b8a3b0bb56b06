"""A plan with some of its frames only: what shows onset and apex need not render the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from famaug.errors import InputError
from famaug.types import Plan

BY_FRAME = ("path", "turn", "light")
"""What a look draws for every frame."""


def at_frames(plan: Plan, frames: Sequence[int]) -> Plan:
    """The plan of a clip that has these frames of another plan's clip and no others.

    Expression, motion of the head, light and framing of each frame are those of the whole clip.
    Without a look the pixels are too; with one, the grain of the sensor is drawn anew, and softness
    is measured on the first of these frames.

    Args:
        plan: of the whole clip.
        frames: their numbers from 0, rising.

    Raises:
        InputError: no frames, not rising, or outside the clip.
    """
    picked, length = [int(i) for i in frames], len(plan.track)
    rising = all(a < b for a, b in pairwise(picked))
    if not picked or not rising or picked[0] < 0 or picked[-1] >= length:
        raise InputError(f"frames must be rising numbers from 0 to {length - 1}; got {picked}")
    look = plan.look
    if look is not None:
        look = look | {k: [look[k][i] for i in picked] for k in BY_FRAME if look.get(k)}
        if "onset" in look:  # the crop jumps behind it
            look["onset"] = sum(i <= look["onset"] for i in picked) - 1
    return replace(plan, track=[plan.track[i] for i in picked], look=look)
