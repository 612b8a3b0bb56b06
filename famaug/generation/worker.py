"""What a worker does, whichever engine runs it: measure, plan, render, store in its own shard."""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal, TypeVar

import cv2
import numpy as np
import torch

from famaug.data.protocols import Label, as_clip_with_label, labels_of, refs_of
from famaug.errors import (
    CacheError,
    FaceError,
    FamaugError,
    FamaugWarning,
    InputError,
    RenderError,
)
from famaug.generation.annotations import label_at
from famaug.generation.clip_tables import table_driver
from famaug.generation.draws import ClipGate, Expression, Pairing
from famaug.generation.generation import Generation
from famaug.generation.items import Item
from famaug.generation.resources import Resources
from famaug.generation.shards import CopiedShard, OwnShard
from famaug.generation.worklist import PlannedClip
from famaug.pipeline.inputs import Driver, Identity, read_identity
from famaug.pipeline.measurements import DriverRecord, FaceRecord, MeasuredStore
from famaug.store.codecs import cache_key
from famaug.types import AUTrack, Clip, Frames, Provenance

State = Literal["done", "skipped", "failed", "fatal"]
T = TypeVar("T")


@dataclass(frozen=True)
class Measure:
    """Measure a driver, or find the face of an identity."""

    use: Literal["driver", "identity"]
    item: Item

    @property
    def names(self) -> tuple[str, ...]:
        return (self.item.name,)


@dataclass(frozen=True)
class Render:
    """Make some clips of one face."""

    clips: tuple[PlannedClip, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(c.name for c in self.clips)


Task = Measure | Render


@dataclass(frozen=True)
class Outcome:
    """What became of an item or a clip.

    Attributes:
        name: of the item or clip.
        ident: key of the item, or of the clip as it was planned.
        state: "skipped" has a reason a person can act on, "failed" is an unforeseen error,
            "fatal" stops the whole run (a full disk).
        reason, trace: why not.
        error: name of the error's class, where the state is "skipped" or "fatal".
        key: of the clip that was stored: not the one planned, if the gate rejected that.
        rejected: clips that the gate rejected on the way.
    """

    name: str
    ident: str
    state: State
    reason: str = ""
    trace: str = ""
    error: str = ""
    key: str = ""
    rejected: int = 0


class Worker:
    """Does tasks, one at a time; keeps nets, faces and its shard open between them.

    Args:
        settings: of the generation.
        resources: say whether shards are copied.
        device: where it measures and renders ("cpu", "cuda:0").
        host: name of this machine in the names of shards; "" on one machine.
        overlap: store a clip in a thread while the next one is rendered; by default where the
            rendering is done by a GPU.
    """

    def __init__(
        self,
        settings: Generation,
        resources: Resources,
        *,
        device: str,
        host: str = "",
        overlap: bool | None = None,
    ) -> None:
        # the processes are the parallelism: more threads would wait for each other
        torch.set_num_threads(1)
        cv2.setNumThreads(1)
        self.synthesizer = settings.synthesizer.on(device)
        self.settings = replace(settings, synthesizer=self.synthesizer)
        self.store = MeasuredStore(settings.measured_folder)
        overlap = not device.startswith("cpu") if overlap is None else overlap
        self._thread = ThreadPoolExecutor(1) if overlap else None
        copied = resources.copies(settings.out)
        self._shard = CopiedShard(settings) if copied else OwnShard(settings, host)
        self._gate: ClipGate | None = None
        if settings.gate is not None:
            self._gate = ClipGate(settings.gate, self.store, self.synthesizer)
        self._expression: tuple[Item, Expression] | None = None
        self._face: tuple[Item, FaceRecord] | None = None

    def do(self, task: Task) -> list[Outcome]:
        """Never raises: what went wrong is in the outcomes, one for each of the task's parts."""
        if isinstance(task, Render):
            return self._render(task.clips)
        measure = self._measure_driver if task.use == "driver" else self._find_face
        return [_attempt(task.item.name, task.item.key, partial(measure, task.item))[0]]

    def close(self) -> None:
        """Waits for what is being stored, and frees the shard."""
        if self._thread is not None:
            self._thread.shutdown()
        self._shard.close()

    # -- measuring ----------------------------------------------------------------------------

    def _measure_driver(self, item: Item) -> None:
        label: Label = None
        try:
            if item.kind == "table":
                driver = Driver.of(Path(item.path)) if item.index < 0 else self._table(item)
                label = driver.label
                driver = driver.as_written() if self.settings.as_is else driver
            else:
                clip, label = self._clip(item)
                driver = Driver.of(clip)
            track = self.synthesizer.measure(driver)
            if not isinstance(track, AUTrack):
                raise InputError(f"{item.name}: a rule needs no measuring")
            side = driver.to_json() | {"frame": self.synthesizer.frame_of(driver)}
        except FaceError as error:
            self.store.refuse("drivers", item.key, str(error))
            raise
        self.store.put_driver(item.key, DriverRecord(side, label, track))

    def _table(self, item: Item) -> Driver:
        """A clip's table, with the clip's label; nothing of the clip is read."""
        dataset = self.settings.dataset
        ref = (refs_of(dataset) or [])[item.index]
        driver = table_driver(Path(item.path), ref)
        return replace(driver, label=label_at(labels_of(dataset), item.index, ref))

    def _find_face(self, item: Item) -> None:
        try:
            picture = item.kind == "picture"
            face = Identity.of(Path(item.path) if picture else self._clip(item)[0])
            side = self.synthesizer.find_face(face)
        except FaceError as error:
            self.store.refuse("faces", item.key, str(error))
            raise
        if side["source"] is not None:
            side["source"]["path"] = str(Path(side["source"]["path"]).absolute())
        # what a reader changed, or holds in memory, cannot be read again by its path
        again = read_identity(side["source"], side["digest"])
        height, width = face.picture.shape[:2]
        kept = face.picture if again is None else None
        self.store.put_face(item.key, FaceRecord(side, (height, width), kept))

    def _clip(self, item: Item) -> tuple[Clip, Label]:
        clip, label = as_clip_with_label(self.settings.dataset[item.index])
        return clip, label.item() if isinstance(label, np.generic) else label

    # -- rendering ----------------------------------------------------------------------------

    def _render(self, clips: Sequence[PlannedClip]) -> list[Outcome]:
        found = [self._made(clip) for clip in clips]
        done = [f if isinstance(f, Outcome) else f.result() for f in found]
        finish, _ = _attempt("shard", "", self._shard.finish)
        if finish.state == "done":
            return done
        return [
            replace(finish, name=o.name, ident=o.ident) if o.state == "done" else o for o in done
        ]

    def _made(self, clip: PlannedClip) -> Outcome | Future[Outcome]:
        """A clip rendered and stored, or being stored."""
        before = 0 if self._gate is None else self._gate.rejected
        outcome, made = _attempt(clip.name, clip.key, partial(self._rendered, clip))
        if self._gate is not None:
            outcome = replace(outcome, rejected=self._gate.rejected - before)
        if made is None:
            return outcome
        if self._thread is None:
            return self._stored(outcome, *made)
        return self._thread.submit(self._stored, outcome, *made)

    def _rendered(self, clip: PlannedClip) -> tuple[Frames, Provenance]:
        """The planned clip or, where the gate rejects it, one drawn again."""
        pair = self._pair(clip)
        with warnings.catch_warnings():  # the planner has told them
            warnings.simplefilter("ignore", FamaugWarning)
            plan, provenance = pair.draw(clip.again)
        key = self._key(provenance)
        if key != clip.key:
            raise RenderError(
                f"{clip.name}: planned as {clip.key[:12]}, but a worker plans {key[:12]}: do all "
                "machines run the same famaug, on the same measurements?"
            )
        if self._gate is None:
            frames = self.synthesizer.render([plan])[0]
        else:
            frames, provenance = self._gate.render(pair)
        return frames, replace(provenance, engine=self.synthesizer.engine())

    def _stored(self, outcome: Outcome, frames: Frames, provenance: Provenance) -> Outcome:
        key = self._key(provenance)
        put = partial(self._shard.put, key, frames, provenance)
        done, _ = _attempt(outcome.name, outcome.ident, put)
        return replace(done, key=key, rejected=outcome.rejected)

    def _key(self, provenance: Provenance) -> str:
        s = self.settings
        return cache_key(provenance.plan, codec=s.codec, quality=s.quality)

    def _pair(self, clip: PlannedClip) -> Pairing:
        """Driver and face of a clip, kept for the next."""
        if self._expression is None or self._expression[0] != clip.driver:
            found = Expression.load(
                clip.driver, self.store, self.settings.strength, self.settings.variation
            )
            self._expression = clip.driver, found
        if self._face is None or self._face[0] != clip.face:
            face = self.store.face(clip.face.key)
            if face is None:
                raise RenderError(
                    f"{clip.face.name}: no measurement in {self.store.root}; start the run again"
                )
            if face.picture is not None:
                self.synthesizer.keep_picture(face.picture)
            else:
                self.synthesizer.keep_face(face.identity)
            self._face = clip.face, face
        expression, face = self._expression[1], self._face[1]
        return Pairing(self.settings, expression, face, clip.face.subject, clip.k)


def _attempt(name: str, ident: str, call: Callable[[], T]) -> tuple[Outcome, T | None]:
    """What became of a call, and what it gave."""
    try:
        return Outcome(name, ident, "done"), call()
    except CacheError as error:
        kind = type(error).__name__
        return Outcome(name, ident, "fatal", str(error), traceback.format_exc(), kind), None
    except FamaugError as error:
        return Outcome(name, ident, "skipped", str(error), error=type(error).__name__), None
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        return Outcome(name, ident, "failed", reason, traceback.format_exc()), None
