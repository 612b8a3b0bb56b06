from __future__ import annotations

import numpy as np
import pytest

from famaug.errors import InputError
from famaug.modulation.envelopes import Envelope
from famaug.modulation.rules import (
    CLASSES,
    EXPERT_RULES,
    RuleSource,
    parse_expression,
    timed_source,
)
from famaug.seeding import keyed_generator
from famaug.types import AU_INDEX, AUS


def peaks(source: RuleSource, times: int = 1) -> np.ndarray:
    """Apex intensities, `times 2 17`."""
    rng = keyed_generator(0, "rules", source.text)
    return np.stack([source.draw(rng, fps=100).intensity.max(axis=0) for _ in range(times)])


def test_by_hand_shows_exactly_what_is_written() -> None:
    peak = peaks(parse_expression("aus:4=1.5, AU07=1,12L=1,14r=0.4"))[0]
    want = np.zeros((2, 17))
    want[:, AU_INDEX[4]], want[:, AU_INDEX[7]] = 1.5, 1.0
    want[0, AU_INDEX[12]], want[1, AU_INDEX[14]] = 1.0, 0.4
    assert np.allclose(peak, want)


@pytest.mark.parametrize("text", ["rule:negative", "rule:fear", "aus:4=1.5,12L=1"])
def test_text_round_trip(text: str) -> None:
    assert parse_expression(text).text == text
    assert parse_expression(text) == parse_expression(parse_expression(text).text)


def test_label() -> None:
    assert parse_expression("rule:positive").label == "positive"
    assert parse_expression("aus:12=1").label is None


def test_same_generator_same_track_other_generator_another() -> None:
    source = parse_expression("rule:surprise")
    first, same, other = (source.draw(keyed_generator(7, k), fps=200) for k in (1, 1, 2))
    assert np.array_equal(first.intensity, same.intensity)
    assert first.intensity.shape != other.intensity.shape or not np.array_equal(
        first.intensity, other.intensity
    )


def test_starts_and_ends_at_rest_and_knows_what_it_is() -> None:
    track = parse_expression("rule:positive").draw(keyed_generator(1), fps=200)
    assert not track.intensity[[0, -1]].any()
    assert (track.estimator, track.scale, track.sided, track.fps) == ("rule/1", "famaug", True, 200)


@pytest.mark.parametrize("emotion", list(EXPERT_RULES))
def test_frequencies_follow_the_expert_table(emotion: str) -> None:
    on = peaks(RuleSource(name=emotion), 400)[:, 0] > 0
    table = dict(EXPERT_RULES[emotion])
    for au in AUS:
        share = on[:, AU_INDEX[au]].mean()
        # fear's all-off draw (1 of 16) turns one of four on: 1/64 above the table
        extra = 1 / 64 if emotion == "fear" and au in table else 0
        assert abs(share - table.get(au, 0.0) - extra) < 0.075, au
    assert on.any(axis=1).all()


def test_intensities_and_magnification() -> None:
    x = peaks(RuleSource(name="surprise"), 200)[:, 0, AU_INDEX[1]]
    assert 0.5 <= x.min() < 0.6
    assert 1.4 < x.max() <= 1.5
    assert np.allclose(peaks(parse_expression("aus:12=2"))[0, :, AU_INDEX[12]], 2)
    strong = RuleSource(name="aus", units=(("12", 2.0),), magnification=4)
    assert np.allclose(strong.draw(keyed_generator(0)).intensity.max(), 5)


def test_negative_draws_all_five_emotions() -> None:
    on = peaks(parse_expression("rule:negative"), 150)[:, 0] > 0
    for au in (4, 5, 9, 14, 15):
        assert on[:, AU_INDEX[au]].any(), au
    assert not on[:, AU_INDEX[12]].any()
    assert set(CLASSES["negative"]) == set(EXPERT_RULES) - {"happiness", "surprise"}


def test_asymmetry_weakens_either_side() -> None:
    even = peaks(RuleSource(name="happiness"), 5)
    assert np.array_equal(even[:, 0], even[:, 1])
    x = peaks(RuleSource(name="happiness", asymmetry=0.5), 60)[:, :, AU_INDEX[12]]
    ratio = x.min(axis=1) / x.max(axis=1)
    assert ratio.min() >= 0.499
    assert ratio.min() < 0.6
    assert (x[:, 0] < x[:, 1]).any()
    assert (x[:, 0] > x[:, 1]).any()


def test_timing_and_envelope_are_used() -> None:
    rng = keyed_generator(3, "slow")
    slow = RuleSource(name="positive", timing="casme3")
    quick = RuleSource(name="positive", timing="smic", envelope=Envelope(shape="linear"))
    lengths = [np.median([len(s.draw(rng, fps=200)) for _ in range(60)]) for s in (slow, quick)]
    assert lengths[0] > 1.4 * lengths[1]
    x = quick.draw(rng, fps=200).intensity[:, 0, AU_INDEX[12]]
    steps = np.diff(x[: int(np.argmax(x)) + 1])
    assert np.allclose(steps, steps[0], atol=1e-5)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("positive", "write rule:NAME"),
        ("rule:joy", "unknown rule 'joy': use one of positive"),
        ("aus:", "write AU=VALUE"),
        ("aus:12", "write AU=VALUE"),
        ("aus:3=1", "unknown AU '3'"),
        ("aus:12X=1", "unknown AU '12X'"),
        ("aus:12=6", "from 0 to 5"),
        ("aus:12=nan", "from 0 to 5"),
        ("aus:12=-1", "from 0 to 5"),
        ("aus:12=1,12=2", "given twice"),
        ("aus:12=1,12L=2", "given twice"),
        ("aus:12=0", "at least one above 0"),
    ],
)
def test_bad_text(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_expression(text)


@pytest.mark.parametrize(
    "bad",
    [
        {"name": "aus"},
        {"name": "positive", "units": (("12", 1.0),)},
        {"name": "positive", "intensity": (1.5, 0.5)},
        {"name": "positive", "asymmetry": 2.0},
        {"name": "positive", "magnification": 0.0},
        {"name": "positive", "timing": "mmew"},
    ],
)
def test_bad_settings(bad: dict[str, object]) -> None:
    with pytest.raises(InputError):
        RuleSource(**bad)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="fps must be above 0"):
        RuleSource(name="positive").draw(keyed_generator(0), fps=0)


@pytest.mark.parametrize("text", ["aus:12L=1.5", "rule:surprise", "stats:negative"])
def test_times_that_are_told(text: str) -> None:
    drawn = parse_expression(text)
    told = timed_source(drawn, (100, 250))
    track = told.draw(keyed_generator(3), fps=200)
    assert len(track) == 20 + 50 + 1
    assert int(track.intensity.sum((1, 2)).argmax()) == 20
    rest = drawn.draw(keyed_generator(3), fps=200)
    assert np.allclose(track.intensity.max(0), rest.intensity.max(0))
    assert repr(told) == repr(drawn)  # the track says it, so keys of other plans stay


@pytest.mark.parametrize("times", [(0, 100), (100, -1), (100, 20_000), (float("nan"), 1)])
def test_times_that_cannot_be(times: tuple[float, float]) -> None:
    with pytest.raises(InputError, match="milliseconds"):
        timed_source(parse_expression("aus:12=1"), times)
