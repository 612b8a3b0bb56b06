"""Weights that a training begins from: a file or a name, of the same network, of nobody tested."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from famaug.errors import InputError, LeakageError, WeightsError
from famaug.recognition.one_fold import SingleFold
from famaug.recognition.problem import Problem
from famaug.recognition.results import fold_path
from famaug.recognition.runs import run_all, setting_key
from famaug.recognition.samples import make_splits
from famaug.recognition.start import read_start
from famaug.weights.tensor_files import save_tensors, subjects_of
from tests.recognition.test_synthetic_alone import outside_pool
from tests.recognition.test_training import alone, assert_same, problem_of, together
from tests.recognition.training_samples import made_samples


def weights(path: Path, subjects: list[str] | None = None, network: str = "ststnet") -> Path:
    net, _ = replace(problem_of(network), seed=99).build(0)
    note = {} if subjects is None else {"subjects": subjects}
    save_tensors(path, net.state_dict(), note)
    return path


def beginning(path: Path | str, network: str = "ststnet", **options: object) -> Problem:
    return replace(problem_of(network, **options), start=read_start(str(path)))


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_every_fold_begins_from_them(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"w{suffix}"
    own, _ = problem_of("off-apexnet").build(0)
    state = own.state_dict()
    save_file(state, file) if suffix == ".safetensors" else torch.save(state, file)
    problem = replace(beginning(file, "off-apexnet", learning_rate=1e-4, epochs=1), seed=6)
    problem.check()
    for fold in (0, 1):
        first = SingleFold(problem, fold).state(0)
        assert all(torch.equal(v, state[k]) for k, v in first.items())
    assert_same(alone(problem), together(problem), atol=2e-4)


def test_results_of_other_first_weights_do_not_mix(tmp_path: Path) -> None:
    plain, first = problem_of(), beginning(weights(tmp_path / "a.safetensors"))
    assert setting_key(plain) != setting_key(first)
    renamed = weights(tmp_path / "b.safetensors")
    assert setting_key(first) == setting_key(beginning(renamed))  # what counts is what they are


def test_weights_of_another_network_are_told(tmp_path: Path) -> None:
    other = weights(tmp_path / "w.safetensors", network="off-apexnet")
    with pytest.raises(WeightsError, match=r"does not fit ststnet: it lacks conv1.weight; .*more"):
        beginning(other).check()
    net, _ = problem_of().build(0)
    state = net.state_dict() | {"fc.weight": torch.zeros(5, 400), "fc.bias": torch.zeros(5)}
    save_tensors(tmp_path / "five.safetensors", state, {})
    with pytest.raises(WeightsError, match=r"fc.weight is \(5, 400\), wanted \(3, 400\)"):
        beginning(tmp_path / "five.safetensors").check()
    with pytest.raises(WeightsError, match=r"training\.start face_landmarker does not fit ststnet"):
        beginning("face_landmarker").check()


def test_neither_file_nor_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'face_landmarks' is neither; did you mean face_landm"):
        read_start("face_landmarks")
    (tmp_path / "w.pth").write_bytes(b"no weights")
    with pytest.raises(WeightsError, match="not a state dict of tensors"):
        read_start(str(tmp_path / "w.pth"))


def test_weights_that_saw_somebody_tested(tmp_path: Path) -> None:
    seen = weights(tmp_path / "w.safetensors", ["elsewhere/p1", "d0/2"])
    with pytest.raises(LeakageError, match="was trained on d0/2, whom a fold tests"):
        beginning(seen).check()
    beginning(weights(tmp_path / "w.safetensors", ["elsewhere/p1"])).check()


def test_a_finished_fold_names_whom_it_saw(tmp_path: Path) -> None:
    samples, pool = made_samples(), outside_pool()
    problem = replace(problem_of(epochs=1), pool=pool, splits=make_splits(samples, pool))
    run_all(problem, tmp_path, seeds=[0])
    path = fold_path(tmp_path, 0, "d0/s0")
    file = path.with_name(path.name + ".safetensors")
    assert [*subjects_of(file)] == [
        *("d0/s2", "d1/s1", "d1/s3"), *sorted(pool.others),
    ]  # fmt: skip
    with pytest.raises(LeakageError, match="whom a fold tests"):
        beginning(file).check()
