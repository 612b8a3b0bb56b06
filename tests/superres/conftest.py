"""A still face that moves a little."""

from __future__ import annotations

import numpy as np
import pytest

from famaug import Synthesizer
from famaug.seeding import keyed_generator
from famaug.types import Frames, Picture


@pytest.fixture(scope="session")
def brow_clip(astronaut_picture: Picture) -> Frames:
    """16 frames of 128 x 128: AU4 rises to 1 and falls; the first and the last are still."""
    synthesizer = Synthesizer(size=128)
    plan = synthesizer.plan("aus:4=1", astronaut_picture, keyed_generator(0, "brow"))
    frames = synthesizer.render([plan])[0]
    frames = frames[np.linspace(0, len(frames) - 1, 16).round().astype(int)]
    assert np.array_equal(frames[0], frames[-1])
    return frames
