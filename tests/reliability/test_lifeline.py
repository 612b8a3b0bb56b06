"""Workers end with the process that started them, also when it is killed in the midst of a job."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

PARENT = """
import multiprocessing, sys, time
from famaug.processes import end_with_parent

def work(pipe):
    end_with_parent(grace=0)
    import os
    pipe.send(os.getpid())
    while True:
        sum(range(10**5))

if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    for _ in range(2):
        ours, theirs = context.Pipe()
        context.Process(target=work, args=(theirs,)).start()
        print(ours.recv(), flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("method", ["spawn", "fork", "forkserver"])
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_killed_parents_leave_no_workers(tmp_path: Path, method: str, how: signal.Signals) -> None:
    (tmp_path / "parent.py").write_text(PARENT)
    command = [sys.executable, str(tmp_path / "parent.py"), method]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        workers = [int(parent.stdout.readline()) for _ in range(2)]
        assert all(_alive(w) for w in workers)
        parent.send_signal(how)
        parent.wait(10)
        until = time.monotonic() + 5
        while any(_alive(w) for w in workers) and time.monotonic() < until:
            time.sleep(0.05)
        left = [w for w in workers if _alive(w)]
        for worker in left:
            os.kill(worker, signal.SIGKILL)
        assert not left


def _alive(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
        return stat.rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
