"""Annotated AUs as drivers: what is shown, whose it is, and that no pixel of the clips is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from famaug.aus.table import write_table
from famaug.config.generation import GENERATION, open_generation
from famaug.data import leave_one_subject_out
from famaug.data.guard import Guard
from famaug.errors import InputError, TrackError
from famaug.generation import Generation, generate
from famaug.generation.resources import Resources
from famaug.modulation.annotated import AnnotatedSource
from famaug.modulation.sources import STRENGTH
from famaug.modulation.variation import Variation
from famaug.pipeline.inputs import Driver
from famaug.seeding import keyed_generator
from famaug.store import ClipCache
from famaug.types import AU_INDEX, AUTrack, ClipRef, Provenance
from tests.generation.generation_builders import (
    NoPixels,
    QuickSynthesizer,
    content,
    growing,
    write_clips,
    write_pictures,
)

ROWS = """subject,clip,onset,apex,offset,fps,emotion,action_units
s1,a,1,3,7,50,disgust,4+L7B
s2,a,0,2,5,50,surprise,1+2
s3,a,,,,,happiness,R12 or R14
s3,b,0,2,5,50,others,24+AD38
s3,c,0,2,5,50,others,qq7
s3,d,0,2,5,50,others,
"""


def dataset(tmp: Path, rows: str = ROWS) -> NoPixels:
    root, table = tmp / "data", tmp / "table.csv"
    if not root.exists():
        clips = [line.split(",")[:2] for line in rows.splitlines()[1:]]
        write_clips(root, {f"{s}/{c}": growing(i, t=8) for i, (s, c) in enumerate(clips)})
    table.write_text(rows)
    return NoPixels(root, dataset="casme2", table=table)


def settings(tmp: Path, data: Any, name: str = "cache", **changes: Any) -> Generation:
    values: dict[str, Any] = {
        "out": tmp / name,
        "dataset": data,
        "clips": False,
        "annotations": True,
        "own_faces": False,
        "pictures": [tmp / "faces"],
        "synthesizer": QuickSynthesizer(),
    }
    if not (tmp / "faces").exists():
        write_pictures(tmp / "faces", 3)
    return Generation(**(values | changes))


def stories(root: Path) -> list[Provenance]:
    cache = ClipCache(root)
    return [s for k in cache.keys() if (s := cache.provenance(k)) is not None]  # noqa: SIM118


def test_shown_as_annotated_and_nothing_is_read(tmp_path: Path) -> None:
    report = generate(settings(tmp_path, dataset(tmp_path), per_driver=4))
    assert {s.name: s.reason for s in report.skipped} == {
        "casme2/sub03/b (annotation)": f"no AU of '24+AD38' can be shown: famaug has {_units()}",
        "casme2/sub03/c (annotation)": _unreadable(),
        "casme2/sub03/d (annotation)": "no AUs are annotated",
    }
    assert (report.planned, report.made) == (12, 12), "a fourth clip on three faces is drawn anew"
    of = {s.driver_subject: s for s in stories(tmp_path / "cache")}
    assert set(of) == {"casme2/sub01", "casme2/sub02", "casme2/sub03"}
    first = of["casme2/sub01"]
    assert (first.label, first.label_source) == ("disgust", "driver")
    side = first.plan.driver
    assert (side["kind"], side["subject"], side["label"]) == ("annotation", "sub01", "disgust")
    track = first.plan.intensity
    assert (len(track), first.plan.fps) == (7, 50.0)
    assert int(track.max(axis=(1, 2)).argmax()) == 2
    left, right = track.max(axis=0)
    assert left[AU_INDEX[7]] == pytest.approx(2.0, abs=1e-3), "B is 2 of 5"
    assert right[AU_INDEX[7]] == 0
    assert STRENGTH[0] <= left[AU_INDEX[4]] == right[AU_INDEX[4]] <= STRENGTH[1]
    assert not track[[0, -1]].any()


def _units() -> str:
    return ", ".join(str(au) for au in AU_INDEX)


def _unreadable() -> str:
    with pytest.raises(InputError) as told:
        AnnotatedSource(clip="c", annotation="qq7")
    return str(told.value)


def test_the_same_for_any_workers_and_the_guard_knows_whose(tmp_path: Path) -> None:
    data = dataset(tmp_path)
    one, two = settings(tmp_path, data, "one"), settings(tmp_path, data, "two")
    generate(one, Resources(workers=1))
    generate(two, Resources(workers=2))
    assert content(one.out) == content(two.out) != {}
    guard = Guard({"casme2/1"})
    assert {s.driver_subject: guard.reason(s) for s in stories(one.out)} == {
        "casme2/sub01": "driver subject held out", "casme2/sub02": None, "casme2/sub03": None,
    }  # fmt: skip
    fold = next(f for f in leave_one_subject_out(data) if f.name == "casme2/sub01")
    generate(settings(tmp_path, fold.train, "fold"))
    assert {s.driver_subject for s in stories(tmp_path / "fold")} == {
        "casme2/sub02",
        "casme2/sub03",
    }


def test_the_strength_is_drawn_as_told(tmp_path: Path) -> None:
    rows = "\n".join(ROWS.splitlines()[:3]) + "\n"
    data = dataset(tmp_path, rows)
    generate(settings(tmp_path, data, strength=(3.0, 3.5), rules=["rule:surprise", "aus:12=1"]))
    for story in stories(tmp_path / "cache"):
        brow = story.plan.intensity.max(axis=0)[:, AU_INDEX[4 if story.label == "disgust" else 1]]
        if story.label is None:
            assert story.plan.intensity.max() == 1, "by hand"
        else:
            assert ((brow >= 3.0) & (brow <= 3.5)).all(), story.label


def test_what_is_drawn_varies_as_told_and_what_is_measured_does_not(tmp_path: Path) -> None:
    data = dataset(tmp_path)
    track = AUTrack.of(np.full((5, 2, 17), 0.5), estimator="t", fps=100.0, modulated=True)
    write_table(track, tmp_path / "t.csv")
    more: dict[str, Any] = {
        "rules": ["rule:surprise", "stats:negative", "aus:1=1,12=1"],
        "tables": [tmp_path / "t.csv"],
        "per_driver": 3,
        "per_rule": 6,
    }
    generate(settings(tmp_path, data, "plain", **more))
    generate(settings(tmp_path, data, "varied", one_sided=1.0, partial=1.0, **more))
    seen: dict[str, list[bool]] = {}
    for story in stories(tmp_path / "varied"):
        left, right = story.plan.intensity.max(axis=0)
        seen.setdefault(story.plan.driver["kind"], []).append(bool((left != right).any()))
        if story.plan.driver["name"].startswith("aus:") or story.plan.driver["kind"] == "track":
            assert np.array_equal(left, right)
            assert story.plan.key in {s.plan.key for s in stories(tmp_path / "plain")}
    assert any(seen["rule"])
    assert any(seen["stats"])
    assert any(seen["annotation"])
    assert not any(seen["track"])
    with pytest.raises(InputError, match="chance from 0 to 1"):
        settings(tmp_path, data, partial=1.5)


def test_the_label_has_no_part_in_what_is_drawn() -> None:
    a, b = (AnnotatedSource(clip="c", annotation="4", shows=shows) for shows in ("anger", 0))
    assert Driver.of(a).digest == Driver.of(b).digest
    other = AnnotatedSource(clip="d", annotation="4")
    assert Driver.of(a).digest != Driver.of(other).digest, "another clip is drawn anew"


def test_doubtful_ones_are_each_in_about_half_of_the_draws() -> None:
    source = AnnotatedSource(clip="c", annotation="R12 or R14", fps=100.0)
    rng = keyed_generator(0, "doubt")
    on = np.array([source.draw(rng).intensity.max(axis=0) > 0 for _ in range(400)])
    assert on.any(axis=(1, 2)).all()
    assert not on[:, 0].any()
    shares = on[:, 1, [AU_INDEX[12], AU_INDEX[14]]].mean(axis=0)
    assert ((shares > 0.5) & (shares < 0.75)).all(), "half, and half of the draws with neither"
    again = AnnotatedSource.from_json(source.to_json())
    assert again == source


def test_times_that_nobody_annotated_are_drawn() -> None:
    ref = ClipRef("samm", "006", "1", fps=200.0, onset=4, apex=4, offset=40, action_units="12")
    source = AnnotatedSource.of(ref)
    assert (source.rise, source.fall, source.timing) == (None, 36, "samm")
    lengths = {len(source.draw(keyed_generator(i, "t"))) - 37 for i in range(20)}
    assert len(lengths) > 5, "onset to apex"
    assert all(5 < n < 90 for n in lengths), "10 to 90 %: 90 to 255 ms"
    odd = AnnotatedSource.of(ClipRef("samm", "006", "1", onset=4, offset=40, action_units="12"))
    assert (odd.rise, odd.fall, odd.span) == (None, None, 36)
    tracks = [odd.draw(keyed_generator(i, "t")).intensity[:, 0, AU_INDEX[12]] for i in range(20)]
    assert {len(t) for t in tracks} == {37}
    apexes = {int(t.argmax()) for t in tracks}
    assert len(apexes) > 5
    assert all(0 < apex < 36 for apex in apexes)
    unknown = AnnotatedSource(clip="c", annotation="12")
    assert unknown.draw(keyed_generator(0, "t"), fps=30.0).fps == 30.0


@pytest.mark.parametrize(
    ("annotation", "changes", "error"),
    [
        ("", {}, InputError),
        ("neutral", {}, InputError),
        ("24", {}, TrackError),
        ("AD38", {}, TrackError),
        ("4", {"rise": 0}, InputError),
        ("4", {"fps": float("inf")}, InputError),
        ("4", {"span": 1}, InputError),
        ("4", {"intensity": (0.0, 1.0)}, InputError),
    ],
)
def test_what_cannot_be_shown_is_refused(
    annotation: str, changes: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        AnnotatedSource(clip="c", annotation=annotation, **changes)


def test_a_data_set_without_annotations_says_so(tmp_path: Path) -> None:
    rows = "subject,clip,emotion\ns1,a,surprise\n"
    data = dataset(tmp_path, rows)
    with pytest.raises(InputError, match="none of 1 clips of casme2 has annotated AUs; measure"):
        settings(tmp_path, data)
    report = generate(settings(tmp_path, data, rules=["stats:positive"]))
    assert report.made == 1
    assert report.complete
    assert any("casme2 has no annotated AUs" in note for note in report.notes)
    with pytest.raises(InputError, match="needs a dataset"):
        settings(tmp_path, None)


def test_the_yaml(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("out: c\ndrivers: {annotations: true, strength: [2, 1], rules: []}\n")
    with pytest.raises(InputError, match=r"drivers.strength: intensity must be a range"):
        GENERATION.read(path)
    with pytest.raises(InputError, match=r"drivers.annotations has no effect: there is no datas"):
        GENERATION.read(path, ["drivers.strength=[1,2]"])
    path.write_text("out: c\ndrivers: {rules: ['rule:surprise']}\nidentities: {pictures: ['.']}\n")
    told = GENERATION.read(
        path, ["drivers.one_sided=.2", "drivers.partial=.3", "drivers.factor=[.5,1]"]
    )
    varied = open_generation(told)[0].variation
    assert varied == Variation(one_sided=0.2, partial=0.3, factor=(0.5, 1.0))
    for wrong in ("one_sided=-1", "partial=2", "factor=[0,1]", "factor=[2,1]"):
        with pytest.raises(InputError, match=rf"drivers\.{wrong.partition('=')[0]} must be a"):
            GENERATION.read(path, [f"drivers.{wrong}"])
    path.write_text("out: c\ndrivers: {tables: ['" + str(path) + "'], partial: .5}\n")
    with pytest.raises(InputError, match=r"drivers.partial has no effect: nothing is drawn"):
        GENERATION.read(path)
