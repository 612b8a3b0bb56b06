"""Flow, strain and the picture made of them, on motion that is known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from famaug.errors import InputError
from famaug.flow.pictures import (
    METHODS,
    FlowMethod,
    flow_features,
    optical_flow,
    optical_strain,
)
from famaug.testing import make_clip


@pytest.mark.parametrize("method", METHODS)
def test_direction_and_size_of_motion(method: FlowMethod) -> None:
    frames = make_clip(1, frames=2, size=(80, 100), shift=(1.2, -0.7)).frames
    flow = optical_flow(frames[0], frames[1], method=method)
    assert flow.shape == (2, 80, 100)
    middle = np.median(flow[:, 15:-15, 15:-15].reshape(2, -1), axis=1)
    assert middle == pytest.approx([1.2, -0.7], abs=0.12)


def test_strain_by_hand() -> None:
    y, x = np.mgrid[0:9, 0:12].astype(np.float32)
    flow = np.stack([0.3 * x + 0.2 * y, -0.1 * x + 0.4 * y])
    # ux .3, vy .4, uy + vx .1
    assert optical_strain(flow) == pytest.approx(np.sqrt(0.09 + 0.16 + 0.01 / 4), abs=1e-5)
    turn = np.stack([-0.2 * y, 0.2 * x])  # a rotation strains nothing
    assert optical_strain(turn) == pytest.approx(0, abs=1e-6)
    with pytest.raises(InputError, match="2 x H x W"):
        optical_strain(flow[0])


def test_picture_of_motion() -> None:
    frames = make_clip(2, frames=2, size=(70, 90), shift=(1, 0.5)).frames
    made = flow_features(frames[0], frames[1], method="dis")
    assert made.shape == (3, 28, 28)
    assert made.dtype == np.uint8
    flow = optical_flow(frames[0], frames[1], method="dis")
    # channel 0 is u, shrunk before it is stretched, as the published pictures are
    u = cv2.resize(flow[0], (28, 28), interpolation=cv2.INTER_AREA)
    assert np.abs(made[0] - (u - u.min()) / np.ptp(u) * 255).max() <= 0.51
    for method in METHODS:
        for size in (28, 70, 112):
            spans = flow_features(frames[0], frames[1], method=method, size=size)
            assert [(c.min(), c.max()) for c in spans] == [(0, 255)] * 3
    still = flow_features(frames[0], frames[0], method="farneback")
    assert not still.any()


def test_dis_is_the_same_on_any_number_of_threads() -> None:
    frames = make_clip(3, frames=2, size=(200, 200), shift=(1.5, 1)).frames
    before = cv2.getNumThreads()
    found = []
    try:
        for threads in (1, 4):
            cv2.setNumThreads(threads)
            found.append(optical_flow(frames[0], frames[1], method="dis"))
            assert cv2.getNumThreads() == threads
    finally:
        cv2.setNumThreads(before)
    assert np.array_equal(found[0], found[1])


def test_bad_pictures() -> None:
    a = make_clip(1, frames=1, size=(40, 40)).frames[0]
    with pytest.raises(InputError, match="one size"):
        optical_flow(a, a[:30])
    with pytest.raises(InputError, match="uint8"):
        optical_flow(a / 255, a)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="tvl1, farneback, dis"):
        optical_flow(a, a, method="raft")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="size 2"):
        flow_features(a, a, method="dis", size=2)
