"""Which file of weights is which fold's: people in any spelling, and never two for one."""

from __future__ import annotations

from pathlib import Path

import pytest

from famaug.errors import InputError
from famaug.recognition.public_weights import find_weights

FOLDS = ["casme2/sub01", "casme2/sub06", "samm/006", "smic/s1", "smic/s6"]


@pytest.mark.parametrize(
    "files",
    [
        ("sub01.pth", "sub06.pth", "006.pth", "s1.pth", "s6.pth"),
        ("sub01.pth", "sub06.pth", "006.pth", "s01.pth", "s06.pth"),  # as the challenge writes
        ("casme2_1.pt", "CASME2_sub06.pt", "samm_6.pt", "SMIC_s1.pt", "smic_06.pt"),
    ],
)
def test_every_fold_finds_its_file(tmp_path: Path, files: tuple[str, ...]) -> None:
    for name in files:
        (tmp_path / name).touch()
    assert [p.name for p in find_weights(tmp_path, FOLDS).values()] == list(files)


def test_one_data_set_by_number(tmp_path: Path) -> None:
    for name in ("1.pth", "S02.pth", "sub11.pth"):
        (tmp_path / name).touch()
    found = find_weights(tmp_path, ["casme2/sub01", "casme2/sub02", "casme2/sub11"])
    assert [p.stem for p in found.values()] == ["1", "S02", "sub11"]


def test_a_number_that_could_be_two_people(tmp_path: Path) -> None:
    for name in ("1.pth", "sub06.pth", "006.pth", "s6.pth"):
        (tmp_path / name).touch()
    with pytest.raises(InputError, match=r"one file for several folds: 1\.pth"):
        find_weights(tmp_path, FOLDS)
    (tmp_path / "1.pth").rename(tmp_path / "sub1.pth")
    with pytest.raises(InputError, match=r"no weights for folds: smic/s1"):
        find_weights(tmp_path, FOLDS)
