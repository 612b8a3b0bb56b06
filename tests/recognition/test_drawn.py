"""Expressions drawn on faces as flow pictures, of which only onset and apex are rendered."""

from __future__ import annotations

import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest

from famaug import samples
from famaug.errors import InputError, MediaError
from famaug.recognition.drawn import DrawnClips, Draws, drawn_pool, find_faces
from famaug.recognition.inputs import InputSpec, make_input

SPEC = InputSpec(kind="flow", size=28, low=-1.0, high=1.0, flow="dis")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("faces")
    for name in ("woman_31", "man_30", "woman_62"):
        shutil.copy(samples.face(name), root)
    (root / "list.csv").write_text("no picture")
    np.zeros((90, 90, 3), np.uint8).tofile(root / "broken.png")
    return root


@pytest.fixture(scope="module")
def clips(folder: Path) -> DrawnClips:
    return DrawnClips(find_faces(folder, without=["woman_62"]), Draws(), folder)


def test_what_is_drawn(clips: DrawnClips, tmp_path: Path) -> None:
    pool = drawn_pool(clips, SPEC, folder=tmp_path)
    assert pool.labels.tolist() == [0, 1, 2] * 4
    assert pool.inputs.shape == (12, 3, 28, 28)
    assert len({p.tobytes() for p in pool.inputs}) == 12
    assert all(s.label_source == "rule" and not s.driver_subject for s in pool.provenances)
    assert pool.allowed(["casme2/1", "samm/6"]).all()
    kinds = [s.plan.driver["name"] for s in pool.provenances[:6]]
    assert kinds == [f"{k}:{c}" for k in ("rule", "stats") for c in Draws().classes]


def test_it_is_the_same_again_and_elsewhere(clips: DrawnClips) -> None:
    clip, _ = pickle.loads(pickle.dumps(clips))[7]  # noqa: S301  own bytes
    assert np.array_equal(clip.frames, clips[7][0].frames)
    assert clips.content_key(7) != clips.content_key(8)
    assert make_input(clip, SPEC).max() == 255


def test_what_is_kept_is_not_made_again(
    clips: DrawnClips, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = drawn_pool(clips, SPEC, folder=tmp_path)
    monkeypatch.setattr(clips.maker, "render", None)
    assert np.array_equal(drawn_pool(clips, SPEC, folder=tmp_path).inputs, first.inputs)


def test_other_draws_give_other_pictures(clips: DrawnClips, folder: Path) -> None:
    strong = DrawnClips(clips.faces, Draws(strength=(2.0, 2.0), clips_per_face=1), folder)
    assert len(strong) == 2
    assert strong.plan(0).intensity.max() > clips.plan(0).intensity.max()
    assert [strong.source(i).label for i in range(2)] == ["negative", "positive"]


def test_what_cannot_be(clips: DrawnClips, folder: Path, tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="gone: asked for a folder of frames"):
        find_faces(tmp_path / "gone")
    with pytest.raises(InputError, match=r"asked to leave out \['woman_1'\], which are not there"):
        find_faces(folder, without=["woman_1"])
    with pytest.raises(MediaError, match="no pictures"):
        find_faces(tmp_path)
    with pytest.raises(InputError, match="got 'clip': make a cache"):
        drawn_pool(clips, InputSpec(kind="clip", size=28, frames=4))
    with pytest.raises(InputError, match="there must be a kind, a class and a clip"):
        Draws(clips_per_face=0)
    with pytest.raises(InputError, match="intensity must be a range within 0-5"):
        Draws(strength=(0.0, 9.0))
    with pytest.raises(InputError, match="must be a chance from 0 to 1; got 2"):
        Draws(one_sided=2)
