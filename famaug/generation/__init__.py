"""Offline generation: a cache of synthetic clips from a data set, on one machine or a cluster.

Start with `generate` (run.py) and `Generation` (settings.py). A run measures what it is made from
(material.py, measured.py), plans every clip (worklist.py), and renders what is not there yet
(worker.py) with local processes (local.py) or Ray actors (ray_engine.py), both driven by crew.py.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from famaug.generation.report import GenerationReport as GenerationReport
    from famaug.generation.resources import Resources as Resources
    from famaug.generation.run import generate as generate
    from famaug.generation.settings import Generation as Generation

_LAZY = {
    "Generation": "famaug.generation.settings",
    "GenerationReport": "famaug.generation.report",
    "Resources": "famaug.generation.resources",
    "generate": "famaug.generation.run",
}

__all__ = list(_LAZY)


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'famaug.generation' has no attribute {name!r}")
