"""Watches for the collapses that GANimation is known for, and says what to turn."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from famaug.errors import CollapseWarning
from famaug.generator.networks.au_maps import RAMP, au_maps
from famaug.generator.networks.compose import compose
from famaug.generator.networks.ganimation import Outputs
from famaug.types import AU_NAMES, AUS

GREY = 127.5
"""Grey levels in one unit of the networks' range."""
KEPT, PAINTED = 0.97, 0.03
"""Mean attention above which nothing changes, and below which everything is painted anew."""
UNCHANGED = 0.99
"""Share of pixels within half a grey level above which the output is the input."""
SILENT = 0.1
"""Mean change in grey levels below which a unit has no response."""


@dataclass(frozen=True, eq=False)
class Probe:
    """Faces that are looked at again and again: `B 3 S S`, and their midlines `B 2 2`."""

    picture: Tensor
    midline: Tensor


class CollapseMonitor:
    """Mean and spread of A, share of unchanged pixels, and the change that each AU makes.

    Every unit is asked for alone on faces of the probe, and compared with what is rendered for no
    expression. Warns (CollapseWarning), once for each finding until it is over.

    Args:
        probe: faces, best ones that the training never sees.
        every: steps between looks.
        patience: steps before the first warning; an untrained generator does nothing useful.
        intensity: of the unit asked for.
        ramp: of the AU maps.
    """

    name = "collapse"

    def __init__(
        self,
        probe: Probe,
        *,
        every: int,
        patience: int = 2000,
        intensity: float = 2.5,
        ramp: float = RAMP,
    ) -> None:
        self.probe, self.every, self.patience = probe, every, patience
        self.intensity, self.ramp = intensity, ramp
        self._told: set[str] = set()

    def look(self, number: int, networks: Mapping[str, nn.Module]) -> dict[str, float]:
        values = self.measure(networks["generator"])
        if number >= self.patience:
            self._warn(number, values)
        return values

    @torch.inference_mode()
    def measure(self, generator: nn.Module) -> dict[str, float]:
        """mean_attention and spread_attention (standard deviation within a picture), unchanged
        (share), and response/AU01 ... in grey levels, all over every unit and face."""
        still, _ = self._rendered(generator, None)
        mean, spread, same = [], [], []
        values = {}
        for unit, name in enumerate(AU_NAMES):
            picture, outputs = self._rendered(generator, unit)
            mean.append(float(outputs.attention.mean()))
            spread.append(float(outputs.attention.flatten(1).std(1).mean()))
            change = (picture - self._picture(picture)).abs().amax(1)
            same.append(float((change < 0.5 / GREY).float().mean()))
            values[f"response/{name}"] = GREY * float((picture - still).abs().mean())
        count = len(AUS)
        return {
            "mean_attention": sum(mean) / count,
            "spread_attention": sum(spread) / count,
            "unchanged": sum(same) / count,
            **values,
        }

    def _rendered(self, generator: nn.Module, unit: int | None) -> tuple[Tensor, Outputs]:
        like = next(generator.parameters())
        picture, midline = (v.to(like.device) for v in (self.probe.picture, self.probe.midline))
        asked = torch.zeros(len(picture), 2, len(AUS), device=like.device)
        if unit is not None:
            asked[:, :, unit] = self.intensity
        size = (picture.shape[2], picture.shape[3])
        outputs = generator(picture, au_maps(asked, midline, size, ramp=self.ramp))
        return compose(picture, outputs), outputs

    def _picture(self, like: Tensor) -> Tensor:
        return self.probe.picture.to(like.device)

    def _warn(self, number: int, values: Mapping[str, float]) -> None:
        findings = dict(findings_of(values))
        self._told &= findings.keys()
        for what, text in findings.items():
            if what not in self._told:
                self._told.add(what)
                warnings.warn(f"step {number}: {text}", CollapseWarning, stacklevel=2)


def findings_of(values: Mapping[str, float]) -> list[tuple[str, str]]:
    """(what, in words with what to turn) of each collapse that these values show."""
    attention, unchanged = values["mean_attention"], values["unchanged"]
    if attention > KEPT or unchanged > UNCHANGED:
        text = (
            f"the output is the input (mean A {attention:.3f}, {unchanged:.1%} of the pixels "
            "unchanged): raise weights.attention until mean A is about 0.5, and look whether the "
            "AUs of the data are right and varied (20 000 pictures gave no effect with the "
            "published losses alone)"
        )
        return [("kept", text)]
    if attention < PAINTED:
        text = (
            f"everything is painted anew (mean A {attention:.3f}): lower weights.attention until "
            "mean A is about 0.5, or raise weights.cycle"
        )
        return [("painted", text)]
    silent = [
        name.removeprefix("response/")
        for name, value in values.items()
        if name.startswith("response/") and value < SILENT
    ]
    text = (
        f"no response to {', '.join(silent)} (under {SILENT} grey levels): show more faces with "
        "these AUs, or raise weights.units"
    )
    return [(f"silent {' '.join(silent)}", text)] if silent else []
