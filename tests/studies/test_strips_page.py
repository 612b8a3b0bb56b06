"""The page of film strips."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from strips_page import Strips, moments, write_strips

from famaug.errors import InputError


def frames(value: int) -> np.ndarray:
    steps = np.arange(5, dtype=np.uint8)[:, None, None, None] * 10 + value
    return np.broadcast_to(steps, (5, 40, 40, 3)).copy()


def test_moments_follow_the_curve() -> None:
    curve = np.array([0, 0.1, 0.5, 1.0, 0.8, 0.6, 0.1, 0])
    track = np.zeros((8, 2, 17))
    track[:, 0, 3] = curve
    assert moments(track) == [0, 2, 3, 5, 7]


def test_the_page_holds_every_frame_and_needs_nothing_else(tmp_path: Path) -> None:
    people = [{"ours": frames(20), "warp": frames(120)}, {"ours": frames(60), "warp": frames(180)}]
    page = write_strips(
        tmp_path / "new" / "strips.html", title="A & B", intro="One.\n\nTwo.",
        strips=[Strips("positive", "AU12 <2>", people)], cell=40,
    )  # fmt: skip
    text = page.read_text()
    assert "A &amp; B" in text
    assert "AU12 &lt;2&gt;" in text
    assert not re.findall(r'(?:src|href)="(?!data:|#)', text)
    (data,) = re.findall(r'src="data:image/webp;base64,([^"]+)"', text)
    sheet = np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))
    flat = sheet.reshape(-1, 3).mean(1)
    for row in (20, 120, 60, 180):
        for k in range(5):
            assert (np.abs(flat - (row + 10 * k)) < 3).sum() > 1000, (row, k)


def test_what_does_not_fit_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="at least one"):
        write_strips(tmp_path / "x.html", title="", intro="", strips=[])
    with pytest.raises(InputError, match="ours has 3"):
        write_strips(
            tmp_path / "x.html", title="", intro="",
            strips=[Strips("a", "b", [{"ours": frames(1)[:3]}])],
        )  # fmt: skip
    assert not (tmp_path / "x.html").exists()
