"""Expressions on one side, in part, or weaker: as often as told, and never nothing at all."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from famaug.errors import InputError
from famaug.modulation.annotated import AnnotatedSource
from famaug.modulation.combinations import StatsSource, combinations
from famaug.modulation.rules import RuleSource
from famaug.modulation.variation import BOTH_SIDES, FAINT, REST, Variation
from famaug.pipeline.inputs import Driver
from famaug.seeding import keyed_generator
from famaug.types import AU_INDEX, AUS

ON = tuple(AU_INDEX[au] for au in (1, 2, 12, 25))
FULL = np.zeros((2, 17))
FULL[:, ON] = 1.0


def drawn(count: int = 600, peak: NDArray[Any] = FULL, **how: Any) -> NDArray[Any]:
    variation = Variation(**how)
    return np.stack([variation.applied(peak, keyed_generator(i, "v")) for i in range(count)])


def test_one_side_as_often_as_told_and_both_alike() -> None:
    seen = drawn(one_sided=0.3)
    odd = (seen[:, 0] != seen[:, 1]).any(1)
    assert odd.mean() == pytest.approx(0.3, abs=0.05)
    left = seen[odd][:, 0, ON[0]] < 1
    assert left.mean() == pytest.approx(0.5, abs=0.1)
    weak = seen[odd][:, :, ON[0]].min(1)
    assert (weak == 0).mean() == pytest.approx(0.5, abs=0.1)
    assert weak.max() <= REST
    assert (seen[:, :, AU_INDEX[25]] == 1).all(), "a mouth opens on both sides"
    assert (seen.max(1)[:, ON] == 1).all(), "one side shows all of it"


def test_aus_on_both_sides_are_those_never_annotated_on_one() -> None:
    alone = {
        unit.au for rows in combinations().values() for units, _ in rows for unit in units
        if unit.side != "both"
    }  # fmt: skip
    assert alone.isdisjoint(BOTH_SIDES)
    assert {1, 2, 4, 7, 12, 14} <= alone


def test_what_is_annotated_on_one_side_stays() -> None:
    peak = np.zeros((2, 17))
    peak[1, AU_INDEX[14]] = 1
    assert (drawn(50, peak, one_sided=1.0, partial=1.0) == peak).all()


def test_a_part_is_never_nothing_and_never_all() -> None:
    seen = drawn(partial=0.4)[:, 0][:, ON]
    less = (seen < 1).any(1)
    assert less.mean() == pytest.approx(0.4, abs=0.05)
    assert (seen.max(1) == 1).all()
    assert {round(float(v), 4) for v in np.unique(seen)} == {0.0, round(FAINT, 4), 1.0}
    assert (seen[less].min(0) < 1).all(), "any of them"
    assert len(np.unique((seen[less] == 1).sum(1))) == 3, "one, two or three in full"
    single = np.zeros((2, 17))
    single[:, AU_INDEX[12]] = 1
    assert (drawn(50, single, partial=1.0) == single).all()


def test_a_factor_is_of_the_whole_expression() -> None:
    seen = drawn(200, factor=(0.4, 0.8))[:, 0][:, ON]
    assert (seen == seen[:, :1]).all()
    assert seen.min() >= 0.4
    assert seen.max() <= 0.8
    assert (drawn(20, 4 * FULL, factor=(2.0, 3.0)) <= 5).all()


def test_without_chances_nothing_is_drawn() -> None:
    rng, other = keyed_generator(0, "n"), keyed_generator(0, "n")
    assert np.array_equal(Variation().applied(FULL, rng), FULL)
    assert rng.random() == other.random()


@pytest.mark.parametrize(
    "source",
    [
        RuleSource(name="surprise"),
        StatsSource(name="surprise"),
        AnnotatedSource(clip="d/1/c", annotation="1+2+12"),
    ],
)
def test_sources_vary(source: Any) -> None:
    varied = replace(source, variation=Variation(one_sided=1.0, partial=1.0, factor=(0.5, 0.6)))
    plain, other = (s.draw(keyed_generator(1, "s"), fps=100) for s in (source, varied))
    assert 0 < other.intensity.max() < plain.intensity.max()
    again = varied.draw(keyed_generator(1, "s"), fps=100)
    assert np.array_equal(other.intensity, again.intensity)
    # what it is called stays: the expression it shows is another one
    assert Driver.of(varied).digest == Driver.of(source).digest
    if isinstance(source, AnnotatedSource):
        assert AnnotatedSource.from_json(varied.to_json()) == source


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ({"one_sided": -0.1}, "chance from 0 to 1"),
        ({"partial": float("nan")}, "chance from 0 to 1"),
        ({"factor": (0.0, 1.0)}, "factors above 0"),
        ({"factor": (2.0, 1.0)}, "factors above 0"),
        ({"factor": (1.0, 11.0)}, "at most 10"),
    ],
)
def test_what_cannot_be(how: dict[str, Any], why: str) -> None:
    with pytest.raises(InputError, match=why):
        Variation(**how)


def test_aus_by_hand_are_shown_as_written() -> None:
    with pytest.raises(InputError, match="by hand are shown as written"):
        RuleSource(name="aus", units=(("12", 1.0),), variation=Variation(partial=0.5))


def test_shares_scale_single_units_and_draw_nothing() -> None:
    peak = np.ones((2, len(AUS)))
    rng = keyed_generator(0, "shares")
    untouched = keyed_generator(0, "shares").random()
    shown = Variation(shares="12=0.6,26L=0.15").applied(peak, rng)
    assert rng.random() == untouched
    assert shown[:, AU_INDEX[12]].tolist() == [0.6, 0.6]
    assert shown[:, AU_INDEX[26]].tolist() == [0.15, 1]
    assert shown[:, AU_INDEX[4]].tolist() == [1, 1]
    with pytest.raises(InputError, match="unknown AU"):
        Variation(shares="99=1")
