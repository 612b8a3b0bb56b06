"""TV-L1 optical flow (Zach, Pock and Bischof 2007; Wedel et al. 2009) of many pairs at once.

The steps and the pyramid are those of scikit-image's `optical_flow_tvl1`, whose flow this is, given
the same parameters, but for rounding. In plain PyTorch it is faster: planes lie one behind another
in one row of memory, so that a difference to a neighbour is that of two shifted views, and all that
an iteration writes is allocated before it. The flow of a pair is the same, bit for bit, whatever is
computed beside it: pixels are computed with one by one, and what decides when to stop is summed in
integers. On the processor one thread works: the steps are small, and two were slower beside other
work.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from famaug.processes import one_cv_thread, one_torch_thread
from famaug.types import Floats

Grey = NDArray[np.uint8]
ATTACHMENT, TIGHTNESS, WARPS, ITERATIONS, TOLERANCE = 60.0, 0.3, 5, 10, 1e-4
"""scikit-image's defaults but for the attachment (15 there): with this one pictures of flow spread
about as far as the published ones of the composite (docs/does_it_help.md). The tolerance is the
mean square, in pixels, of what a warp changes."""
_STEP = 0.25  # of the dual variable; a power of two, so scaling by it rounds nothing
_UNIT = _STEP / TIGHTNESS  # flow is held in this unit, in which the norm needs no factor
_MOST_STEP = ATTACHMENT * TIGHTNESS
_LEVELS, _LEAST = 10, 16
_TOGETHER = 1 << 16
"""Pixels of a level that are computed together; more do not fit the caches."""


@torch.no_grad()
def tvl1_flows(first: Sequence[Grey], second: Sequence[Grey], *, device: str = "cpu") -> Floats:
    """Flows from pictures to pictures, float32 `N 2 H W`: u (right) and v (down), in pixels.

    Args:
        first, second: N pictures each, uint8 `H W`, all of one size, at least 16 x 16.
        device: where they are computed; tests run it on the processor.
    """
    with one_cv_thread():
        pyramids = [[_pyramid(picture) for picture in of] for of in (first, second)]
    coarsest = pyramids[0][0][0].shape
    flow = torch.zeros((2, len(first), *coarsest), dtype=torch.float32, device=device)
    with one_torch_thread():
        for level in range(len(pyramids[0][0])):
            pictures = (torch.from_numpy(np.stack([p[level] for p in of])) for of in pyramids)
            flow = _finer(flow, *(of.to(device) for of in pictures))
    return flow.transpose(0, 1).contiguous().cpu().numpy()


def _finer(flow: Tensor, reference: Tensor, moving: Tensor) -> Tensor:
    """The flow `2 N H W` of a level `N H W`, from that of the level below."""
    height, width = reference.shape[1:]
    count = max(1, _TOGETHER // (height * width))
    parts = zip(
        torch.split(reference, count),
        torch.split(moving, count),
        torch.split(_enlarged(flow, height, width), count, dim=1),
        strict=True,
    )
    return torch.cat([_Level(*part).solve() for part in parts], dim=1)


def _pyramid(picture: Grey) -> list[Floats]:
    """The picture (0 to 1) and its halves, coarse to fine: smoothed, then resized bilinearly."""
    levels: list[Floats] = [picture.astype(np.float32) / np.float32(255)]
    while len(levels) < _LEVELS and min(levels[-1].shape) > 2 * _LEAST:
        smooth = cv2.GaussianBlur(levels[-1], (7, 7), 2 / 3, borderType=cv2.BORDER_REFLECT)
        height, width = ((side + 1) // 2 for side in smooth.shape)
        levels.append(cv2.resize(smooth, (width, height), interpolation=cv2.INTER_LINEAR))
    return levels[::-1]


def _enlarged(flow: Tensor, height: int, width: int) -> Tensor:
    """A flow `2 N h w` at the next level: nearest pixels, corners on corners."""
    before = flow.shape[2:]
    for axis, (old, new) in enumerate(zip(before, (height, width), strict=True), start=2):
        nearest = np.floor(np.arange(new) * ((old - 1) / (new - 1)) + 0.5).astype(np.int64)
        flow = flow.index_select(axis, torch.from_numpy(nearest).to(flow.device))
    flow[0] *= width / before[1]
    flow[1] *= height / before[0]
    return flow


class _Level:
    """One level of the pyramid of N pairs: from the flow of the level below to that of this one.

    Planes u and v of all pairs lie in one row. A shift by one is a step to the right, one by the
    width a step down; where that crosses an edge the difference is set to 0, and the dual variable
    stays 0 with it, so that going back over the edge adds nothing.
    """

    def __init__(self, reference: Tensor, moving: Tensor, flow: Tensor) -> None:
        self.reference, self.moving = reference, moving
        self.shape = count, height, width = reference.shape
        size = 2 * count * height * width

        def row(*lead: int, more: int = 0) -> Tensor:
            return reference.new_zeros((*lead, size + more))

        # views are made once: taking one costs as much as computing with 10 000 pixels
        held, data, dual = row(more=width), row(more=width), row(2, more=width)
        self.flow, self.data, self.before = held[:size], data[:size], row()
        self.flow.copy_(flow.reshape(-1)).mul_(_UNIT)
        self.flows, self.datas = self.flow.view(2, -1), self.data.view(2, -1)
        self.u, self.v = self.flows
        self.step = torch.empty_like(self.u)
        self.slope, self.norm = row(2), row()
        self.across, self.down = self.slope
        self.last_column = self.across.view(-1, width)[:, -1]
        self.last_row = self.down.view(-1, height, width)[:, -1]
        self.dual = dual[:, width:]
        self.dual_across, self.dual_down = self.dual
        self.left, self.above = dual[0, width - 1 : -1], dual[1, :size]
        self.neighbours = [
            (x[:size], x[1 : size + 1], x[width : size + width]) for x in (data, held)
        ]
        self.x = torch.arange(width, dtype=torch.float32, device=flow.device)
        self.y = torch.arange(height, dtype=torch.float32, device=flow.device)[:, None]

    def solve(self) -> Tensor:
        """Flow `2 N H W`, pixels."""
        found = self.flow.new_empty((2, *self.shape))
        waiting = list(range(self.shape[0]))
        for _ in range(WARPS):
            still = set(self._warp())
            now = self._in_pixels()
            for i in [i for i in waiting if i not in still]:
                found[:, i] = now[:, i]
            waiting = [i for i in waiting if i in still]
            if not waiting:
                return found
        found[:, waiting] = now[:, waiting]
        return found

    def _in_pixels(self) -> Tensor:
        return self.flow.view(2, *self.shape) / _UNIT

    def _warp(self) -> list[int]:
        """The data term is made linear round the flow, then iterated; which pairs still move."""
        flow = self._in_pixels()
        warped = self._warped(flow)
        slope = torch.stack(_gradient(warped))
        weight = (slope * slope).sum(0)
        weight[weight == 0] = 1
        rest = (warped - self.reference - (slope * flow).sum(0)) / weight
        by_weight = (slope / weight / _UNIT).view(2, -1)
        terms = rest.view(-1), by_weight[0], by_weight[1], (slope * _UNIT).view(2, -1)
        for turn in range(ITERATIONS):
            self._follow_data(*terms)
            if turn == 0:  # scikit-image compares with the flow after the first data term
                self.before.copy_(self.data)
            self._smooth(*self.neighbours[0])
            self._smooth(*self.neighbours[1])
        change = ((self.before - self.flow) / _UNIT).square_().view(2, self.shape[0], -1)
        # in integers, whose sum does not depend on the order
        summed = (change * 2**24).round_().long().sum((0, 2)).tolist()
        most = TOLERANCE * self.shape[1] * self.shape[2] * 2**24
        return [i for i, s in enumerate(summed) if s >= most]

    def _warped(self, flow: Tensor) -> Tensor:
        _, height, width = self.shape
        x = (flow[0] + self.x) * (2 / (width - 1)) - 1
        y = (flow[1] + self.y) * (2 / (height - 1)) - 1
        return functional.grid_sample(
            self.moving[:, None],
            torch.stack((x, y), -1),
            mode="bilinear",
            padding_mode="border",
            align_corners=True,
        )[:, 0]

    def _follow_data(self, rest: Tensor, along_u: Tensor, along_v: Tensor, slope: Tensor) -> None:
        """The flow goes against the residual along the gradient, so far at most."""
        torch.addcmul(rest, along_u, self.u, out=self.step)
        self.step.addcmul_(along_v, self.v).clamp_(-_MOST_STEP, _MOST_STEP)
        torch.addcmul(self.flows, self.step, slope, value=-1, out=self.datas)

    def _smooth(self, here: Tensor, right: Tensor, below: Tensor) -> None:
        """One step of the dual variable of total variation, from `here`, then the flow by it."""
        torch.sub(right, here, out=self.across)
        self.last_column.zero_()
        torch.sub(below, here, out=self.down)
        self.last_row.zero_()
        torch.mul(self.across, self.across, out=self.norm)
        self.norm.addcmul_(self.down, self.down).sqrt_().add_(1)
        self.dual.sub_(self.slope, alpha=_STEP).div_(self.norm)
        torch.sub(self.data, self.dual_across, out=self.flow)
        self.flow.sub_(self.dual_down).add_(self.left).add_(self.above)


def _gradient(pictures: Tensor) -> tuple[Tensor, Tensor]:
    """Slopes of `N H W` to the right and down: central differences, one-sided at the edges."""
    right, down = torch.empty_like(pictures), torch.empty_like(pictures)
    right[:, :, 1:-1] = (pictures[:, :, 2:] - pictures[:, :, :-2]) / 2
    right[:, :, 0] = pictures[:, :, 1] - pictures[:, :, 0]
    right[:, :, -1] = pictures[:, :, -1] - pictures[:, :, -2]
    down[:, 1:-1] = (pictures[:, 2:] - pictures[:, :-2]) / 2
    down[:, 0] = pictures[:, 1] - pictures[:, 0]
    down[:, -1] = pictures[:, -1] - pictures[:, -2]
    return right, down
