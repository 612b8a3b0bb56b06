"""The way from a real micro-expression to the same one on another face: inputs, what is measured of
them, plans, pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from famaug.pipeline.synthesizer import Synthesizer as Synthesizer

__all__ = ["Synthesizer"]


def __getattr__(name: str) -> Any:
    if name == "Synthesizer":
        from famaug.pipeline.synthesizer import Synthesizer

        return Synthesizer
    raise AttributeError(f"module 'famaug.pipeline' has no attribute {name!r}")
