"""Ray for real: two nodes on this machine, one killed half-way."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


def test_a_lost_node_loses_nothing(tmp_path: Path) -> None:
    job = Path(__file__).with_name("ray_cluster_job.py")
    done = subprocess.run(
        [sys.executable, str(job), str(tmp_path)], capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stdout + done.stderr
    # Ray itself tells of the lost node on the same stream
    said = json.loads(next(line for line in done.stdout.splitlines() if line.startswith("{")))
    assert said["nodes"] == 2
    assert 60 <= said["killed_at"] < 120
    assert said["lost_workers"] == 1, "an actor was on the node that was killed"
    assert said["shards"] == 2, "each actor wrote its own"
    assert said["made"] == said["planned"] == 120
    assert said["skipped"] == []
    assert said["same"], "the finished cache equals the local one"
