"""Pictures through a network: by OpenVINO on a CPU where it is installed, by PyTorch anywhere."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from famaug.files.limits import check_finite
from famaug.superres.openvino import OpenVinoNet
from famaug.types import Frames


class PictureNet:
    """A network on this machine.

    Args:
        net: float RGB `B 3 H W` in [0, 1] to `B 3 sH sW`; it may be changed to the precision asked.
        half: multiply in bfloat16.
        device: where it runs.
        fast: by OpenVINO where that is installed, knows the network, and `device` is the CPU.

    Attributes:
        name: "openvino f32", "torch bf16", ...; no part of any key.
        batch: how many pictures are best given at once.
    """

    def __init__(self, net: nn.Module, *, half: bool, device: torch.device, fast: bool) -> None:
        precision = "bf16" if half else "f32"
        self.device, self.dtype = device, torch.float32
        self.batch = 1 if device.type == "cpu" else 8  # one by one is a sixth faster on processors
        self._run: Callable[[Tensor], Tensor]
        if fast and device.type == "cpu" and OpenVinoNet.fits(net, half=half):
            self.name, self._run = f"openvino {precision}", OpenVinoNet(net, half=half)
        else:
            self.dtype = torch.bfloat16 if half else torch.float32
            # frames are `B H W 3` in memory, which is what channels-last means
            self._run = net.to(self.dtype).to(memory_format=torch.channels_last)
            self.name = f"torch {precision}"

    def __call__(self, frames: Frames) -> Frames:
        """uint8 RGB `B H W 3`, as many times larger as the network makes them."""
        pixels = torch.from_numpy(np.ascontiguousarray(frames)).to(self.device)
        with torch.inference_mode():
            made = self._run((pixels.permute(0, 3, 1, 2).float() / 255).to(self.dtype))
            check_finite(made)
            grey = (made.float() * 255).round_().clamp_(0, 255).to(torch.uint8)
        return np.ascontiguousarray(grey.permute(0, 2, 3, 1).cpu().numpy())
