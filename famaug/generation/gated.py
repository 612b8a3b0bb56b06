"""Clips that must pass the gate: which draw of a clip stands, and what was rejected before.

A verdict is kept beside the measurements, under the gate and the clip's key. So a run that goes on
knows which draw of a clip is its final one, without rendering what was rejected.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from famaug.errors import RejectedError
from famaug.generation.plans import Expression, plan_clip
from famaug.generation.settings import Generation
from famaug.pipeline.measurements import FaceRecord, MeasuredStore
from famaug.quality.gate import FRAMES_JUDGED, Gate
from famaug.quality.judge import ClipJudge
from famaug.quality.redraw import judged, rejection
from famaug.seeding import digest
from famaug.types import Frames, Plan, Provenance

Drawn = tuple[Plan, Provenance]


@dataclass(frozen=True, eq=False)
class Passed:
    """A clip that passed."""

    plan: Plan
    frames: Frames
    provenance: Provenance


class ClipGate:
    """The gate of a generation and its verdicts.

    Args:
        settings: of the generation, with a gate.
        store: where verdicts are kept.

    Attributes:
        rejected: clips it rejected so far.
    """

    def __init__(self, settings: Generation, store: MeasuredStore, gate: Gate) -> None:
        self.settings, self.store, self.gate = settings, store, gate
        self.rejected = 0
        self._judge: ClipJudge | None = None

    def standing(self, draw: Callable[[int], Drawn]) -> int:
        """The first draw that was not rejected before; 0 where all were."""
        for number, plan, _ in _draws(draw, self.settings.tries):
            if self._refusal(plan) is None:
                return number
        return 0

    def render(self, draw: Callable[[int], Drawn]) -> Passed:
        """The first draw that passes.

        Raises:
            RejectedError: none does; the message has the reasons of each.
        """
        if self._judge is None:
            maker = self.settings.synthesizer
            self._judge = ClipJudge(mesher=maker.mesher, at_most=FRAMES_JUDGED, device=maker.device)
        reasons: list[tuple[str, ...]] = []
        for _, plan, provenance in _draws(draw, self.settings.tries):
            known = self._refusal(plan)
            if known is not None:
                reasons.append((known,))
                continue
            frames, quality, why = judged(
                self.settings.synthesizer, plan, gate=self.gate, judge=self._judge
            )
            if not why:
                scores = {name: round(value, 4) for name, value in quality.scores.items()}
                return Passed(plan, frames, replace(provenance, quality=scores))
            self.rejected += 1
            reasons.append(why)
            self.store.refuse("gate", self._name(plan), ", ".join(why))
        raise RejectedError(rejection(reasons))

    def _refusal(self, plan: Plan) -> str | None:
        return self.store.refusal("gate", self._name(plan))

    def _name(self, plan: Plan) -> str:
        return digest([self.gate.to_json(), replace(plan, look=None).key])


def drawing(
    settings: Generation, expression: Expression, face: FaceRecord, subject: str, k: int
) -> Callable[[int], Drawn]:
    """`plan_clip` of one clip as a function of how often it is drawn anew."""
    return lambda again: plan_clip(settings, expression, face, subject, k, again)


def _draws(draw: Callable[[int], Drawn], tries: int) -> list[tuple[int, Plan, Provenance]]:
    """Up to `tries` draws that differ: a measured expression on one face is always the same."""
    found: list[tuple[int, Plan, Provenance]] = []
    seen: set[str] = set()
    for number in range(tries):
        plan, provenance = draw(number)
        key = replace(plan, look=None).key
        if key in seen:
            break
        seen.add(key)
        found.append((number, plan, provenance))
    return found
