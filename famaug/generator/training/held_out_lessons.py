"""How well lessons on held-out faces are learnt, against what is known beforehand."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import cv2
import torch
from torch import nn

from famaug.files import write_whole
from famaug.generator.networks.compose import compose
from famaug.generator.training.samples import picture_grid
from famaug.generator.training.teacher import TeacherBatches
from famaug.generator.training.teacher_objective import INPUTS
from famaug.training.objective import Batch

_LEAST = 1e-6


class HeldOutLessons:
    """Values: error (mean absolute difference over all lessons, over that of the known picture:
    1 is as good as saying nothing), mouth (the same where more of the mouth's inside is seen),
    attention (mean share that is kept where the face is). Writes FOLDER/NAME-step000500.png:
    neutral, known picture, network, lesson; those with the widest mouths.

    Args:
        source: lessons of faces that are not trained on.
        count: lessons.
        folder: of the sheets.
        every: steps between looks.
        name: of the values in the log.
    """

    def __init__(
        self,
        source: TeacherBatches,
        *,
        count: int,
        folder: Path,
        every: int,
        name: str = "held_out",
    ) -> None:
        self.every, self.folder, self.name = every, folder, name
        self.lessons: Batch = source.batch(0, range(count))

    def look(self, number: int, networks: Mapping[str, nn.Module]) -> Mapping[str, float]:
        net, b = networks["generator"], self.lessons
        where = next(net.parameters()).device
        inputs = [b[k].to(where) for k in INPUTS]
        with torch.inference_mode():
            outputs = net(*inputs)
            out = compose(inputs[1], outputs).cpu()
        columns = [b["picture"], b["known"], out, b["target"]]
        shown = b["inside"].mean((1, 2, 3)).argsort(descending=True)[:8]
        done, data = cv2.imencode(".png", picture_grid([c[shown] for c in columns])[:, :, ::-1])
        if done:
            write_whole(self.folder / f"{self.name}-step{number:06d}.png", data.tobytes())
        left, wrong = ((made - b["target"]).abs().mean(1, True) for made in (b["known"], out))
        values = {
            "error": wrong.sum() / left.sum().clamp(min=_LEAST),
            "mouth": (wrong * b["inside"]).sum() / (left * b["inside"]).sum().clamp(min=_LEAST),
            "attention": outputs.attention.cpu()[b["support"] > 0.5].mean(),
        }
        return {k: float(v) for k, v in values.items()}
