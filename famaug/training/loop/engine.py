"""Devices, precision and processes, by Hugging Face accelerate: one process, or several started
with `accelerate launch`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from famaug.errors import InputError, TrainingError
from famaug.packages import need
from famaug.training.loop.objective import Batch

Precision = Literal["fp32", "bf16"]
Device = Literal["cpu", "auto"]


class NotFiniteError(TrainingError):
    """A loss or its gradient is NaN or infinite."""


class Engine:
    """Where and in how many processes a training runs.

    Networks are not wrapped: an adversarial step passes several times through one network and
    differentiates its gradient, which the wrappers of data-parallel training do not allow. So
    `minimise` averages the gradients of the processes itself.

    Args:
        device: "cpu", or "auto" for what accelerate finds.
        precision: "bf16" autocasts what runs within `autocast`.
        clip: largest norm of a gradient, or None.

    Raises:
        InputError: an unknown device or precision.
        MissingPackageError: accelerate is not installed.
    """

    def __init__(
        self, *, device: Device = "auto", precision: Precision = "fp32", clip: float | None = None
    ) -> None:
        if device not in ("cpu", "auto") or precision not in ("fp32", "bf16"):
            raise InputError(
                "device is 'cpu' or 'auto' and precision 'fp32' or 'bf16'; got "
                f"{device!r} and {precision!r}"
            )
        if clip is not None and not clip > 0:
            raise InputError(f"clip is above 0, or None; got {clip}")
        accelerate = need("accelerate", "training")
        # its precision is one for the whole process and cannot be changed; autocast is ours
        self._accelerator: Any = accelerate.Accelerator(mixed_precision="no", cpu=device == "cpu")
        self.precision = precision
        self.clip = clip

    @property
    def device(self) -> torch.device:
        found: torch.device = self._accelerator.device
        return found

    @property
    def processes(self) -> int:
        return int(self._accelerator.num_processes)

    @property
    def is_main(self) -> bool:
        return bool(self._accelerator.is_main_process)

    def rows(self, batch_size: int) -> range:
        """This process's rows of a batch.

        Raises:
            InputError: the batch cannot be divided evenly.
        """
        share, rest = divmod(batch_size, self.processes)
        if rest or not share:
            raise InputError(
                f"a batch of {batch_size} cannot be divided among {self.processes} processes; "
                "choose a multiple"
            )
        first = int(self._accelerator.process_index) * share
        return range(first, first + share)

    def autocast(self) -> AbstractContextManager[Any]:
        """Within it networks run in the engine's precision."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bf16")

    def put(self, batch: Batch) -> Batch:
        return {k: v.to(self.device, non_blocking=True) for k, v in batch.items()}

    def minimise(
        self, loss: Tensor, optimizer: Optimizer, *, name: str, all_move: bool = False
    ) -> Tensor:
        """One step of an optimiser down the mean over processes of a scalar loss.

        Args:
            loss: scalar.
            optimizer: of the weights that are to move.
            name: of the loss, for messages.
            all_move: weights that the loss does not reach, but an earlier one did, get a gradient
                of zero and move on by their momentum (the habit of PyTorch before 2.0); by default
                they rest.

        Returns:
            The norm of the gradient.

        Raises:
            NotFiniteError: in every process, if the loss or gradient of one is no number; nothing
                was changed then.
        """
        optimizer.zero_grad(set_to_none=not all_move)
        torch.autograd.backward([loss])
        grads = [p.grad for g in optimizer.param_groups for p in g["params"] if p.grad is not None]
        mean = self._average(grads, loss)
        norm = nn.utils.get_total_norm(grads)
        if not bool(torch.isfinite(mean + norm)):
            raise NotFiniteError(
                f"the loss {name!r} is {float(mean):g} and the norm of its gradient {float(norm):g}"
            )
        if self.clip is not None:
            share = self.clip / norm.clamp(min=self.clip)
            for grad in grads:
                grad.mul_(share)
        optimizer.step()
        return norm

    def mean(self, values: dict[str, Tensor]) -> dict[str, float]:
        """Scalars averaged over processes, which must all give the same names."""
        if not values:
            return {}
        names = sorted(values)
        table = torch.stack([values[n].detach().float().reshape(()) for n in names])
        if self.processes > 1:
            table = self._accelerator.reduce(table.to(self.device), "mean")
        return dict(zip(names, table.tolist(), strict=True))

    def wait(self) -> None:
        """Until every process is here."""
        self._accelerator.wait_for_everyone()

    def main_first(self) -> AbstractContextManager[None]:
        """A block that the main process goes through before the others."""
        block: AbstractContextManager[None] = self._accelerator.main_process_first()
        return block

    def _average(self, grads: Sequence[Tensor], loss: Tensor) -> Tensor:
        """Puts the mean over processes into the gradients; returns that of the loss."""
        mean = loss.detach().float()
        if self.processes == 1:
            return mean
        together = torch.cat([mean.reshape(1), *(g.reshape(-1).float() for g in grads)])
        flat: Tensor = self._accelerator.reduce(together, "mean")
        parts = torch.split(flat[1:], [g.numel() for g in grads])
        for grad, part in zip(grads, parts, strict=True):
            grad.copy_(part.view_as(grad))
        return flat[0]


@contextmanager
def frozen(*networks: nn.Module) -> Iterator[None]:
    """Within it gradients pass through these networks but are not kept for their weights."""
    learning = [p for n in networks for p in n.parameters() if p.requires_grad]
    for parameter in learning:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in learning:
            parameter.requires_grad_(True)
