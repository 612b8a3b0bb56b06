"""What a sharpener does to held-out faces: PSNR, SSIM, MobileNet feature distance, AUs changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from torch import Tensor, nn

from famaug.aus.flow_and_points import measure_aus
from famaug.errors import FaceError
from famaug.faces.mesher import FaceMesher
from famaug.perception.features import FeatureTrunk
from famaug.seeding import keyed_generator
from famaug.training.superres.degrade import SCALE, Pools, add_noise, downscale, plain_downscale
from famaug.types import Picture

LOOKED_AT = 4
"""Pictures that are measured during a training."""


class HeldOut:
    """Held-out pictures and their small versions, plain and as the target's cameras see them.

    Args:
        pictures: uint8 RGB `H W 3`; cut to multiples of 4.
        pools: kernels and noises.
        seed: which of them each picture gets.
    """

    def __init__(self, pictures: Sequence[Picture], pools: Pools, *, seed: int = 0) -> None:
        self.pictures = [
            p[: len(p) - len(p) % SCALE, : p.shape[1] - p.shape[1] % SCALE] for p in pictures
        ]
        self.plain = [_rounded(plain_downscale(as_tensor(p))) for p in self.pictures]
        self.real = [self._degraded(i, pools, seed) for i in range(len(self.pictures))]

    def _degraded(self, i: int, pools: Pools, seed: int) -> Tensor:
        draw = keyed_generator(seed, "held-out", i)
        kernel = pools.kernels[int(draw.integers(len(pools.kernels)))]
        small = downscale(as_tensor(self.pictures[i]), torch.from_numpy(kernel)[None])
        if not len(pools.noises):
            return _rounded(small)
        noise = pools.noises[int(draw.integers(len(pools.noises)))]
        return add_noise(small, torch.from_numpy(noise)[None])

    def measure(
        self,
        net: nn.Module | None,
        *,
        kind: str = "real",
        trunk: FeatureTrunk | None = None,
        mesher: FaceMesher | None = None,
        most: int | None = None,
    ) -> dict[str, float]:
        """Means over the pictures.

        Args:
            net: a sharpener; None enlarges by bicubic interpolation.
            kind: "real" or "plain" small versions.
            trunk: adds `feature`, the MobileNet feature distance.
            mesher: adds `au_change`, the mean absolute intensity (0-5) over the 34 values that the
                sharpened picture shows against the source as its neutral face, `au_largest`, and
                `faces`, how many it was measured on.
            most: only the first pictures.
        """
        rows = []
        for picture, small in zip(self.pictures[:most], self._small(kind)[:most], strict=True):
            made = enlarge(net, small)
            rows.append(compare(picture, made, trunk=trunk, mesher=mesher))
        names = {name for row in rows for name in row}
        mean = {n: float(np.mean([r[n] for r in rows if n in r])) for n in sorted(names)}
        if mesher is not None:
            mean["faces"] = float(sum("au_change" in r for r in rows))
        return mean

    def _small(self, kind: str) -> list[Tensor]:
        return self.real if kind == "real" else self.plain

    def watcher(self, every: int) -> HeldOutWatcher:
        """Looks at the first few during a training."""
        return HeldOutWatcher(self, every)


@dataclass(eq=False)
class HeldOutWatcher:
    """A watcher of the training loop."""

    held_out: HeldOut
    every: int
    name: str = "held_out"

    def look(self, number: int, networks: Mapping[str, nn.Module]) -> Mapping[str, float]:
        """PSNR and SSIM of a few pictures, plain and real."""
        values: dict[str, float] = {}
        for kind in ("plain", "real"):
            found = self.held_out.measure(networks["sharpener"], kind=kind, most=LOOKED_AT)
            values |= {f"{kind}_{name}": value for name, value in found.items()}
        return values


def enlarge(net: nn.Module | None, small: Tensor) -> Picture:
    """`1 3 h w` in [0, 1] four times larger, by a network or bicubic, as uint8 RGB."""
    if net is None:
        made = F.interpolate(small, scale_factor=float(SCALE), mode="bicubic", align_corners=False)
    else:
        with torch.inference_mode():
            made = net(small.to(next(net.parameters()).device)).float().cpu()
    out = (made[0].permute(1, 2, 0) * 255).round().clamp(0, 255)
    return out.to(torch.uint8).numpy()


def compare(
    truth: Picture,
    made: Picture,
    *,
    trunk: FeatureTrunk | None = None,
    mesher: FaceMesher | None = None,
) -> dict[str, float]:
    """One pair, both uint8 RGB `H W 3`; see `HeldOut.measure`."""
    values = {
        "psnr": float(peak_signal_noise_ratio(truth, made)),
        "ssim": float(structural_similarity(truth, made, channel_axis=2)),
    }
    if trunk is not None:
        with torch.inference_mode():
            apart = trunk.distance(2 * as_tensor(truth) - 1, 2 * as_tensor(made) - 1)
        values["feature"] = float(apart)
    if mesher is not None:
        try:
            found = measure_aus(made[None], neutral_picture=truth, mesher=mesher)
        except FaceError:
            return values
        shown = np.abs(found.track.intensity[0])
        if np.isfinite(shown).any():
            values |= {
                "au_change": float(np.nanmean(shown)),
                "au_largest": float(np.nanmax(shown)),
            }
    return values


def as_tensor(picture: Picture) -> Tensor:
    """uint8 `H W 3` as float `1 3 H W` in [0, 1]."""
    return torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1)[None].float() / 255


def _rounded(small: Tensor) -> Tensor:
    return (small * 255).round().clamp(0, 255) / 255
