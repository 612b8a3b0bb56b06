"""The embedded estimator on real video, on rendered faces of known AUs, and on bad input."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from famaug.aus.flow_and_points import FAR_TURN, measure_aus
from famaug.errors import FaceError, InputError
from famaug.faces.mesher import FaceMesher
from famaug.quality.agreement import pearson
from famaug.types import AU_INDEX, AUTrack, Floats, Frames, Picture


def _au(track: AUTrack, number: int) -> Floats:
    """Mean of both sides, `T`."""
    values: Floats = track.intensity[:, :, AU_INDEX[number]].mean(1)
    return values


@pytest.fixture(scope="module")
def smile(smile_video: tuple[Frames, float], mesher: FaceMesher) -> AUTrack:
    frames, fps = smile_video
    return measure_aus(frames, neutral=(0, 3), fps=fps, mesher=mesher).track


def test_a_real_smile(smile: AUTrack) -> None:
    late = np.nanmean(smile.intensity[40:], axis=(0, 1))
    assert late.argmax() == AU_INDEX[12]
    assert late[AU_INDEX[12]] >= 3
    for au in (25, 6):
        assert _au(smile, au)[40:].mean() - _au(smile, au)[:5].mean() >= 0.8
    for au in (1, 2, 15):
        assert np.nanmax(smile.intensity[:, :, AU_INDEX[au]]) < 0.7


def test_a_real_blink_is_a_spike(smile: AUTrack) -> None:
    lids = _au(smile, 45)
    assert 25 <= int(lids.argmax()) <= 29
    assert lids[25:30].max() - max(lids[20:23].mean(), lids[33:36].mean()) > 1.2


def test_the_neutral_frames_are_zero(smile: AUTrack) -> None:
    assert np.nanmax(smile.intensity[:3]) < 0.4
    assert smile.estimator.startswith("mesh-flow/")
    assert smile.sided


def test_landmarks_alone_say_what_they_cannot_see(
    smile_video: tuple[Frames, float], mesher: FaceMesher
) -> None:
    result = measure_aus(smile_video[0][[0, 1, 60]], backend="points", mesher=mesher)
    x = result.track.intensity
    assert np.isnan(x[:, :, [AU_INDEX[6], AU_INDEX[9]]]).all()
    assert (x[:, 0, AU_INDEX[25]] == x[:, 1, AU_INDEX[25]]).all()
    assert _au(result.track, 12)[2] > 3
    assert any("AU06 and AU09" in note for note in result.notes)


@pytest.mark.media
def test_known_aus_are_read_back(mesher: FaceMesher, fetched: Callable[[str], Path]) -> None:
    """Unseen rendered people, heads moving: the recipe evaluate_aus.py has the whole table."""
    fetched("makehuman_head")
    from head.au_truth import draw_truth_set

    faces = draw_truth_set(101, identities=12, size=320)
    found, asked = [], []
    for frames, aus in zip(faces.frames, faces.aus, strict=True):
        found.append(measure_aus(frames, mesher=mesher).track.intensity[1:])
        asked.append(aus[1:])
    x, y = np.concatenate(found), np.concatenate(asked)
    shown = np.broadcast_to(y.max(1, keepdims=True) > 0, y.shape)
    r, sides = pearson(x, y), pearson(x[:, 0] - x[:, 1], y[:, 0] - y[:, 1])
    assert r is not None
    assert sides is not None
    assert r >= 0.85
    assert sides >= 0.6
    assert x[~shown].mean() <= 0.1


@pytest.mark.media
def test_left_and_right_are_the_persons_own(
    mesher: FaceMesher, fetched: Callable[[str], Path]
) -> None:
    fetched("makehuman_head")
    from head import truth_clip

    asked = np.zeros((3, 2, 17), np.float32)
    asked[1, 0, AU_INDEX[12]] = asked[2, 1, AU_INDEX[12]] = 2.0
    found = measure_aus(truth_clip(5, asked, size=320).frames, mesher=mesher).track.intensity
    left, right = found[:, 0, AU_INDEX[12]], found[:, 1, AU_INDEX[12]]
    assert left[1] > 1.2 > 0.5 > right[1]
    assert right[2] > 1.2 > 0.5 > left[2]


@pytest.mark.media
def test_a_turned_head_is_missing(mesher: FaceMesher, fetched: Callable[[str], Path]) -> None:
    fetched("makehuman_head")
    from head import truth_clip

    poses = np.array([[0, 0, 0], [5, 0, 0], [FAR_TURN + 8, 0, 0]], float)
    clip = truth_clip(6, np.zeros((3, 2, 17)), poses, size=320)
    result = measure_aus(clip.frames, mesher=mesher)
    assert not result.track.missing[:2].any()
    assert result.track.missing[2]
    assert (result.track.confidence[2] == 0).all()
    assert any("turned" in note for note in result.notes)


def test_a_covered_face_is_missing(mesher: FaceMesher, astronaut_picture: Picture) -> None:
    frames = np.repeat(astronaut_picture[None], 3, 0)
    mesh = mesher.find(astronaut_picture)
    x0, y0 = mesh[:, :2].min(0).astype(int)
    x1, y1 = mesh[:, :2].max(0).astype(int)
    frames[1, y0 + (y1 - y0) // 3 : y1, x0:x1] = 120  # a hand over mouth, nose and cheeks
    result = measure_aus(frames, mesher=mesher)
    assert result.track.missing.tolist() == [False, True, False]
    assert any("covered" in note or "not found" in note for note in result.notes)


def test_a_still_clip_reads_nothing(mesher: FaceMesher, astronaut_picture: Picture) -> None:
    frames = np.repeat(astronaut_picture[None], 3, 0)
    assert np.abs(measure_aus(frames, mesher=mesher).track.intensity).max() < 1e-6


def test_a_neutral_picture_makes_a_single_frame_measurable(
    smile_video: tuple[Frames, float], mesher: FaceMesher
) -> None:
    frames, _ = smile_video
    result = measure_aus(frames[60:61], neutral_picture=frames[0], mesher=mesher)
    assert len(result.track) == 1
    assert _au(result.track, 12)[0] > 3


def test_grey_levels_and_size_do_not_matter(
    smile_video: tuple[Frames, float], mesher: FaceMesher
) -> None:
    """Darker, noisier, twice as large: the same expression."""
    frames = smile_video[0][[0, 60]]
    plain = measure_aus(frames, mesher=mesher).track.intensity[1]
    dark = (frames * 0.7 + 5).astype(np.uint8)
    large = np.repeat(np.repeat(frames, 2, 1), 2, 2)
    for other in (dark, large):
        again = measure_aus(other, mesher=mesher).track.intensity[1]
        assert np.abs(again - plain).mean() < 0.15
        assert again[:, AU_INDEX[12]].mean() > 3


def test_bad_input(
    mesher: FaceMesher, astronaut_picture: Picture, smile_video: tuple[Frames, float]
) -> None:
    with pytest.raises(InputError, match="one frame"):
        measure_aus(astronaut_picture[None], mesher=mesher)
    with pytest.raises(InputError, match="not within"):
        measure_aus(smile_video[0][:4], neutral=9, mesher=mesher)
    with pytest.raises(InputError, match="uint8 T H W 3"):
        measure_aus(smile_video[0][:4].astype(np.float32), mesher=mesher)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="neutral picture"):
        measure_aus(smile_video[0][:1], neutral_picture=astronaut_picture, mesher=mesher)
    blank = np.full((2, 200, 200, 3), 90, np.uint8)
    with pytest.raises(FaceError, match="no face"):
        measure_aus(blank, mesher=mesher)
