"""Limits, reasons, and drawing again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from famaug.errors import InputError, RejectedError
from famaug.pipeline import Synthesizer
from famaug.quality.gate import Gate
from famaug.quality.judge import MEANING, ClipJudge, Quality
from famaug.quality.redraw import judged, render_accepted
from famaug.seeding import keyed_generator
from famaug.types import Frames, Picture, Plan
from tests.quality.rendered_clip import Rendered


class Unsteady:
    """Renders noise into the clips of some seeds; otherwise the real synthesizer."""

    def __init__(self, inner: Synthesizer, bad: Sequence[int]) -> None:
        self.inner, self.bad, self.rendered = inner, bad, 0

    def render(self, plans: Sequence[Plan]) -> list[Frames]:
        self.rendered += len(plans)
        return [self._one(p) for p in plans]

    def _one(self, plan: Plan) -> Frames:
        frames = self.inner.render([plan])[0]
        if plan.seed in self.bad:
            noise = np.random.default_rng(0).normal(0, 6, frames.shape[:3])[..., None]
            frames = np.clip(frames + noise, 0, 255).astype(np.uint8)
        return frames

    def still(self, plan: Plan) -> Picture:
        return self.inner.still(plan)


def test_reasons_name_score_value_and_limit() -> None:
    gate = Gate(au_r=0.6, seam=0.5)
    assert gate.check(Quality({"au_r": 0.9, "seam": 0.1})) == ()
    assert gate.check(Quality({"au_r": 0.31, "seam": 1.25})) == (
        "au_r is 0.31, asked is at least 0.6",
        "seam is 1.25, asked is at most 0.5",
    )


def test_a_clip_in_which_nothing_moves_is_rejected(
    rendered: Rendered, synthesizer: Synthesizer
) -> None:
    quick = ClipJudge(mesher=synthesizer.mesher, at_most=4)
    dead = np.repeat(rendered.rest[None], len(rendered.frames), 0)
    found = quick.judge_plan(dead, rendered.plan, rest=rendered.rest)
    assert found.scores["au_gain"] == 0
    assert found.scores["au_r"] == 0
    assert any(reason.startswith("au_gain is 0,") for reason in Gate().check(found))


def test_missing_scores_and_open_limits_pass() -> None:
    assert Gate().check(Quality({})) == ()
    assert Gate(au_r=None).check(Quality({"au_r": -1.0})) == ()
    assert set(Gate().to_json()) == set(MEANING)


def test_limits_are_checked() -> None:
    with pytest.raises(InputError, match="gate seam: a limit"):
        Gate(seam=float("nan"))
    with pytest.raises(TypeError):
        Gate(seem=1.0)  # type: ignore[call-arg]


def test_the_default_gate_lets_a_good_clip_through(
    synthesizer: Synthesizer, rendered: Rendered, judge: ClipJudge
) -> None:
    frames, quality, reasons = judged(synthesizer, rendered.plan, gate=Gate(), judge=judge)
    assert reasons == ()
    assert np.array_equal(frames, rendered.frames)
    assert quality.scores["au_r"] > 0.85


def _draw(synthesizer: Synthesizer, picture: Picture, number: int) -> Plan:
    rng = keyed_generator(number, "gate")
    return synthesizer.plan("rule:surprise", picture, rng, seed=number)


def test_a_bad_clip_is_drawn_again(synthesizer: Synthesizer, astronaut_picture: Picture) -> None:
    unsteady = Unsteady(synthesizer, bad=(0, 1))
    quick = ClipJudge(mesher=synthesizer.mesher, at_most=4)
    found = render_accepted(
        unsteady, lambda n: _draw(synthesizer, astronaut_picture, n), gate=Gate(), judge=quick
    )
    assert found.plan.seed == 2
    assert unsteady.rendered == 3
    assert len(found.rejected) == 2
    assert "flicker is" in " ".join(found.rejected[0])


def test_none_passes(synthesizer: Synthesizer, astronaut_picture: Picture) -> None:
    quick = ClipJudge(mesher=synthesizer.mesher, at_most=4)
    unsteady = Unsteady(synthesizer, bad=range(9))
    with pytest.raises(RejectedError, match=r"rejected 2 of 2 clips drawn: .*flicker is"):
        render_accepted(
            unsteady,
            lambda n: _draw(synthesizer, astronaut_picture, n),
            gate=Gate(),
            judge=quick,
            tries=2,
        )
    with pytest.raises(RejectedError, match="rejected 1 of 1"):  # always the same clip
        render_accepted(
            unsteady, lambda n: _draw(synthesizer, astronaut_picture, 0), gate=Gate(), judge=quick
        )
    with pytest.raises(InputError, match="tries"):
        render_accepted(
            unsteady, lambda n: _draw(synthesizer, astronaut_picture, n), gate=Gate(), judge=quick,
            tries=0,
        )  # fmt: skip
