"""Sheets of samples: what the generator makes of held-out faces, to be looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from famaug.files.whole import write_whole
from famaug.generator.networks.au_maps import RAMP, au_maps
from famaug.generator.networks.compose import compose
from famaug.generator.networks.ganimation import REACH, Outputs
from famaug.training.ganimation.monitor import Probe
from famaug.types import AU_INDEX, AUS, LEFT

Expression = Mapping[int, float]

EXPRESSIONS: tuple[tuple[str, tuple[tuple[int, int, float], ...]], ...] = (
    ("none", ()),
    ("AU12 2", ((2, 12, 2.0),)),
    ("AU04+07 2", ((2, 4, 2.0), (2, 7, 2.0))),
    ("AU01+02 2", ((2, 1, 2.0), (2, 2, 2.0))),
    ("AU09+10 2", ((2, 9, 2.0), (2, 10, 2.0))),
    ("AU12 left", ((LEFT, 12, 2.0),)),
)
"""Name, and (side, AU, intensity) of each column; side 2 is both."""
HEADER = 14


class SampleSheets:
    """Writes FOLDER/step000500.png: a row for each face; the picture, several expressions, then A
    and C of the second expression, and the motion if there is one.

    Args:
        probe: the faces.
        folder: gets the pictures.
        every: steps between sheets.
        ramp: of the AU maps.
    """

    name = "samples"

    def __init__(self, probe: Probe, folder: Path, *, every: int, ramp: float = RAMP) -> None:
        self.probe, self.folder, self.every, self.ramp = probe, folder, every, ramp

    def look(self, number: int, networks: Mapping[str, nn.Module]) -> dict[str, float]:
        sheet = self.sheet(networks["generator"])
        done, data = cv2.imencode(".png", sheet[:, :, ::-1])
        if done:
            write_whole(self.folder / f"step{number:06d}.png", data.tobytes())
        return {}

    @torch.inference_mode()
    def sheet(self, generator: nn.Module) -> NDArray[np.uint8]:
        """uint8 RGB."""
        like = next(generator.parameters())
        picture, midline = self.probe.picture.to(like.device), self.probe.midline.to(like.device)
        columns, names = [picture], ["picture"]
        shown: Outputs | None = None
        for name, units in EXPRESSIONS:
            asked = torch.zeros(len(picture), 2, len(AUS), device=like.device)
            for side, au, value in units:
                asked[:, slice(None) if side == 2 else side, AU_INDEX[au]] = value
            size = (picture.shape[2], picture.shape[3])
            outputs = generator(picture, au_maps(asked, midline, size, ramp=self.ramp))
            columns.append(compose(picture, outputs))
            names.append(name)
            shown = outputs if shown is None or name == EXPRESSIONS[1][0] else shown
        if shown is not None:
            columns += [2 * shown.attention.expand(-1, 3, -1, -1) - 1, shown.colour]
            names += ["A", "C"]
            if shown.flow is not None:
                length = shown.flow.norm(dim=1, keepdim=True) / REACH
                columns.append((4 * length - 1).clamp(-1, 1).expand(-1, 3, -1, -1))
                names.append("motion")
        return _with_names(picture_grid(columns), names, picture.shape[3])


def picture_grid(columns: Sequence[Tensor]) -> NDArray[np.uint8]:
    values = torch.cat([torch.cat([*c.float().cpu()], 1) for c in columns], 2)
    grey = ((values.clamp(-1, 1) + 1) * 127.5).round().byte()
    return np.ascontiguousarray(grey.permute(1, 2, 0).numpy())


def _with_names(grid: NDArray[np.uint8], names: Sequence[str], width: int) -> NDArray[np.uint8]:
    header = np.full((HEADER, grid.shape[1], 3), 255, np.uint8)
    for i, name in enumerate(names):
        place = (i * width + 2, HEADER - 4)
        cv2.putText(header, name, place, cv2.FONT_HERSHEY_SIMPLEX, 0.35, (0, 0, 0), 1, cv2.LINE_AA)
    return np.concatenate([header, grid])
