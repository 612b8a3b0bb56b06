"""How fast AUs are measured and modulated.

famaug bench aus
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from famaug.aus.flow_and_points import measure_aus
from famaug.bench.faces import portrait_clip
from famaug.bench.timing import in_turns
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
    middle = {name: t.wall / 1e3 for name, t in in_turns(jobs, rounds).items()}
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
