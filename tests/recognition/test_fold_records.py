"""A finished fold's record is what was written, or it is told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from famaug.errors import InputError
from famaug.recognition.results import fold_path, load_fold, save_fold
from famaug.recognition.training import FoldResult
from tests.recognition.training_samples import made_samples


def test_a_damaged_record_is_told(tmp_path: Path) -> None:
    samples = made_samples()
    test = np.asarray([0, 2])
    logits = np.asarray([[0.25, 1.5, 2], [3, 4, 5]], np.float32)
    save_fold(tmp_path, 0, FoldResult("d/s1", test, logits, {"w": torch.ones(2)}, 3), samples)
    found = load_fold(tmp_path, 0, "d/s1", samples)
    assert found is not None
    assert found["logits"] == logits.tolist()
    path = fold_path(tmp_path, 0, "d/s1")
    file = path.with_name(path.name + ".json")
    whole = file.read_bytes()
    for damaged in (whole.replace(b"1.5", b"9.5"), whole[:-9], b"[]", b"[" * 9999, b"null"):
        file.write_bytes(damaged)
        with pytest.raises(InputError, match="delete it to train anew"):
            load_fold(tmp_path, 0, "d/s1", samples)


def test_names_of_folds_are_no_paths(tmp_path: Path) -> None:
    for name in ("../../x", "/etc/x", "a/../b", "..", "", "x" * 300, "a\0b", "con\n"):
        path = fold_path(tmp_path, 0, name)
        assert path.parent == tmp_path / "runs" / "seed0", name
        assert len(path.name) < 240, name
        assert path.name.isprintable(), name
