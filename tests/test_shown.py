"""Values at a prompt: one line of facts, no address, no table of numbers."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from famaug import samples
from famaug.data import (
    Casme2,
    ClipFolder,
    Guard,
    MicroExpressionSynth,
    leave_one_subject_out,
)
from famaug.look.files import look_of
from famaug.modulation.rules import RuleSource
from famaug.modulation.statistics import fit_statistics
from famaug.pipeline.inputs import Driver, Identity
from famaug.seeding import keyed_generator
from famaug.shown.lines import LONGEST, counts, short
from famaug.store import CacheWriter, ClipCache, seal, verify
from famaug.testing import make_clip, make_replica
from famaug.types import AUS, AUTrack, Clip, ClipRef, Plan, Provenance
from tests.store.store_builders import moving_clip, plan_of, provenance_of


def said(value: object, *facts: str) -> str:
    """Its line, with these facts in it."""
    text = repr(value)
    assert text.startswith(f"<{type(value).__name__} ")
    assert text.endswith(">")
    assert len(text) <= LONGEST, text
    assert "\n" not in text
    assert not re.search(r"0x[0-9a-f]{6}|array\(|object at", text), text
    missing = [fact for fact in facts if fact not in text]
    assert not missing, (missing, text)
    return text


def plan_for(name: str = "d/01/c", **changes: object) -> Plan:
    values = {
        "driver": {"kind": "clip", "name": name},
        "identity": {"name": "faces/ann"},
        "track": plan_of(1).track,
        "generator": "warp/4",
        "weights": "",
        "size": 256,
        "fps": 100.0,
    }
    return Plan(**{**values, **changes})  # type: ignore[arg-type]


def test_a_clip_and_its_reference_say_what_is_known() -> None:
    ref = ClipRef(
        "casme2", "1", "EP02", ("a.png",) * 300, None, 200.0, 0, 20, 40, "happiness", "4+L7"
    )
    facts = ("casme2/sub01/EP02", "200 fps", "onset 0 apex 20 offset 40", "happiness", "AU 4+L7")
    said(ref, *facts, "300 frames")
    said(Clip(ref, np.zeros((41, 30, 20, 3), np.uint8)), *facts, "41 frames of 20 x 30")
    key = "0123456789abcdef" * 4
    assert key not in said(ClipRef("d", "1", key), "d/1/01234567")
    unknown = said(Clip(ClipRef("", "", "x"), np.zeros((1, 8, 8, 3), np.uint8)), "1 frame of 8 x 8")
    assert "onset" not in unknown
    assert "None" not in unknown


def test_a_track_names_its_strongest_units_and_sides() -> None:
    x = np.zeros((10, 2, len(AUS)))
    x[5, 0, AUS.index(12)], x[5, 1, AUS.index(12)] = 1.8, 1.2
    x[5, :, AUS.index(6)] = 0.9
    x[8:] = np.nan
    track = AUTrack.of(x, estimator="rule/1", fps=50)
    said(track, "10 frames", "50 fps", "AU12 L1.8 R1.2, AU06 0.9", "2 missing", "by rule/1")
    alike = AUTrack.of(x, estimator="openface-csv", sided=False, scale="openface")
    said(alike, "AU12 1.8", "sides alike", "openface scale")
    said(AUTrack.of(np.zeros((3, 2, 17)), estimator="x"), "at rest")


def test_a_plan_and_its_provenance() -> None:
    plan = plan_for()
    said(plan, plan.key[:8], "d/01/c on faces/ann", "2 frames at 100 fps", "256 px", "warp/4")
    story = Provenance.of(plan, "d/01", "", "happy")
    said(story, plan.key[:8], "driver d/01", "face unnamed", "happy by the driver")


@pytest.mark.parametrize("name", ["x" * 5000, "two\nlines", "\x1b[31mred", ""])
def test_names_from_outside_neither_flood_nor_steer_the_terminal(name: str) -> None:
    for value in (plan_for(name), ClipRef(name, name, name, emotion=name, action_units=name)):
        assert "\x1b" not in said(value)


def test_what_is_in_a_strangers_plan_cannot_stop_the_line() -> None:
    said(plan_for(driver={}, identity={"name": 7}, track=[]), "? on 7", "0 frames")


def test_datasets_folds_and_the_mixed_set(tmp_path: Path) -> None:
    make_replica("casme2", tmp_path / "CASME2", subjects=3, clips=6, longest=6)
    clips = Casme2(tmp_path / "CASME2")
    said(clips, "6 clips of 3 people")
    numbered = Casme2(tmp_path / "CASME2", label="three", numbered=True)
    said(numbered, f"{numbered.classes[0]} (0) ")
    said(leave_one_subject_out(numbered)[0].train, f"{numbered.classes[0]} (0) ")
    fold = leave_one_subject_out(clips)[0]
    held = sorted(fold.held_out)[0]
    said(fold, held, f"train {len(fold.train)} clips", "test")
    said(fold.train, f"{len(fold.train)} clips of 2 people", f"held out {held}")
    said(fold.test, f"tests {held}")
    with CacheWriter(tmp_path / "cache") as writer:
        said(writer, "shard main", "delta")
        for n in range(4):
            story = provenance_of(n, driver=sorted(clips.people)[n % 3], identity="faces/ann")
            writer.put(story.plan.key, moving_clip(n), story)
    said(writer, "closed")
    mixed = MicroExpressionSynth(fold.train, ratio=0.5, cache=tmp_path / "cache")
    said(
        mixed,
        f"{len(fold.train)} real and {round(len(fold.train) / 2)} synthetic clip",
        "mode cached",
        "from happy 2",
        "2 excluded",
        f"held out {held}",
    )
    said(MicroExpressionSynth(clips, ratio=0), "6 real and 0 synthetic clips")
    said(Guard({"casme2/sub01"}), "held out casme2/sub01")


def test_caches_and_what_is_read_of_them(tmp_path: Path) -> None:
    story, root = provenance_of(3), tmp_path / "mine"
    with CacheWriter(root) as writer:
        writer.put(story.plan.key, moving_clip(3, t=5), story)
    cache = ClipCache(root)
    said(cache, "mine", "1 shard", "open")
    said(cache.read(story.plan.key), "5 frames of 36 x 40", "delta", "d/01/c on d/02/c", "happy")
    said(verify(root), "1 clips whole", "0 bad")
    seal(root)
    said(ClipCache(root), "sealed, 1 clip")


def test_folders_faces_drivers_looks_and_statistics(tmp_path: Path) -> None:
    shown = samples.face("woman_31")
    (tmp_path / "ann" / "one").mkdir(parents=True)
    (tmp_path / "ann" / "one" / "0.png").write_bytes(shown.read_bytes())
    said(ClipFolder(tmp_path), "1 clip of 1 person")
    said(Identity.of(shown), "woman_31", "448 x 448")
    said(Driver.of(make_clip(1)), "clip")
    for name in ("casme2", "composite"):
        said(look_of(name))
    tracks = [RuleSource(name="positive").draw(keyed_generator(i, "x"), fps=100) for i in range(4)]
    people = ["m/1", "m/1", "m/2", "m/3"]
    fitted = fit_statistics(tracks, subjects=people, labels=["positive"] * 4)
    said(fitted, "4 clips of 3 subjects", "positive 4")


def test_counts_and_names_are_shortened_from_the_middle() -> None:
    assert counts({"a": 3, "b": 2, "c": 1}, most=2) == "a 3, b 2, 1 more"
    assert short("a" * 100, 11) == "aaaa...aaaa"
    assert short("abc") == "abc"
