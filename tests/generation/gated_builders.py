"""A synthesizer that spoils some clips, in a way that the gate must see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from famaug.pipeline import Synthesizer
from famaug.seeding import keyed_generator
from famaug.types import Frames, Plan


def is_spoilt(plan: Plan) -> bool:
    """About every second plan."""
    return int(replace(plan, look=None).key[:8], 16) % 2 == 0


class UnsteadySynthesizer(Synthesizer):
    """Adds noise to each frame of the clips that `is_spoilt` names."""

    def __init__(self) -> None:
        super().__init__(size=128, fps=50)

    def render(self, plans: Sequence[Plan], device: Any = None) -> list[Frames]:
        clips = super().render(plans, device)
        return [self._one(plan, clip) for plan, clip in zip(plans, clips, strict=True)]

    def _one(self, plan: Plan, clip: Frames) -> Frames:
        if not is_spoilt(plan):
            return clip
        noise = keyed_generator(0, plan.key).normal(0, 6, clip.shape[:3])[..., None]
        return np.clip(np.rint(clip + noise), 0, 255).astype(np.uint8)
