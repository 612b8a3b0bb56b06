"""Early evaluation on held-out faces: are the AUs that are asked for the ones that are seen?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from famaug.aus.flow_and_points import measure_aus
from famaug.errors import FaceError
from famaug.faces.mesher import FaceMesher
from famaug.generator.networks.au_maps import RAMP, au_maps
from famaug.generator.networks.compose import compose
from famaug.seeding import keyed_generator
from famaug.training.ganimation.monitor import GREY, Probe
from famaug.types import AUS, Floats, Frames

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class EvaluationOptions:
    """draws: expressions a face. units: AUs in each. low, high: their intensities. seed: of all."""

    draws: int = 6
    units: int = 3
    low: float = 0.5
    high: float = 3.0
    seed: int = 0


class HeldOutEvaluation:
    """Renders drawn expressions on held-out faces and measures them with famaug's estimator,
    against the face rendered without expression.

    Values: r (asked against measured over all units and faces), r_sides (left less right), lost
    (share of faces in which no face is found any more), error (mean absolute difference).

    Args:
        probe: the faces; small ones (under 64 pixels across) are enlarged before they are measured.
        every: steps between evaluations.
        options: what is drawn.
        ramp: of the AU maps.
    """

    name = "held_out"

    def __init__(
        self,
        probe: Probe,
        *,
        every: int,
        options: EvaluationOptions | None = None,
        ramp: float = RAMP,
    ) -> None:
        self.probe, self.every, self.ramp = probe, every, ramp
        self.options = options or EvaluationOptions()
        self._mesher: FaceMesher | None = None

    def look(self, number: int, networks: Mapping[str, nn.Module]) -> dict[str, float]:
        return self.measure(networks["generator"])

    def measure(self, generator: nn.Module) -> dict[str, float]:
        asked, seen = [], []
        lost = 0
        for i in range(len(self.probe.picture)):
            wanted = self._drawn(i)
            found = self._seen(self._frames(generator, i, wanted))
            if found is None:
                lost += 1
                continue
            asked.append(wanted)
            seen.append(found)
        values = {"lost": lost / max(1, len(self.probe.picture))}
        if asked:
            a, b = np.concatenate(asked), np.concatenate(seen)
            known = np.isfinite(b)
            values["error"] = float(np.abs(a - b)[known].mean())
            values["r"] = _correlation(a[known], b[known])
            both = known.all(1)
            values["r_sides"] = _correlation((a[:, 0] - a[:, 1])[both], (b[:, 0] - b[:, 1])[both])
        return values

    def _drawn(self, face: int) -> Floats:
        """`draws 2 17`: a few units, each on one side or both."""
        o = self.options
        out = np.zeros((o.draws, 2, len(AUS)), np.float32)
        for i in range(o.draws):
            draw = keyed_generator(o.seed, "held out", face, i)
            for unit in draw.choice(len(AUS), o.units, replace=False):
                sides = ((0,), (1,), (0, 1))[draw.integers(3)]
                out[i, list(sides), unit] = draw.uniform(o.low, o.high)
        return out

    @torch.inference_mode()
    def _frames(self, generator: nn.Module, face: int, wanted: Floats) -> Frames:
        """uint8 `1 + draws S S 3`, the first without expression."""
        like = next(generator.parameters())
        asked = torch.from_numpy(np.concatenate([np.zeros_like(wanted[:1]), wanted]))
        count = len(asked)
        picture, midline = (
            v[face : face + 1].to(like.device).expand(count, *v.shape[1:])
            for v in (self.probe.picture, self.probe.midline)
        )
        size = (picture.shape[2], picture.shape[3])
        maps = au_maps(asked.to(like.device), midline, size, ramp=self.ramp)
        return _bytes(compose(picture, generator(picture, maps)))

    def _seen(self, frames: Frames) -> Floats | None:
        if self._mesher is None:
            self._mesher = FaceMesher()
        try:
            return measure_aus(frames, mesher=self._mesher).track.intensity[1:]
        except FaceError:
            return None


def _bytes(pictures: Tensor) -> Frames:
    values = ((pictures.float().clamp(-1, 1) + 1) * GREY).round().byte()
    if values.shape[-1] < ENLARGE_BELOW:
        larger = nn.functional.interpolate(
            values.float(), scale_factor=2.0, mode="bicubic", align_corners=False
        )
        values = larger.round().clamp(0, 255).byte()
    return np.ascontiguousarray(values.permute(0, 2, 3, 1).cpu().numpy())


ENLARGE_BELOW = 160
"""Side below which pictures are doubled: the estimator asks for faces of 64 pixels."""


def _correlation(a: Array | Floats, b: Array | Floats) -> float:
    if len(a) < 2 or a.std() == 0 or b.std() == 0:
        return float("nan")
    return float(np.corrcoef(a, b)[0, 1])
