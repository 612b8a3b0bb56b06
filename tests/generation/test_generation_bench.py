"""The bench of generation, small."""

from __future__ import annotations

import pytest

from famaug.bench.generation import bench_generation
from famaug.errors import InputError


@pytest.mark.slow
def test_it_measures_both_numbers_of_workers() -> None:
    found = bench_generation(clips=8, size=64, ray=False)
    assert set(found["ratios"]) == {"two_workers_vs_one"}
    assert found["figures"]["clips"] == 8
    assert found["figures"]["one_clips_per_s"] > 0
    ratio, efficiency = found["ratios"]["two_workers_vs_one"], found["figures"]["two_efficiency"]
    assert ratio == pytest.approx(2 * efficiency)
    with pytest.raises(InputError, match="8 clips and a round or more"):
        bench_generation(clips=2)
