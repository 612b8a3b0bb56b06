"""Offline generation: a cache of synthetic clips from a data set, on one machine or a cluster.

Start with `generate` (run.py) and `Generation` (settings.py). A run measures what it is made from
(material.py, measured.py), plans every clip (worklist.py), and renders what is not there yet
(worker.py) with local processes (local.py) or Ray actors (ray_engine.py), both driven by crew.py.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from famaug.generation.config import GenerationConfig as GenerationConfig
    from famaug.generation.config import load_config as load_config
    from famaug.generation.report import GenerationReport as GenerationReport
    from famaug.generation.resources import Resources as Resources
    from famaug.generation.run import generate as generate
    from famaug.generation.settings import Generation as Generation
    from famaug.generation.setup import open_generation as open_generation

_LAZY = {
    "Generation": "famaug.generation.settings",
    "GenerationConfig": "famaug.generation.config",
    "GenerationReport": "famaug.generation.report",
    "Resources": "famaug.generation.resources",
    "generate": "famaug.generation.run",
    "load_config": "famaug.generation.config",
    "open_generation": "famaug.generation.setup",
}

__all__ = list(_LAZY)


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'famaug.generation' has no attribute {name!r}")
