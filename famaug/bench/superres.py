"""How fast pictures and clips are sharpened, against the `ncnn` package and frame by frame.

famaug bench superres
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import cv2
import numpy as np
import torch

from famaug.bench.ncnn_net import NcnnNet
from famaug.bench.timing import in_turns
from famaug.errors import FamaugWarning, FetchError, InputError, MissingPackageError
from famaug.pipeline.synthesizer import Synthesizer
from famaug.seeding import keyed_generator
from famaug.superres.models import MODELS
from famaug.superres.upscale import Upscaler
from famaug.types import Floats, Frames, Picture
from famaug.weights.fetch import fetch

SIDE, FRAMES = 128, 16
EXPRESSIONS = {"au4": "aus:4=1", "au1_2": "aus:1=1,2=1", "au12": "aus:12=1"}
Figures = dict[str, float]


def run(
    *,
    rounds: int = 3,
    models: Sequence[str] = ("compact", "rrdb"),
    expressions: Sequence[str] = tuple(EXPRESSIONS),
) -> dict[str, dict[str, float]]:
    """Medians over `rounds`, in turns, after one warm-up; on as many threads as PyTorch uses.

    Args:
        rounds: how often each is measured.
        models: which are measured against ncnn.
        expressions: which clips are sharpened with and without reuse.

    Returns:
        ratios: compact_vs_ncnn and rrdb_vs_ncnn (fp32 both), compact_bf16_vs_ncnn and
            rrdb_bf16_vs_ncnn (bfloat16 both), ..._vs_torch (fp32, PyTorch's own convolutions
            against the compiled ones), reuse_vs_full (a clip of 16 frames, AU4), and the
            same for AU12, AU1+2 and with tolerances of one and two grey levels.
        figures: milliseconds of each; ..._agrees: largest difference to ncnn of values in [0, 1];
            ..._fp32_max, ..._bf16_max and ..._mean: difference to PyTorch's fp32 in grey levels;
            reuse_..._max and _share: grey levels between reuse and full, and the share of pixels
            that differ.

    What needs weights that cannot be fetched, or ncnn where it is not installed, is left out, with
    a warning.
    """
    ratios: Figures = {}
    figures: Figures = {}
    small = cv2.resize(_portrait(), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    for name, model, weights in (
        ("compact", "compact", "realesr_animevideov3"),
        ("rrdb", "realsr", "realsr_df2k"),
    ):
        if name not in models:
            continue
        try:
            _against_ncnn(name, model, weights, small, rounds, ratios, figures)
        except (FetchError, InputError, MissingPackageError) as error:
            warnings.warn(f"{name} is not measured: {error}", FamaugWarning, stacklevel=2)
    for name in expressions:
        _reuse(name, _clip(EXPRESSIONS[name]), rounds, ratios, figures)
    if "au4" in expressions:
        ratios["reuse_vs_full"] = ratios["reuse_au4_vs_full"]
    return {"ratios": ratios, "figures": figures}


def _against_ncnn(
    name: str,
    model: str,
    weights: str,
    small: Picture,
    rounds: int,
    ratios: Figures,
    figures: Figures,
) -> None:
    path, kind = fetch(weights), MODELS[model].kind
    threads = torch.get_num_threads()
    x: Floats = np.ascontiguousarray(small.transpose(2, 0, 1), np.float32) / np.float32(255)
    ours = Upscaler(model), Upscaler(model, precision="bf16")
    theirs = [NcnnNet(path, kind, threads=threads, bf16=b) for b in (False, True)]
    by_torch = Upscaler(model, native=False)
    jobs: dict[str, Callable[[], Any]] = {
        f"{name}_torch": lambda: by_torch.picture(small),
        f"{name}_ours": lambda: ours[0].picture(small),
        f"{name}_ncnn": lambda: theirs[0](x),
        f"{name}_ours_bf16": lambda: ours[1].picture(small),
        f"{name}_ncnn_bf16": lambda: theirs[1](x),
    }
    figures |= {f"{k}_ms": t.wall for k, t in in_turns(jobs, rounds).items()}
    ratios[f"{name}_vs_ncnn"] = figures[f"{name}_ncnn_ms"] / figures[f"{name}_ours_ms"]
    ratios[f"{name}_bf16_vs_ncnn"] = (
        figures[f"{name}_ncnn_bf16_ms"] / figures[f"{name}_ours_bf16_ms"]
    )
    ratios[f"{name}_vs_torch"] = figures[f"{name}_torch_ms"] / figures[f"{name}_ours_ms"]
    with torch.inference_mode():
        made = ours[0].net(torch.from_numpy(x)[None])[0].numpy()
    exact = NcnnNet(path, kind, threads=threads, exact=True)(x)
    figures[f"{name}_agrees"] = float(np.abs(made - exact).max())
    truth = by_torch.picture(small).astype(int)
    for key, upscaler in zip(("fp32", "bf16"), ours, strict=True):
        apart = np.abs(upscaler.picture(small) - truth)
        figures[f"{name}_{key}_max"] = float(apart.max())
        figures[f"{name}_{key}_mean"] = float(apart.mean())


def _reuse(name: str, clip: Frames, rounds: int, ratios: Figures, figures: Figures) -> None:
    full = Upscaler()
    reuse = {
        f"reuse_{name}": Upscaler(temporal="reuse"),
        f"reuse_{name}_tolerance1": Upscaler(temporal="reuse", tolerance=1),
        f"reuse_{name}_tolerance2": Upscaler(temporal="reuse", tolerance=2),
    }
    jobs: dict[str, Callable[[], Any]] = {f"full_{name}": lambda: full.frames(clip)}
    jobs |= {k: partial(u.frames, clip) for k, u in reuse.items()}
    figures |= {f"{k}_ms": t.wall for k, t in in_turns(jobs, rounds).items()}
    truth = full.frames(clip).astype(int)
    for key, upscaler in reuse.items():
        ratios[f"{key}_vs_full"] = figures[f"full_{name}_ms"] / figures[f"{key}_ms"]
        apart = np.abs(upscaler.frames(clip) - truth)
        figures[f"{key}_max"] = float(apart.max())
        figures[f"{key}_share"] = float((apart > 0).mean())


def _portrait() -> Picture:
    from skimage.data import astronaut

    return np.asarray(astronaut(), np.uint8)


def _clip(text: str) -> Frames:
    """16 frames of 128 x 128: an expression that rises and falls."""
    synthesizer = Synthesizer(size=SIDE)
    plan = synthesizer.plan(text, _portrait(), keyed_generator(0, "bench", "superres"))
    frames = synthesizer.render([plan])[0]
    return np.asarray(frames[np.linspace(0, len(frames) - 1, FRAMES).round().astype(int)])
