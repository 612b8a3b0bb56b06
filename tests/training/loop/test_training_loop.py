"""The loop: what it logs, keeps and refuses, and that an interruption leaves no trace."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from famaug.errors import InputError, TrainingError, WeightsError
from famaug.seeding import keyed_generator
from famaug.training.loop.ema import ModelAverage
from famaug.training.loop.log import read_log
from famaug.training.loop.schedule import LinearDecay
from famaug.training.loop.training import CHECKPOINT, LoopOptions
from famaug.weights.tensor_files import load_tensors, save_tensors
from tests.training.loop.toy_training import toy_training

JOB = Path(__file__).with_name("toy_training.py")
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}


def state(folder: Path) -> dict[str, torch.Tensor]:
    return load_tensors(folder / CHECKPOINT)[0]


def history(folder: Path) -> list[dict[str, float]]:
    return [{k: v for k, v in r.items() if k != "seconds_per_step"} for r in read_log(folder)]


def same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[k], second[k]) for k in first)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """100 steps without interruption."""
    folder = tmp_path_factory.mktemp("whole")
    assert toy_training(folder, 100).run() == 100
    return folder


def test_what_a_training_leaves(whole: Path) -> None:
    tensors, note = load_tensors(whole / CHECKPOINT)
    assert note["step"] == 100
    assert {k.split("/")[0] for k in tensors} == {"network", "average", "optimizer"}
    exported, note = load_tensors(whole / "generator.safetensors")
    assert note["steps"] == 100
    assert same(exported, {k[18:]: v for k, v in tensors.items() if k.startswith("average/gen")})
    assert not same(exported, {k[18:]: v for k, v in tensors.items() if k.startswith("network/g")})
    records = read_log(whole)
    losses = [r for r in records if "critic" in r]
    assert [r["step"] for r in losses] == [*range(10, 101, 10)]
    assert [r["step"] for r in records if "toy/weight" in r] == [20, 40, 60, 80, 100]
    assert losses[-1]["rate"] == pytest.approx(1 - 99 / 1000)
    assert all("generator" in r for r in losses)


@pytest.mark.slow
def test_killed_and_resumed_is_as_if_never_killed(whole: Path, tmp_path: Path) -> None:
    """SIGKILL at any moment of a training that saves every few steps, three times over."""
    draw = keyed_generator(0, "kill")
    command = [sys.executable, JOB, tmp_path, "100", "0.005"]
    for _ in range(3):
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT) as job:
            assert job.stdout is not None
            assert job.stdout.readline() == "ready\n"
            time.sleep(draw.uniform(0.05, 0.25))
            job.send_signal(signal.SIGKILL)
            assert job.wait() == -signal.SIGKILL
    done = subprocess.run(command, env=ENVIRONMENT, timeout=60, capture_output=True)
    assert done.returncode == 0
    assert same(state(tmp_path), state(whole))
    assert history(tmp_path) == history(whole)


@pytest.mark.slow
def test_killed_during_a_save(whole: Path, tmp_path: Path) -> None:
    """The old checkpoint is there, whole; what the killed writer left is cleared away."""
    job = f"""
import os, signal, sys
sys.path.insert(0, {str(JOB.parents[3])!r})
from pathlib import Path
from safetensors import safe_open
from tests.training.loop.toy_training import toy_training
import famaug.files.whole as c
original, saves = os.fsync, 0
def killed(handle):
    global saves
    original(handle)
    saves += 1
    if saves == 13:  # file and folder each: the log, two files a save; in the third checkpoint
        os.kill(os.getpid(), signal.SIGKILL)
c.os.fsync = killed
import torch; torch.set_num_threads(1)
toy_training(Path({str(tmp_path)!r}), 100).run()
"""
    done = subprocess.run([sys.executable, "-c", job], env=ENVIRONMENT, timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert load_tensors(tmp_path / CHECKPOINT)[1]["step"] == 40
    assert list(tmp_path.glob(".*.part"))
    assert toy_training(tmp_path, 100).run() == 100
    assert not list(tmp_path.glob(".checkpoint*.part"))
    assert same(state(tmp_path), state(whole))
    assert history(tmp_path) == history(whole)


def test_workers_make_the_same_batches(whole: Path, tmp_path: Path) -> None:
    toy_training(tmp_path, 100, workers=2).run()
    assert same(state(tmp_path), state(whole))


def test_a_time_limit_ends_with_a_checkpoint(whole: Path, tmp_path: Path) -> None:
    done = toy_training(tmp_path, 100, wait=0.005, seconds=0.1).run()
    assert 0 < done < 100
    assert load_tensors(tmp_path / CHECKPOINT)[1]["step"] == done
    toy_training(tmp_path, 100).run()
    assert same(state(tmp_path), state(whole))
    assert history(tmp_path) == history(whole)


def test_a_loss_that_is_no_number_stops_with_the_batch(tmp_path: Path) -> None:
    with pytest.raises(
        TrainingError, match=r"step 33, learning rate 0\.\d+: the loss 'critic' is nan.*Lower"
    ) as told:
        toy_training(tmp_path, 100, poison=33).run()
    path = tmp_path / "failed-step33.safetensors"
    assert str(path) in str(told.value)
    with safe_open(path, framework="pt") as file:  # a batch may hold what weights may not
        batch = {k: file.get_tensor(k) for k in file.keys()}  # noqa: SIM118
        note = json.loads(file.metadata()["famaug"])
    assert note["step"] == 33
    assert torch.isnan(batch["x"]).sum() == 1
    tensors, note = load_tensors(tmp_path / CHECKPOINT)
    assert note["step"] == 20
    assert all(torch.isfinite(v).all() for v in tensors.values())


def test_another_setting_is_refused(whole: Path) -> None:
    with pytest.raises(InputError, match="another setting \\(differs in name\\)"):
        toy_training(whole, 200, setting="other").run()


@pytest.mark.parametrize("damage", ["cut", "flipped header", "empty"])
def test_a_damaged_checkpoint_is_an_error(whole: Path, tmp_path: Path, damage: str) -> None:
    data = bytearray((whole / CHECKPOINT).read_bytes())
    if damage == "cut":
        data = data[:-10]
    elif damage == "flipped header":
        data[20] ^= 255
    else:
        data = bytearray()
    (tmp_path / CHECKPOINT).write_bytes(data)
    with pytest.raises(WeightsError, match="delete it to start anew"):
        toy_training(tmp_path, 100).run()


def test_a_longer_training_goes_on(whole: Path, tmp_path: Path) -> None:
    toy_training(tmp_path, 60).run()
    assert toy_training(tmp_path, 100).run() == 100
    assert same(state(tmp_path), state(whole))


def test_tensorboard_holds_the_log(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    toy_training(tmp_path, 40, tensorboard=True).run()
    board = EventAccumulator(str(tmp_path / "tensorboard"))
    board.Reload()
    written = [r["critic"] for r in read_log(tmp_path) if "critic" in r]
    assert [e.value for e in board.Scalars("critic")] == pytest.approx(written, rel=1e-5)


def test_options_are_checked() -> None:
    with pytest.raises(InputError, match="multiple of log_every"):
        LoopOptions(steps=10, log_every=7, checkpoint_every=10)
    with pytest.raises(InputError, match="at least 1"):
        LoopOptions(steps=0)


def test_rates_of_the_published_schedule() -> None:
    """20 epochs, then 10 in which the rate falls after each."""
    rate = LinearDecay(full=20, decay=10, epoch=4)
    by_epoch = [rate(4 * e) for e in range(31)]
    assert by_epoch[:21] == [1.0] * 21
    assert by_epoch[20:] == pytest.approx([1 - k / 10 for k in range(11)])
    assert rate(79) == rate(80) == rate(83) == 1
    assert LinearDecay(full=1, warm_up=4)(0) == 0.25


def test_average_follows() -> None:
    net = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.zeros_(net.weight)
    average = ModelAverage(net, decay=0.5)
    torch.nn.init.ones_(net.weight)
    seen = []
    for number in range(40, 43):
        average.update(net, number)
        seen.append(float(average.network.weight))
    assert seen == [0.5, 0.75, 0.875]
    average = ModelAverage(net, decay=0.999)
    torch.nn.init.zeros_(net.weight)
    average.update(net, 0)
    assert float(average.network.weight) == pytest.approx(0.1)  # early on it follows faster


def test_what_is_saved_is_whole_or_old(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    save_tensors(path, {"a": torch.ones(2)}, {"n": 1})
    with pytest.raises(TypeError):
        save_tensors(path, {"a": torch.zeros(2)}, {"n": object()})
    assert load_tensors(path)[1] == {"n": 1}
    assert json.loads(json.dumps(load_tensors(path)[1])) == {"n": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["x.safetensors"]
