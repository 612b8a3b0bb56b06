"""Questions and answers on a clip, in the form of the Micro-Expression Grand Challenges of 2025 and
2026 (visual question answering): coarse and fine class, which AUs, on which side, yes or no.

Asked is only what the plan or the table answers. Sides are the person's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from famaug.aus.names import FACS_NAMES
from famaug.aus.truth import TrueUnit, Truth
from famaug.data.labels import THREE, THREE_CLASSES
from famaug.people.datasets import dataset_named
from famaug.seeding import keyed_generator

_CLASSES = "what is the fine-grained expression and the coarse expression class?"


def coarse_and_fine(truth: Truth) -> tuple[str | None, str | None]:
    """The coarse class (negative, positive, surprise) and the published emotion, each None where
    the clip's label does not tell it.

    The coarse class of an emotion is that of its data set (`famaug.data.labels.THREE`); of a label
    from elsewhere only a class itself tells it.
    """
    if not isinstance(truth.label, str) or not truth.label.strip():
        return None, None
    label = truth.label.strip().casefold()
    known = dataset_named(truth.labelled_by) if truth.labelled_by else None
    table = THREE.get(known.name, {}) if known is not None else {}
    coarse = table.get(label, label if label in THREE_CLASSES else None)
    # "surprise" of a data set that publishes classes alone is no emotion
    published = bool(table) and any(emotion != of for emotion, of in table.items())
    if label in THREE_CLASSES and not (published and label in table):
        return coarse, None
    return coarse, label


def questions_on(truth: Truth, video: str, *, seed: int = 0) -> list[dict[str, Any]]:
    """The questions that a clip answers, each `{"video_id", "video", "question", "answer",
    "people"}`; `people` are all who went into the clip, for splits by subject.

    Args:
        truth: of the clip.
        video: what its video is called.
        seed: of the AUs that are asked for by name: one that is there and one that is not.
    """
    return [
        {
            "video_id": f"{video}_{n}",
            "video": video,
            "question": question,
            "answer": answer,
            "people": list(truth.people),
        }
        for n, (question, answer) in enumerate(_asked(truth, video, seed), 1)
    ]


def questions_on_all(
    clips: Iterable[tuple[Truth, str]], *, seed: int = 0
) -> Iterator[dict[str, Any]]:
    """`questions_on` each (truth, video), one after the other."""
    for truth, video in clips:
        yield from questions_on(truth, video, seed=seed)


def _asked(truth: Truth, video: str, seed: int) -> Iterator[tuple[str, str]]:
    coarse, fine = coarse_and_fine(truth)
    if coarse is not None:
        yield "What is the coarse expression class?", coarse
    if fine is not None:
        yield "What is the fine-grained expression class?", fine
    units = truth.units
    if units is None:
        return
    sure = [unit for unit in units if unit.certain]
    # one doubtful unit, and nobody knows the whole list
    named = ", ".join(map(_name, units)) if len(sure) == len(units) else ""
    one = len(units) == 1
    if named:
        yield "What is the action unit?" if one else "What are the action units?", named
    for unit in sure:
        if unit.side in ("left", "right"):
            asked = f"Is the action unit {_name(unit)} located on the left or right face?"
            yield asked, str(unit.side)
    rng = keyed_generator(seed, "questions", video)
    for names, answer in (
        ([_name(unit) for unit in sure], "yes"),
        ([FACS_NAMES[au] for au in truth.absent], "no"),
    ):
        if names:
            picked = names[int(rng.integers(len(names)))]
            yield f"Is the action unit {picked} shown on the face?", answer
    if named and coarse is not None and fine is not None:
        begin = (
            "What is the action unit present, and based on it, "
            if one
            else "What are the action units present, and based on them, "
        )
        there = "action unit present is" if one else "action units present are"
        fine_is = f"the fine-grained expression class is {fine}"
        coarse_is = f"the coarse expression class is {coarse}"
        yield begin + _CLASSES, f"The {there}: {named}. Therefore, {fine_is}, and {coarse_is}."


def _name(unit: TrueUnit) -> str:
    return unit.name or f"AU{unit.au}"
