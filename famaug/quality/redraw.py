"""Render until the gate lets a clip through."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from famaug.errors import InputError, RejectedError
from famaug.quality.gate import Gate
from famaug.quality.judge import ClipJudge, Quality
from famaug.types import Frames, Picture, Plan


class Renders(Protocol):
    """What is needed of a `famaug.Synthesizer`."""

    def render(self, plans: Sequence[Plan]) -> list[Frames]:
        """Clips, one a plan."""
        ...

    def still(self, plan: Plan) -> Picture:
        """The identity's face at rest, framed as in the clip."""
        ...


@dataclass(frozen=True, eq=False)
class Accepted:
    """A clip that passed.

    Attributes:
        plan, frames: the clip.
        quality: its scores.
        rejected: the reasons of each clip that was drawn before it and did not pass.
    """

    plan: Plan
    frames: Frames
    quality: Quality
    rejected: tuple[tuple[str, ...], ...]


def judged(
    synthesizer: Renders, plan: Plan, *, gate: Gate, judge: ClipJudge
) -> tuple[Frames, Quality, tuple[str, ...]]:
    """A clip rendered, its scores, and why the gate rejects it (empty when it passes).

    A plan with a data set's look is judged without it: its noise, blur and head motion are meant,
    and would hide what the gate looks for.
    """
    bare = replace(plan, look=None)
    frames = synthesizer.render([bare])[0]
    quality = judge.judge_plan(frames, bare, rest=synthesizer.still(plan))
    reasons = gate.check(quality)
    if plan.look is not None and not reasons:
        frames = synthesizer.render([plan])[0]
    return frames, quality, reasons


def render_accepted(
    synthesizer: Renders,
    draw: Callable[[int], Plan],
    *,
    gate: Gate,
    judge: ClipJudge,
    tries: int = 3,
) -> Accepted:
    """The first clip that the gate lets through.

    Args:
        synthesizer: renders.
        draw: plans the clip of a try, counted from 0. A plan that was tried already ends the
            search: a measured expression on one face is always the same clip.
        gate, judge: what is asked of it.
        tries: how many clips are drawn at most.

    Raises:
        RejectedError: none passed; the message has the reasons of each.
        InputError: no try is allowed.
    """
    if tries < 1:
        raise InputError(f"tries must be 1 or more; got {tries}")
    rejected: list[tuple[str, ...]] = []
    tried: set[str] = set()
    for number in range(tries):
        plan = draw(number)
        if plan.key in tried:
            break
        tried.add(plan.key)
        frames, quality, reasons = judged(synthesizer, plan, gate=gate, judge=judge)
        if not reasons:
            return Accepted(plan, frames, quality, tuple(rejected))
        rejected.append(reasons)
    raise RejectedError(rejection(rejected))


def rejection(rejected: Sequence[tuple[str, ...]]) -> str:
    """The reasons of clips that did not pass, in a line."""
    told = " | ".join(", ".join(reasons) for reasons in rejected)
    return f"the gate rejected {len(rejected)} of {len(rejected)} clips drawn: {told}"
