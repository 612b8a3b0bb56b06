"""What the flow of a pair costs, TV-L1 beside scikit-image's, and how far their pictures agree.

    famaug bench flow

Pairs are onset and apex of micro-expressions that are rendered on the eight sample faces, with
noise. Times are processor time, as other work on the machine changes it least.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import cv2
import numpy as np

from famaug.bench.timing import in_turns
from famaug.errors import InputError
from famaug.flow.pictures import (
    CHANNELS,
    flow_features,
    flow_pictures,
    optical_flow,
    picture_of_flow,
)
from famaug.flow.tvl1 import ATTACHMENT
from famaug.pipeline import Synthesizer
from famaug.recognition.feature_cache import dataset_inputs
from famaug.recognition.inputs import InputSpec
from famaug.samples import faces
from famaug.seeding import keyed_generator
from famaug.types import Clip, ClipRef, Floats, Picture

SIZES = ((160, 160), (224, 224), (280, 340))
"""Height and width."""
CLIPS = {"stats:negative": 134, "stats:positive": 58, "stats:surprise": 34}
"""Rules, and how many published pictures of flow there are of each class to compare with."""
NOISE = 1.5  # grey levels
Pair = tuple[Picture, Picture]


def run(
    rounds: int = 3, *, sizes: Sequence[tuple[int, int]] = SIZES, pairs: int = 8
) -> dict[str, dict[str, float]]:
    """Medians over `rounds`, in turns, after one warm-up.

    Args:
        rounds: how often each is measured.
        sizes: height and width of the pictures.
        pairs: of each size, one a face.

    Returns:
        ratios, by size: one_vs_skimage, scikit-image's time over that of `flow_features` called
            pair by pair; together_vs_skimage, over that of `dataset_inputs`, which computes pairs
            of one size together.
        figures, by size: processor milliseconds a pair of these and of Farneback's and DIS; between
            scikit-image's flow and ours the mean distance of end points in thousandths of a pixel
            (apart_px_thousandths), and
            between their 28 x 28 pictures the mean and largest difference in grey levels
            (apart_grey, apart_grey_max) and the lowest correlation of a channel; and `statistics`
            of pictures with noise and without.

    Raises:
        InputError: no rounds, or not one to eight pairs.
    """
    if rounds < 1 or not 1 <= pairs <= len(faces()):
        raise InputError(f"the bench needs rounds and 1 to 8 pairs; got {rounds} and {pairs}")
    ratios: dict[str, float] = {}
    figures: dict[str, float] = {}
    for height, width in sizes:
        made = rendered_pairs(height, width, [*CLIPS][:1], count=pairs)
        timed = in_turns(_ways(made), rounds)
        size = f"{width}x{height}"
        figures |= {f"{way}_cpu_ms_{size}": t.cpu / pairs for way, t in timed.items()}
        for way in ("one", "together"):
            ratios[f"{way}_vs_skimage_{size}"] = timed["skimage"].cpu / timed[way].cpu
        figures |= {f"{name}_{size}": value for name, value in agreement(made).items()}
    for name, noise in (("noise", NOISE), ("no_noise", 0.0)):
        figures |= {f"{key}_{name}": value for key, value in statistics(noise, pairs).items()}
    return {"ratios": ratios, "figures": figures}


def statistics(noise: float = NOISE, faces: int = 8) -> dict[str, float]:
    """Of pictures of rendered expressions, classes as frequent as in the published pictures: the
    mean of each channel (u, v, strain) and its spread, the standard deviation within a picture."""
    mean, spread = np.zeros(3), np.zeros(3)
    for expression, count in CLIPS.items():
        pairs = rendered_pairs(160, 160, [expression], count=faces, noise=noise)
        made = np.stack(flow_pictures(pairs)).astype(np.float64)
        mean += count / sum(CLIPS.values()) * made.mean((0, 2, 3))
        spread += count / sum(CLIPS.values()) * made.std((2, 3)).mean(0)
    named = {"mean": mean, "spread": spread}
    return {
        f"{k}_{c}": float(x) for k, v in named.items() for c, x in zip(CHANNELS, v, strict=True)
    }


def _ways(pairs: Sequence[Pair]) -> dict[str, Callable[[], object]]:
    clips = [
        (Clip(ClipRef("made", "", str(i), onset=0, apex=1, offset=1), np.stack(pair)), 0)
        for i, pair in enumerate(pairs)
    ]
    return {
        "one": lambda: [flow_features(*pair) for pair in pairs],
        "together": partial(dataset_inputs, clips, InputSpec(kind="flow", size=28)),
        "skimage": lambda: [picture_of_flow(skimage_flow(*pair)) for pair in pairs],
        "farneback": lambda: [flow_features(*pair, method="farneback") for pair in pairs],
        "dis": lambda: [flow_features(*pair, method="dis") for pair in pairs],
    }


def agreement(pairs: Sequence[Pair]) -> dict[str, float]:
    """How far TV-L1 flow and its pictures are from scikit-image's, see `run`."""
    apart, grey, alike = [], [], []
    for pair in pairs:
        ours, theirs = optical_flow(*pair), skimage_flow(*pair)
        apart.append(float(np.hypot(*(ours - theirs)).mean()))
        mine, other = (picture_of_flow(flow).astype(float) for flow in (ours, theirs))
        grey.append(np.abs(mine - other))
        alike += [np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(mine, other, strict=True)]
    return {
        "apart_px_thousandths": 1e3 * float(np.mean(apart)),
        "apart_grey": float(np.mean(grey)),
        "apart_grey_max": float(np.max(grey)),
        "correlation_min": float(np.min(alike)),
    }


def skimage_flow(onset: Picture, apex: Picture) -> Floats:
    """scikit-image's TV-L1 flow of a pair uint8 `H W 3`, float32 `2 H W`, with our attachment."""
    from skimage.registration import optical_flow_tvl1

    first, second = (
        cv2.cvtColor(x, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255 for x in (onset, apex)
    )
    rows, columns = optical_flow_tvl1(first, second, attachment=ATTACHMENT, dtype=np.float32)
    return np.asarray(np.stack([columns, rows]), np.float32)


def rendered_pairs(
    height: int, width: int, expressions: Sequence[str], *, count: int = 8, noise: float = NOISE
) -> list[Pair]:
    """Onset and apex, uint8 `height width 3`, of each expression on the first `count` sample faces:
    the middle of a square crop round the face, with noise of so many grey levels."""
    synthesizer = Synthesizer(size=max(height, width), fps=100.0)
    top, left = (max(height, width) - height) // 2, (max(height, width) - width) // 2
    pairs = []
    for name, path in list(faces().items())[:count]:
        for expression in expressions:
            rng = keyed_generator(0, "bench", "flow", name, expression)
            plan = synthesizer.plan(expression, path, rng)
            onset, apex, _ = plan.key_frames
            clip = synthesizer.render([plan])[0][[onset, apex]]
            seen = clip[:, top : top + height, left : left + width]
            noisy = np.rint(seen + rng.normal(0, noise, seen.shape)).clip(0, 255).astype(np.uint8)
            pairs.append((noisy[0], noisy[1]))
    return pairs
