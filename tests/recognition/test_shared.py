"""Two processes under accelerate give what one gives, also after one of them died."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.torch import load_file
from shared_job import shared_problem

from famaug.recognition.runs import run_all

pytestmark = pytest.mark.slow

pytest.importorskip("accelerate")
HERE = Path(__file__).parent


def start(processes: int, folder: Path, *how: str) -> int:
    """Runs the job as `accelerate launch` starts it on GPUs; returns its exit code."""
    command = [
        sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", str(processes),
        "--standalone",
        str(HERE / "shared_job.py"), str(folder), *how,
    ]  # fmt: skip
    env = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, env=env)
    assert how or done.returncode == 0, done.stderr[-3000:]
    return done.returncode


def outcome(folder: Path) -> tuple[dict[str, np.ndarray], list[dict[str, Any]]]:
    files = sorted(folder.rglob("*.safetensors"))
    states = {
        f"{file.stem}/{name}": value.numpy()
        for file in files
        for name, value in load_file(file).items()
    }
    lines = (folder / "log.jsonl").read_text().splitlines()
    return states, [json.loads(line) for line in lines]


def test_two_processes_like_one_even_after_one_died(tmp_path: Path) -> None:
    run_all(shared_problem(), tmp_path / "alone", seeds=[0])
    shared = tmp_path / "shared"
    assert start(2, shared, "stop") != 0
    assert not (shared / "scores.json").exists()
    start(2, shared)
    assert (shared / "scores.json").is_file()
    assert sorted(p.name for p in shared.glob("rank-*")) == ["rank-0-of-2", "rank-1-of-2"]
    (one, log_one), (two, log_two) = outcome(tmp_path / "alone"), outcome(shared)
    assert one.keys() == two.keys()
    assert len(one) > 20
    for name, value in one.items():
        # Adam turns rounding of gradients near 0 into steps of the size of the learning rate
        assert np.allclose(value, two[name], rtol=1e-3, atol=1e-3), name
    losses = {(r["epoch"], *r["loss"]): [*r["loss"].values()] for r in log_one}
    again = [(r["epoch"], *r["loss"]) for r in log_two]
    assert set(again) == set(losses)
    # one process writes, and an epoch that was told before a death and done again has one line
    assert len(again) == len(losses)
    for record in log_two:
        want = losses[record["epoch"], *record["loss"]]
        assert [*record["loss"].values()] == pytest.approx(want, rel=2e-4)
