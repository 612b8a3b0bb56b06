"""Clips, plans and a synthesizer for the tests of store and data: small, real, deterministic."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from famaug.seeding import keyed_generator
from famaug.store import CacheWriter
from famaug.types import Clip, ClipRef, Frames, Plan, Provenance


def moving_clip(number: int = 0, *, t: int = 8, h: int = 40, w: int = 36) -> Frames:
    """A smooth picture whose middle moves there and back; its border stands still."""
    rng = keyed_generator(number, "moving_clip")
    phase, speed = rng.uniform(0, 6, 3), rng.uniform(0.08, 0.2, 2)
    y, x = np.mgrid[0:h, 0:w].astype(np.float64)
    inside = np.clip(1.2 - ((y / h - 0.5) ** 2 + (x / w - 0.5) ** 2) * 9, 0, 1)
    frames = []
    for i in range(t):
        shift = 2.5 * np.sin(np.pi * (i / max(t - 1, 1)) ** 1.3) * inside
        waves = [np.sin((y + shift) * speed[0] + p) + np.cos(x * speed[1] + p) for p in phase]
        frames.append(np.stack(waves, axis=-1) * 55 + 120)
    return np.stack(frames).astype(np.uint8)


def noise_clip(number: int = 0, *, t: int = 4, h: int = 17, w: int = 13) -> Frames:
    return keyed_generator(number, "noise_clip").integers(0, 256, (t, h, w, 3), dtype=np.uint8)


def key_of(number: int) -> str:
    return f"{number:064x}"


def plan_of(number: int, *, driver: str = "d/01", identity: str = "d/02", t: int = 2) -> Plan:
    def side(name: str) -> dict[str, str]:
        dataset, _, subject = name.rpartition("/")
        return {"name": f"{name}/c", "dataset": dataset, "subject": subject, "digest": f"{number}"}

    track = np.full((t, 2, 17), number % 5, float).tolist()
    return Plan(
        side(driver) | {"kind": "clip" if driver else "rule"},
        side(identity),
        track,
        "test/1",
        "",
        64,
        100.0,
        seed=number,
    )


def provenance_of(number: int, *, label: str | None = "happy", **people: str) -> Provenance:
    plan = plan_of(number, **people)
    driver, identity = people.get("driver", "d/01"), people.get("identity", "d/02")
    return Provenance(plan, driver, identity, label, "driver", {"flicker": 0.25}, "0.1.0")


def fill(root: Path, numbers: range, *, shard: str = "main", **shape: int) -> None:
    """Clips without provenance under their number."""
    with CacheWriter(root, shard=shard) as writer:
        for n in numbers:
            writer.put(key_of(n), moving_clip(n, **shape), None)


class ListOfClips:
    """A dataset of clips in memory: items are (Clip, label)."""

    def __init__(self, subjects: list[str], *, dataset: str = "d") -> None:
        self.refs = [
            ClipRef(dataset, s, f"c{i}", onset=1, emotion=("happy", "sad", "surprise")[i % 3])
            for i, s in enumerate(subjects)
        ]

    @property
    def labels(self) -> list[str | None]:
        return [r.emotion for r in self.refs]

    def __len__(self) -> int:
        return len(self.refs)

    def __getitem__(self, index: int) -> tuple[Clip, str | None]:
        if not 0 <= index < len(self):
            raise IndexError(index)
        return Clip(self.refs[index], moving_clip(1000 + index)), self.refs[index].emotion


class ToySynthesizer:
    """Plans a track, renders the identity's colours moved by it; everything follows the plan."""

    def plan(
        self, driver: Clip, identity: Clip, rng: np.random.Generator, *, seed: int = 0
    ) -> Plan:
        def side(clip: Clip) -> dict[str, str]:
            return {
                "name": clip.ref.key,
                "dataset": clip.ref.dataset,
                "subject": clip.ref.subject,
                "digest": str(int(clip.frames.sum())),
            }

        track = np.round(rng.uniform(0, 5, (8, 2, 17)), 4).tolist()
        return Plan(
            side(driver) | {"kind": "clip"},
            side(identity),
            track,
            "toy/1",
            "",
            40,
            100.0,
            seed=seed,
        )

    def render(self, plans: list[Plan], device: object = None) -> list[Frames]:
        clips = []
        for plan in plans:
            frames = moving_clip(int(plan.identity["digest"]) % 1000)
            frames[:, 8:20, 8:20] += (plan.intensity.mean((1, 2)) * 9).astype(np.uint8)[
                :, None, None, None
            ]
            clips.append(frames)
        return clips
