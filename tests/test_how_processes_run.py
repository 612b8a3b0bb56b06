"""OpenCV's pool of threads and forks: without care, a forked worker waits for ever."""

from __future__ import annotations

import subprocess
import sys

import cv2

from famaug.processes import one_cv_thread

FORKED = """
import os, sys
import cv2, numpy as np
{care}
picture = np.random.default_rng(0).integers(0, 255, (1500, 1500), np.uint8)
cv2.setNumThreads(2)
flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
for _ in range(6):  # without care most children hang
    flow.calc(picture, picture, None)
    child = os.fork()
    if child == 0:
        flow.calc(picture, picture, None)
        cv2.setNumThreads(1)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert cv2.getNumThreads() == 2
"""


def test_a_forked_child_works_on() -> None:
    code = FORKED.format(care="import famaug.processes")
    done = subprocess.run([sys.executable, "-c", code], timeout=60, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_one_thread_and_back() -> None:
    before = cv2.getNumThreads()
    try:
        cv2.setNumThreads(2)
        with one_cv_thread():
            assert cv2.getNumThreads() == 1
            with one_cv_thread():
                assert cv2.getNumThreads() == 1
        assert cv2.getNumThreads() == 2
    finally:
        cv2.setNumThreads(before)
