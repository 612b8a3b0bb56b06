"""Worker processes end with the process that started them, however that ends."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from multiprocessing.process import BaseProcess

GRACE_S = 2.0
"""Seconds that a worker has to end by itself, before it is killed."""


def end_with_parent(grace: float = GRACE_S) -> None:
    """Called once in a worker of `multiprocessing`: it is killed when its parent has gone, also
    in the midst of a job. In any other process it does nothing."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        watch = threading.Thread(target=_watch, args=(parent, grace), daemon=True)
        watch.start()


def _watch(parent: BaseProcess, grace: float) -> None:
    parent.join()  # waits for the parent's end of a pipe, which the kernel closes
    time.sleep(grace)
    os.kill(os.getpid(), signal.SIGKILL)
