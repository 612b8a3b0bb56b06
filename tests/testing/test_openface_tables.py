"""Invented OpenFace tables: the columns of the real ones, and an expression where it was asked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from famaug.aus.openface import read_openface
from famaug.errors import InputError
from famaug.testing import make_openface
from famaug.types import AU_INDEX


def test_a_videos_table_has_openfaces_columns(tmp_path: Path) -> None:
    path = make_openface(tmp_path / "v.csv", frames=10, fps=200)
    head, first = (line.split(",") for line in path.read_text().splitlines()[:2])
    names = [name.strip() for name in head]
    assert len(names) == len(first) == 431
    assert names[:5] == ["frame", "timestamp", "confidence", "success", "gaze_0_x"]
    assert names[16] == "x_0"
    assert names[356:363] == ["p_scale", "p_rx", "p_ry", "p_rz", "p_tx", "p_ty", "p_0"]
    assert names[396] == "AU01_r"
    assert names[-2:] == ["AU28_c", "AU45_c"]


def test_a_folder_has_a_file_an_image(tmp_path: Path) -> None:
    folder = make_openface(tmp_path / "each", layout="images", frames=12)
    assert len([*folder.iterdir()]) == 12
    text = (folder / "reg_img3.csv").read_bytes()
    assert text.startswith(b"face, confidence, AU01_r, ")
    assert text.count(b"\r\n") == 2


def test_the_expression_is_where_it_was_asked(tmp_path: Path) -> None:
    path = make_openface(
        tmp_path / "a.csv", layout="merged", frames=60, units={4: 2}, onset=10, apex=30, offset=50
    )
    x = read_openface(path).track.intensity[:, 0]
    brow = x[:, AU_INDEX[4]] - x[0, AU_INDEX[4]]
    assert 1.5 < brow[28:33].mean() < 2.6
    assert abs(brow[:10].mean()) < 0.4
    steps = np.abs(np.diff(x, axis=0)).mean()
    assert 0.05 < steps < 0.1  # as four real clips have


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    first, again, other = (
        make_openface(tmp_path / f"{i}.csv", seed=seed).read_bytes()
        for i, seed in enumerate((1, 1, 2))
    )
    assert first == again != other


def test_what_cannot_be_made(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="layout='csv': there are video, images and merged"):
        make_openface(tmp_path / "a", layout="csv")  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"units \[28\]: OpenFace has 1, 2, 4"):
        make_openface(tmp_path / "a", units={28: 1})
    with pytest.raises(InputError, match="do not lie in order in 20 frames"):
        make_openface(tmp_path / "a", frames=20, apex=25)
