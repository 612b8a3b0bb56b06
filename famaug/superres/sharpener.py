"""Super-resolution as a stage of the pipeline: which size to render at, and back to the size asked
for."""

from __future__ import annotations

import warnings
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from famaug.errors import InputError, SmallFaceWarning
from famaug.faces.landmarks import SKIN_POINTS
from famaug.processes import one_torch_thread
from famaug.superres.check import SMALL_FACE
from famaug.superres.upscale import Upscaler
from famaug.types import Floats, Frames
from famaug.weights.tensor_files import subjects_of

SMALLEST = 64
"""Pixels of the side below which nothing is rendered to be sharpened."""


class Sharpener:
    """Sharpens rendered clips. Still parts of a clip stay still: what does not differ from its
    first frame is that frame's.

    Args:
        model: a name or a weights file (`famaug.superres.models`).
        size: side of the finished clip; None: the source's times the network's scale.

    Raises:
        InputError: a size that is no multiple of the network's scale, or too small for it.
        FetchError, WeightsError: the weights cannot be had or used.
    """

    def __init__(self, model: str, size: int | None) -> None:
        self.model, self.size = model, size
        file = Path(model)
        own = file.suffix == ".safetensors" and file.is_file()
        self.subjects = subjects_of(file) if own else ()
        self._upscalers: dict[str, Upscaler] = {}
        upscaler = self.upscaler("cpu")
        self.scale, self.name = upscaler.scale, f"{model}/{upscaler.digest}"
        if size is not None and (size % self.scale or size // self.scale < SMALLEST):
            raise InputError(
                f"superres {model!r} makes clips {self.scale} times larger: size must be a "
                f"multiple of {self.scale}, at least {SMALLEST * self.scale}; got {size}"
            )

    def __getstate__(self) -> dict[str, Any]:
        """A copy for another process: the network is loaded there."""
        return self.__dict__ | {"_upscalers": {}}

    @property
    def source_size(self) -> int:
        """Side of what is rendered for `size`."""
        return 0 if self.size is None else self.size // self.scale

    def upscaler(self, device: str) -> Upscaler:
        """The network on a device, kept for further clips."""
        if device not in self._upscalers:
            self._upscalers[device] = Upscaler(self.model, temporal="reuse", device=device)
        return self._upscalers[device]

    def engine(self, device: str) -> str:
        """What computes on a device, in words."""
        return self.upscaler(device).engine

    def sharpened(
        self, frames: Frames, mesh: Floats, *, device: str = "cpu", back: bool = False
    ) -> tuple[Frames, Floats]:
        """Frames `T H W 3` and their mesh `478 3`, both `scale` times larger, or (`back`) averaged
        back to their own size, as FAMGAN's last step does. On a CPU the same frames give the same
        pixels whatever the number of threads."""
        across = float(np.ptp(mesh[:SKIN_POINTS, :2], axis=0).max())
        if across < SMALL_FACE:
            warnings.warn(
                f"the face is {across:.0f} pixels before sharpening; under {SMALL_FACE} networks "
                "redraw eyes and teeth: ask for a larger size, or measure what became of the AUs",
                SmallFaceWarning,
                stacklevel=4,
            )
        with one_torch_thread() if torch.device(device).type == "cpu" else nullcontext():
            out = self.upscaler(device).frames(frames)
        if back:
            side = frames.shape[2], frames.shape[1]
            small = [cv2.resize(f, side, interpolation=cv2.INTER_AREA) for f in out]
            return np.stack(small), mesh
        larger = np.array(mesh, np.float32) * self.scale
        larger[:, :2] += (self.scale - 1) / 2
        return out, larger
