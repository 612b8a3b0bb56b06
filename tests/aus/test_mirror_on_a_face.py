"""A one-sided expression rendered on a photograph is told apart, native and by mirrored halves."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from skimage.data import astronaut

from famaug.aus.flow_and_points import Flow
from famaug.aus.halves import BothHalves
from famaug.aus.protocol import measure
from famaug.faces.mesher import FaceMesher
from famaug.generator.warp import WarpRenderer
from famaug.types import AU_INDEX


@pytest.fixture(scope="module")
def face(mesher: FaceMesher) -> tuple[np.ndarray, np.ndarray]:
    picture = cv2.resize(astronaut()[:320, 60:380], (288, 288), interpolation=cv2.INTER_AREA)
    return picture, mesher.track(picture[None]).mesh[0]


@pytest.mark.parametrize("au", [12, 14])
@pytest.mark.parametrize("side", [0, 1])
def test_the_side_asked_for_is_the_side_seen(
    face: tuple[np.ndarray, np.ndarray], mesher: FaceMesher, au: int, side: int
) -> None:
    picture, mesh = face
    asked = np.zeros((3, 2, 17), np.float32)
    asked[:, side, AU_INDEX[au]] = [0, 0.7, 1.5]
    frames = WarpRenderer(picture, mesh).render(asked)

    native, mirror = (
        measure(estimator, frames).intensity[-1, :, AU_INDEX[au]]
        for estimator in (Flow(), BothHalves(Flow()))
    )
    for seen in (native, mirror):
        assert seen[side] > 0.2  # AU14 draws in a corner that a smile holds out
        assert seen[side] > 3 * seen[1 - side]
