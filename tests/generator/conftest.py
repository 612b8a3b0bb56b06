"""Faces to render: the astronaut who smiles, and a face at rest."""

from __future__ import annotations

import pytest
import skimage.data

from famaug import samples
from famaug.faces.align import crop_face
from famaug.faces.mesher import FaceMesher
from famaug.generator.warp import WarpRenderer
from famaug.media.clips import read_picture
from famaug.types import Floats, Picture


@pytest.fixture(scope="session")
def astronaut(mesher: FaceMesher) -> tuple[Picture, Floats]:
    """256 pixels, a smile that shows teeth."""
    picture = skimage.data.astronaut()
    crop, mesh, _ = crop_face(picture, mesher.find(picture), 256, margin=1.5)
    return crop, mesh


@pytest.fixture(scope="session")
def closed_mouth(mesher: FaceMesher) -> tuple[Picture, Floats]:
    """256 pixels, a woman at rest."""
    picture = read_picture(samples.face("woman_31"))
    crop, mesh, _ = crop_face(picture, mesher.find(picture), 256, margin=1.5)
    return crop, mesh


@pytest.fixture(scope="session")
def renderer(astronaut: tuple[Picture, Floats]) -> WarpRenderer:
    return WarpRenderer(*astronaut)
