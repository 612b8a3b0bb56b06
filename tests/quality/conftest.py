"""One rendered clip that all tests of the room look at."""

from __future__ import annotations

import pytest

from famaug.pipeline import Synthesizer
from famaug.quality.judge import ClipJudge
from famaug.seeding import keyed_generator
from famaug.types import Picture
from tests.quality.rendered_clip import Rendered


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
