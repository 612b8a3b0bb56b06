"""Candidate boxes of the face detector net, decoded and merged."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from famaug.faces.nets import FaceDetectorNet
from famaug.types import Picture

MIN_SCORE = 0.5
SMALLEST_WINDOW = 256
"""Pixels: a face of 64 fills a quarter of it."""
MAX_WINDOWS = 2000
MOST_FACES = 32
BATCH = 16
_OVERLAP = 0.3


@dataclass(frozen=True)
class Detection:
    """A face found in a picture, in its pixels: centre, side of its box, roll, score 0-1."""

    cx: float
    cy: float
    side: float
    angle: float
    score: float

    @property
    def region(self) -> NDArray[np.float64]:
        """Region for the mesh net: 1.5 x the box, turned with the eyes."""
        return np.array([self.cx, self.cy, 1.5 * self.side, self.angle])


def _anchors() -> NDArray[np.float64]:
    def grid(cells: int, copies: int) -> NDArray[np.float64]:
        c = (np.arange(cells) + 0.5) / cells
        points = np.stack(np.meshgrid(c, c), -1).reshape(-1, 2)
        return np.repeat(points, copies, axis=0)

    return np.concatenate([grid(16, 2), grid(8, 6)])


_ANCHORS = _anchors()


def search(
    net: FaceDetectorNet, picture: Picture, device: torch.device, *, steps: int | None = None
) -> Iterator[list[Detection]]:
    """What looks like faces in a picture, largest first: first in the whole of it, then (where
    that is asked for) in windows of half its side, a quarter, and so on.

    The net sees faces down to about a sixth of what it is shown, and takes a pattern for one now
    and then; so whoever finds that none of them is a face asks for more. Windows overlap by half,
    the smallest have `SMALLEST_WINDOW` pixels, and no step has more than `MAX_WINDOWS`.
    """
    h, w = picture.shape[:2]
    side = max(h, w)
    while steps is None or steps > 0:
        steps = None if steps is None else steps - 1
        windows = _windows(h, w, side)
        if len(windows) > MAX_WINDOWS:
            return
        found = [d for i in range(0, len(windows), BATCH)
                 for d in _detect_in(net, picture, windows[i : i + BATCH], device)]  # fmt: skip
        if found:
            yield _distinct(found)
        if side <= SMALLEST_WINDOW:
            return
        side = max(side // 2, SMALLEST_WINDOW)


def detect(
    net: FaceDetectorNet, picture: Picture, device: torch.device, *, steps: int | None = None
) -> list[Detection]:
    """Faces of the first of `steps` steps of `search` that shows some, largest first."""
    return next(search(net, picture, device, steps=steps), [])


def _windows(h: int, w: int, side: int) -> list[tuple[int, int, int, int]]:
    """(x0, y0, x1, y1) of windows that cover the picture, each overlapping the next by half."""

    def starts(length: int) -> list[int]:
        if length <= side:
            return [0]
        count = -(-(length - side) // max(side // 2, 1))
        return [round(i * (length - side) / count) for i in range(count + 1)]

    return [(x, y, min(x + side, w), min(y + side, h)) for y in starts(h) for x in starts(w)]


def _distinct(found: list[Detection]) -> list[Detection]:
    """The same face seen in two windows counts once; the `MOST_FACES` surest, largest first."""
    kept: list[Detection] = []
    for d in sorted(found, key=lambda d: -d.score):
        if len(kept) == MOST_FACES:
            break
        if all(math.hypot(d.cx - k.cx, d.cy - k.cy) > 0.5 * max(d.side, k.side) for k in kept):
            kept.append(d)
    return sorted(kept, key=lambda d: -d.side)


def _detect_in(
    net: FaceDetectorNet,
    picture: Picture,
    windows: Sequence[tuple[int, int, int, int]],
    device: torch.device,
) -> list[Detection]:
    """Faces in windows of one size."""
    shown = [_shown(net, picture[y0:y1, x0:x1], device) for x0, y0, x1, y1 in windows]
    with torch.inference_mode():
        logits, boxes = net(torch.cat([x for x, _, _ in shown]))
    scores = torch.sigmoid(logits).double().cpu().numpy()
    values = boxes.double().cpu().numpy().reshape(len(windows), -1, 8, 2) / net.size
    return [
        _in_picture(points, score, offset, side, np.array(window[:2], np.float64))
        for (_, offset, side), window, s, v in zip(shown, windows, scores, values, strict=True)
        for points, score in _merge(s, _decode(v))
    ]


def _shown(
    net: FaceDetectorNet, window: Picture, device: torch.device
) -> tuple[torch.Tensor, NDArray[np.float64], int]:
    """A window as the net sees it, where it lies in that, and its longer side."""
    h, w = window.shape[:2]
    side = max(h, w)
    x = (
        torch.from_numpy(np.require(window, requirements=["C", "W"]))
        .to(device)
        .permute(2, 0, 1)[None]
        .float()
    )
    scaled = max(1, round(h * net.size / side)), max(1, round(w * net.size / side))
    x = F.interpolate(x, scaled, mode="bilinear", align_corners=False, antialias=True)
    x = x / 127.5 - 1
    top, left = (net.size - scaled[0]) // 2, (net.size - scaled[1]) // 2
    x = F.pad(x, (left, net.size - scaled[1] - left, top, net.size - scaled[0] - top), value=-1)
    return x, np.array([left, top]) / net.size, side


def _decode(values: NDArray[np.float64]) -> NDArray[np.float64]:
    out = values.copy()
    out[:, 0] += _ANCHORS
    out[:, 2:] += _ANCHORS[:, None]
    return out


def _merge(
    scores: NDArray[np.float64], points: NDArray[np.float64]
) -> list[tuple[NDArray[np.float64], float]]:
    """Overlapping candidates become their score-weighted mean (as the detector was designed)."""
    left = [int(i) for i in np.argsort(-scores, kind="stable") if scores[i] > MIN_SCORE]
    merged = []
    while left:
        best = left[0]
        group = [i for i in left if i == best or _iou(points[best], points[i]) > _OVERLAP]
        weight = scores[group] / scores[group].sum()
        merged.append((np.tensordot(weight, points[group], 1), float(scores[best])))
        left = [i for i in left if i not in group]
    return merged


def _iou(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    low = np.maximum(a[0] - a[1] / 2, b[0] - b[1] / 2)
    high = np.minimum(a[0] + a[1] / 2, b[0] + b[1] / 2)
    inter = float(np.prod(np.clip(high - low, 0, None)))
    return inter / (float(np.prod(a[1])) + float(np.prod(b[1])) - inter + 1e-12)


def _in_picture(
    points: NDArray[np.float64],
    score: float,
    offset: NDArray[np.float64],
    side: int,
    corner: NDArray[np.float64],
) -> Detection:
    p = (points - offset) * side - 0.5 + corner
    eyes = p[3] - p[2]
    return Detection(
        cx=float(p[0, 0]),
        cy=float(p[0, 1]),
        side=float(points[1].max() * side),
        angle=math.atan2(float(eyes[1]), float(eyes[0])),
        score=score,
    )
