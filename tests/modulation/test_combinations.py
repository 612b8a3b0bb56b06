"""Expressions by how often people annotated which AUs together."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from famaug.errors import InputError
from famaug.modulation.combinations import CLASSES, StatsSource, combinations
from famaug.modulation.rules import parse_expression
from famaug.pipeline.inputs import Driver
from famaug.seeding import keyed_generator
from famaug.types import AU_INDEX


def test_the_table_is_whole() -> None:
    clips = {name: sum(n for _, n in rows) for name, rows in combinations().items()}
    assert clips == {"positive": 300, "negative": 2010, "surprise": 565}
    for rows in combinations().values():
        assert all(n > 1 and units and all(u.shown for u in units) for units, n in rows)
        assert len({units for units, _ in rows}) == len(rows)


@pytest.mark.parametrize("name", CLASSES)
def test_drawn_as_often_as_annotated(name: str) -> None:
    source, rng = parse_expression(f"stats:{name}"), keyed_generator(0, "often", name)
    assert (source.text, source.label) == (f"stats:{name}", name)
    drawn: Counter[tuple[bool, ...]] = Counter()
    for _ in range(2000):
        peak = source.draw(rng, fps=100.0).intensity.max(axis=0)
        assert ((peak == 0) | ((peak >= 0.5) & (peak <= 1.5))).all()
        drawn[tuple((peak > 0).reshape(-1))] += 1
    rows = combinations()[name]
    total = sum(n for _, n in rows)
    for units, count in rows:
        on = np.zeros((2, 17), bool)
        for unit in units:
            on[{"left": [0], "right": [1], "both": [0, 1]}[unit.side], AU_INDEX[unit.au]] = True
        assert drawn[tuple(on.reshape(-1))] / 2000 == pytest.approx(count / total, abs=0.04)


def test_sides_and_seed_and_digest() -> None:
    source = StatsSource(name="negative")
    one, same = (source.draw(keyed_generator(3, "s"), fps=50.0).intensity for _ in range(2))
    assert np.array_equal(one, same)
    assert not one[0].any()
    assert not one[-1].any()
    alone = [u for units, _ in combinations()["negative"] for u in units if u.side != "both"]
    assert {u.side for u in alone} == {"left", "right"}
    digests = {Driver.of(f"stats:{name}").digest for name in CLASSES}
    digests.add(Driver.of("rule:positive").digest)
    assert len(digests) == 4
    side = Driver.of("stats:surprise").to_json()
    assert (side["kind"], side["name"], side["label"]) == ("stats", "stats:surprise", "surprise")


@pytest.mark.parametrize("text", ["stats:happiness", "stats:", "stat:positive"])
def test_unknown_ones_are_told(text: str) -> None:
    with pytest.raises(InputError, match="positive, negative, surprise"):
        parse_expression(text)


def test_a_range_that_cannot_be() -> None:
    with pytest.raises(InputError, match="within 0-5"):
        StatsSource(name="positive", intensity=(0.0, 1.0))
