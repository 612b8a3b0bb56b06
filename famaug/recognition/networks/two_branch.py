"""Onset and apex through one timm backbone, and what changed between them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from famaug.errors import InputError
from famaug.packages import need
from famaug.recognition.inputs import InputSpec
from famaug.recognition.networks.dropout import GivenDropout
from famaug.recognition.pretrained import fetched_weights


class TwoBranchNet(nn.Module):
    """One backbone of the timm library sees the onset and the apex frame; a linear layer sees the
    apex features and their difference to the onset's.

    Input `B 6 S S` (onset RGB, apex RGB), values 0-1, normalised inside as the backbone wants;
    output `B classes` (logits).

    Args:
        classes: how many.
        backbone: any name of `timm.list_models()`.
        pretrained: start from timm's weights (timm fetches them).
        size: S, pixels.
        dropout: before the linear layer.

    Raises:
        InputError: timm knows no such backbone.
        MissingPackageError: timm is not installed.
        FetchError: its weights are neither here nor to be had.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        *,
        classes: int = 3,
        backbone: str = "resnet18",
        pretrained: bool = False,
        size: int = 112,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        timm = need("timm", "the two-branch network")
        if not timm.is_model(backbone):
            near = timm.list_models(f"*{backbone[:6]}*")[:5]
            raise InputError(f"timm has no backbone {backbone!r}; near: {near}")
        self.input_spec = InputSpec(kind="pair", size=size)
        self.backbone: Any = _backbone(timm, backbone, pretrained)
        config = timm.data.resolve_model_data_config(self.backbone)
        for name in ("mean", "std"):
            value = torch.tensor(config[name]).view(1, 3, 1, 1)
            self.register_buffer(name, value, persistent=False)
        with torch.no_grad():
            width = self.backbone.eval()(torch.zeros(1, 3, size, size)).shape[1]
        self.backbone.train()
        self.head = nn.Sequential(GivenDropout(dropout), nn.Linear(2 * width, classes))

    def forward(self, x: Tensor) -> Tensor:
        both = torch.cat([x[:, :3], x[:, 3:]])
        onset, apex = self.backbone((both - self.mean) / self.std).chunk(2)
        logits: Tensor = self.head(torch.cat([apex, apex - onset], 1))
        return logits


def _backbone(timm: Any, name: str, pretrained: bool) -> Any:
    if not pretrained:
        return timm.create_model(name, num_classes=0)
    with fetched_weights(f"timm's {name}", "https://huggingface.co"):
        try:
            return timm.create_model(name, pretrained=True, num_classes=0)
        except RuntimeError as error:  # timm has none for this architecture
            raise InputError(f"network.options: backbone {name!r}: {error}") from error
