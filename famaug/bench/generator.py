"""What a finished frame costs with each generator, through `Synthesizer.render`.

    famaug bench generator

GANimation has random weights of the published size: the time does not depend on them. A clip of a
sample face with four units that move on both sides, the left unlike the right.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from famaug.bench.timing import in_turns
from famaug.errors import InputError
from famaug.generator.networks.ganimation import GanimationGenerator
from famaug.generator.networks.saved import save_generator
from famaug.pipeline import Synthesizer
from famaug.samples import face
from famaug.seeding import keyed_generator
from famaug.types import Plan

SIZE = 256
DRIVER = "aus:4L=1.2,4R=0.8,6=1,12L=1.5,12R=1,14=0.7"


def run(*, rounds: int = 3, width: int = 64, size: int = SIZE) -> dict[str, dict[str, float]]:
    """Measures all, in turns, on one thread and a prepared face.

    Args:
        rounds: turns of each.
        width: of the network; the published is 64.
        size: side of the frames.

    Returns:
        ratios: maps_vs_paper, processor time of the published way (`halves="paper"`: two passes)
        over that of one pass; bf16_vs_paper, the same of one in bfloat16; warp_vs_paper, of the
        warp. figures: NAME_cpu_ms_per_frame
        and, by the clock, NAME_ms_per_frame of each; medians.

    Raises:
        InputError: no rounds.
    """
    if rounds < 1:
        raise InputError(f"the bench needs rounds; got {rounds}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "generator.safetensors"
        save_generator(path, GanimationGenerator(width=width, flow=True))
        own = str(path)
        ways: dict[str, dict[str, Any]] = {
            "paper": {"generator": own, "halves": "paper"},
            "maps": {"generator": own},
            "bf16": {"generator": own, "options": {"precision": "bf16"}},
            "warp": {},
        }
        makers = {name: Synthesizer(size=size, fps=40, **how) for name, how in ways.items()}
    plans = {name: _plan(maker) for name, maker in makers.items()}
    works = {name: lambda m=maker, p=plans[name]: m.render([p]) for name, maker in makers.items()}
    timed = in_turns(works, rounds)
    frames = {name: len(plan.track) for name, plan in plans.items()}
    cpu = {name: t.cpu / frames[name] for name, t in timed.items()}
    return {
        "ratios": {
            f"{name}_vs_paper": cpu["paper"] / cpu[name] for name in ways if name != "paper"
        },
        "figures": {
            **{f"{name}_cpu_ms_per_frame": value for name, value in cpu.items()},
            **{f"{name}_ms_per_frame": t.wall / frames[name] for name, t in timed.items()},
        },
    }


def _plan(maker: Synthesizer) -> Plan:
    return maker.plan(DRIVER, face("woman_31"), keyed_generator(0, "bench", "generator"))
