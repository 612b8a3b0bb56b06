"""The plan of a whole generation: every clip, its key and the disk it needs, before any pixel."""

from __future__ import annotations

import json
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from famaug.errors import FamaugError, FamaugWarning
from famaug.faces.packed import unpacked_mesh
from famaug.generation.draws import ClipGate, Expression, Pairing
from famaug.generation.generation import Generation
from famaug.generation.items import Item
from famaug.generation.material import until
from famaug.generation.report import Skip
from famaug.people.persons import canonical
from famaug.pipeline.measurements import FaceRecord, MeasuredStore
from famaug.pipeline.measuring import frame_like
from famaug.seeding import digest
from famaug.store.codecs import cache_key
from famaug.types import Plan

FIRST_FRAME = {"delta": 1.0, "raw": 1.0, "jpeg": 0.25}
OTHER_FRAMES = {"delta": 0.1, "raw": 1.0, "jpeg": 0.25}
"""Bytes in the cache over bytes of the raw frame: for the first frame, and for each further one."""
RECORD = 16_384
"""Bytes of a clip's provenance and of the pages it leaves unused."""


@dataclass(frozen=True, slots=True)
class PlannedClip:
    """One clip to be made. Small: a worker plans it again from the same measurements.

    Attributes:
        key: of the clip in the cache.
        driver, face: whose expression on whose face.
        k: its number among the clips of this pair (what is drawn is drawn anew for each).
        again: how often it was drawn anew, as the gate had rejected it.
    """

    key: str
    driver: Item
    face: Item
    k: int
    again: int = 0

    @property
    def name(self) -> str:
        again = f" ({self.k + 1})" if self.k else ""
        return f"{self.driver.name} on {self.face.name}{again}"


@dataclass
class WorkList:
    """All clips of a generation.

    Attributes:
        clips: in the order of the drivers.
        frames: frames of all of them.
        bytes: of each clip in the cache, about, by key.
        skipped: drivers that cannot be planned with.
        notes: what the modulation warned of.
        alike: clips asked for that are not planned, as they would be the same as others.
        shapes: clips by the height and width of their frames.
    """

    clips: list[PlannedClip] = field(default_factory=list)
    frames: int = 0
    bytes: dict[str, int] = field(default_factory=dict)
    skipped: list[Skip] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    alike: int = 0
    shapes: Counter[tuple[int, int]] = field(default_factory=Counter)


def make_worklist(
    settings: Generation,
    drivers: Sequence[Item],
    faces: Sequence[Item],
    *,
    progress: Callable[[int, int], None] = lambda done, total: None,
    stop: Callable[[], bool] = lambda: False,
) -> WorkList:
    """Plans every clip.

    Args:
        drivers, faces: items whose measurements are in the store.
        progress: is told clips planned and clips asked for in all.
        stop: asked before each record is read and each clip is planned; once True, what is planned
            so far is returned.
    """
    work, store = WorkList(), MeasuredStore(settings.measured_folder)
    shown = [(f, _without_picture(store, f)) for f in until(stop, faces)]
    warned: Counter[str] = Counter()
    auto = settings.synthesizer.size == "auto"
    frame = common_frame(store, drivers, shown, stop=stop) if auto else ""
    done, total = 0, sum(_count(settings, d) for d in drivers)
    for driver in until(stop, drivers):
        if driver.frameless:
            driver = replace(driver, frame=frame)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", FamaugWarning)
            try:
                expression = Expression.load(driver, store, settings.strength, settings.variation)
                for planned in _plan_driver(settings, driver, expression, shown, work, stop):
                    progress(done + planned, total)
            except FamaugError as error:
                work.skipped.append(Skip("driver", driver.name, str(error)))
        for kind, text in {w.category.__name__: str(w.message) for w in caught}.items():
            if not warned[kind]:
                work.notes.append(f"{driver.name}: {text}")
            warned[kind] += 1
        done += _count(settings, driver)
        if not stop():
            progress(done, total)
    if auto and frame:
        (height, width), _ = work.shapes.most_common(1)[0] if work.shapes else ((0, 0), 0)
        work.notes.append(
            f"render.size is auto: clips keep the data set's framing and size (most {width} x "
            f"{height}); a number crops them to a square round the face"
        )
    if work.alike:
        work.notes.append(
            f"{work.alike} of the clips asked for would be the same as others (a measured "
            "expression is shown once on each face): give more faces or drivers for more clips"
        )
    work.notes += [f"{kind}: for {n} drivers" for kind, n in warned.items() if n > 1]
    return work


def common_frame(
    store: MeasuredStore,
    drivers: Sequence[Item],
    faces: Sequence[tuple[Item, FaceRecord]],
    *,
    stop: Callable[[], bool] = lambda: False,
) -> str:
    """How the data set's clips frame their faces, as JSON text: the median over its drivers, or
    over its subjects' faces where its clips are no drivers. "" without a data set.

    What has no frames of its own is shown so, as they have no clip of their own to be framed like.
    """
    found: list[dict[str, Any]] = []
    for driver in until(stop, drivers):
        record = store.driver(driver.key) if driver.kind == "clip" else None
        if record is not None and record.driver.get("frame"):
            found.append(record.driver["frame"])
    if not found:
        found = [
            frame_like(unpacked_mesh(record.identity["mesh"]), record.shape)
            for face, record in faces
            if face.kind == "clip"
        ]
    if not found:
        return ""
    return json.dumps(
        {
            "size": [int(v) for v in np.median([f["size"] for f in found], axis=0)],
            "place": [round(float(v), 4) for v in np.median([f["place"] for f in found], axis=0)],
        }
    )


def _without_picture(store: MeasuredStore, face: Item) -> FaceRecord:
    record = store.face(face.key)
    if record is None:
        raise LookupError(f"{face.name} was measured, but {store.root} has lost it")
    return replace(record, picture=None)


def _plan_driver(
    settings: Generation,
    driver: Item,
    expression: Expression,
    faces: Sequence[tuple[Item, FaceRecord]],
    work: WorkList,
    stop: Callable[[], bool],
) -> Iterator[int]:
    """Gives how many of its clips are planned, after each."""
    count = _count(settings, driver)
    before = len(work.clips)
    gate = None
    if settings.gate is not None:
        store = MeasuredStore(settings.measured_folder)
        gate = ClipGate(settings.gate, store, settings.synthesizer)
    pairs = until(stop, _pairs(settings.seed, driver, expression, faces, count))
    for number, (face, record, k) in enumerate(pairs, 1):
        pair = Pairing(settings, expression, record, face.subject, k)
        again = 0 if gate is None else gate.standing(pair)
        plan, _ = pair.draw(again)
        key = cache_key(plan, codec=settings.codec, quality=settings.quality)
        if key not in work.bytes:  # two copies of one clip make one synthetic clip
            height, width = _shape(plan, record.shape)
            work.shapes[height, width] += 1
            work.bytes[key] = _bytes(settings.codec, len(plan.track), height * width * 3)
            work.clips.append(PlannedClip(key, driver, face, k, again))
            work.frames += len(plan.track)
        yield number
    if not stop():
        work.alike += count - (len(work.clips) - before)


def _count(settings: Generation, driver: Item) -> int:
    """Clips that are asked for of a driver."""
    if driver.kind == "rule" and settings.per_rule is not None:
        return settings.per_rule
    return settings.per_driver


def _pairs(
    seed: int,
    driver: Item,
    expression: Expression,
    faces: Sequence[tuple[Item, FaceRecord]],
    count: int,
) -> Iterator[tuple[Item, FaceRecord, int]]:
    """The faces a driver is shown on: other people's where there are others.

    Every pair has a rank of its own, so one face more or less changes few of the choices.
    """
    own = canonical(driver.subject)
    others = [f for f in faces if not own or canonical(f[0].subject) != own] or list(faces)
    theme = [seed, expression.driver["digest"]]
    ranked = sorted(others, key=lambda f: digest([*theme, f[1].identity["digest"]]))
    # a measured expression on one face is one clip; others can be drawn again
    most = count if driver.drawn else min(count, len(ranked))
    for i in range(most):
        yield *ranked[i % len(ranked)], i // len(ranked)


def _shape(plan: Plan, picture: tuple[int, int]) -> tuple[int, int]:
    """Height and width of a plan's clip."""
    if plan.size is not None:
        return plan.size, plan.size
    frame = plan.params.get("frame")
    height, width = picture if frame is None else frame["size"]
    return height, width


def _bytes(codec: str, length: int, frame: int) -> int:
    return int(frame * (FIRST_FRAME[codec] + OTHER_FRAMES[codec] * (length - 1))) + RECORD
