"""SRVGGNetCompact: a plain chain of convolutions that adds detail to the enlarged picture.

Wang et al. 2021, Real-ESRGAN, its compact form. The names of the parameters are those of the
public checkpoints.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn


class SRVGG(nn.Module):
    """Float RGB `B 3 H W` in [0, 1] to `B 3 sH sW`, not clipped.

    Args:
        features: channels of the chain.
        convs: convolutions between the first and the last.
        scale: of the output, 1 to 4.
    """

    follow, margin = 0, 8
    """Pixels, each way, to which a change in a clip is followed, and which are seen around it: what
    lies beyond is a grey level here and there, and two in a few values out of a hundred
    thousand."""

    def __init__(self, *, features: int = 64, convs: int = 16, scale: int = 4) -> None:
        super().__init__()
        self.scale, self.features = scale, features
        layers: list[nn.Module] = [nn.Conv2d(3, features, 3, padding=1), nn.PReLU(features)]
        for _ in range(convs):
            layers += [nn.Conv2d(features, features, 3, padding=1), nn.PReLU(features)]
        layers.append(nn.Conv2d(features, 3 * scale * scale, 3, padding=1))
        self.body = nn.ModuleList(layers)

    @property
    def reach(self) -> int:
        """Pixels of the input, each way, that an output pixel can depend on."""
        return sum(isinstance(layer, nn.Conv2d) for layer in self.body)

    @property
    def bytes_per_pixel(self) -> int:
        """Of memory that a pixel of the input takes, roughly."""
        return 4 * (4 * self.features + 12 * self.scale * self.scale)

    def forward(self, x: Tensor) -> Tensor:
        out = x
        for layer in self.body:
            out = layer(out)
        enlarged = F.interpolate(x, scale_factor=float(self.scale), mode="nearest")
        return F.pixel_shuffle(out, self.scale) + enlarged
