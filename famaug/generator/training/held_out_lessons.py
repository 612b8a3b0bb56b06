"""How well lessons on held-out faces are learnt, against the known motion alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import cv2
import torch
from torch import nn

from famaug.generator.networks.compose import compose, warp
from famaug.generator.training.objective import Batch
from famaug.generator.training.samples import picture_grid
from famaug.generator.training.teacher import TeacherBatches
from famaug.generator.training.teacher_objective import relative_error
from famaug.weights.tensor_files import write_whole

FLOOR = 0.002
"""Change below which an error is not taken relative to it."""


class HeldOutLessons:
    """Values: error (over the change asked for; 1 is as bad as no motion), prior (the same of the
    known motion alone), attention (mean share that is kept where the face is). Writes
    FOLDER/step000500.png: neutral, known motion, network, teacher.

    Args:
        source: lessons of faces that are not trained on.
        count: lessons.
        folder: of the sheets.
        every: steps between looks.
    """

    name = "held_out"

    def __init__(self, source: TeacherBatches, *, count: int, folder: Path, every: int) -> None:
        self.every, self.folder = every, folder
        self.lessons: Batch = source.batch(0, range(count))

    def look(self, number: int, networks: Mapping[str, nn.Module]) -> Mapping[str, float]:
        net, b = networks["generator"], self.lessons
        where = next(net.parameters()).device
        inputs = [b[k].to(where) for k in ("picture", "maps", "prior", "support")]
        with torch.inference_mode():
            outputs = net(*inputs)
            out = compose(inputs[0], outputs).cpu()
            known = warp(b["picture"], b["prior"])
        columns = [b["picture"], known, out, b["target"]]
        done, data = cv2.imencode(".png", picture_grid([c[:8] for c in columns])[:, :, ::-1])
        if done:
            write_whole(self.folder / f"step{number:06d}.png", data.tobytes())
        inside, wanted = b["support"] > 0.5, (b["target"], b["picture"])
        return {
            "error": float(relative_error(out, *wanted, floor=FLOOR).mean()),
            "prior": float(relative_error(known, *wanted, floor=FLOOR).mean()),
            "attention": float(outputs.attention.cpu()[inside].mean()),
        }
