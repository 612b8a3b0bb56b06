"""Faces of 64 pixels and more anywhere in large frames: found where they are."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from famaug import samples
from famaug.errors import FaceError
from famaug.faces import regions as rg
from famaug.faces.detector import search
from famaug.faces.mesher import FaceMesher
from famaug.seeding import keyed_generator

FACES = sorted(p for p in samples.FOLDER.iterdir() if p.suffix == ".jpg")


def scene(
    mesher: FaceMesher, path: Path, across: int, size: tuple[int, int], key: object
) -> tuple[np.ndarray, np.ndarray]:
    """A shipped face so many pixels across, somewhere in a frame; and where its mesh must be."""
    rng = keyed_generator(0, "scene", path.name, str(key))
    portrait = Image.open(path).convert("RGB")
    mesh = mesher.find(np.asarray(portrait))
    scale = across / float(rg.region_of_mesh(mesh[None])[0][2] / rg.MARGIN)
    small = portrait.resize((round(portrait.width * scale), round(portrait.height * scale)))
    wall = rng.integers(60, 190, (size[1] // 90, size[0] // 90, 3)).astype(np.uint8)
    frame = Image.fromarray(wall).resize(size, Image.Resampling.BICUBIC)
    x = int(rng.integers(0, size[0] - small.width + 1))
    y = int(rng.integers(0, max(1, size[1] - small.height + 1)))
    frame.paste(small, (x, y))
    return np.asarray(frame), mesh[:, :2] * scale + (x, y)


@pytest.mark.parametrize("path", FACES[:6], ids=lambda p: p.stem)
@pytest.mark.parametrize(
    ("across", "size"),
    [(64, (1280, 720)), (120, (1280, 720)), (200, (1280, 720)), (110, (1920, 1080))],
)
def test_small_faces_are_found_anywhere(
    mesher: FaceMesher, path: Path, across: int, size: tuple[int, int]
) -> None:
    frame, truth = scene(mesher, path, across, size, (across, size))
    found = mesher.find(frame)[:, :2]
    assert np.abs(found - truth).mean() < 0.05 * across


def test_the_smallest_in_full_hd(mesher: FaceMesher) -> None:
    frame, truth = scene(mesher, FACES[6], 64, (1920, 1080), "hd")
    assert np.abs(mesher.find(frame)[:, :2] - truth).mean() < 4


def test_a_small_face_is_followed_over_a_covered_frame(mesher: FaceMesher) -> None:
    frame, truth = scene(mesher, FACES[0], 120, (1280, 720), "followed")
    frames = np.repeat(frame[None], 5, 0)
    frames[2] = 90
    track = mesher.track(frames)
    assert np.isnan(track.mesh[2]).all()
    assert np.abs(track.mesh[[0, 1, 3, 4], :, :2] - truth).mean() < 6


def test_a_frame_without_a_face_is_refused_after_bounded_work(mesher: FaceMesher) -> None:
    rng = keyed_generator(0, "no face")
    wall = Image.fromarray(rng.integers(0, 255, (12, 21, 3)).astype(np.uint8))
    frame = np.asarray(wall.resize((1920, 1080), Image.Resampling.BICUBIC))
    began = time.process_time()
    with pytest.raises(FaceError, match=r"no face|no mesh"):
        mesher.find(frame)
    assert time.process_time() - began < 20  # about 1 s


def test_a_mesh_is_never_nothing(mesher: FaceMesher) -> None:
    """What `find` gives is a face: patterns that fool the detector have no second mesh."""
    for k in range(3):
        rng = keyed_generator(k, "patterns")
        wall = Image.fromarray(rng.integers(0, 255, (9, 9, 3)).astype(np.uint8))
        frame = np.asarray(wall.resize((640, 640), Image.Resampling.BICUBIC))
        try:
            assert np.isfinite(mesher.find(frame)).all()
        except FaceError:
            continue


def test_the_search_goes_down_step_by_step(mesher: FaceMesher) -> None:
    frame, truth = scene(mesher, FACES[1], 70, (1280, 720), "steps")
    steps = [*search(mesher.detector, frame, mesher.device)]
    centre = truth.mean(0)
    last = min(np.hypot(d.cx - centre[0], d.cy - centre[1]) for d in steps[-1])
    assert last < 20
    assert not [*search(mesher.detector, frame, mesher.device, steps=0)]
