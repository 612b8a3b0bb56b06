"""What the generation tests work on: a synthesizer that renders in no time, one that misbehaves on
purpose, small clips on disk, and the content of a cache."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from famaug.data import ClipFolder
from famaug.data.protocols import Label
from famaug.generation import Generation
from famaug.modulation.rules import RuleSource
from famaug.pipeline import Synthesizer
from famaug.pipeline.inputs import Driver, Identity, pixels_digest
from famaug.seeding import digest, keyed_generator
from famaug.store import ClipCache
from famaug.types import AUTrack, Clip, Frames, Picture, Plan


class QuickSynthesizer(Synthesizer):
    """Plans as ever; measures the mean brightness and renders noise keyed by the plan. For tests
    of everything around the pixels."""

    def __init__(self, *, pause_s: float = 0.0, **settings: Any) -> None:
        super().__init__(size=64, fps=20.0, **settings)
        self.pause_s = pause_s

    def measure(self, driver: Driver) -> AUTrack | RuleSource:
        if not isinstance(driver.content, Clip):
            return driver.content
        level = driver.content.frames.mean(axis=(1, 2, 3)) / 100
        return AUTrack.of(np.broadcast_to(level[:, None, None], (len(level), 2, 17)), estimator="t")

    def frame_of(self, driver: Driver) -> None:
        return None  # its pictures hold no face

    def find_face(self, identity: Identity) -> dict[str, Any]:
        self.keep_picture(identity.picture)
        return identity.to_json() | {"mesh": ""}

    def render(self, plans: Sequence[Plan], device: Any = None) -> list[Frames]:
        time.sleep(self.pause_s * len(plans))
        return [
            keyed_generator(0, p.key).integers(0, 9, (len(p.track), 8, 8, 3), dtype=np.uint8)
            for p in plans
        ]


class NoPixels(ClipFolder):
    """Clips of which nobody may read a pixel."""

    def __getitem__(self, index: int) -> tuple[Clip, Label]:
        raise AssertionError(f"clip {index} was read")


class BadSynthesizer(QuickSynthesizer):
    """Does to drivers what their names say: raise, die, hang."""

    def render(self, plans: Sequence[Plan], device: Any = None) -> list[Frames]:
        for plan in plans:
            name = str(plan.driver["name"])
            if "raises" in name:
                raise ZeroDivisionError("a bug in the renderer")
            if "dies" in name:
                os.kill(os.getpid(), signal.SIGKILL)
            if "hangs" in name:
                time.sleep(60)
        return super().render(plans, device)


def portrait(number: int = 0) -> Picture:
    """A small picture without a face; another number, another picture."""
    return keyed_generator(number, "portrait").integers(0, 256, (24, 20, 3), dtype=np.uint8)


def write_pictures(folder: Path, count: int) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(count):
        Image.fromarray(portrait(i)).save(folder / f"face{i}.png")
    return folder


def write_clips(root: Path, clips: dict[str, Frames]) -> Path:
    """`{"subject/clip": frames}` as folders of PNG frames."""
    for name, frames in clips.items():
        (root / name).mkdir(parents=True)
        for i, frame in enumerate(frames):
            Image.fromarray(frame).save(root / name / f"img{i}.png")
    return root


def growing(number: int, *, t: int = 6) -> Frames:
    """A clip whose brightness rises from dark, what `QuickSynthesizer` takes for an expression."""
    start = portrait(number) // 16
    return np.stack([start + np.uint8(i * (20 + number)) for i in range(t)])


def small_dataset(root: Path) -> ClipFolder:
    """Four subjects with two clips each."""
    names = [f"s{s}/c{c}" for s in range(4) for c in range(2)]
    return ClipFolder(write_clips(root, {n: growing(i) for i, n in enumerate(names)}), dataset="d")


def quick(tmp: Path, name: str = "cache", *, pictures: int = 3, **changes: Any) -> Generation:
    """Rules on pictures: `per_rule` clips for each of two rules."""
    folder = tmp / "pictures"
    if not folder.exists():
        write_pictures(folder, pictures)
    values: dict[str, Any] = {
        "out": tmp / name,
        "rules": ["rule:positive", "rule:surprise"],
        "pictures": [folder],
        "per_rule": 6,
        "synthesizer": QuickSynthesizer(),
    }
    return Generation(**(values | changes))


def content(root: Path) -> dict[str, tuple[str, str]]:
    """Of each clip, by key: digests of its pixels and of its provenance."""
    cache, found = ClipCache(root), {}
    for key in cache.keys():  # noqa: SIM118
        clip = cache.read(key)
        story = None if clip.provenance is None else clip.provenance.to_json()
        found[key] = pixels_digest(clip.frames), digest(story)
    return found
