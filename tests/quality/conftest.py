"""One rendered clip that all tests of the room look at."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from famaug.pipeline import Synthesizer
from famaug.quality.judge import ClipJudge
from famaug.seeding import keyed_generator
from famaug.types import Floats, Frames, Picture, Plan


class Rendered(NamedTuple):
    """A clip as the synthesizer made it, the face at rest in its framing, and its mesh."""

    plan: Plan
    frames: Frames
    rest: Picture
    mesh: Floats


@pytest.fixture(scope="session")
def synthesizer() -> Synthesizer:
    return Synthesizer(size=192, fps=50)


@pytest.fixture(scope="session")
def rendered(synthesizer: Synthesizer, astronaut_picture: Picture) -> Rendered:
    """Brows down on both sides, one lip corner up: the person's left."""
    rng = keyed_generator(0, "quality")
    plan = synthesizer.plan("aus:4=1.5,12L=1.5", astronaut_picture, rng)
    mesh = synthesizer.renderer(plan).mesh
    return Rendered(plan, synthesizer.render([plan])[0], synthesizer.still(plan), mesh)


@pytest.fixture(scope="session")
def judge(synthesizer: Synthesizer) -> ClipJudge:
    return ClipJudge(mesher=synthesizer.mesher)
