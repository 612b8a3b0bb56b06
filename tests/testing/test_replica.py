"""Replicas: a release's layout and table, with expressions that can be seen in the pixels."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
from openpyxl import load_workbook  # type: ignore[import-untyped]

from famaug import samples
from famaug.data import Casme2
from famaug.errors import InputError
from famaug.media.clips import load_clip
from famaug.testing import make_replica


def test_layout_and_table(tmp_path: Path) -> None:
    root = make_replica("casme2", tmp_path / "r", clips=6, longest=6)
    page = load_workbook(root / "CASME2-coding-20140508.xlsx").active
    header = [c.value for c in page[1]]
    assert header == ["Subject", "Filename", None, "OnsetFrame", "ApexFrame", "OffsetFrame", None,
                      "Action Units", "Estimated Emotion"]  # fmt: skip
    assert isinstance(page["A2"].value, int)
    names = [p.name for p in (root / "Cropped" / "Cropped" / "sub01").rglob("*.jpg")]
    assert names
    assert all(n.startswith("reg_img") and "img0" not in n for n in names)


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    def bytes_of(name: str, seed: int) -> list[bytes]:
        root = make_replica("smic", tmp_path / name, clips=3, longest=5, seed=seed)
        return [p.read_bytes() for p in sorted(root.rglob("*.bmp"))]

    first = bytes_of("a", 1)
    assert first == bytes_of("b", 1)
    assert first != bytes_of("c", 2)


def test_clips_are_spread_over_classes_and_people(tmp_path: Path) -> None:
    data = Casme2(make_replica("casme2", tmp_path / "r", subjects=5, clips=15, longest=5))
    assert len({r.subject for r in data.refs}) == 5
    assert len(set(data.labels)) >= 5


def test_what_cannot_be_made(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no data set 'casme9'; there are: casme,"):
        make_replica("casme9", tmp_path / "r")
    with pytest.raises(InputError, match="clips must be"):
        make_replica("casme2", tmp_path / "r", clips=0)
    with pytest.raises(InputError, match="subjects must be 1 to 26"):
        make_replica("casme2", tmp_path / "r", subjects=27)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("kept")
    with pytest.raises(InputError, match="new or empty"):
        make_replica("casme2", tmp_path / "full")


def test_the_expression_is_where_the_table_says(tmp_path: Path) -> None:
    """Brows move in surprise more than the mouth does, the mouth more in happiness; the apex is
    farther from the onset than the frame beside the onset."""
    data = Casme2(make_replica("casme2", tmp_path / "r", subjects=12, clips=48, longest=9))
    higher = {"surprise": 0, "happiness": 0}
    seen = {"surprise": 0, "happiness": 0}
    for ref in data.refs:
        if ref.emotion not in seen:
            continue
        frames = load_clip(ref).frames.astype(float).mean(-1)
        change = np.abs(frames[ref.apex or 0] - frames[ref.onset or 0])
        h = change.shape[0]
        brows, mouth = change[: h // 3].mean(), change[int(h * 0.62) :].mean()
        seen[ref.emotion] += 1
        higher[ref.emotion] += int((brows > mouth) == (ref.emotion == "surprise"))
    assert min(seen.values()) >= 4
    assert all(higher[k] >= 0.8 * seen[k] for k in seen)


def test_faces_move_as_labelled(tmp_path: Path) -> None:
    from famaug.aus.flow_and_points import measure_aus

    root = make_replica(
        "casme2",
        tmp_path / "r",
        identities=samples.FOLDER,
        subjects=2,
        clips=2,
        size=(224, 192),
        longest=6,
    )
    for ref in Casme2(root).refs:
        clip = load_clip(ref)
        assert clip.frames.shape[1:] == (224, 192, 3)
        padded = np.pad(clip.frames, ((0, 0), (60, 60), (60, 60), (0, 0)), mode="edge")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            track = measure_aus(padded, neutral=ref.onset or 0).track
        assert np.nanmax(track.intensity[ref.apex or 0]) > 0.4
    few = tmp_path / "few"
    few.mkdir()
    (few / "a.jpg").write_bytes(samples.face("man_87").read_bytes())
    with pytest.raises(InputError, match="usable frontal"):
        make_replica("casme2", tmp_path / "q", identities=few, subjects=3)
