"""Which published emotion is which class: three classes, five classes, by data set."""

from __future__ import annotations

from famaug.datasets import dataset_name
from famaug.errors import InputError

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
