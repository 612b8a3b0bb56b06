"""Finding and following faces in real pictures."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from famaug.errors import FaceError
from famaug.faces.mesher import PAPER_SIZES, FaceMesher
from famaug.types import Frames, Picture


def _resized(picture: Picture, size: int) -> Picture:
    x = torch.from_numpy(picture).permute(2, 0, 1)[None].float()
    y = torch.nn.functional.interpolate(x, (size, size), mode="area")[0]
    return y.permute(1, 2, 0).round().byte().numpy()


def test_one_face_in_every_photo(mesher: FaceMesher, photos: list[Picture]) -> None:
    for picture in photos:
        mesh = mesher.find(picture)
        assert mesh.shape == (478, 3)
        assert np.isfinite(mesh).all()
        assert (mesh[:, :2].min(0) > -20).all()
        assert mesh[263, 0] > mesh[33, 0]  # the person's left eye is on the picture's right


def test_the_mesh_follows_the_picture(mesher: FaceMesher, astronaut_picture: Picture) -> None:
    """Shift and scale of the picture are shift and scale of the mesh."""
    mesh = mesher.find(astronaut_picture)
    shifted = np.roll(astronaut_picture, (23, -31), (0, 1))
    moved = mesher.find(shifted)[:, :2] - [-31, 23]
    assert np.abs(moved - mesh[:, :2]).mean() < 0.5
    small = mesher.find(_resized(astronaut_picture, 384))
    assert np.abs((small[:, :2] + 0.5) / 0.75 - 0.5 - mesh[:, :2]).mean() < 1.0


def test_several_sizes_average(mesher: FaceMesher, astronaut_picture: Picture) -> None:
    one = mesher.track(astronaut_picture[None])
    five = mesher.track(astronaut_picture[None], sizes=PAPER_SIZES)
    assert one.spread[0] == 0
    assert 0 < five.spread[0] < 1.5
    assert np.abs(one.mesh - five.mesh).max() < 4


def test_tracking_follows_a_moving_face(mesher: FaceMesher, astronaut_picture: Picture) -> None:
    """A face that crosses the picture by a third of its size is followed."""
    frames = np.stack([np.roll(astronaut_picture, 8 * i, 1) for i in range(9)])
    track = mesher.track(frames)
    moved = track.mesh[:, :, 0].mean(1)
    assert np.allclose(np.diff(moved), 8, atol=1.5)
    assert (track.score > 0.9).all()


def test_a_lost_face_is_missing(mesher: FaceMesher, astronaut_picture: Picture) -> None:
    frames = np.stack([astronaut_picture, np.zeros_like(astronaut_picture), astronaut_picture])
    track = mesher.track(frames)
    assert np.isnan(track.mesh[1]).all()
    assert np.isfinite(track.mesh[[0, 2]]).all()
    assert np.isnan(track.blendshapes[1]).all()


def test_smile_shows_in_the_blendshapes(
    mesher: FaceMesher, smile_video: tuple[Frames, float]
) -> None:
    frames, _ = smile_video
    logits = mesher.track(frames[[0, 60]]).blendshapes
    from famaug.faces.landmarks import BLENDSHAPES

    smile = BLENDSHAPES.index("mouthSmileLeft")
    assert logits[1, smile] - logits[0, smile] > 3


def test_no_face_is_an_error(mesher: FaceMesher) -> None:
    with pytest.raises(FaceError, match="no face found"):
        mesher.find(np.full((200, 300, 3), 90, np.uint8))


def test_a_tiny_face_is_an_error(mesher: FaceMesher, astronaut_picture: Picture) -> None:
    small = np.full((512, 512, 3), 128, np.uint8)
    small[200:300, 200:300] = _resized(astronaut_picture[:256, 96:352], 100)
    with pytest.raises(FaceError, match="pixels across"):
        mesher.find(small)


def test_the_largest_of_two_faces_is_taken(mesher: FaceMesher, astronaut_picture: Picture) -> None:
    both = np.full((400, 640, 3), 128, np.uint8)
    both[:, :320] = astronaut_picture[:400, 60:380]
    both[60:380, 340:] = _resized(astronaut_picture[:400, 40:440], 320)[:, :300]
    largest, second = mesher.find(both), mesher.find(both, face=1)
    assert largest[:, 0].mean() < 330 < second[:, 0].mean()
    assert mesher.track(both[None]).faces == 2
    with pytest.raises(FaceError, match="asked for face 2"):
        mesher.find(both, face=2)


def test_threads_do_not_change_a_mesh(mesher: FaceMesher, astronaut_picture: Picture) -> None:
    before = torch.get_num_threads()
    found = []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            found.append(mesher.track(np.repeat(astronaut_picture[None], 5, 0)))
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    assert np.array_equal(found[0].mesh, found[1].mesh)
    assert np.array_equal(found[0].blendshapes, found[1].blendshapes)
