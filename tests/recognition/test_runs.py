"""The results folder: complete, resumable, shared between processes, and honest about its data."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from sklearn.metrics import confusion_matrix, f1_score

from famaug.errors import InputError, WeightsError
from famaug.recognition.problem import Problem
from famaug.recognition.public_weights import read_state_dict
from famaug.recognition.results import fold_path
from famaug.recognition.runs import run_all
from tests.recognition.test_training import problem_of


def read(path: Path) -> Any:
    return json.loads(path.read_text())


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "predictions.csv").open() as file:
        return list(csv.DictReader(file))


def test_everything_is_there_and_agrees(tmp_path: Path) -> None:
    problem = problem_of(epochs=3, learning_rate=1e-2)
    value = run_all(problem, tmp_path, seeds=[0, 1])
    table = rows(tmp_path)
    assert len(table) == 2 * len(problem.samples)
    for seed in (0, 1):
        own = [r for r in table if r["seed"] == str(seed)]
        truth, guess = [r["truth"] for r in own], [r["predicted"] for r in own]
        names = list(problem.samples.classes)
        counts = confusion_matrix(truth, guess, labels=names).tolist()
        assert value["parts"]["all"]["confusion"][str(seed)] == counts
        f1 = f1_score(truth, guess, labels=names, average="macro", zero_division=0)
        assert value["parts"]["all"]["uf1_by_seed"][seed] == pytest.approx(f1)
    assert list(value["parts"]) == ["all", "d0", "d1"]
    assert read(tmp_path / "scores.json") == value
    assert "| all | 4 | 21 |" in (tmp_path / "scores.md").read_text()
    lines = (tmp_path / "log.jsonl").read_text().splitlines()
    assert len(lines) == 6
    assert set(json.loads(lines[0])["loss"]) == {s.name for s in problem.splits}


def test_resume_after_a_stop_gives_the_same(tmp_path: Path) -> None:
    class Stop(Exception):
        pass

    def stop(record: dict[str, Any]) -> None:
        if record["seed"] == 1 and record["epoch"] == 2:
            raise Stop

    problem = problem_of(epochs=3, checkpoint_every=1)
    whole = run_all(problem, tmp_path / "whole", seeds=[0, 1])
    with pytest.raises(Stop):
        run_all(problem, tmp_path / "parts", seeds=[0, 1], watch=stop)
    seen: list[tuple[int, int]] = []
    again = run_all(
        problem,
        tmp_path / "parts",
        seeds=[0, 1],
        watch=lambda r: seen.append((r["seed"], r["epoch"])),
    )
    assert seen == [(1, 2), (1, 3)]
    assert again == whole
    same = [(tmp_path / d / "predictions.csv").read_text() for d in ("whole", "parts")]
    assert same[0] == same[1]


def test_shards_share_a_folder(tmp_path: Path) -> None:
    problem = problem_of(epochs=2)
    whole = run_all(problem, tmp_path / "one", seeds=[0])
    assert run_all(problem, tmp_path / "two", seeds=[0], shard=(0, 2)) is None
    joined = run_all(problem, tmp_path / "two", seeds=[0], shard=(1, 2))
    assert joined is not None
    assert joined["parts"]["all"]["clips"] == whole["parts"]["all"]["clips"]
    a, b = ([float(r["logit_positive"]) for r in rows(tmp_path / d)] for d in ("one", "two"))
    assert np.allclose(a, b, atol=1e-2)


def test_processes_of_a_launcher_are_told_to_be_shards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(InputError, match="one for each --shard k/n"):
        run_all(problem_of(), tmp_path, seeds=[0])


def test_other_settings_do_not_mix(tmp_path: Path) -> None:
    run_all(problem_of(epochs=1), tmp_path, seeds=[0])
    with pytest.raises(InputError, match="other data or another config"):
        run_all(problem_of(epochs=2), tmp_path, seeds=[0])
    with pytest.raises(InputError, match="shard is k of n"):
        run_all(problem_of(epochs=1), tmp_path, seeds=[0], shard=(2, 2))


def test_stamps(tmp_path: Path) -> None:
    problem = problem_of(epochs=1, select="best-test")
    made = replace(problem.samples, origin="replica of the composite")
    value = run_all(replace(problem, samples=made), tmp_path, seeds=[0])
    assert value["optimistic"] is True
    text = (tmp_path / "scores.md").read_text()
    assert "OPTIMISTIC: the epoch was chosen on the test clips" in text
    assert "Data: replica of the composite; these numbers say nothing" in text
    assert rows(tmp_path)[0]["optimistic"] == "yes"
    assert read(tmp_path / "scores.json")["data"] == "replica of the composite"
    assert "optimistic_best_test_accuracy" in (tmp_path / "log.jsonl").read_text()


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Problem, Path, Path]:
    """A training, and its weights as a folder of one file a subject."""
    root = tmp_path_factory.mktemp("trained")
    problem = problem_of(epochs=2)
    run_all(problem, root / "run", seeds=[0])
    (root / "public").mkdir()
    for split in problem.splits:
        path = fold_path(root / "run", 0, split.name)
        state = load_file(path.with_name(path.name + ".safetensors"))
        save_file(state, root / "public" / f"{split.name.rpartition('/')[2]}.safetensors")
    return problem, root / "run", root / "public"


@pytest.mark.parametrize("old", [True, False])
def test_state_dicts_in_checkpoints_of_several_devices(tmp_path: Path, old: bool) -> None:
    state = {"module.layer.weight": torch.ones(2, 3), "module.layer.bias": torch.zeros(2)}
    held = {"epoch": 7, "state_dict": state, "note": "best"}
    torch.save(held, tmp_path / "s1.pth", _use_new_zipfile_serialization=not old)
    found = read_state_dict(tmp_path / "s1.pth")
    assert found["layer.weight"].equal(torch.ones(2, 3))
    assert set(found) == {"layer.weight", "layer.bias"}


def test_public_weights_are_evaluated(trained: tuple[Problem, Path, Path], tmp_path: Path) -> None:
    problem, run, public = trained
    run_all(problem, tmp_path / "out", seeds=[0], weights=public)
    assert rows(tmp_path / "out") == rows(run)


def test_public_weights_must_fit(trained: tuple[Problem, Path, Path], tmp_path: Path) -> None:
    problem, _, public = trained
    for file in public.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "s1.safetensors").rename(tmp_path / "s9.safetensors")
    with pytest.raises(
        InputError, match=r"no weights for folds: d1/s1; weights of no fold: s9.saf"
    ):
        run_all(problem, tmp_path / "out", seeds=[0], weights=tmp_path)
    (tmp_path / "s9.safetensors").rename(tmp_path / "s1.safetensors")
    save_file({"fc.weight": torch.zeros(3, 400)}, tmp_path / "s1.safetensors")
    with pytest.raises(WeightsError, match=r"s1.safetensors does not fit ststnet"):
        run_all(problem, tmp_path / "out2", seeds=[0], weights=tmp_path)

    (tmp_path / "s1.safetensors").rename(tmp_path / "s1.pth")
    with pytest.raises(WeightsError, match="not a state dict of tensors"):
        run_all(problem, tmp_path / "out3", seeds=[0], weights=tmp_path)
    torch.save(load_file(public / "s1.safetensors"), tmp_path / "s1.pth")
    run_all(problem, tmp_path / "out4", seeds=[0], weights=tmp_path)
