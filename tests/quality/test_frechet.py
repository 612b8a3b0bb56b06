"""The Fréchet distance against its formula, and features of real faces."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from scipy.linalg import sqrtm

from famaug.errors import FaceError, InputError
from famaug.faces.mesher import FaceMesher
from famaug.perception.features import FeatureTrunk
from famaug.quality.distance import face_features, frechet_distance
from famaug.types import Frames


def test_it_is_the_formula() -> None:
    rng = np.random.default_rng(0)
    a = rng.normal(size=(400, 6)) @ rng.normal(size=(6, 6)) + 1
    b = rng.normal(size=(300, 6)) @ rng.normal(size=(6, 6))
    one, other = np.cov(a.T), np.cov(b.T)
    away = np.square(a.mean(0) - b.mean(0)).sum()
    want = away + np.trace(one + other - 2 * sqrtm(one @ other).real)
    assert frechet_distance(a, b) == pytest.approx(want, rel=1e-9)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-9)


def test_fewer_pictures_than_features() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(5, 50)), rng.normal(size=(7, 50)) + 3
    assert frechet_distance(a, b) == pytest.approx(frechet_distance(b, a))
    assert frechet_distance(a, b) > 50 * 9 * 0.5


def test_bad_sets() -> None:
    good = np.zeros((3, 4))
    for bad in (np.zeros((1, 4)), np.zeros((3, 5)), np.zeros(4)):
        with pytest.raises(InputError, match="two sets of features"):
            frechet_distance(good, bad)
    with pytest.raises(InputError, match="finite"):
        frechet_distance(good, good * np.nan)


def test_damage_moves_a_set_away(
    fetched: Callable[[str], Path], smile_video: tuple[Frames, float], mesher: FaceMesher
) -> None:
    trunk = FeatureTrunk(weights=fetched("mobilenet_v2"))
    frames = smile_video[0]
    even = face_features(frames[:40:5], trunk=trunk, mesher=mesher)
    odd = face_features(frames[2:40:5], trunk=trunk, mesher=mesher)
    blurred = [cv2.GaussianBlur(f, (0, 0), 3) for f in frames[2:40:5]]
    soft = face_features(blurred, trunk=trunk, mesher=mesher)
    assert even.shape == (8, 1280)
    assert frechet_distance(even, soft) > 5 * frechet_distance(even, odd)
    with pytest.raises(FaceError, match="no picture shows one"):
        face_features([np.zeros((80, 80, 3), np.uint8)], trunk=trunk, mesher=mesher)
