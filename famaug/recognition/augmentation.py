"""Training pictures mirrored and shifted, and the mirrored picture at test.

What is drawn follows from (seed, epoch, step, slot of the batch), the slots of held-out clips
included, so folds trained one after another and all at once see the same changes.
"""

from __future__ import annotations

import torch
from torch import Tensor

from famaug.recognition.inputs import Kind
from famaug.recognition.schedule import Step
from famaug.seeding import keyed_generator


class Augmentation:
    """Mirrors and shifts the training pictures of a batch.

    Args:
        seed: of the draws.
        kind: of the inputs.
        mirror: left and right are exchanged with chance 1/2.
        shift: pixels, at most so many in each direction, drawn for x and y alike; the border is
            repeated.
        u: channel of "flow" inputs that holds u, the motion to the right, which turns when left
            and right are exchanged.
    """

    def __init__(self, seed: int, kind: Kind, *, mirror: bool, shift: int, u: int = 0) -> None:
        self.seed, self.kind, self.mirror, self.shift, self.u = seed, kind, mirror, shift, u

    def __call__(self, inputs: Tensor, step: Step, rows: Tensor | None = None) -> Tensor:
        """Changed inputs, uint8.

        Args:
            inputs: uint8 `n ... S S`: of the slots `rows` of the step's batch, of all if None.
            step: which.
        """
        if not (self.mirror or self.shift):
            return inputs
        rng, count = keyed_generator(self.seed, step.epoch, step.step, "pictures"), len(step.items)
        turned = torch.from_numpy(rng.random(count) < 0.5) & self.mirror
        moved = torch.from_numpy(rng.integers(-self.shift, self.shift + 1, (count, 2)))
        if rows is not None:
            turned, moved = turned[rows], moved[rows]
        return _moved(inputs, turned.to(inputs.device), moved.to(inputs.device), self._u)

    @property
    def _u(self) -> int | None:
        return self.u if self.kind == "flow" else None


def mirrored(inputs: Tensor, kind: Kind, u: int = 0) -> Tensor:
    """Every picture with left and right exchanged, uint8 as given.

    Args:
        inputs: uint8 `n ... S S`.
        kind, u: as of `Augmentation`.
    """
    found = inputs.flip(-1)
    if kind == "flow":
        found[:, u] = 255 - found[:, u]
    return found


def _moved(inputs: Tensor, turned: Tensor, moved: Tensor, u: int | None) -> Tensor:
    """Inputs `n ... H W` from pixels `moved` (down, right) away, mirrored where `turned`."""
    height, width = inputs.shape[-2:]
    device = inputs.device
    down = torch.arange(height, device=device) + moved[:, :1]
    across = torch.arange(width, device=device)
    right = torch.where(turned[:, None], width - 1 - across, across) + moved[:, 1:]
    down, right = down.clamp(0, height - 1), right.clamp(0, width - 1)
    planes = inputs.flatten(1, -3)  # the frames of a clip move together
    which = torch.arange(len(inputs), device=device)[:, None, None, None]
    plane = torch.arange(planes.shape[1], device=device)[:, None, None]
    found = planes[which, plane, down[:, None, :, None], right[:, None, None, :]]
    if u is not None:  # u grows to the right: mirrored it is its negative, in bytes 255 - u
        found[:, u] = torch.where(turned[:, None, None], 255 - found[:, u], found[:, u])
    return found.view(inputs.shape)
