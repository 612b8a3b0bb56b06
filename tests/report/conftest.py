"""The sample clip as fixtures."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from famaug.report.values import ReportClip
from famaug.types import Frames
from tests.report.report_sample import APEX, BOXES, FPS, OFFSET, ONSET, smile, tracks


@pytest.fixture(scope="session")
def smile_frames() -> Frames:
    frames = smile()
    frames.flags.writeable = False
    return frames


@pytest.fixture(scope="session")
def make_clip(smile_frames: Frames) -> Callable[..., ReportClip]:
    """Builds the sample clip with some fields changed."""

    def make(**changes: object) -> ReportClip:
        asked, measured = tracks()
        values: dict[str, object] = {
            "title": "Positive rule on the astronaut",
            "frames": smile_frames,
            "fps": FPS,
            "asked": asked,
            "measured": measured,
            "onset": ONSET,
            "apex": APEX,
            "offset": OFFSET,
            "boxes": BOXES,
            "provenance": {"key": "9f2c" * 16, "driver": {"kind": "rule", "name": "positive"}},
        }
        return ReportClip(**{**values, **changes})  # type: ignore[arg-type]

    return make
