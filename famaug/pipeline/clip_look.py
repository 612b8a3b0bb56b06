"""What the pipeline asks of a look."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from famaug.types import AUTrack, Floats, Frames


class ClipLook(Protocol):
    """Makes clips look like a data set's (`famaug.data.look.Look`)."""

    @property
    def subjects(self) -> tuple[str, ...]:
        """Everybody ("dataset/subject") it was fitted on."""
        ...

    def timed(self, track: AUTrack, rng: np.random.Generator) -> AUTrack:
        """The track at the data set's frame rate."""
        ...

    def draw(self, rng: np.random.Generator, *, length: int, fps: float) -> dict[str, Any]:
        """What one clip gets, JSON-able: it goes into the plan."""
        ...

    def apply(self, frames: Frames, mesh: Floats, drawn: dict[str, Any]) -> Frames:
        """Rendered frames as drawn; the same input gives the same pixels."""
        ...
