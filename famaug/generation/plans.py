"""The plan of one clip, from what was measured: the same in the planner and in every worker."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from famaug.errors import RenderError
from famaug.generation.settings import Generation
from famaug.generation.source import Source
from famaug.modulation.annotated import AnnotatedSource
from famaug.modulation.fitted import FittedSource
from famaug.modulation.rules import parse_expression
from famaug.modulation.sources import STRENGTH, ExpressionSource
from famaug.pipeline.inputs import Driver
from famaug.pipeline.measurements import FaceRecord, MeasuredStore
from famaug.seeding import keyed_generator
from famaug.types import AUTrack, Plan, Provenance


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
        source: Source, store: MeasuredStore, strength: tuple[float, float] = STRENGTH
    ) -> Expression:
        """The driver of a source, drawn at `strength` where it is drawn.

        Raises:
            RenderError: it was not measured, or its record is gone.
        """
        if not source.drawn:
            record = store.driver(source.record)
            if record is None:
                raise RenderError(
                    f"{source.name}: no measurement in {store.root}; start the run again"
                )
            side = record.driver
            if source.frame:
                side = side | {"frame": json.loads(source.frame)}
            return Expression(side, record.track, record.label, source.subject)
        found: ExpressionSource
        if source.kind == "annotation":
            value = json.loads(source.record)
            found = AnnotatedSource.from_json(value["source"] | {"intensity": strength})
            side = Driver.of(found).to_json() | value["driver"]
        else:
            found = _at(source.record, strength)
            side = Driver.of(found).to_json()
        if source.frame:
            side["frame"] = json.loads(source.frame)
        return Expression(side, found, found.label, source.subject)


def _at(text: str, strength: tuple[float, float]) -> ExpressionSource:
    """An expression at a strength; AUs by hand and fitted statistics say their own."""
    source = parse_expression(text)
    if isinstance(source, FittedSource) or source.label is None:
        return source
    return replace(source, intensity=strength)


def plan_clip(
    settings: Generation,
    expression: Expression,
    face: FaceRecord,
    subject: str,
    k: int,
    again: int = 0,
) -> tuple[Plan, Provenance]:
    """Plan and provenance of the k-th clip of a pair, `again` times drawn anew.

    What is drawn depends on the seed and on the contents of driver and face, not on names, paths
    or order.

    Args:
        subject: "dataset/subject" whose face it is, or "".

    Raises:
        InputError, TrackError: as `Synthesizer.plan_measured`.
    """
    theme = ["generation", expression.driver["digest"], face.identity["digest"], k]
    rng = keyed_generator(settings.seed, *theme, *([again] if again else []))
    plan = settings.synthesizer.plan_measured(
        expression.driver, expression.content, face.identity, rng, seed=settings.seed
    )
    provenance = Provenance.of(
        plan, expression.subject, subject, expression.label, licence=settings.licence
    )
    return plan, provenance
