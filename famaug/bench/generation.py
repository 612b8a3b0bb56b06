"""How fast offline generation is: one worker, two workers, and Ray.

    famaug bench generation

The same small clips are made by each: rules on the astronaut's face in several framings. Faces are
measured before; times run from the first task to the last clip on the disk, workers being ready.
Start-up (processes, torch, Ray) is told apart.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import numpy as np

from famaug.errors import InputError, RenderError
from famaug.generation.generation import Generation
from famaug.generation.report import GenerationReport
from famaug.generation.resources import Resources
from famaug.generation.run import generate
from famaug.pipeline.synthesizer import Synthesizer

SHIFTS = (0, 8, 16, 24)
Way = tuple[str, Literal["local", "ray"], int]
WAYS: tuple[Way, ...] = (("one", "local", 1), ("two", "local", 2), ("ray", "ray", 2))


def run() -> dict[str, dict[str, float]]:
    """What `famaug bench generation` measures."""
    return bench_generation()


def bench_generation(
    *, clips: int = 200, size: int = 128, rounds: int = 1, ray: bool = True
) -> dict[str, dict[str, float]]:
    """Measures generation.

    Args:
        clips: made by each way, in each round.
        size: side of the clips.
        rounds: turns of all ways; figures are medians.
        ray: measure Ray too, where it is installed.

    Returns:
        ratios: two_workers_vs_one and ray_vs_local (two actors against two local workers), times
            as many clips a second; the latter is missing without Ray.
        figures: clips a second and seconds of start-up of each way, parallel efficiency (clips a
            second of two workers over twice those of one), frames and pixels of a clip.

    Raises:
        InputError: fewer than 8 clips.
        RenderError: a way did not make all clips.
    """
    if clips < 8 or rounds < 1:
        raise InputError(f"the bench needs 8 clips and a round or more; got {clips}, {rounds}")
    ways = [w for w in WAYS if w[1] == "local" or (ray and find_spec("ray") is not None)]
    found: dict[str, list[GenerationReport]] = {name: [] for name, _, _ in ways}
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        settings = Generation(
            out=root / "cache",
            rules=["rule:positive", "rule:surprise"],
            pictures=[_pictures(root / "faces")],
            per_rule=-(-clips // 2),
            synthesizer=Synthesizer(size=size, fps=100.0),
            measured=root / "measured",
        )
        generate(settings, Resources(device="cpu"), dry_run=True)  # measures the faces
        for number in range(rounds):
            for way, engine, workers in ways:
                out = root / f"{way}{number}"
                resources = Resources(engine=engine, workers=workers, device="cpu")
                report = generate(replace(settings, out=out), resources)
                if not report.complete:
                    raise RenderError(f"{way}: {report.made} of {report.planned} clips were made")
                found[way].append(report)
    return _results(found)


def _results(found: dict[str, list[GenerationReport]]) -> dict[str, dict[str, float]]:
    speed = {w: float(np.median([r.clips_per_second for r in rs])) for w, rs in found.items()}
    figures = {f"{way}_clips_per_s": value for way, value in speed.items()}
    for way, reports in found.items():
        figures[f"{way}_start_s"] = float(np.median([r.total_seconds - r.seconds for r in reports]))
    ratios = {"two_workers_vs_one": speed["two"] / speed["one"]}
    figures["two_efficiency"] = speed["two"] / (2 * speed["one"])
    if "ray" in speed:
        ratios["ray_vs_local"] = speed["ray"] / speed["two"]
        figures["ray_efficiency"] = speed["ray"] / (2 * speed["one"])
    first = found["one"][0]
    figures["clips"] = float(first.planned)
    figures["frames_per_clip"] = first.frames / first.planned
    return {"ratios": ratios, "figures": figures}


def _pictures(folder: Path) -> Path:
    """The astronaut in several framings: as many faces to prepare."""
    from PIL import Image
    from skimage.data import astronaut

    folder.mkdir()
    portrait = np.asarray(astronaut(), np.uint8)
    for shift in SHIFTS:
        framed = portrait[: 280 - shift, 90 + shift : 370 - shift]
        Image.fromarray(framed).save(folder / f"face{shift:02d}.png")
    return folder
