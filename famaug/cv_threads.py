"""OpenCV's threads: one where the result depends on their number, and none across a fork.

DIS flow cuts its work by the number of threads, and its result with it. And OpenCV's pool does not
survive a fork: a DataLoader worker that touches it waits for ever for threads that do not exist
there. So the pool is put away before every fork, comes back in the parent, and stays away in the
child.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import cv2

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


def _put_away() -> None:
    _before_fork[0] = cv2.getNumThreads()
    if _before_fork[0] > 1:
        cv2.setNumThreads(1)


def _bring_back() -> None:
    if _before_fork[0] > 1:
        cv2.setNumThreads(_before_fork[0])


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_put_away, after_in_parent=_bring_back)
