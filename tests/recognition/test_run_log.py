"""The log of a run keeps one line an epoch, whatever was killed on the way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from famaug.recognition.runs import _logger


def record(epoch: int, *, seed: int = 0, fold: str = "a", loss: float = 1.0) -> dict[str, Any]:
    return {"seed": seed, "ratio": 1.0, "epoch": epoch, "step": epoch * 3, "loss": {fold: loss}}


def epochs(path: Path) -> list[tuple[int, str, int]]:
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return [(r["seed"], next(iter(r["loss"])), r["epoch"]) for r in lines]


def test_epochs_that_are_done_again_replace_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    log = _logger(path, None)
    for epoch in (1, 2, 3, 4):
        log(record(epoch))
    log(record(1, fold="b"))
    log = _logger(path, None)  # killed after epoch 4, with a checkpoint of epoch 2
    for epoch in (3, 4, 5):
        log(record(epoch, loss=2.0))
    assert sorted(epochs(path)) == [*((0, "a", e) for e in range(1, 6)), (0, "b", 1)]
    assert path.read_text().count("2.0") == 3


def test_a_line_that_a_kill_cut_short_goes(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    log = _logger(path, None)
    log(record(1))
    with path.open("a") as file:
        file.write('{"seed": 0, "epo')
    log = _logger(path, None)
    log(record(2))
    assert epochs(path) == [(0, "a", 1), (0, "a", 2)]


def test_other_seeds_and_folds_keep_their_lines(tmp_path: Path) -> None:
    path, told = tmp_path / "log.jsonl", list[int]()
    log = _logger(path, lambda r: told.append(r["epoch"]))
    for seed in (0, 1):
        for fold in ("a", "b"):
            log(record(1, seed=seed, fold=fold))
    assert len(epochs(path)) == len(told) == 4
