"""The values that flow through famaug: who is in them, where they move, and what they refuse."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from famaug import __version__
from famaug.errors import InputError
from famaug.pipeline.inputs import Identity
from famaug.testing import make_clip
from famaug.types import AU_INDEX, Clip, ClipRef, Plan, Provenance


def plan_of(track: np.ndarray, kind: str = "clip") -> Plan:
    side = {"name": "n", "dataset": "d", "subject": "1", "digest": "0", "kind": kind}
    return Plan(side, side, track.tolist(), "test/1", "", None, 100.0)


def test_a_person_has_one_name() -> None:
    assert ClipRef("CASME II", "1", "a").person == ClipRef("casme2", "sub01", "b").person
    assert ClipRef("casme2", "1", "a").person == "casme2/sub01"
    assert ClipRef("casme2", "", "a").person == ""
    assert ClipRef("", "", "a").person == ""


def test_the_face_at_rest_is_the_onset_frame() -> None:
    clip = make_clip(1, frames=5)
    late = Clip(replace(clip.ref, onset=3, apex=4, offset=4), clip.frames)
    assert np.array_equal(late.neutral.frames[0], clip.frames[3])
    assert (late.neutral.ref.onset, late.neutral.ref.apex) == (0, None)
    assert np.array_equal(Identity.of(late).picture, clip.frames[3])


@pytest.mark.parametrize("onset", [5, -1])
def test_an_onset_outside_the_clip_is_nobodys_face(onset: int) -> None:
    clip = make_clip(1, frames=5)
    wrong = Clip(replace(clip.ref, onset=onset), clip.frames)
    with pytest.raises(InputError, match="has 5 frames, so there is no neutral face"):
        _ = wrong.neutral
    with pytest.raises(InputError, match="has 5 frames, so there is no neutral face"):
        Identity.of(wrong)


def test_a_plan_knows_its_key_frames() -> None:
    track = np.zeros((12, 2, 17))
    assert plan_of(track).key_frames == (0, 0, 11)
    track[4:9, 0, AU_INDEX[12]] = [0.5, 1, 2, 1, 0.5]
    track[10, :, AU_INDEX[45]] = 5  # a blink is no expression
    plan = plan_of(track)
    assert plan.key_frames == (3, 6, 9)
    assert plan.asked.intensity[6, 0, AU_INDEX[12]] == 2
    assert plan.asked.intensity[10, 0, AU_INDEX[45]] == 5
    assert plan.asked.fps == 100


@pytest.mark.parametrize(
    ("kind", "label", "source"),
    [
        ("clip", "a", "driver"),
        ("rule", "a", "rule"),
        ("stats", "a", "rule"),
        ("track", None, "none"),
    ],
)
def test_provenance_says_where_its_label_comes_from(
    kind: str, label: str | None, source: str
) -> None:
    found = Provenance.of(plan_of(np.zeros((3, 2, 17)), kind), "d/1", "", label, licence="CC0")
    assert (found.label, found.label_source, found.licence) == (label, source, "CC0")
    assert (found.driver_subject, found.identity_subject) == ("d/1", "")
    assert found.version == __version__
    assert Provenance.from_json(found.to_json()) == found


def test_a_provenance_says_what_computed_the_pixels_if_its_writer_did() -> None:
    story = Provenance(plan_of(np.zeros((3, 2, 17))), "", "", None, "none", engine="cuda")
    assert Provenance.from_json(story.to_json()).engine == "cuda"
    earlier = story.to_json()
    del earlier["engine"]
    assert Provenance.from_json(earlier).engine == ""
