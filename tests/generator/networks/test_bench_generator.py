"""The bench of the generator, small."""

from __future__ import annotations

import pytest

from famaug.bench.generator import run
from famaug.commands.bench import BENCHES
from famaug.errors import InputError


def test_generator_bench() -> None:
    found = run(rounds=1, width=4, size=64)
    assert set(found["ratios"]) >= {"maps_vs_paper", "warp_vs_paper"}
    assert all(v > 0 for k, v in found["figures"].items() if k.endswith("ms_per_frame"))
    assert "generator" in BENCHES
    with pytest.raises(InputError, match="rounds"):
        run(rounds=0)
