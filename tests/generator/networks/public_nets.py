"""Networks of the public implementations' layouts: their names for the layers, any width."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class _Block(nn.Module):
    def __init__(self, name: str, layers: list[nn.Module]) -> None:
        super().__init__()
        self.name = name
        setattr(self, name, nn.Sequential(*layers))

    def forward(self, x: Tensor) -> Tensor:
        return x + getattr(self, self.name)(x)


class PublicGenerator(nn.Module):
    """A generator with the layer names of one of the three projects."""

    def __init__(
        self,
        layout: str,
        *,
        width: int = 8,
        blocks: int = 2,
        units: int = 17,
        dropout: bool = False,
    ) -> None:
        super().__init__()
        own = layout == "donydchen"
        norm: dict[str, Any] = {"affine": not own, "track_running_stats": layout == "vipermu"}
        down: dict[str, Any] = {"stride": 2, "padding": 1, "bias": own}
        name = "conv_block" if own else "main"
        w = width

        def with_norm(conv: nn.Module, channels: int) -> list[nn.Module]:
            return [conv, nn.InstanceNorm2d(channels, **norm), nn.ReLU()]

        layers = with_norm(nn.Conv2d(3 + units, w, 7, padding=3, bias=own), w)
        layers += with_norm(nn.Conv2d(w, 2 * w, 4, **down), 2 * w)
        layers += with_norm(nn.Conv2d(2 * w, 4 * w, 4, **down), 4 * w)
        for _ in range(blocks):
            inner = with_norm(nn.Conv2d(4 * w, 4 * w, 3, padding=1, bias=own), 4 * w)
            inner += [nn.Dropout(0.0)] if dropout else []
            inner += with_norm(nn.Conv2d(4 * w, 4 * w, 3, padding=1, bias=own), 4 * w)[:2]
            layers.append(_Block(name, inner))
        layers += with_norm(nn.ConvTranspose2d(4 * w, 2 * w, 4, **down), 2 * w)
        layers += with_norm(nn.ConvTranspose2d(2 * w, w, 4, **down), w)
        trunk, colour, attention = {
            "official": ("main", "img_reg", "attetion_reg"),
            "donydchen": ("model", "color_top", "au_top"),
            "vipermu": ("main", "im_reg", "im_att"),
        }[layout]
        self.trunk, self.heads = trunk, (colour, attention)
        setattr(self, trunk, nn.Sequential(*layers))
        if layout == "vipermu":  # keeps parts of the trunk under a second name
            for i, end in enumerate((3, 9, 9 + blocks, len(layers)), 1):
                setattr(self, f"debug{i}", nn.Sequential(*layers[:end]))
        for head, channels, last in ((colour, 3, nn.Tanh()), (attention, 1, nn.Sigmoid())):
            conv = nn.Conv2d(w, channels, 7, padding=3, bias=False)
            setattr(self, head, nn.Sequential(conv, last))

    def forward(self, picture: Tensor, units: Tensor) -> tuple[Tensor, Tensor]:
        maps = units[:, :, None, None].expand(-1, -1, *picture.shape[2:])
        x = getattr(self, self.trunk)(torch.cat([picture, maps], 1))
        colour, attention = (getattr(self, head)(x) for head in self.heads)
        return colour, attention


class PublicCritic(nn.Module):
    """A discriminator with the layer names of one of the three projects."""

    def __init__(self, layout: str, *, width: int = 4, layers: int = 4, size: int = 32) -> None:
        super().__init__()
        found: list[nn.Module] = []
        channels = 3
        for i in range(layers):
            found += [nn.Conv2d(channels, width << i, 4, 2, 1), nn.LeakyReLU(0.01)]
            channels = width << i
        self.names = ("main", "conv1", "conv2")
        if layout == "donydchen":
            self.names = ("model", "dis_top", "aus_top")
        setattr(self, self.names[0], nn.Sequential(*found))
        setattr(self, self.names[1], nn.Conv2d(channels, 1, 3, padding=1, bias=False))
        setattr(self, self.names[2], nn.Conv2d(channels, 17, size >> layers, bias=False))

    def forward(self, picture: Tensor) -> tuple[Tensor, Tensor]:
        trunk, real, units = (getattr(self, n) for n in self.names)
        x = trunk(picture)
        return real(x), units(x).flatten(1)


def shaken(network: nn.Module, seed: int) -> nn.Module:
    """Every tensor of it drawn anew, the norms' scales and shifts too."""
    draw = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for tensor in network.state_dict().values():
            if tensor.is_floating_point():
                tensor.copy_(0.2 * torch.randn(tensor.shape, generator=draw) + 0.05)
    return network
