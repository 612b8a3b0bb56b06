"""What is made, what is skipped, and that nobody can tell from the result how it was made."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from famaug.data import ClipFolder, leave_one_subject_out
from famaug.errors import CacheError, InputError
from famaug.generation import Generation, generate
from famaug.generation.material import gather
from famaug.generation.resources import Resources
from famaug.generation.worker import Worker
from famaug.generation.workers import Tasks
from famaug.generation.worklist import make_worklist
from famaug.seeding import keyed_generator
from famaug.store import ClipCache, cache_info, seal, verify
from famaug.types import AU_NAMES, Plan
from tests.generation.generation_builders import (
    BadSynthesizer,
    QuickSynthesizer,
    content,
    growing,
    quick,
    small_dataset,
    write_clips,
    write_pictures,
)


def test_the_same_cache_for_any_workers_and_tasks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for workers, clips in ((1, 1), (1, 4), (2, 1), (2, 4)):
        monkeypatch.setattr("famaug.generation.resources.ON_A_CPU", clips)
        settings = quick(tmp_path, f"c{workers}{clips}")
        report = generate(settings, Resources(workers=workers))
        assert (report.planned, report.made, report.there) == (12, 12, 0)
        assert report.complete
        assert cache_info(settings.out)["shards"] <= workers
        assert cache_info(settings.out)["engines"] == {"cpu": 12}
        found.append(content(settings.out))
    assert found[0] == found[1] == found[2] == found[3]
    assert len(found[0]) == 12


def test_first_k_then_the_rest_is_all_and_none_twice(tmp_path: Path) -> None:
    whole, parts = quick(tmp_path, "whole"), quick(tmp_path, "parts")
    generate(whole)
    done: list[int] = []
    first = generate(
        parts,
        progress=lambda stage, d, n: done.append(d) if stage == "rendering" else None,
        stop=lambda: bool(done) and done[-1] >= 4,
    )
    assert first.stopped
    assert 4 <= first.made < 12
    rest = generate(parts)
    assert (rest.there, rest.made) == (first.made, 12 - first.made)
    assert content(parts.out) == content(whole.out)
    again = generate(parts)
    assert (again.there, again.made, again.measured) == (12, 0, 0)
    assert sum(len(ClipCache(parts.out).raw_keys(s)) for s in ClipCache(parts.out).shards()) == 12


def test_dry_run_tells_the_keys_and_writes_no_cache(tmp_path: Path) -> None:
    settings = quick(tmp_path)
    planned = generate(settings, dry_run=True)
    assert not settings.out.exists()
    assert planned.planned == len(set(planned.keys)) == 12
    assert planned.bytes_estimate > 12 * 64 * 64 * 3
    made = generate(settings)
    assert made.measured == 0, "what a dry run measured is used"
    assert sorted(planned.keys) == ClipCache(settings.out).keys()


def test_clips_that_would_be_the_same_are_told(tmp_path: Path) -> None:
    data = small_dataset(tmp_path / "data")
    settings = Generation(
        out=tmp_path / "c", dataset=data, per_driver=5, synthesizer=QuickSynthesizer()
    )
    report = generate(settings, dry_run=True)
    assert report.planned == 8 * 3, "each clip once on each of three other people"
    assert any("16 of the clips asked for would be the same" in n for n in report.notes)


def test_other_faces_change_few_choices(tmp_path: Path) -> None:
    """A pair keeps its clip whatever other pairs there are."""
    write_pictures(tmp_path / "pictures", 8)
    rules = [f"aus:{au}=1" for au in (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17)]
    few = generate(quick(tmp_path, rules=rules, per_rule=2), dry_run=True)
    write_pictures(tmp_path / "pictures", 9)
    more = generate(quick(tmp_path, rules=rules, per_rule=2), dry_run=True)
    kept = len(set(few.keys) & set(more.keys))
    assert 24 * 7 / 9 - 6 < kept < 24


def test_clips_of_a_dataset_go_on_other_subjects(tmp_path: Path) -> None:
    data = small_dataset(tmp_path / "data")
    settings = Generation(
        out=tmp_path / "c",
        dataset=data,
        per_driver=2,
        synthesizer=QuickSynthesizer(),
        licence="for members only",
    )
    report = generate(settings)
    assert report.planned == 16
    assert any("FilterTooWide" in n or "window" in n for n in report.notes)
    cache = ClipCache(settings.out)
    for key in cache.keys():  # noqa: SIM118
        story = cache.provenance(key)
        assert story is not None
        assert story.driver_subject.startswith("d/s")
        assert story.identity_subject.startswith("d/s")
        assert story.driver_subject != story.identity_subject
        assert story.label_source == "none"
        assert story.licence == "for members only"
    assert verify(settings.out).good


def test_a_folds_cache_holds_nobody_held_out(tmp_path: Path) -> None:
    data = small_dataset(tmp_path / "data")
    fold = leave_one_subject_out(data)[1]
    settings = Generation(
        out=tmp_path / "c", dataset=fold.train, per_driver=3, synthesizer=QuickSynthesizer()
    )
    assert generate(settings).planned == 6 * 2
    cache = ClipCache(settings.out)
    people = {
        s
        for story in map(cache.provenance, cache.keys())
        if story is not None
        for s in (story.driver_subject, story.identity_subject)
    }
    assert people == {"d/s0", "d/s2", "d/s3"}


def test_bad_sources_are_named_and_the_rest_is_made(tmp_path: Path) -> None:
    root = write_clips(
        tmp_path / "data", {f"s{i}/ok": growing(i) for i in range(3)} | {"s8/torn": growing(3)}
    )
    (root / "s8/torn/img2.png").write_bytes(b"no picture")
    (tmp_path / "bad.csv").write_text("frame,side\n0,left\n")
    settings = Generation(
        out=tmp_path / "c",
        dataset=ClipFolder(root, dataset="d"),
        tables=[tmp_path / "bad.csv", tmp_path / "gone.csv"],
        pictures=[tmp_path / "gone.png"],
        synthesizer=QuickSynthesizer(),
    )
    report = generate(settings)
    assert report.made == 3
    assert not report.complete
    text = (settings.out / "skipped.csv").read_text()
    named = {tuple(line.split(",")[:2]) for line in text.splitlines()[1:]}
    assert {("driver", "d/s8/torn"), ("identity", "d/s8/torn")} <= named
    assert ("driver", str(tmp_path / "bad.csv")) in named
    assert ("driver", str(tmp_path / "gone.csv")) in named
    assert ("identity", str(tmp_path / "gone.png")) in named
    assert "img2.png" in text
    shutil.copy(root / "s8/torn/img1.png", root / "s8/torn/img2.png")
    assert generate(settings).made >= 1, "a corrected clip is measured and made"
    assert "torn" not in (settings.out / "skipped.csv").read_text()


def test_nothing_left_is_an_error_that_says_why(tmp_path: Path) -> None:
    clip = np.repeat(keyed_generator(0, "x").integers(0, 99, (1, 96, 96, 3), dtype=np.uint8), 3, 0)
    data = ClipFolder(write_clips(tmp_path / "data", {"s/c": clip}))
    settings = Generation(out=tmp_path / "c", dataset=data)  # the real nets: no face in noise
    with pytest.raises(InputError, match="no driver is left to make clips from: 2 were skipped"):
        generate(settings)
    assert "identity,folder/s/c" in (settings.out / "skipped.csv").read_text()


def test_a_clip_of_one_frame_is_skipped(tmp_path: Path, astronaut_picture: np.ndarray) -> None:
    data = ClipFolder(write_clips(tmp_path / "data", {"s/c": astronaut_picture[None]}))
    settings = Generation(out=tmp_path / "c", dataset=data)
    with pytest.raises(InputError, match="no driver is left"):
        generate(settings)
    assert "this clip has one frame" in (settings.out / "skipped.csv").read_text()


def test_sealed_and_foreign_folders_are_refused(tmp_path: Path) -> None:
    settings = quick(tmp_path)
    generate(settings)
    seal(settings.out)
    assert generate(settings).there == 12
    with pytest.raises(CacheError, match="is sealed and lacks clips"):
        generate(quick(tmp_path, per_rule=7))
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "thesis.tex").touch()
    with pytest.raises(CacheError, match="not a famaug cache"):
        generate(quick(tmp_path, "foreign"))


def tasks_of(settings: Generation) -> Tasks:
    """Of a generation whose sources are measured."""
    material = gather(settings)
    faces = [face for person in material.faces for face in person]
    return Tasks.of_clips(make_worklist(settings, material.drivers, faces).clips, 8)


def test_planning_stops_within_a_clip(tmp_path: Path) -> None:
    settings, planned = quick(tmp_path, per_rule=20_000), 0

    def say(stage: str, done: int, total: int) -> None:
        nonlocal planned
        planned = done if stage == "planning" else 0

    report = generate(settings, progress=say, stop=lambda: planned >= 5)
    assert report.stopped
    assert not report.finished
    assert planned == 5
    assert not settings.out.exists()
    asked = 0

    def stop() -> bool:
        nonlocal asked
        asked += 1
        return asked > 10

    material = gather(settings)
    faces = [face for person in material.faces for face in person]
    assert len(make_worklist(settings, material.drivers, faces, stop=stop).clips) < 10
    assert gather(settings, stop=lambda: True).faces == ()


def test_a_source_replaced_by_one_of_its_size_and_time_is_another(tmp_path: Path) -> None:
    path = tmp_path / "face.png"
    path.write_bytes(b"one")
    before = path.stat()
    settings = replace(quick(tmp_path), pictures=[path])
    first = {face.key for person in gather(settings).faces for face in person}
    (tmp_path / "copy").write_bytes(b"two")
    os.utime(tmp_path / "copy", ns=(before.st_atime_ns, before.st_mtime_ns))
    (tmp_path / "copy").replace(path)
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (3, before.st_mtime_ns)
    second = {face.key for person in gather(settings).faces for face in person}
    assert len(first - second) == len(second - first) == 1


def test_overlapped_storing_gives_the_same(tmp_path: Path) -> None:
    """What a GPU worker does: store a clip in a thread while the next one is rendered."""
    plain, other = quick(tmp_path), quick(tmp_path, "other", measured=tmp_path / "cache.measured")
    generate(plain)
    worker = Worker(other, Resources(), device="cpu", overlap=True)
    tasks, outcomes = tasks_of(other), []
    while (task := tasks.take(0)) is not None:
        outcomes += worker.do(task)
    worker.close()
    assert {o.state for o in outcomes} == {"done"}
    assert content(other.out) == content(plain.out)


def test_copied_shards_hold_the_same(tmp_path: Path) -> None:
    """As on a network file system: written elsewhere, copied when finished."""
    plain, other = quick(tmp_path, per_rule=40), quick(tmp_path, "other", per_rule=40)
    generate(plain)
    seen: list[int] = []
    copied = Resources(workers=2, copy_shards=True)
    first = generate(
        other,
        copied,
        progress=lambda stage, d, n: seen.append(d) if stage == "rendering" else None,
        stop=lambda: bool(seen) and seen[-1] > 0,
    )
    assert 0 < first.made == len(ClipCache(other.out)) < 80
    assert generate(other, copied).there == first.made
    assert content(other.out) == content(plain.out)
    shards = sorted(p.name for p in (other.out / "shards").iterdir() if p.suffix == ".lmdb")
    assert len(shards) >= 3
    assert not any("writer" in p.name for p in (other.out / "shards").iterdir())
    assert seal(other.out)


def test_a_shard_that_cannot_be_copied_is_not_acknowledged(tmp_path: Path) -> None:
    settings = quick(tmp_path)
    generate(settings, dry_run=True)
    settings.out.mkdir()
    (settings.out / "shards").touch()  # no folder can be there
    worker = Worker(settings, Resources(copy_shards=True), device="cpu")
    task = tasks_of(settings).take(0)
    assert task is not None
    outcomes = worker.do(task)
    assert {(o.state, o.error) for o in outcomes} == {("fatal", "CacheError")}
    assert {o.name for o in outcomes} == set(task.names)


def test_one_bad_clip_does_not_take_its_task_with_it(tmp_path: Path) -> None:
    names = [f"s{i}/{n}" for i, n in enumerate(("ok", "raises", "fine", "good"))]
    data = ClipFolder(write_clips(tmp_path / "data", {n: growing(i) for i, n in enumerate(names)}))
    settings = Generation(
        out=tmp_path / "c",
        dataset=data,
        own_faces=False,
        pictures=[write_pictures(tmp_path / "p", 1)],
        synthesizer=BadSynthesizer(),
    )
    report = generate(settings)
    assert report.made == 3
    (skip,) = report.skipped
    assert skip.name.startswith("folder/s1/raises on ")
    assert skip.reason == "ZeroDivisionError: a bug in the renderer"
    assert "generation_builders.py" in skip.trace
    assert "a bug in the renderer" in (settings.out / "failures.txt").read_text()


def test_tables_are_shown_as_written_where_they_say_so(tmp_path: Path) -> None:
    """By a table's own word, or by `as_is` for all of them; a rate beside a table counts too."""
    from famaug.aus.table import write_table
    from famaug.modulation.modulate import modulate
    from famaug.modulation.rules import parse_expression
    from famaug.types import AUTrack

    x = parse_expression("aus:4=1.5").draw(keyed_generator(0)).intensity + 0.2
    raw = AUTrack.of(x, estimator="t/1", fps=200)
    raws, shown = write_table(raw, tmp_path / "raw.csv"), tmp_path / "shown.csv"
    write_table(modulate(raw), shown)

    def made(name: str, table: Path, **changes: object) -> Plan:
        generate(quick(tmp_path, name, tables=[table], rules=[], **changes))
        cache = ClipCache(tmp_path / name)
        (key,) = cache.keys()
        story = cache.read(key).provenance
        assert story is not None
        return story.plan

    changes = {"measured": tmp_path / "measured"}
    first, second = made("a", raws, **changes), made("b", shown, **changes)
    assert second.params["modulation"] == "as written" != first.params["modulation"]
    assert np.abs(first.intensity - second.intensity).max() < 2e-3
    forced = made("c", raws, as_is=True, **changes)
    assert forced.params["modulation"] == "as written"
    assert np.abs(forced.intensity - raw.intensity).max() <= 1e-4
    (tmp_path / "raw.csv.json").unlink()
    assert made("d", raws, **changes).fps == 20  # what the synthesizer was told


def test_loose_files_of_a_data_set_are_their_peoples(tmp_path: Path) -> None:
    """A frame copied out of the data set keeps its person, or stays out."""
    data = small_dataset(tmp_path / "data")
    loose = tmp_path / "loose"
    loose.mkdir()
    for who in (0, 3):
        shutil.copy(tmp_path / "data" / f"s{who}" / "c0" / "img2.png", loose / f"{who}.png")
    fold = leave_one_subject_out(data)[0]
    settings = Generation(
        out=tmp_path / "c",
        dataset=fold.train,
        pictures=[loose],
        clips=False,
        own_faces=False,
        rules=["rule:positive"],
        synthesizer=QuickSynthesizer(),
    )
    found = gather(settings)
    assert [[face.subject for face in faces] for faces in found.faces] == [["d/s3"]]
    assert [(s.what, s.reason) for s in found.skipped] == [("identity", "it is d/s0's, held out")]
    whole = gather(replace(settings, dataset=data))
    assert [faces[0].subject for faces in whole.faces] == ["d/s0", "d/s3"]


def test_a_folder_of_openface_tables_is_a_driver(tmp_path: Path) -> None:
    folder = tmp_path / "of"
    folder.mkdir()
    header = "face, confidence, " + ", ".join(f"{n}_r" for n in AU_NAMES)
    for i in range(30):
        values = ", ".join([f"{0.1 + i / 50:.2f}"] * len(AU_NAMES))
        (folder / f"img{i}.csv").write_text(f"{header}\n0, 0.9, {values}\n")
    report = generate(quick(tmp_path, tables=[folder, tmp_path / "none.csv"], rules=[]))
    assert (report.made, report.frames) == (1, 30)
    assert [(s.what, s.reason) for s in report.skipped] == [("driver", "no such file")]
