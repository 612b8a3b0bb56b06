"""What is truly known of a clip, as plain data: its AUs with sides and strengths, its key frames
and its label. Of a synthetic clip the plan says it, of a real one its data set's table.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from famaug.aus.facs import FacsUnit, parse_facs
from famaug.aus.names import FACS_NAMES
from famaug.errors import InputError
from famaug.types import AUS, LEFT, RIGHT, ClipRef, Floats, Plan, Provenance

PRESENT = 0.15
"""Intensity from which a synthetic clip's unit counts as present."""
ABSENT = 0.05
"""Intensity below which it counts as absent; between the two neither is said."""
BLINK = 45
"""Coders of expressions seldom note blinks: that it was not annotated says nothing."""
SCHEMA = "famaug-labels/1"
KnownSide = Literal["left", "right", "both"]


@dataclass(frozen=True)
class TrueUnit:
    """One AU that a clip shows.

    Attributes:
        au: its FACS number; name: in the words of FACS, "" where it has none here.
        side: the person's own, or None where it is not told, or is stronger than a trace on one
            side and neither there nor gone on the other.
        left, right: highest intensity in the clip, 0-5 (a letter A is 1 ... E is 5); None where
            nobody said.
        certain: False for a doubtful annotation ("R12 or R14", "4?").
    """

    au: int
    name: str
    side: KnownSide | None
    left: float | None
    right: float | None
    certain: bool = True


@dataclass(frozen=True)
class Truth:
    """What is known of one clip.

    Attributes:
        clip: its name: "dataset/subject/clip" of a real one, the key of a synthetic one.
        synthetic: whether famaug made it.
        frames: how many it has; fps: a second, or None.
        onset, apex, offset: frames counted from 0, or None.
        label: as published or as stored, or None; label_source: "table", or as of `Provenance`.
        labelled_by: data set whose label it is, or "".
        driver_subject, identity_subject: "dataset/subject" whose expression and whose face it
            shows, or ""; of a real clip they are one.
        people: everybody who went into it, also those whose clips a driver's statistics, a look or
            a network were fitted on: keep the people of a test out by it.
        units: what it shows; None where nobody annotated it, or the annotation cannot be read.
        absent: numbers of the 17 AUs that it does not show.
    """

    clip: str
    synthetic: bool
    frames: int
    fps: float | None
    onset: int | None
    apex: int | None
    offset: int | None
    label: str | int | None
    label_source: str
    labelled_by: str
    driver_subject: str
    identity_subject: str
    people: tuple[str, ...]
    units: tuple[TrueUnit, ...] | None
    absent: tuple[int, ...]

    def to_json(self) -> dict[str, Any]:
        """JSON-able, with its `schema`."""
        return {"schema": SCHEMA, **asdict(self)}


def truth_of_ref(ref: ClipRef, length: int | None = None) -> Truth:
    """What a data set's table says of a real clip of `length` frames (those of the reference by
    default); reads no pixel."""
    units = _annotated(ref.action_units)
    return Truth(
        ref.key,
        False,
        len(ref.frames) if length is None else length,
        ref.fps,
        ref.onset,
        ref.apex,
        ref.offset,
        ref.emotion,
        "none" if ref.emotion is None else "table",
        "" if ref.emotion is None else ref.dataset,
        ref.person,
        ref.person,
        (ref.person,) if ref.person else (),
        units,
        () if units is None else _not_among(units),
    )


def truth_of_provenance(provenance: Provenance, key: str) -> Truth:
    """What the plan of a synthetic clip says of it."""
    plan = provenance.plan
    onset, apex, offset = plan.key_frames if plan.track else (None, None, None)
    units, absent = _planned(plan)
    driver = plan.driver.get("dataset")
    by_table = provenance.label_source == "driver" and isinstance(driver, str)
    return Truth(
        key,
        True,
        len(plan.track),
        float(plan.fps),
        onset,
        apex,
        offset,
        provenance.label,
        provenance.label_source,
        str(driver) if by_table else "",
        provenance.driver_subject,
        provenance.identity_subject,
        _everybody(provenance),
        units,
        absent,
    )


def _everybody(provenance: Provenance) -> tuple[str, ...]:
    plan = provenance.plan
    lists = (plan.driver.get("subjects"), (plan.look or {}).get("subjects"))
    found = {provenance.driver_subject, provenance.identity_subject}
    for names in (*lists, plan.params.get("trained_on")):
        found |= {str(n) for n in names} if isinstance(names, list | tuple) else set()
    return tuple(sorted(found - {""}))


def _planned(plan: Plan) -> tuple[tuple[TrueUnit, ...], tuple[int, ...]]:
    if not plan.track:
        return (), ()
    peak: Floats = plan.intensity.max(axis=0)
    units = []
    for k, au in enumerate(AUS):
        left, right = float(peak[LEFT, k]), float(peak[RIGHT, k])
        if max(left, right) >= PRESENT:
            name = FACS_NAMES[au]
            units.append(TrueUnit(au, name, _side(left, right), round(left, 4), round(right, 4)))
    gone = np.flatnonzero((peak < ABSENT).all(axis=0))
    return tuple(units), tuple(AUS[int(k)] for k in gone)


def _side(left: float, right: float) -> KnownSide | None:
    if min(left, right) >= PRESENT:
        return "both"
    if min(left, right) >= ABSENT:
        return None
    return "left" if left > right else "right"


def _annotated(text: str | None) -> tuple[TrueUnit, ...] | None:
    """The AUs of an annotation, each once; None where there is none that can be read."""
    try:
        found = parse_facs(text) if text else ()
    except InputError:
        return None
    by_number: dict[int, list[FacsUnit]] = {}
    for unit in found:
        if unit.kind == "AU":
            by_number.setdefault(unit.au, []).append(unit)
    return tuple(_joined(au, units) for au, units in by_number.items()) if found else None


def _joined(au: int, units: list[FacsUnit]) -> TrueUnit:
    """One unit of all that was written of it ("L4+R4")."""
    certain = not any(unit.uncertain for unit in units)
    sides = {unit.side for unit in units}
    both = "both" in sides or sides == {"left", "right"}
    side: KnownSide = "both" if both else "left" if "left" in sides else "right"
    strength: dict[str, float | None] = {}
    for own, other in (("left", "right"), ("right", "left")):
        here = [unit for unit in units if unit.side in (own, "both")]
        told = [unit.intensity(0.0) for unit in here if unit.letter is not None]
        gone = 0.0 if side == other and certain else None
        strength[own] = max(told) if told else gone
    name = FACS_NAMES.get(au, "")
    return TrueUnit(au, name, side if certain else None, **strength, certain=certain)


def _not_among(units: tuple[TrueUnit, ...]) -> tuple[int, ...]:
    """What was coded and not found; a blink is not told of."""
    there = {unit.au for unit in units}
    return tuple(au for au in AUS if au not in there and au != BLINK)
