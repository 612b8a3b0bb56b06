"""The judge reads a good clip as good, and each lie as what it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from famaug.errors import InputError
from famaug.pipeline import Synthesizer
from famaug.quality.judge import MEANING, ClipJudge, Quality, lopsided
from famaug.seeding import keyed_generator
from famaug.types import AU_INDEX, LEFT, RIGHT, AUTrack, Picture
from tests.quality.rendered_clip import Rendered


@pytest.fixture(scope="module")
def good(judge: ClipJudge, rendered: Rendered) -> Quality:
    return judge.judge_plan(rendered.frames, rendered.plan, rest=rendered.rest)


def test_a_good_clip(good: Quality, rendered: Rendered) -> None:
    assert good.scores["au_r"] > 0.85
    assert good.scores["au_r_sides"] > 0.7
    assert good.scores["au_error"] < 0.3
    assert 0.6 < good.scores["au_gain"] < 1.4
    assert good.scores["faces_lost"] == 0
    assert good.agreement is not None
    assert good.measured is not None
    assert len(good.measured) == len(rendered.frames)
    assert good.scores.keys() | good.missing.keys() == MEANING.keys()


def test_left_and_right_exchanged_are_seen(
    good: Quality, judge: ClipJudge, rendered: Rendered
) -> None:
    swapped = rendered.plan.intensity[:, [RIGHT, LEFT]]
    asked = AUTrack.of(swapped, estimator="asked")
    found = judge.judge(rendered.frames, asked=asked, rest=rendered.rest)
    assert found.scores["au_r_sides"] < -0.7
    assert found.scores["au_r"] < good.scores["au_r"] - 0.1


def test_another_unit_is_a_false_reading(
    good: Quality, judge: ClipJudge, rendered: Rendered
) -> None:
    said = rendered.plan.intensity.copy()
    said[:, :, AU_INDEX[1]], said[:, :, AU_INDEX[4]] = said[:, :, AU_INDEX[4]], 0
    found = judge.judge(
        rendered.frames, asked=AUTrack.of(said, estimator="asked"), rest=rendered.rest
    )
    assert found.scores["au_r"] < good.scores["au_r"] - 0.2
    assert found.scores["au_false"] > 0.4
    assert found.agreement is not None
    units = {u.au: u for u in found.agreement.units}
    assert (units[4].false_reading or 0) > 0.4


def test_few_frames_say_nearly_the_same(
    good: Quality, synthesizer: Synthesizer, rendered: Rendered
) -> None:
    quick = ClipJudge(mesher=synthesizer.mesher, at_most=6)
    found = quick.judge_plan(rendered.frames, rendered.plan, rest=rendered.rest)
    assert found.measured is not None
    assert 4 <= int((~found.measured.missing).sum()) <= 6
    apex = int(rendered.plan.intensity.sum((1, 2)).argmax())
    assert not found.measured.missing[apex]
    assert found.scores["au_r"] == pytest.approx(good.scores["au_r"], abs=0.1)
    with pytest.raises(InputError, match="3 frames or more"):
        ClipJudge(at_most=2)


def test_identity_falls_when_somebody_else_appears(
    fetched: Callable[[str], Path],
    synthesizer: Synthesizer,
    rendered: Rendered,
    photos: list[Picture],
) -> None:
    fetched("sface")
    judge = ClipJudge(mesher=synthesizer.mesher)  # a judge looks for the network once
    plan = synthesizer.plan("aus:12=1", photos[1], keyed_generator(0, "other"))
    mixed = rendered.frames.copy()
    mixed[-1] = synthesizer.still(plan)
    found = judge.judge(mixed, rest=rendered.rest)
    same = judge.judge(rendered.frames, rest=rendered.rest)
    assert same.scores["identity_min"] > 0.85  # a frown changes a face
    assert found.scores["identity_min"] < 0.5
    assert found.scores["identity_mean"] > found.scores["identity_min"]


def test_without_the_identity_network_its_scores_are_missing_not_zero(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, synthesizer: Synthesizer, rendered: Rendered
) -> None:
    monkeypatch.setenv("FAMAUG_HOME", str(tmp_path))
    alone = ClipJudge(mesher=synthesizer.mesher, at_most=4)
    found = alone.judge_plan(rendered.frames, rendered.plan, rest=rendered.rest)
    assert "identity_mean" not in found.scores
    assert "famaug weights fetch sface" in found.missing["identity_min"]
    assert found.scores["au_r"] > 0.8


def test_a_look_is_not_held_against_a_clip(judge: ClipJudge, rendered: Rendered) -> None:
    plan = replace(rendered.plan, look={"noise": 1})
    found = judge.judge_plan(rendered.frames, plan)
    for name in ("flicker", "outside", "seam", "sharpness"):
        assert "data set's look" in found.missing[name]


def test_no_plan_and_no_face(judge: ClipJudge, rendered: Rendered) -> None:
    found = judge.judge(rendered.frames[:2])
    assert "no plan" in found.missing["au_r"]
    assert found.missing["flicker"] == "fewer than 5 frames"
    empty = judge.judge(np.full((3, 128, 128, 3), 90, np.uint8))
    assert dict(empty.scores) == {"faces_lost": 1.0}
    assert empty.scores.keys() | empty.missing.keys() == MEANING.keys()
    with pytest.raises(InputError, match="asked for, the clip has"):
        judge.judge_plan(rendered.frames[1:], rendered.plan)


def test_sides_are_compared_only_where_they_were_asked_apart() -> None:
    """A measured driver is never quite even: 0.1 between the sides is no one-sided expression."""
    track = np.zeros((5, 2, 17), np.float32)
    track[2, 0, 8], track[2, 1, 8] = 1.5, 1.4
    assert not lopsided(AUTrack.of(track, estimator="t"))
    track[2, 1, 8] = 0.9
    assert lopsided(AUTrack.of(track, estimator="t"))
