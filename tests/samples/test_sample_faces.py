"""The sample faces: whole, small, and what they are said to be."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from famaug import samples
from famaug.aus.basis import head_pose
from famaug.errors import InputError
from famaug.faces.landmarks import BLENDSHAPES, LEFT_EYE_CORNERS, RIGHT_EYE_CORNERS
from famaug.faces.mesher import FaceMesher
from famaug.faces.pose import angles
from famaug.media.clips import read_picture

UPPER_LIP, LOWER_LIP = 13, 14


def test_files_are_those_of_the_table() -> None:
    assert {p.stem: p for p in samples.FOLDER.iterdir()} == samples.faces()
    for face in samples.table():
        assert hashlib.sha256(face.path.read_bytes()).hexdigest() == face.sha256, face.name
    assert sum(p.stat().st_size for p in samples.faces().values()) < 1_000_000


def test_several_ages_and_both_sexes() -> None:
    ages = [f.age for f in samples.table()]
    assert min(ages) < 30
    assert max(ages) > 80
    assert [f.sex for f in samples.table()].count("F") == len(ages) / 2
    for word in ("beard", "glasses", "dark skin", "light skin", "brown skin"):
        assert any(word in f.note for f in samples.table()), word


@pytest.mark.parametrize("name", samples.faces())
def test_frontal_at_rest_and_closed(name: str, mesher: FaceMesher) -> None:
    track = mesher.track(read_picture(samples.face(name))[None])
    mesh = track.mesh[0]
    yaw, pitch, _ = angles(head_pose(mesh).rotation)
    assert max(abs(yaw), abs(pitch)) < 13
    corners = mesh[[*LEFT_EYE_CORNERS, *RIGHT_EYE_CORNERS], :2]
    open_by = np.linalg.norm(mesh[UPPER_LIP, :2] - mesh[LOWER_LIP, :2]) / np.ptp(corners[:, 0])
    assert open_by < 0.012
    shown = dict(zip(BLENDSHAPES, 1 / (1 + np.exp(-track.blendshapes[0])), strict=True))
    assert max(shown["mouthSmileLeft"], shown["mouthSmileRight"]) < 0.4
    assert shown["jawOpen"] < 0.1
    assert np.ptp(mesh[:, 1]) > 150


def test_a_name_that_is_none() -> None:
    with pytest.raises(InputError, match=r"no sample face 'bob'; there are: man_30, man_38_beard"):
        samples.face("bob")
