"""What every test may use: real pictures that are at hand, and the media that are fetched once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import torch
from material import MATERIAL

from famaug import samples
from famaug.errors import FetchError
from famaug.faces.mesher import FaceMesher
from famaug.media.clips import read_frames, read_picture
from famaug.types import Frames, Picture
from famaug.weights import ENTRIES, fetch

FETCHED = {"fetched", "smile_video", "head"}
"""Fixtures that fetch: a test that asks for one is of the tier `media`."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if FETCHED & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.media)


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    """Tests share two cores; more threads only wait for each other."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def mesher() -> FaceMesher:
    return FaceMesher()


@pytest.fixture(scope="session")
def astronaut_picture() -> Picture:
    """512 x 512, a woman, slightly turned, smiling."""
    return np.asarray(skimage.data.astronaut(), np.uint8)


def _fetched(name: str) -> Path:
    try:
        return fetch(name, entries=(*ENTRIES, *MATERIAL))
    except FetchError as e:
        pytest.skip(f"the sample file {name} cannot be had here: {e}")


@pytest.fixture(scope="session")
def fetched() -> Callable[[str], Path]:
    """Gives a sample file by name, or skips the test and says why it cannot be had."""
    return _fetched


@pytest.fixture(scope="session")
def smile_video() -> tuple[Frames, float]:
    """72 frames of 640 x 360: one man, neutral to smile, a blink near frame 27."""
    frames, fps = read_frames(_fetched("single_face"))
    return frames, fps or 30.0


@pytest.fixture(scope="session")
def photos(astronaut_picture: Picture) -> list[Picture]:
    """The astronaut, and the eight people who do not exist that ship with famaug."""
    return [astronaut_picture, *(read_picture(p) for p in samples.faces().values())]
