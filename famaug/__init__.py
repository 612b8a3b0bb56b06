"""famaug: micro-expression data augmentation for PyTorch.

A real micro-expression goes in, the same micro-expression on another face comes out.
Importing this package is light; heavy libraries load when a name is first used.
"""

from __future__ import annotations

import logging
from importlib import import_module
from typing import TYPE_CHECKING, Any

logging.getLogger("famaug").addHandler(logging.NullHandler())

__version__ = "0.1.0"

if TYPE_CHECKING:
    from famaug import plot as plot
    from famaug.data.synth import MicroExpressionSynth as MicroExpressionSynth
    from famaug.pipeline.synthesizer import Synthesizer as Synthesizer
    from famaug.types import AUTrack as AUTrack
    from famaug.types import Clip as Clip
    from famaug.types import ClipRef as ClipRef
    from famaug.types import Plan as Plan
    from famaug.types import Provenance as Provenance

_LAZY = {
    "AUTrack": "famaug.types",
    "Clip": "famaug.types",
    "ClipRef": "famaug.types",
    "MicroExpressionSynth": "famaug.data.synth",
    "Plan": "famaug.types",
    "Provenance": "famaug.types",
    "Synthesizer": "famaug.pipeline.synthesizer",
}

__all__ = ["__version__", "plot", *sorted(_LAZY)]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    if name == "plot":
        return import_module("famaug.plot")
    raise AttributeError(f"module 'famaug' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
