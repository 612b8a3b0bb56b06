"""How fast pictures and clips are sharpened, against the `ncnn` package and frame by frame.

    OMP_NUM_THREADS=1 famaug bench superres

Ratios are of processor time, which other work on the machine disturbs least; on one thread it is
the time it takes.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch

from famaug.bench.timing import in_turns
from famaug.errors import FamaugWarning, FetchError, InputError, MissingPackageError
from famaug.packages import need
from famaug.pipeline.synthesizer import Synthesizer
from famaug.seeding import keyed_generator
from famaug.superres.upscale import Upscaler
from famaug.types import Frames, Picture
from famaug.weights.fetch import fetch

SIDE, FRAMES = 128, 16
"""Of the clips: pixels and frames."""
EXPRESSIONS = {"au4": "aus:4=1", "au1_2": "aus:1=1,2=1", "au12": "aus:12=1"}
Figures = dict[str, float]


class _Compared(NamedTuple):
    """A network of ours, the same in ncnn's files, and the side of the picture in pixels."""

    model: str
    weights: str
    side: int


MODELS = {
    "compact": _Compared("compact", "realesr_animevideov3", 128),
    "rrdb": _Compared("realsr", "realsr_df2k", 64),
}


def run(
    *,
    rounds: int = 3,
    models: Sequence[str] = tuple(MODELS),
    expressions: Sequence[str] = tuple(EXPRESSIONS),
) -> dict[str, dict[str, float]]:
    """Medians over `rounds`, in turns, after one warm-up; on as many threads as PyTorch uses.

    Args:
        rounds: how often each is measured.
        models: which are measured against ncnn.
        expressions: which clips are sharpened with and without reuse.

    Returns:
        ratios: compact_vs_ncnn and rrdb_vs_ncnn (fp32 both), compact_bf16_vs_ncnn and
            rrdb_bf16_vs_ncnn (bfloat16 both), ..._vs_torch (fp32, PyTorch against what is used
            here), reuse_vs_full (a clip of 16 frames, AU4), and the same for AU12, AU1+2 and with
            tolerances of one and two grey levels.
        figures: milliseconds of each, ..._cpu_ms of processor time and ..._ms by the clock;
            ..._fp32_max, ..._bf16_max and ..._mean: difference to PyTorch's fp32 in grey levels,
            ..._ncnn_max that of ncnn; reuse_..._max and _share: grey levels between reuse and
            full, and the share of pixels that differ.

    What needs weights that cannot be fetched, or ncnn where it is not installed, is left out, with
    a warning.
    """
    ratios: Figures = {}
    figures: Figures = {}
    for name in models:
        try:
            _against_ncnn(name, MODELS[name], rounds, ratios, figures)
        except (FetchError, InputError, MissingPackageError) as error:
            warnings.warn(f"{name} is not measured: {error}", FamaugWarning, stacklevel=2)
    for name in expressions:
        _reuse(name, _clip(EXPRESSIONS[name]), rounds, ratios, figures)
    if "au4" in expressions:
        ratios["reuse_vs_full"] = ratios["reuse_au4_vs_full"]
    return {"ratios": ratios, "figures": figures}


def _timed(jobs: Mapping[str, Callable[[], Any]], rounds: int, figures: Figures) -> Figures:
    """Processor time of each, which goes into the figures, as does that by the clock."""
    timed = in_turns(jobs, rounds)
    figures |= {f"{name}_cpu_ms": t.cpu for name, t in timed.items()}
    figures |= {f"{name}_ms": t.wall for name, t in timed.items()}
    return {name: t.cpu for name, t in timed.items()}


def _against_ncnn(
    name: str, how: _Compared, rounds: int, ratios: Figures, figures: Figures
) -> None:
    model, weights, side = how
    files = fetch(f"{weights}_graph"), fetch(weights)
    small = cv2.resize(_portrait(), (side, side), interpolation=cv2.INTER_AREA)
    makers: dict[str, Callable[[Picture], Any]] = {
        "torch": Upscaler(model, fast=False).picture,
        "ours": Upscaler(model).picture,
        "ours_bf16": Upscaler(model, precision="bf16").picture,
        "ncnn": ncnn_net(*files),
        "ncnn_bf16": ncnn_net(*files, bf16=True),
    }
    jobs = {f"{name}_{key}": partial(make, small) for key, make in makers.items()}
    took = _timed(jobs, rounds, figures)
    ours, bf16 = took[f"{name}_ours"], took[f"{name}_ours_bf16"]
    ratios[f"{name}_vs_ncnn"] = took[f"{name}_ncnn"] / ours
    ratios[f"{name}_bf16_vs_ncnn"] = took[f"{name}_ncnn_bf16"] / bf16
    ratios[f"{name}_vs_torch"] = took[f"{name}_torch"] / ours
    truth = jobs[f"{name}_torch"]().astype(int)
    for key, made in (("fp32", "ours"), ("bf16", "ours_bf16"), ("ncnn", "ncnn")):
        apart = np.abs(jobs[f"{name}_{made}"]() - truth)
        figures[f"{name}_{key}_max"] = float(apart.max())
        figures[f"{name}_{key}_mean"] = float(apart.mean())


def ncnn_net(
    graph: Path, weights: Path, *, bf16: bool = False, exact: bool = False
) -> Callable[[Picture], Frames]:
    """A network in the `ncnn` package on the processor, with as many threads as PyTorch uses: from
    a picture uint8 RGB `H W 3` to a larger one.

    Args:
        graph, weights: its files, .param and .bin.
        bf16: store in bfloat16.
        exact: plain convolutions in fp32, no Winograd transform.

    Raises:
        InputError: ncnn refuses the files. MissingPackageError: it is not installed.
    """
    ncnn = need("ncnn", "this comparison")
    net = ncnn.Net()
    net.opt.use_vulkan_compute = False
    net.opt.num_threads = torch.get_num_threads()
    net.opt.use_bf16_storage = bf16
    if exact:
        net.opt.use_winograd_convolution = net.opt.use_fp16_storage = False
        net.opt.use_fp16_packed = net.opt.use_fp16_arithmetic = False
    if net.load_param(str(graph)) or net.load_model(str(weights)):
        raise InputError(f"ncnn refuses {graph} with {weights}")

    def picture(small: Picture) -> Frames:
        held = np.ascontiguousarray(small.transpose(2, 0, 1), np.float32) / np.float32(255)
        extractor = net.create_extractor()
        extractor.input("data", ncnn.Mat(held).clone())  # ncnn only points at what it is given
        failed, out = extractor.extract("output")
        if failed:
            raise InputError(f"ncnn failed with {failed} on a picture of {small.shape}")
        grey = np.rint(np.array(out).transpose(1, 2, 0) * 255)
        return np.asarray(grey.clip(0, 255), np.uint8)

    return picture


def _reuse(name: str, clip: Frames, rounds: int, ratios: Figures, figures: Figures) -> None:
    full = Upscaler()
    reuse = {
        f"reuse_{name}": Upscaler(temporal="reuse"),
        f"reuse_{name}_tolerance1": Upscaler(temporal="reuse", tolerance=1),
        f"reuse_{name}_tolerance2": Upscaler(temporal="reuse", tolerance=2),
    }
    jobs: dict[str, Callable[[], Any]] = {f"full_{name}": lambda: full.frames(clip)}
    jobs |= {k: partial(u.frames, clip) for k, u in reuse.items()}
    took = _timed(jobs, rounds, figures)
    truth = full.frames(clip).astype(int)
    for key, upscaler in reuse.items():
        ratios[f"{key}_vs_full"] = took[f"full_{name}"] / took[key]
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
