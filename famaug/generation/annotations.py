"""The annotations of a data set's clips as drivers, without a pixel of theirs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from famaug.data.protocols import Label
from famaug.errors import InputError
from famaug.generation.items import Item
from famaug.generation.report import Skip
from famaug.modulation.annotated import AnnotatedSource
from famaug.types import ClipRef

NAMED = 6
"""Codes that a note lists."""


def label_at(labels: Sequence[Label] | None, index: int, ref: ClipRef) -> Label:
    """A clip's label in a dataset's terms, its emotion where that has no labels."""
    label: Any = ref.emotion if labels is None else labels[index]
    plain: Label = label.item() if isinstance(label, np.generic) else label
    return plain


def annotated(
    refs: Iterable[tuple[int, ClipRef]],
    labels: Sequence[Label] | None,
    skipped: list[Skip],
    notes: list[str],
) -> list[Item]:
    """An item for each clip whose annotation can be shown.

    Args:
        refs: with their places in the dataset. labels: in the dataset's order, where it has some;
            else a clip's emotion.
        skipped, notes: are added to: clips whose annotation cannot be shown, with the reason; data
            sets without annotations.
    """
    found: list[Item] = []
    lost: Counter[str] = Counter()
    every = list(refs)
    clips = Counter(ref.dataset for _, ref in every)
    told = {ref.dataset for _, ref in every if ref.action_units is not None}
    notes += [
        f"{name} has no annotated AUs, so none of its {n} clips is a driver by annotation"
        for name, n in clips.items()
        if name not in told
    ]
    for index, ref in every:
        if ref.dataset not in told:
            continue
        name = f"{ref.key}#{index}" if not ref.clip else ref.key
        try:
            source = AnnotatedSource.of(ref, shows=label_at(labels, index, ref))
        except InputError as error:
            skipped.append(Skip("driver", f"{name} (annotation)", str(error)))
            continue
        lost.update(source.left_out)
        side = {"name": ref.key, "subject": ref.subject, "dataset": ref.dataset}
        record = {"source": source.to_json(), "driver": side | {"label": ref.emotion}}
        found.append(
            Item(
                "annotation",
                f"{name} (annotation)",
                json.dumps(record),
                index=index,
                subject=ref.person,
            )
        )
    if lost:
        codes = ", ".join(f"{code} ({n})" for code, n in lost.most_common(NAMED))
        notes.append(f"annotated AUs that cannot be shown are left out of their clips: {codes}")
    return found
