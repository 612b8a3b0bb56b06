"""What the room's tests look at."""

from __future__ import annotations

from typing import NamedTuple

from famaug.types import Floats, Frames, Picture, Plan


class Rendered(NamedTuple):
    """A clip as the synthesizer made it, the face at rest in its framing, and its mesh."""

    plan: Plan
    frames: Frames
    rest: Picture
    mesh: Floats
