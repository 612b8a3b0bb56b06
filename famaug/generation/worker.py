"""What a worker does, whichever engine runs it: measure, plan, render, store in its own shard."""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

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
from famaug.generation.gated import ClipGate, Drawn, drawing
from famaug.generation.plans import Expression
from famaug.generation.settings import Generation
from famaug.generation.shards import CopiedShard, OwnShard, on_network
from famaug.generation.source import Source
from famaug.generation.worklist import Piece
from famaug.pipeline.inputs import Driver, Identity, read_identity
from famaug.pipeline.measurements import DriverRecord, FaceRecord, MeasuredStore, Shelf
from famaug.store.codecs import cache_key
from famaug.types import AUTrack, Clip, Frames, Plan, Provenance

State = Literal["done", "skipped", "failed", "fatal"]


@dataclass(frozen=True)
class Measure:
    """Measure a driver, or find the face of an identity."""

    use: Literal["driver", "identity"]
    source: Source

    @property
    def names(self) -> tuple[str, ...]:
        return (self.source.name,)


@dataclass(frozen=True)
class Render:
    """Make some clips of one face."""

    pieces: tuple[Piece, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(p.name for p in self.pieces)


Task = Measure | Render


@dataclass(frozen=True)
class Outcome:
    """What became of a source or a clip.

    Attributes:
        name: of the source or piece.
        ident: record of the source, or key of the piece.
        state: "skipped" has a reason a person can act on, "failed" is an unforeseen error,
            "fatal" stops the whole run (a full disk).
        reason, trace: why not.
        error: name of the error's class, where the state is "skipped" or "fatal".
        key: of the clip that was stored, where there is a gate: not the one planned, if that was
            rejected.
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
        device: where it measures and renders ("cpu", "cuda:0").
        batch: clips rendered in one call.
        overlap: store a batch in a thread while the next one is rendered; by default where the
            rendering is done by a GPU.
        host: name of this machine in the names of shards; "" on one machine.
        copy_shards: write on a local disk and copy each task's shard into the cache; by default
            where the cache lies on a network file system.
    """

    def __init__(
        self,
        settings: Generation,
        *,
        device: str,
        batch: int,
        overlap: bool | None = None,
        host: str = "",
        copy_shards: bool | None = None,
    ) -> None:
        # the processes are the parallelism: more threads would wait for each other
        torch.set_num_threads(1)
        cv2.setNumThreads(1)
        self.synthesizer = settings.synthesizer.on(device)
        settings = replace(settings, synthesizer=self.synthesizer)
        self.settings, self.batch = settings, batch
        self.store = MeasuredStore(settings.measured_folder)
        overlap = not device.startswith("cpu") if overlap is None else overlap
        self._thread = ThreadPoolExecutor(1) if overlap else None
        copied = on_network(settings.out) if copy_shards is None else copy_shards
        self._shard = CopiedShard(settings) if copied else OwnShard(settings, host)
        self._gate: ClipGate | None = None
        if settings.gate is not None:
            self._gate = ClipGate(settings, self.store, settings.gate)
        self._expression: tuple[Source, Expression] | None = None
        self._face: tuple[Source, FaceRecord] | None = None

    def do(self, task: Task) -> list[Outcome]:
        """Never raises: what went wrong is in the outcomes, one for each of the task's parts."""
        if isinstance(task, Render):
            return self._render(task.pieces)
        return [_attempt(task.source.name, task.source.record, partial(self._measure, task))]

    def close(self) -> None:
        """Waits for what is being stored, and frees the shard."""
        if self._thread is not None:
            self._thread.shutdown()
        self._shard.close()

    # -- measuring ----------------------------------------------------------------------------

    def _measure(self, task: Measure) -> None:
        try:
            (self._measure_driver if task.use == "driver" else self._find_face)(task.source)
        except FaceError as error:
            shelf: Shelf = "drivers" if task.use == "driver" else "faces"
            self.store.refuse(shelf, task.source.record, str(error))
            raise

    def _measure_driver(self, source: Source) -> None:
        label: Label = None
        if source.kind == "table":
            driver = Driver.of(Path(source.path)) if source.index < 0 else self._table(source)
            label = driver.label
            driver = driver.as_written() if self.settings.as_is else driver
        else:
            clip, label = self._clip(source)
            driver = Driver.of(clip)
        track = self.synthesizer.measure(driver)
        if not isinstance(track, AUTrack):
            raise InputError(f"{source.name}: a rule needs no measuring")
        side = driver.to_json() | {"frame": self.synthesizer.frame_of(driver)}
        self.store.put_driver(source.record, DriverRecord(side, label, track))

    def _table(self, source: Source) -> Driver:
        """A clip's table, with the clip's label; nothing of the clip is read."""
        dataset = self.settings.dataset
        ref = (refs_of(dataset) or [])[source.index]
        driver = table_driver(Path(source.path), ref)
        return replace(driver, label=label_at(labels_of(dataset), source.index, ref))

    def _find_face(self, source: Source) -> None:
        if source.kind == "picture":
            face = Identity.of(Path(source.path))
        else:
            face = Identity.of(self._clip(source)[0])
        side = self.synthesizer.find_face(face)
        if side["source"] is not None:
            side["source"]["path"] = str(Path(side["source"]["path"]).absolute())
        # what a reader changed, or holds in memory, cannot be read again by its path
        again = read_identity(side["source"], side["digest"])
        height, width = face.picture.shape[:2]
        kept = face.picture if again is None else None
        self.store.put_face(source.record, FaceRecord(side, (height, width), kept))

    def _clip(self, source: Source) -> tuple[Clip, Label]:
        clip, label = as_clip_with_label(self.settings.dataset[source.index])
        return clip, label.item() if isinstance(label, np.generic) else label

    # -- rendering ----------------------------------------------------------------------------

    def _render(self, pieces: Sequence[Piece]) -> list[Outcome]:
        found: list[Outcome | Future[Outcome]] = []
        if self._gate is not None:
            found += [self._render_gated(piece, self._gate) for piece in pieces]
            pieces = ()
        for start in range(0, len(pieces), self.batch):
            planned: list[_Planned] = []
            for piece in pieces[start : start + self.batch]:
                outcome = _attempt(piece.name, piece.key, partial(self._plan, piece, planned))
                if outcome.state != "done":
                    found.append(outcome)
            for item, frames in self._frames(planned, found):
                put = partial(self._put, item, frames)
                job = partial(_attempt, item.piece.name, item.piece.key, put)
                found.append(job() if self._thread is None else self._thread.submit(job))
        done = [f if isinstance(f, Outcome) else f.result() for f in found]
        finish = _attempt("shard", "", self._shard.finish)
        if finish.state == "done":
            return done
        return [
            replace(finish, name=o.name, ident=o.ident) if o.state == "done" else o for o in done
        ]

    def _render_gated(self, piece: Piece, gate: ClipGate) -> Outcome:
        stored, before = [piece.key], gate.rejected

        def make() -> None:
            self._plan(piece, [])  # checks that it is the clip that was planned
            passed = gate.render(self._drawing(piece))
            stored[0] = self._key(passed.plan)
            self._shard.put(stored[0], passed.frames, passed.provenance)

        outcome = _attempt(piece.name, piece.key, make)
        return replace(outcome, key=stored[0], rejected=gate.rejected - before)

    def _drawing(self, piece: Piece) -> Callable[[int], Drawn]:
        """The clip as a function of how often it is drawn anew; driver and face are at hand."""
        if self._expression is None or self._face is None:
            raise RenderError(f"{piece.name}: not planned yet")
        subject = piece.face.subject
        return drawing(self.settings, self._expression[1], self._face[1], subject, piece.k)

    def _key(self, plan: Plan) -> str:
        return cache_key(plan, codec=self.settings.codec, quality=self.settings.quality)

    def _plan(self, piece: Piece, planned: list[_Planned]) -> None:
        if self._expression is None or self._expression[0] != piece.driver:
            self._expression = (
                piece.driver,
                Expression.load(piece.driver, self.store, self.settings.strength),
            )
        if self._face is None or self._face[0] != piece.face:
            face = self.store.face(piece.face.record)
            if face is None:
                raise RenderError(
                    f"{piece.face.name}: no measurement in {self.store.root}; start the run again"
                )
            if face.picture is not None:
                self.synthesizer.keep_picture(face.picture)
            else:
                self.synthesizer.keep_face(face.identity)
            self._face = piece.face, face
        with warnings.catch_warnings():  # the planner has told them
            warnings.simplefilter("ignore", FamaugWarning)
            plan, provenance = self._drawing(piece)(piece.again)
        key = self._key(plan)
        if key != piece.key:
            raise RenderError(
                f"{piece.name}: planned as {piece.key[:12]}, but a worker plans {key[:12]}: do all "
                "machines run the same famaug, on the same measurements?"
            )
        planned.append(_Planned(piece, plan, provenance))

    def _frames(
        self, planned: list[_Planned], found: list[Outcome | Future[Outcome]]
    ) -> Iterator[tuple[_Planned, Frames]]:
        """Renders together; where that fails, one by one, so that only the guilty clip is lost."""
        try:
            together = self.synthesizer.render([p.plan for p in planned])
        except Exception:
            for item in planned:
                clip: list[Frames] = []
                alone = partial(self._render_one, item, clip)
                outcome = _attempt(item.piece.name, item.piece.key, alone)
                if outcome.state == "done":
                    yield item, clip[0]
                else:
                    found.append(outcome)
        else:
            yield from zip(planned, together, strict=True)

    def _render_one(self, item: _Planned, clip: list[Frames]) -> None:
        clip.extend(self.synthesizer.render([item.plan]))

    def _put(self, item: _Planned, frames: Frames) -> None:
        self._shard.put(item.piece.key, frames, item.provenance)


@dataclass(frozen=True, eq=False)
class _Planned:
    piece: Piece
    plan: Plan
    provenance: Provenance


def _attempt(name: str, ident: str, call: Callable[[], object]) -> Outcome:
    try:
        call()
    except CacheError as error:
        kind = type(error).__name__
        return Outcome(name, ident, "fatal", str(error), traceback.format_exc(), kind)
    except FamaugError as error:
        return Outcome(name, ident, "skipped", str(error), error=type(error).__name__)
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        return Outcome(name, ident, "failed", reason, traceback.format_exc())
    return Outcome(name, ident, "done")
