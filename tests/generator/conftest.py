"""Faces to render: the astronaut, and people who do not exist where their pictures are at hand."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data
import torch

from famaug.faces import FaceMesher
from famaug.faces.align import crop_face
from famaug.generator import WarpRenderer
from famaug.types import Floats, Picture

FACES = Path(__file__).resolve().parents[3] / "shared" / "faces"


@pytest.fixture(scope="session", autouse=True)
def _one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def mesher() -> FaceMesher:
    return FaceMesher()


@pytest.fixture(scope="session")
def astronaut(mesher: FaceMesher) -> tuple[Picture, Floats]:
    """256 pixels, a smile that shows teeth."""
    picture = skimage.data.astronaut()
    crop, mesh, _ = crop_face(picture, mesher.find(picture), 256, margin=1.5)
    return crop, mesh


@pytest.fixture(scope="session")
def closed_mouth(mesher: FaceMesher) -> tuple[Picture, Floats]:
    """256 pixels, a neutral man."""
    file = FACES / "male_12.jpg"
    if not file.exists():
        pytest.skip("no pictures of faces with closed mouths at hand")
    picture = np.ascontiguousarray(cv2.imread(str(file))[:, :, ::-1])
    crop, mesh, _ = crop_face(picture, mesher.find(picture), 256, margin=1.5)
    return crop, mesh


@pytest.fixture(scope="session")
def renderer(astronaut: tuple[Picture, Floats]) -> WarpRenderer:
    return WarpRenderer(*astronaut)
