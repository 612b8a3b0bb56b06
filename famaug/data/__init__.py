"""USE: real and synthetic clips as one PyTorch dataset, folds by subject, and the leakage guard.

Start with `MicroExpressionSynth` (synth.py) and `leave_one_subject_out` (folds.py).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from famaug.data.clips import ClipFolder as ClipFolder
    from famaug.data.folds import Fold as Fold
    from famaug.data.folds import SubjectSubset as SubjectSubset
    from famaug.data.folds import k_fold_by_subject as k_fold_by_subject
    from famaug.data.folds import leave_one_dataset_out as leave_one_dataset_out
    from famaug.data.folds import leave_one_subject_out as leave_one_subject_out
    from famaug.data.guard import Guard as Guard
    from famaug.data.synth import MicroExpressionSynth as MicroExpressionSynth
    from famaug.data.synth import as_pair as as_pair

_LAZY = {
    "ClipFolder": "famaug.data.clips",
    "Fold": "famaug.data.folds",
    "Guard": "famaug.data.guard",
    "MicroExpressionSynth": "famaug.data.synth",
    "SubjectSubset": "famaug.data.folds",
    "as_pair": "famaug.data.synth",
    "k_fold_by_subject": "famaug.data.folds",
    "leave_one_dataset_out": "famaug.data.folds",
    "leave_one_subject_out": "famaug.data.folds",
}

__all__ = list(_LAZY)


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'famaug.data' has no attribute {name!r}")
