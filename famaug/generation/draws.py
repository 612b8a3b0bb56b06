"""A driver on a face, drawn, and drawn again while the gate rejects it: the same in the planner and
in every worker.

A verdict of the gate is kept beside the measurements, under the gate and the clip's key. So a run
that goes on knows which draw of a clip is its final one, without rendering what was rejected.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from famaug.errors import RejectedError, RenderError
from famaug.generation.generation import Generation
from famaug.generation.items import Item
from famaug.modulation.annotated import AnnotatedSource
from famaug.modulation.fitted import FittedSource
from famaug.modulation.rules import parse_expression
from famaug.modulation.sources import AS_LISTED, STRENGTH, ExpressionSource
from famaug.modulation.variation import Variation
from famaug.pipeline.inputs import Driver
from famaug.pipeline.measurements import FaceRecord, MeasuredStore
from famaug.pipeline.synthesizer import Synthesizer
from famaug.quality.gate import FRAMES_JUDGED, Gate
from famaug.quality.judge import ClipJudge
from famaug.quality.redraw import judged, rejection
from famaug.seeding import digest, keyed_generator
from famaug.types import AUTrack, Frames, Plan, Provenance


@dataclass(frozen=True)
class Expression:
    """A driver ready to be planned with.

    Attributes:
        driver: as `Plan.driver`, with how a data set frames its clips in "frame".
        content: its measured track, or what to draw from.
        label: class label that goes with it.
        subject: "dataset/subject", or "".
    """

    driver: dict[str, Any]
    content: AUTrack | ExpressionSource
    label: str | int | None
    subject: str

    @staticmethod
    def load(
        driver: Item,
        store: MeasuredStore,
        strength: tuple[float, float] = STRENGTH,
        variation: Variation = AS_LISTED,
    ) -> Expression:
        """A driver's, at `strength` and with `variation` where it is drawn.

        Raises:
            RenderError: it was not measured, or its record is gone.
        """
        content: AUTrack | ExpressionSource
        if driver.kind == "annotation":
            value = json.loads(driver.key)
            content = AnnotatedSource.from_json(value["source"] | {"intensity": strength})
            content = replace(content, variation=variation)
            side, label = Driver.of(content).to_json() | value["driver"], content.label
        elif driver.kind == "rule":
            content = _at(driver.key, strength, variation)
            side, label = Driver.of(content).to_json(), content.label
        else:
            record = store.driver(driver.key)
            if record is None:
                raise RenderError(
                    f"{driver.name}: no measurement in {store.root}; start the run again"
                )
            side, content, label = record.driver, record.track, record.label
            if not side["subject"]:  # a loose table's, told by the settings or by where it lies
                dataset, _, subject = driver.subject.rpartition("/")
                side = side | {"subject": subject, "dataset": dataset}
        if driver.frame:
            side = side | {"frame": json.loads(driver.frame)}
        return Expression(side, content, label, driver.subject)


def _at(text: str, strength: tuple[float, float], variation: Variation) -> ExpressionSource:
    """An expression at a strength; AUs by hand and fitted statistics say their own, and do not
    vary."""
    source = parse_expression(text)
    if isinstance(source, FittedSource) or source.label is None:
        return source
    return replace(source, intensity=strength, variation=variation)


@dataclass(frozen=True, eq=False)
class Pairing:
    """A driver's expression on a face, for the k-th time.

    What is drawn depends on the seed and on the contents of driver and face, not on names, paths
    or order.

    Attributes:
        subject: "dataset/subject" whose face it is, or "".
    """

    settings: Generation
    expression: Expression
    face: FaceRecord
    subject: str
    k: int

    def draw(self, again: int = 0) -> tuple[Plan, Provenance]:
        """Plan and provenance of the clip, `again` times drawn anew.

        Raises:
            InputError, TrackError: as `Synthesizer.plan_measured`.
        """
        s, driver, face = self.settings, self.expression.driver, self.face.identity
        theme = ["generation", driver["digest"], face["digest"], self.k]
        rng = keyed_generator(s.seed, *theme, *([again] if again else []))
        plan = s.synthesizer.plan_measured(driver, self.expression.content, face, rng, seed=s.seed)
        who, label = self.expression.subject, self.expression.label
        return plan, Provenance.of(plan, who, self.subject, label, licence=s.licence)

    def draws(self) -> Iterator[tuple[int, Plan, Provenance]]:
        """Up to `tries` draws that differ, numbered: a measured expression on one face is always
        the same."""
        seen: set[str] = set()
        for number in range(self.settings.tries):
            plan, provenance = self.draw(number)
            key = replace(plan, look=None).key
            if key in seen:
                return
            seen.add(key)
            yield number, plan, provenance


class ClipGate:
    """The gate of a generation and its verdicts.

    Args:
        gate: what a clip must reach.
        store: where verdicts are kept.
        synthesizer: renders.

    Attributes:
        rejected: clips it rejected so far.
    """

    def __init__(self, gate: Gate, store: MeasuredStore, synthesizer: Synthesizer) -> None:
        self.gate, self.store, self.synthesizer = gate, store, synthesizer
        self.rejected = 0
        self._judge: ClipJudge | None = None

    def standing(self, pair: Pairing) -> int:
        """The first draw that was not rejected before; 0 where all were."""
        return next((number for number, plan, _ in pair.draws() if not self._refusal(plan)), 0)

    def render(self, pair: Pairing) -> tuple[Frames, Provenance]:
        """The first draw that passes, its scores in the provenance.

        Raises:
            RejectedError: none does; the message has the reasons of each.
        """
        if self._judge is None:
            maker = self.synthesizer
            self._judge = ClipJudge(mesher=maker.mesher, at_most=FRAMES_JUDGED, device=maker.device)
        reasons: list[tuple[str, ...]] = []
        for _, plan, provenance in pair.draws():
            known = self._refusal(plan)
            if known is not None:
                reasons.append((known,))
                continue
            frames, quality, why = judged(self.synthesizer, plan, gate=self.gate, judge=self._judge)
            if not why:
                scores = {name: round(value, 4) for name, value in quality.scores.items()}
                return frames, replace(provenance, quality=scores)
            self.rejected += 1
            reasons.append(why)
            self.store.refuse("gate", self._name(plan), ", ".join(why))
        raise RejectedError(rejection(reasons))

    def _refusal(self, plan: Plan) -> str | None:
        return self.store.refusal("gate", self._name(plan))

    def _name(self, plan: Plan) -> str:
        return digest([self.gate.to_json(), replace(plan, look=None).key])
