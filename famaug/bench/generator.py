"""The published generator as it is published, and as famaug runs it.

    famaug bench generator

Random weights of the published size: the time does not depend on them. A clip with four units that
move on both sides, the left unlike the right, 128 x 128 pixels. Beside it the compact generator
that ships and the warp, on a portrait, at twice the side.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from famaug.bench.timing import in_turns
from famaug.errors import InputError
from famaug.faces.align import crop_face
from famaug.faces.mesher import FaceMesher
from famaug.generator.learned import LearnedRenderer
from famaug.generator.networks.compose import generate
from famaug.generator.networks.fast import FastFace, FastGenerator, choose_precision
from famaug.generator.networks.ganimation import GanimationGenerator
from famaug.generator.warp import WarpRenderer
from famaug.seeding import keyed_generator
from famaug.types import AU_INDEX, Floats

SIZE = 128
FRAMES = 16
UNITS = (4, 6, 12, 14)


def run(
    *, rounds: int = 3, frames: int = FRAMES, width: int = 64, size: int = SIZE
) -> dict[str, dict[str, float]]:
    """Measures both, in turns.

    Args:
        rounds: turns of each.
        frames: of the clip.
        width: of the network; the published is 64.
        size: side of the pictures.

    Returns:
        ratios: ours_vs_published, wall time of the published way (two passes, one a side, frame by
        frame, fp32, eager) over ours (one pass, batches of 8, channels-last, the face's share of
        the first layer once a clip, fp32 or bf16 as measured here), medians.
        ours_vs_published_cpu_time, the same in processor time, which other work changes less.
        compact_vs_published and warp_vs_published, the published way at 128 pixels over the compact
        generator and the warp at 256, finished frames with skin; wall time, medians.
        figures: NAME_ms_per_frame of each; ours_is_bf16 (1 or 0).

    Raises:
        InputError: no rounds or frames.
    """
    if rounds < 1 or frames < 1:
        raise InputError(f"the bench needs rounds and frames; got {rounds} and {frames}")
    generator = GanimationGenerator(width=width).eval().requires_grad_(False)
    picture, line, track = _clip(frames, size)
    precision = choose_precision(generator, size=size)
    fast = FastGenerator(generator, precision=precision)

    def published() -> None:
        for frame in torch.split(track, 1):
            generate(generator, picture, frame, line, halves="paper")

    def ours() -> None:
        FastFace(fast, picture, line).render(track)

    works = {"published": published, "ours": ours, **_renderers(track.numpy(), 2 * size)}
    with torch.inference_mode():
        timed = in_turns(works, rounds)
    wall = {name: t.wall / frames for name, t in timed.items()}
    cpu = {name: t.cpu / frames for name, t in timed.items()}
    return {
        "ratios": {
            "ours_vs_published": wall["published"] / wall["ours"],
            "ours_vs_published_cpu_time": cpu["published"] / cpu["ours"],
            "compact_vs_published": wall["published"] / wall["compact"],
            "warp_vs_published": wall["published"] / wall["warp"],
        },
        "figures": {
            **{f"{name}_ms_per_frame": value for name, value in wall.items()},
            "ours_is_bf16": float(precision == "bf16"),
        },
    }


def _renderers(track: Floats, size: int) -> dict[str, Callable[[], object]]:
    """The compact generator and the warp on a public-domain portrait, faces prepared."""
    from skimage.data import astronaut

    portrait = np.asarray(astronaut())
    crop, mesh, _ = crop_face(portrait, FaceMesher().find(portrait), size)
    compact, warp = LearnedRenderer(crop, mesh), WarpRenderer(crop, mesh)
    return {"compact": lambda: compact.render(track), "warp": lambda: warp.render(track)}


def _clip(frames: int, size: int) -> tuple[Tensor, Tensor, Tensor]:
    """A picture `1 3 S S`, its midline `1 2 2`, intensities `T 2 17`."""
    draw = keyed_generator(0, "bench", "generator")
    picture = torch.from_numpy(draw.uniform(-1, 1, (1, 3, size, size))).float()
    line = torch.tensor([[[size * 0.5, 0.0], [size * 0.48, size - 1.0]]])
    track = np.zeros((frames, 2, len(AU_INDEX)), np.float32)
    rise = np.sin(np.linspace(0.05, 0.95, frames) * np.pi)
    peaks = draw.uniform(0.5, 1.5, (2, len(UNITS)))
    track[:, :, [AU_INDEX[au] for au in UNITS]] = rise[:, None, None] * peaks
    return picture, line, torch.from_numpy(track)
