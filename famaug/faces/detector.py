"""Candidate boxes of the face detector net, decoded and merged."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from famaug.faces.nets import FaceDetectorNet
from famaug.types import Picture

MIN_SCORE = 0.5
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


def detect(net: FaceDetectorNet, picture: Picture, device: torch.device) -> list[Detection]:
    """Faces in a picture, largest first.

    The net sees faces down to about a sixth of what it is shown. Where it finds none in the whole
    picture, overlapping windows of half and then a quarter of its side are searched.
    """
    h, w = picture.shape[:2]
    for parts in (1, 2, 4):
        windows = _windows(h, w, max(h, w) // parts)
        found = [d for x0, y0, x1, y1 in windows
                 for d in _detect_in(net, picture[y0:y1, x0:x1], device, x0, y0)]  # fmt: skip
        if found:
            return _distinct(found)
    return []


def _windows(h: int, w: int, side: int) -> list[tuple[int, int, int, int]]:
    """(x0, y0, x1, y1) of windows that cover the picture, each overlapping the next by half."""

    def starts(length: int) -> list[int]:
        if length <= side:
            return [0]
        count = -(-(length - side) // max(side // 2, 1))
        return [round(i * (length - side) / count) for i in range(count + 1)]

    return [(x, y, min(x + side, w), min(y + side, h)) for y in starts(h) for x in starts(w)]


def _distinct(found: list[Detection]) -> list[Detection]:
    """The same face seen in two windows counts once; largest first."""
    kept: list[Detection] = []
    for d in sorted(found, key=lambda d: -d.score):
        if all(math.hypot(d.cx - k.cx, d.cy - k.cy) > 0.5 * max(d.side, k.side) for k in kept):
            kept.append(d)
    return sorted(kept, key=lambda d: -d.side)


def _detect_in(
    net: FaceDetectorNet, picture: Picture, device: torch.device, x0: int, y0: int
) -> list[Detection]:
    """Faces in a window whose corner lies at (x0, y0)."""
    h, w = picture.shape[:2]
    side = max(h, w)
    x = torch.from_numpy(np.ascontiguousarray(picture)).to(device).permute(2, 0, 1)[None].float()
    scaled = max(1, round(h * net.size / side)), max(1, round(w * net.size / side))
    x = F.interpolate(x, scaled, mode="bilinear", align_corners=False, antialias=True)
    x = x / 127.5 - 1
    top, left = (net.size - scaled[0]) // 2, (net.size - scaled[1]) // 2
    x = F.pad(x, (left, net.size - scaled[1] - left, top, net.size - scaled[0] - top), value=-1)
    with torch.inference_mode():
        logits, boxes = net(x)
    scores = torch.sigmoid(logits[0]).double().cpu().numpy()
    values = boxes[0].double().cpu().numpy().reshape(-1, 8, 2) / net.size
    offset = np.array([left, top]) / net.size
    corner = np.array([x0, y0], np.float64)
    return [
        _in_picture(points, score, offset, side, corner)
        for points, score in _merge(scores, _decode(values))
    ]


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
