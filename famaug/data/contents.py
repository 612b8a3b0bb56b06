"""What a dataset holds, counted without reading a pixel: data sets, classes, real and synthetic."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from famaug.data.following import parts_of
from famaug.data.protocols import Label, labels_of, refs_of
from famaug.shown.lines import counted, counts

UNKNOWN = "?"
"""Data set or class of a clip of which the dataset does not say it."""


@dataclass(frozen=True)
class Contents:
    """Counts of a dataset.

    Attributes:
        real: clips by data set and class, (name, label) to count; "?" where nobody says.
        people: how many people the real clips name.
        synthetic: synthetic clips in an epoch.
        drawn_from: cached clips that they are drawn from, by class; empty where they are planned.
        excluded: cached clips that may not be drawn, by reason.
    """

    real: Mapping[tuple[str, str], int]
    people: int
    synthetic: int = 0
    drawn_from: Mapping[str, int] | None = None
    excluded: Mapping[str, int] | None = None

    @property
    def classes(self) -> list[str]:
        """Every class of a clip, real or synthetic, the most frequent real one first."""
        order = Counter[str]()
        for (_, label), number in self.real.items():
            order[label] += number
        return [*dict.fromkeys([*(c for c, _ in order.most_common()), *(self.drawn_from or {})])]

    @property
    def datasets(self) -> list[str]:
        """Every data set of a real clip."""
        return [*dict.fromkeys(name for name, _ in self.real)]


def contents_of(dataset: Any) -> Contents:
    """Counts of a `MicroExpressionSynth`, a reader, a fold's part, or any dataset with `refs`."""
    inner = getattr(dataset, "dataset", None)
    if not hasattr(dataset, "drawn_from"):
        return _real(dataset)
    found = _real(inner)
    return Contents(
        found.real,
        found.people,
        len(dataset) - len(inner),  # type: ignore[arg-type]
        {_name(k, _classes(inner)): n for k, n in dataset.drawn_from.items()},
        dataset.excluded,
    )


def dataset_parts(dataset: Any) -> list[str]:
    """What the line of a real dataset says: clips, people, and classes by number."""
    held = _real(dataset)
    found = Counter[str]()
    for (_, label), number in held.real.items():
        found[label] += number
    people = f" of {held.people} {'person' if held.people == 1 else 'people'}"
    people = people if held.people else ""
    return [f"{counted(len(dataset), 'clip')}{people}: {counts(dict(found.most_common()))}"]


def _real(dataset: Any) -> Contents:
    refs, labels = refs_of(dataset), labels_of(dataset)
    places = [UNKNOWN] * len(dataset) if refs is None else [r.dataset or UNKNOWN for r in refs]
    names = _classes(dataset)
    kinds = [UNKNOWN] * len(dataset) if labels is None else [_name(x, names) for x in labels]
    people = {r.person for r in refs or () if r.person}
    return Contents(dict(Counter(zip(places, kinds, strict=True)).most_common()), len(people))


def _classes(dataset: Any) -> Sequence[str]:
    """Names of numbered labels, of the dataset or of one that it wraps."""
    found = (getattr(part, "classes", ()) for part in parts_of(dataset))
    return next((names for names in found if isinstance(names, tuple) and names), ())


def _name(label: Label, classes: Sequence[str]) -> str:
    """The label in words; a number with its class, where the dataset tells it."""
    if label is None:
        return "no label"
    if isinstance(label, int):
        known = 0 <= label < len(classes)
        return f"{classes[label]} ({label})" if known else f"label {label}"
    return str(label)
