"""How fast AUs are measured and modulated.

famaug bench aus
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

import numpy as np

from famaug.aus.estimator import measure_aus
from famaug.bench.faces import portrait_clip
from famaug.faces.mesher import PAPER_SIZES, FaceMesher
from famaug.modulation.modulate import modulate_many
from famaug.seeding import keyed_generator

CLIPS, LENGTH = 10_000, 64


def run(rounds: int = 3) -> dict[str, dict[str, float]]:
    """Medians over `rounds`, in turns, after one warm-up.

    Returns:
        ratios: five_sizes_vs_one and points_vs_flow, times the duration.
        figures: frames a second with one and with five sizes and from landmarks alone, and the
            seconds that modulating 10 000 clips of 64 frames takes (Eq. 2 and 3).
    """
    mesher = FaceMesher()
    frames = portrait_clip()
    draws = keyed_generator(0, "bench", "aus").uniform(0, 2, (CLIPS, LENGTH, 2, 17))
    tracks = draws.astype(np.float32)
    jobs: dict[str, Callable[[], object]] = {
        "one": lambda: measure_aus(frames, mesher=mesher),
        "five": lambda: measure_aus(frames, mesher=mesher, sizes=PAPER_SIZES),
        "points": lambda: measure_aus(frames, mesher=mesher, backend="points"),
        "modulate": lambda: modulate_many(tracks),
    }
    seconds: dict[str, list[float]] = {name: [] for name in jobs}
    for turn in range(rounds + 1):
        for name, job in jobs.items():
            start = time.perf_counter()
            job()
            if turn:
                seconds[name].append(time.perf_counter() - start)
    middle = {name: median(s) for name, s in seconds.items()}
    return {
        "ratios": {
            "five_sizes_vs_one": middle["five"] / middle["one"],
            "points_vs_flow": middle["points"] / middle["one"],
        },
        "figures": {
            "one_size_frames_per_s": len(frames) / middle["one"],
            "five_sizes_frames_per_s": len(frames) / middle["five"],
            "points_frames_per_s": len(frames) / middle["points"],
            "modulate_10000_clips_s": middle["modulate"],
        },
    }
