"""Statistics of one's own clips as a driver: saved, drawn from, and whose they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from famaug.errors import InputError
from famaug.modulation.fitted import FittedSource
from famaug.modulation.rules import RuleSource, parse_expression
from famaug.modulation.statistics import fit_statistics
from famaug.pipeline import Synthesizer
from famaug.pipeline.inputs import Driver
from famaug.seeding import keyed_generator


@pytest.fixture
def file(tmp_path: Path) -> Path:
    names = ["positive", "surprise"] * 4
    tracks = [
        RuleSource(name=name).draw(keyed_generator(i, "clip"), fps=100)
        for i, name in enumerate(names)
    ]
    people = [f"mine/{i}" for i in range(8)]
    return fit_statistics(tracks, subjects=people, labels=names).save(tmp_path / "fitted.json")


def test_drawn_as_the_statistics_do_wherever_the_file_lies(file: Path, tmp_path: Path) -> None:
    source = parse_expression(f"stats:{file}:surprise")
    assert isinstance(source, FittedSource)
    assert (source.text, source.label) == (f"stats:{file}:surprise", "surprise")
    own = source.pool.draw(keyed_generator(1, "d"), fps=50.0, label="surprise")
    drawn = source.draw(keyed_generator(1, "d"), fps=50.0)
    assert np.array_equal(drawn.intensity, own.intensity)
    copy = tmp_path / "elsewhere" / file.name
    copy.parent.mkdir()
    copy.write_bytes(file.read_bytes())
    sides = [Driver.of(f"stats:{p}:surprise").to_json() for p in (file, copy)]
    assert sides[0] == sides[1]
    assert sides[0]["name"] == "stats:fitted.json:surprise"
    assert parse_expression(f"stats:{file}").label is None, "of several classes"


def test_everybody_in_them_stands_in_the_plan(file: Path) -> None:
    driver = Driver.of(f"stats:{file}:positive")
    assert isinstance(driver.content, FittedSource)
    face = {"name": "f", "subject": "", "dataset": "", "digest": "0", "mesh": ""}
    rng = keyed_generator(0, "p")
    plan = Synthesizer(size=64).plan_measured(driver.to_json(), driver.content, face, rng)
    assert plan.driver["subjects"] == [f"mine/{i}" for i in range(8)]
    assert plan.params["modulation"] == "as written"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("stats:nowhere.json", "nowhere.json"),
        ("early:{file}", "holds stats, so it is stats:"),
        ("stats:{file}:anger", "holds no 'anger': it has positive, surprise"),
        ("stats:{other}", "other.json: its schema is None, so `famaug pool`"),
        ("stats:{broken}", "not readable as JSON"),
    ],
)
def test_files_that_are_none(file: Path, tmp_path: Path, text: str, told: str) -> None:
    other, broken = tmp_path / "other.json", tmp_path / "broken.json"
    other.write_text("[1]")
    broken.write_text("{")
    with pytest.raises(InputError, match=told):
        parse_expression(text.format(file=file, other=other, broken=broken))
