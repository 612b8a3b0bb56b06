"""Which published emotion is which class, and how a dataset calls what a synthetic clip shows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from famaug.data.following import parts_of
from famaug.data.protocols import Label
from famaug.errors import InputError
from famaug.people.datasets import dataset_name
from famaug.types import Provenance

LabelOf = Callable[[Provenance], Label] | Mapping[Any, Label]
NO_LABEL = "no label"

THREE_CLASSES = ("negative", "positive", "surprise")
"""In the order of MEGC2019's numbers 0, 1, 2."""

_BASIC = {
    "happiness": "positive",
    "surprise": "surprise",
    "anger": "negative",
    "contempt": "negative",
    "disgust": "negative",
    "fear": "negative",
    "sadness": "negative",
}
THREE: dict[str, dict[str, str]] = {
    # the composite's own rule: fear, sadness and others of CASME II are left out
    "casme2": {
        "happiness": "positive",
        "surprise": "surprise",
        "disgust": "negative",
        "repression": "negative",
    },
    "samm": _BASIC,
    "smic": {name: name for name in THREE_CLASSES},
    # tense is left out: it is as often a stifled smile
    "casme": {**_BASIC, "repression": "negative"},
    "casme3": {
        "happy": "positive",
        "surprise": "surprise",
        "anger": "negative",
        "disgust": "negative",
        "fear": "negative",
        "sad": "negative",
    },
    "mmew": _BASIC,
    # repression is a class of its own here, see FIVE
    "4dme": {name: name for name in THREE_CLASSES},
    "dfme": _BASIC,
}
"""Data set: published emotion (lower case) to class. Emotions that are not named are left out."""

_CASME2_FIVE = ("happiness", "disgust", "repression", "surprise", "others")
FIVE: dict[str, dict[str, str]] = {
    "casme2": {name: name for name in _CASME2_FIVE},
    "samm": {
        "anger": "anger",
        "contempt": "contempt",
        "happiness": "happiness",
        "surprise": "surprise",
        "other": "other",
        "others": "other",
    },
    "4dme": {n: n for n in ("positive", "negative", "surprise", "repression", "others")},
}


def label_map(dataset: str, label: str) -> dict[str, str] | None:
    """From published emotions (lower case) to classes; None for "emotion", as published.

    Raises:
        InputError: there is no such set of classes for the data set.
    """
    if label == "emotion":
        return None
    known, dataset = {"three": THREE, "five": FIVE}, dataset_name(dataset)
    if label not in known or dataset not in known[label]:
        have = ["emotion", *(name for name, table in known.items() if dataset in table)]
        raise InputError(f"no labels {label!r} for {dataset!r}; there are: {', '.join(have)}")
    return known[label][dataset]


# -- SYNTHETIC CLIPS -------------------------------------------------------------------------------


@dataclass(frozen=True)
class LabelsOf:
    """A dataset's own naming: labels it does not know are none, so their clips stay out."""

    mapping: Mapping[Any, Label]

    def __call__(self, provenance: Provenance) -> Label:
        return self.mapping.get(provenance.label)


def label_of_dataset(dataset: Any) -> LabelsOf | None:
    """From the `label_of` of a dataset, or of one that it wraps."""
    for part in parts_of(dataset):
        mapping = getattr(part, "label_of", None)
        if isinstance(mapping, Mapping):
            return LabelsOf(mapping)
    return None


def label_for(provenance: Provenance, label_of: LabelOf | None) -> Label:
    """The label of a synthetic clip in the user's own terms; None where a mapping lacks it."""
    if label_of is None:
        return provenance.label
    return label_of(provenance) if callable(label_of) else label_of.get(provenance.label)


def label_or_reason(
    provenance: Provenance | None,
    label_of: LabelOf | None,
    classes: Collection[Label] | None = None,
) -> tuple[Label, str | None]:
    """The label to train on, or why the clip is left out.

    Args:
        provenance: of the clip.
        label_of: as `label_for`.
        classes: the labels there can be; None takes any.
    """
    label = None if provenance is None else label_for(provenance, label_of)
    if label is not None and (classes is None or label in classes):
        return label, None
    if provenance is None or provenance.label is None:
        return None, NO_LABEL
    return None, unknown_label(provenance.label if label is None else label)


def places_of(classes: Sequence[str]) -> dict[Label, int]:
    """The number of each class, by its name and by the number itself."""
    place: dict[Label, int] = {name: i for i, name in enumerate(classes)}
    return place | {i: i for i in range(len(classes))}


def unknown_label(label: Label) -> str:
    """The reason that is counted for a clip of a label that nobody learns."""
    return f"label {label!r} is not one of the classes"
