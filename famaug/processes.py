"""How famaug's processes run: one thread where a result depends on their number, no thread across
a fork, and an end with the process that started them.

OpenCV's DIS flow cuts its work by the number of threads, and its result with it; so do the last
bits of a convolution of PyTorch's. And OpenCV's pool does not survive a fork: a DataLoader worker
that touches it waits for ever for threads that do not exist there. So the pool is put away before
every fork, comes back in the parent, and stays away in the child.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess

import cv2
import torch

GRACE_S = 2.0
"""Seconds that a worker has to end by itself, before it is killed."""
_before_fork = [1]


@contextmanager
def one_cv_thread() -> Iterator[None]:
    """Within it OpenCV works in the calling thread alone."""
    before = cv2.getNumThreads()
    if before == 1:
        yield
        return
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


@contextmanager
def one_torch_thread() -> Iterator[None]:
    """Within it PyTorch works in the calling thread alone: DataLoader workers have one, and a mesh
    must not differ there."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


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


def _put_away() -> None:
    _before_fork[0] = cv2.getNumThreads()
    if _before_fork[0] > 1:
        cv2.setNumThreads(1)


def _bring_back() -> None:
    if _before_fork[0] > 1:
        cv2.setNumThreads(_before_fork[0])


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_put_away, after_in_parent=_bring_back)
