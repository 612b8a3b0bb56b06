from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from famaug.aus.names import FACS_NAMES
from famaug.errors import InputError
from famaug.report.values import ReportClip, ReportMedia, ReportTable
from famaug.types import AUS, AUTrack


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"frames": np.zeros((56, 8, 8, 3), np.float32)}, "uint8 T H W 3"),
        ({"frames": np.zeros((0, 8, 8, 3), np.uint8)}, "all at least 1"),
        ({"driver_frames": np.zeros((5, 8, 8), np.uint8)}, "driver_frames"),
        ({"apex": 2}, "onset <= apex <= offset < 56"),
        ({"offset": 56}, "4, 22, 56"),
        ({"fps": 0.0}, "fps"),
        ({"fps": float("nan")}, "fps"),
        ({"boxes": {"mouth": (0, 0, 257, 4)}}, "'mouth'.*256 x 256"),
        ({"boxes": {"mouth": (9, 9, 9, 20)}}, "empty"),
        (
            {"asked": AUTrack.of(np.zeros((3, 2, 17)), estimator="rule/1")},
            "asked has 3 frames, the clip 56",
        ),
    ],
)
def test_a_clip_that_does_not_fit_together_says_why(
    make_clip: Callable[..., ReportClip], changes: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        make_clip(**changes)


def test_a_table_row_of_another_length_is_an_error() -> None:
    with pytest.raises(InputError, match="row 1 has 1 cells, there are 2 columns"):
        ReportTable(title="t", columns=("a", "b"), rows=[(1, 2), (3,)])


def test_a_media_picture_is_checked() -> None:
    with pytest.raises(InputError, match="picture"):
        ReportMedia(name="a", role="b", licence="c", source="d", picture=np.zeros((3, 3), np.uint8))


def test_every_unit_has_a_name() -> None:
    assert set(AUS) <= set(FACS_NAMES)
