"""Offline generation: a cache of synthetic clips from a data set, on one machine or a cluster.

Start with `generate` (run.py) and `Generation` (generation.py). A run lists what it is made from
(material.py), measures it, plans every clip (worklist.py, draws.py), and renders what is not there
yet (worker.py) with local processes (local.py) or Ray actors (ray_engine.py), both driven by
workers.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from famaug.named import lazily

if TYPE_CHECKING:
    from famaug.generation.generation import Generation as Generation
    from famaug.generation.report import GenerationReport as GenerationReport
    from famaug.generation.resources import Resources as Resources
    from famaug.generation.run import generate as generate

_LAZY = {
    "Generation": "famaug.generation.generation",
    "GenerationReport": "famaug.generation.report",
    "Resources": "famaug.generation.resources",
    "generate": "famaug.generation.run",
}

__all__ = list(_LAZY)
__getattr__ = lazily(__name__, _LAZY)
