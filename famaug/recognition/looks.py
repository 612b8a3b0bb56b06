"""Looks of a data set's clips for a recogniser: each fold's own.

A look fitted on everybody would tell each fold of its test people. So it is fitted on each fold's
training people, and each fold gets inputs of its own (`famaug.recognition.pool`): folds x clips of
them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from famaug.data.folds import without_people
from famaug.data.look_fit import fit_look
from famaug.faces.mesher import FaceMesher
from famaug.look.look import Look
from famaug.recognition.feature_cache import Progress
from famaug.recognition.samples import (
    Samples,
    Split,
)


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
