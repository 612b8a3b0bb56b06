"""What was measured is kept whole or not at all, and used again while its source is the same."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from famaug.data import ClipFolder
from famaug.errors import InputError
from famaug.generation import Generation, generate
from famaug.modulation.rules import parse_expression
from famaug.pipeline.measurements import DriverRecord, FaceRecord, MeasuredStore
from famaug.seeding import keyed_generator
from tests.generation.generation_builders import (
    QuickSynthesizer,
    portrait,
    quick,
    small_dataset,
    write_pictures,
)


def record(number: int = 0) -> DriverRecord:
    track = parse_expression("rule:negative").draw(keyed_generator(number), fps=30.0)
    return DriverRecord({"name": "d", "digest": "0"}, "sad", track)


def test_records_come_back_exactly(tmp_path: Path) -> None:
    store = MeasuredStore(tmp_path / "m")
    assert store.driver("a") is None
    store.put_driver("a", record())
    found = store.driver("a")
    assert found is not None
    assert np.array_equal(found.track.intensity, record().track.intensity)
    assert (found.label, found.track.fps, found.track.estimator) == ("sad", 30.0, "rule/1")
    store.put_face("f", FaceRecord({"name": "x"}, (24, 20), portrait(3)))
    face = store.face("f")
    assert face is not None
    assert face.picture is not None
    assert np.array_equal(face.picture, portrait(3))
    assert not list((tmp_path / "m").rglob(".*")), "no drafts are left"


def test_the_first_stays_and_a_damaged_one_is_replaced(tmp_path: Path) -> None:
    store = MeasuredStore(tmp_path)
    store.put_driver("a", record(1))
    store.put_driver("a", record(2))
    found = store.driver("a")
    assert found is not None
    assert np.array_equal(found.track.intensity, record(1).track.intensity)
    path = tmp_path / "drivers" / "a.json"
    text = path.read_text()
    for damaged in (text[:-20], text.replace('"sad"', '"bad"'), "", "[]"):
        path.write_text(damaged)
        assert store.driver("a") is None
    store.put_driver("a", record(2))
    assert store.driver("a") is not None


def test_a_refused_face_is_not_tried_again(tmp_path: Path, astronaut_picture: np.ndarray) -> None:
    noise = write_pictures(tmp_path / "noise", 2)
    settings = Generation(out=tmp_path / "c", rules=["rule:positive"], pictures=[noise])
    reasons = []
    for _ in range(2):
        with pytest.raises(InputError, match="no face is left") as error:
            generate(settings, dry_run=True)
        reasons.append(str(error.value))
    assert reasons[0] == reasons[1]
    store = MeasuredStore(settings.measured_folder)
    names = [p.stem for p in (tmp_path / "c.measured" / "faces").iterdir()]
    assert len(names) == 2
    assert all(store.refusal("faces", n) and store.face(n) is None for n in names)


def test_moved_data_give_the_same_clips(tmp_path: Path) -> None:
    """Keys know contents, not places or times."""
    small_dataset(tmp_path / "one")
    shutil.copytree(tmp_path / "one", tmp_path / "two", copy_function=shutil.copyfile)
    for path in (tmp_path / "two").rglob("*.png"):
        os.utime(path, (1, 1))
    keys = []
    for name in ("one", "two"):
        settings = Generation(
            out=tmp_path / f"c{name}",
            dataset=ClipFolder(tmp_path / name, dataset="d"),
            per_driver=2,
            synthesizer=QuickSynthesizer(),
        )
        report = generate(settings, dry_run=True)
        assert report.measured == 12, "eight drivers, four faces"
        keys.append(report.keys)
    assert keys[0] == keys[1]


def test_a_changed_picture_is_measured_anew(tmp_path: Path) -> None:
    settings = quick(tmp_path)
    first = generate(settings, dry_run=True)
    shutil.copy(write_pictures(tmp_path / "new", 4) / "face3.png", tmp_path / "pictures/face0.png")
    second = generate(settings, dry_run=True)
    assert second.measured == 1
    assert 0 < len(set(first.keys) & set(second.keys)) < 12
