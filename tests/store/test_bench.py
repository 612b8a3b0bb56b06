from __future__ import annotations

import math

import numpy as np
import pytest

from famaug.bench.store import bench_store, moving_portrait
from famaug.errors import InputError
from tests.store.store_builders import moving_clip


def test_the_bench_says_what_it_promises() -> None:
    found = bench_store(clips=[moving_clip(n) for n in range(4)], rounds=1, reads=100)
    assert sorted(found) == ["figures", "ratios"]
    assert {"cached_vs_png", "bytes_vs_png", "cached_vs_memcpy"} <= set(found["ratios"])
    assert all(math.isfinite(v) for part in found.values() for v in part.values())
    with pytest.raises(InputError, match="three clips"):
        bench_store(clips=[moving_clip(0)])


def test_clips_of_a_real_size_are_small() -> None:
    clips = [moving_portrait(n) for n in range(3)]
    assert 0.15 < np.mean([(c != c[0]).any(-1).mean() for c in clips]) < 0.5
    assert bench_store(clips=clips, rounds=1, reads=10)["ratios"]["bytes_vs_png"] < 0.5
