"""STSTNet for many folds at once: the folds see the same clips, so the first block is one matrix
product of the clips' patches with the filters of all folds side by side."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from famaug.recognition.all_folds import AllFolds, Tensors
from famaug.recognition.networks.dropout import MaskSource
from famaug.recognition.networks.ststnet import STSTNet
from famaug.recognition.schedule import Step

FILTERS, SIDE, WINDOWS, CELLS = 16, 30, 100, 25
"""Filters of the three streams; side of their maps; places after max and average pooling."""
_STREAMS = [3, 5, 8]
_EPS, _MOMENTUM = 1e-5, 0.1
_MAPS_BYTES = {"cpu": 1 << 22}
"""Of maps that are computed at a time, by kind of device: on a CPU they stay in its cache."""
_OTHER_MAPS_BYTES = 1 << 28
_KEPT_BYTES = 1 << 28
"""Of what the gradient needs; bounds how many folds share one computation."""


class FirstBlock(torch.autograd.Function):
    """Convolution, ReLU, sums for batch norm, max pooling, dropout and average pooling.

    Batch norm is affine, so it moves behind the pooling. What it and the gradient need of the 900
    outputs y of a filter are sums of patches, taken while the outputs are at hand:

        S2 = sum relu(y) patch      S1 = sum 1[y > 0] patch      (28 values each)

    since the patches' last value is 1, so that S2 ends in the sum of relu(y), and y = w . patch, so
    that the sum of relu(y)^2 is w . S2; their gradients are S1 and 2 S2. The gradient through max
    pooling touches one place a window. So no output is kept, and none is computed twice.

    Forward, for M = 16 F maps of F folds:
        filters: float32 `28 M`: 3 x 3 x 3 values and the bias.
        patches: float32 `B 900 28`: 27 values and 1.
        member: bool `B F`: which fold sees which clip.
        masks: float32 `B 100 16`: dropout, the same for all folds.
        turned: bool `M`: where pooling takes the smallest (a batch norm with a negative weight).

    Gives pooled float32 `F B 25 16`, and of the clips that a fold sees the sum of relu(y) and that
    of its square, `M` each (float64 where the device has it).
    """

    @staticmethod
    def forward(
        ctx: Any, filters: Tensor, patches: Tensor, member: Tensor, masks: Tensor, turned: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        (clips, folds), maps = member.shape, filters.shape[1]
        pooled = patches.new_empty(folds, clips, CELLS, FILTERS)
        wide = torch.float32 if patches.device.type == "mps" else torch.float64
        positive, weighted = (torch.zeros_like(filters, dtype=wide) for _ in range(2))
        sign = torch.where(turned, -1.0, 1.0) if bool(turned.any()) else None
        spans = _spans(clips, maps, patches.device)
        space = patches.new_empty(spans[0].stop * SIDE**2, maps)
        ctx.open = []
        for span in spans:
            rows = patches[span].flatten(0, 1)
            y = torch.mm(rows, filters, out=space[: len(rows)]).relu_()
            clip, fold = (~member[span]).nonzero(as_tuple=True)
            y.view(-1, SIDE**2, folds, FILTERS)[clip, :, fold] = 0
            weighted += rows.T @ y
            best, place = _largest(y, sign)
            kept = (best.view(-1, WINDOWS, folds, FILTERS) * masks[span, :, None]).flatten(2)
            cells = functional.avg_pool2d(kept.view(-1, 10, 10, maps).permute(0, 3, 1, 2), 2)
            cells = cells.permute(0, 2, 3, 1).reshape(-1, CELLS, folds, FILTERS)
            pooled[:, span] = cells.permute(2, 0, 1, 3)
            ctx.open.append((place, kept.sign_()))
            positive += rows.T @ y.sign_()
        ctx.save_for_backward(patches, masks, positive, weighted)
        return pooled, weighted[-1], (filters * weighted).sum(0)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None, None, None]:
        patches, masks, positive, weighted = ctx.saved_tensors
        d_pooled, d_total, d_squares = grads
        clips, maps = len(patches), positive.shape[1]
        spans = _spans(clips, maps, patches.device)
        space = patches.new_empty(spans[0].stop, SIDE**2, maps)
        pooling = torch.zeros_like(positive)
        for span, (place, opened) in zip(spans, ctx.open, strict=True):
            rows = patches[span].flatten(0, 1)
            up = d_pooled[:, span].permute(1, 2, 0, 3).reshape(-1, 5, 1, 5, 1, maps)
            up = (up * opened.view(-1, 5, 2, 5, 2, maps)).view(-1, WINDOWS, maps)
            d_y = space[: len(up)].zero_().scatter_(1, place, up)
            pooling += rows.T @ d_y.flatten(0, 1)
        # what is open is 1 there; dropout and the average of 4 are the same for all that is
        found = pooling * (masks.amax() / 4) + d_total * positive + 2 * d_squares * weighted
        return found.to(patches.dtype), None, None, None, None


def _largest(y: Tensor, sign: Tensor | None) -> tuple[Tensor, Tensor]:
    """Of each window the largest value, or the smallest where the sign is -1, and its place in the
    map, `n 100 M`."""
    turned = y if sign is None else y * sign
    grid = turned.view(-1, SIDE, SIDE, y.shape[1]).permute(0, 3, 1, 2)
    pooled = functional.max_pool2d(grid, 3, 3, 1, return_indices=True)
    best, place = (t.permute(0, 2, 3, 1).flatten(1, 2) for t in pooled)
    return best if sign is None else best * sign, place


def _spans(clips: int, maps: int, device: torch.device) -> list[slice]:
    """Clips whose maps are in memory together."""
    room = _MAPS_BYTES.get(device.type, _OTHER_MAPS_BYTES)
    count = max(1, room // (SIDE**2 * maps * 4))
    return [slice(start, min(start + count, clips)) for start in range(0, clips, count)]


class AllFoldsOfSTSTNet(AllFolds):
    """`AllFolds` for `STSTNet`: batch norm takes each fold's statistics over the clips that fold
    sees."""

    net: STSTNet

    def together(self, samples: int) -> int:
        # of each window its place (8 bytes) and whether it is open, and pooled values, both ways
        return max(1, _KEPT_BYTES // (samples * FILTERS * (12 * WINDOWS + 8 * CELLS)))

    def prepared(self, x: Tensor, step: Step) -> tuple[Tensor, Tensor]:
        """Patches `B 900 28`, whose last value is 1, and masks `B 100 16`, drawn stream by stream
        as the network does."""
        patches = functional.unfold(x, 3, padding=2)
        patches = torch.cat([patches, torch.ones_like(patches[:, :1])], 1)
        masks = torch.ones(len(x), WINDOWS, FILTERS)
        if self.net.dropout.p:
            source = MaskSource(self.seed, step.epoch, step.step, samples=len(x))
            drawn = [source.draw((n, 10, 10), self.net.dropout.p) for n in _STREAMS]
            masks = torch.cat(drawn, 1).flatten(2).transpose(1, 2).contiguous()
        return patches.transpose(1, 2).contiguous(), masks.to(self.device)

    def logits(self, p: Tensors, batch: Any, member: Tensor, part: slice) -> Tensor:
        patches, masks = batch
        folds, clips = member.shape
        weight, bias, gamma, beta = (
            torch.cat([p[name.format(i)] for i in (1, 2, 3)], 1)
            for name in ("conv{}.weight", "conv{}.bias", "bn{}.weight", "bn{}.bias")
        )
        filters = torch.cat([weight.flatten(2), bias[..., None]], 2).flatten(0, 1).T
        pooled, total, squares = FirstBlock.apply(
            filters.contiguous(), patches, member.T.contiguous(), masks, gamma.flatten() < 0
        )
        count = (member.sum(1, keepdim=True) * SIDE**2).clamp(min=1)
        mean = total.view(folds, FILTERS) / count
        var = (squares.view(folds, FILTERS) / count - mean**2).clamp(min=0)
        self._follow(part, mean, var, count)
        scale = gamma / (var + _EPS).sqrt().float()
        shift = beta - mean.float() * scale
        # batch norm is affine, so it moves behind the pooling, into the linear layer
        linear = p["fc.weight"].view(folds, -1, FILTERS, CELLS).transpose(2, 3)
        scaled, shifted = (
            (linear * t[:, None, None]).flatten(2).transpose(1, 2) for t in (scale, shift)
        )
        kept = functional.avg_pool2d(masks.transpose(1, 2).reshape(clips, FILTERS, 10, 10), 2)
        kept = kept.flatten(2).transpose(1, 2).flatten(1)
        logits: Tensor = pooled.flatten(2) @ scaled + kept @ shifted + p["fc.bias"][:, None]
        return logits

    def _follow(self, part: slice, mean: Tensor, var: Tensor, count: Tensor) -> None:
        """Moves the running statistics of folds that do not wait."""
        moves = torch.where(count >= 2 * SIDE**2, _MOMENTUM, 0.0)
        unbiased = var * count / (count - 1).clamp(min=1)
        for name, value in (("running_mean", mean), ("running_var", unbiased)):
            for i, one in enumerate(torch.split(value.detach().float(), _STREAMS, 1)):
                self.buffers[f"bn{i + 1}.{name}"][part].lerp_(one, moves.float())
        for i in (1, 2, 3):
            self.buffers[f"bn{i}.num_batches_tracked"][part] += (moves > 0)[:, 0]
