"""The composite: its list, and its clips out of three replicas."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from openpyxl import load_workbook  # type: ignore[import-untyped]

from famaug.data import leave_one_subject_out
from famaug.data.megc2019 import COUNTS, LEFT_OUT, Megc2019
from famaug.data.megc2019_list import composite_clips
from famaug.data.readers.casme2 import Casme2
from famaug.errors import InputError, MediaError


def test_the_list() -> None:
    clips = composite_clips()
    assert len(clips) == 442
    assert Counter(clips.values()) == {"negative": 250, "positive": 109, "surprise": 83}
    assert len({k[:2] for k in clips}) == 68
    people = Counter(d for d, _ in {k[:2] for k in clips})
    assert people == {"smic": 16, "casme2": 24, "samm": 28}
    for dataset, want in COUNTS.items():
        assert Counter(v for k, v in clips.items() if k[0] == dataset) == want
    assert not set(LEFT_OUT) & set(clips)
    assert ("samm", "032", "032_3_1") in clips  # missing in the official ground truth file


def test_the_composite_of_replicas(replica: Callable[..., Path]) -> None:
    roots = {name: replica(name) for name in ("smic", "casme2", "samm")}
    with pytest.raises(MediaError, match=r"1 of 442 clips are missing: smic has .*s18_sur_03"):
        Megc2019(**roots)  # type: ignore[arg-type]
    data = Megc2019(**roots, numbered=True, missing="skip")  # type: ignore[arg-type]
    assert data.missing == ["smic/s18/s18_sur_03"]
    assert len(data) == 441
    assert data.counts()["casme2"] == COUNTS["casme2"]
    assert Counter(data.labels) == {0: 250, 1: 109, 2: 82}
    assert len(leave_one_subject_out(data)) == 68
    clip, label = data[0]
    assert clip.ref == data.refs[0]
    assert label == data.labels[0]


def test_a_table_that_disagrees(replica: Callable[..., Path], tmp_path: Path) -> None:
    root = tmp_path / "r"
    shutil.copytree(replica("casme2", clips=30), root)
    reader = Casme2(root)
    ref = next(r for r in reader.refs if r.emotion == "happiness")
    (table,) = root.glob("*.xlsx")
    book = load_workbook(table)
    for row in book.active.iter_rows(min_row=2):
        if row[1].value == ref.clip and row[8].value == "happiness":
            row[8].value = "disgust"
    book.save(table)
    with pytest.raises(InputError, match=r"positive in MEGC2019, but the table says 'disgust'"):
        Megc2019(casme2=root, missing="skip")
    with pytest.raises(MediaError, match="442 of 442"):
        Megc2019(missing="skip")
