"""Synthetic clips that look like the data set's to a recogniser: with each fold's own look.

A look fitted on everybody would tell each fold of its test people. So it is fitted on each fold's
training people, and each fold gets inputs of its own: folds x clips of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from famaug.data.folds import without_people
from famaug.data.guard import Guard
from famaug.data.labels import LabelOf
from famaug.data.look_fit import fit_look
from famaug.errors import InputError
from famaug.faces.mesher import FaceMesher
from famaug.look.look import Look
from famaug.recognition.feature_cache import Progress, dataset_inputs
from famaug.recognition.inputs import Bytes, InputSpec
from famaug.recognition.samples import (
    NO_MOTION,
    CachedClips,
    Samples,
    Split,
    SyntheticPool,
    usable_clips,
)
from famaug.store.reader import ClipCache


def fold_looks(
    dataset: Any,
    samples: Samples,
    splits: Sequence[Split],
    *,
    progress: Progress | None = None,
) -> dict[str, Look]:
    """By fold the look of the clips of everybody it does not test; no clip is measured twice.

    Args:
        dataset: the clips, with `refs`.
        samples: the same clips as inputs: who is tested.
        splits: the folds.
        progress: is told the title, how many looks are fitted, and of how many.

    Raises:
        InputError: a fold has no clip that shows a face.
    """
    measured: dict[Any, Any] = {}
    mesher, found = FaceMesher(), {}
    for split in splits:
        tested = {samples.subjects[i] for i in np.flatnonzero(split.test)}
        part = without_people(dataset, tested, what=f"fold {split.name}")
        found[split.name] = fit_look(part, mesher=mesher, measured=measured)
        if progress is not None:
            progress("looks of the folds", len(found), len(splits))
    return found


def fold_pool(
    cache: ClipCache,
    spec: InputSpec,
    looks: Mapping[str, Look],
    splits: Sequence[Split],
    samples: Samples,
    *,
    label_of: LabelOf | None = None,
    folder: str | Path | None = None,
    workers: int = 0,
    progress: Progress | None = None,
) -> SyntheticPool:
    """Inputs of a clip cache for every fold, each with its own look; a fold's guard is asked first.

    Args:
        looks: by fold, see `fold_looks`.
        label_of: as in `famaug.recognition.samples.synthetic_pool`.
        folder, workers, progress: as in `dataset_inputs`.

    Raises:
        InputError: no clip can be used. CacheError: the cache cannot be read.
    """
    found, left_out = usable_clips(cache, samples.classes, label_of, clean=True)
    people, bad = frozenset(samples.subjects), set[int]()
    guards = [Guard({samples.subjects[i] for i in np.flatnonzero(s.test)}, people) for s in splits]
    mine = [[i for i, f in enumerate(found) if g.reason(f[1]) is None] for g in guards]
    total, begun = sum(map(len, mine)), 0
    own: dict[str, Bytes] = {}
    for split, places in zip(splits, mine, strict=True):
        out: dict[int, str] = {}

        def tell(title: str, done: int, of: int, begun: int = begun) -> None:
            if progress is not None:
                progress(title, begun + done, total)

        made = dataset_inputs(
            CachedClips(cache, [found[i][0] for i in places], looks[split.name]),
            spec,
            folder=folder,
            workers=workers,
            progress=tell,
            title="synthetic clips of all folds",
            left_out=out,
        )
        begun += len(places)
        own[split.name] = np.zeros((len(found), *spec.shape), np.uint8)
        own[split.name][places] = made
        bad |= {places[i] for i in out}
    if bad:
        left_out[NO_MOTION] = len(bad)
    used = [i for i in range(len(found)) if i not in bad]
    if not used:
        raise InputError(f"{cache.root} holds no clip to train on; left out: {left_out}")
    return SyntheticPool(
        np.zeros((0, *spec.shape), np.uint8),
        np.asarray([found[i][2] for i in used], np.int64),
        tuple(found[i][1] for i in used),
        left_out,
        {name: values[used] if bad else values for name, values in own.items()},
    )
