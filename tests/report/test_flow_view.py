"""Flow pictures: what moves right is red in u, what moves up is blue in v."""

from __future__ import annotations

import cv2
import numpy as np

from famaug.report.flow_view import SIDE, flow_strip
from famaug.report.strip import GAP, HEAD, MARGIN
from famaug.testing import make_clip


def cell(strip: np.ndarray, column: int) -> np.ndarray:
    x = MARGIN + column * (SIDE + GAP)
    return strip[HEAD : HEAD + SIDE, x : x + SIDE].astype(float)


def test_a_patch_that_moves_right_and_up() -> None:
    onset = make_clip(3, frames=1, size=(SIDE, SIDE)).frames[0]
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    push = 3 * np.exp(-(((x - 104) / 30) ** 2 + ((y - 104) / 30) ** 2))
    apex = cv2.remap(onset, x - push, y + push, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    strip = np.asarray(flow_strip([("a", onset, apex)]))
    middle = slice(94, 114)
    u, v, strain = (cell(strip, k) for k in (2, 3, 4))
    red, blue = u[middle, middle], v[middle, middle]
    assert (red[..., 0] - red[..., 2]).mean() > 60
    assert (blue[..., 2] - blue[..., 0]).mean() > 60
    still = u[:20, :20]
    assert np.ptp(still.mean((0, 1))) < 20  # grey
    assert strain[:20, :20].mean() > strain[60:150, 60:150].mean()


def test_two_equal_frames_are_grey() -> None:
    onset = make_clip(3, frames=1, size=(SIDE, SIDE)).frames[0]
    strip = np.asarray(flow_strip([("a", onset, onset)]))
    assert np.ptp(cell(strip, 2).reshape(-1, 3), axis=0).max() == 0
    assert (cell(strip, 4) == 255).all()
