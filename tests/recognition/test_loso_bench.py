"""The bench runs and its figures fit together."""

from __future__ import annotations

import pytest

from famaug.bench.loso import run
from famaug.errors import InputError


def test_bench() -> None:
    found = run(rounds=1, batch_size=4, serial_steps=1, clips=70)
    figures = found["figures"]
    ratio = figures["serial_fold_step_ms"] * 68 / figures["batched_step_ms"]
    assert found["ratios"]["batched_vs_serial"] == pytest.approx(ratio)
    minutes = figures["extrapolated_minutes_68x800_batched"]
    assert minutes == pytest.approx(figures["batched_step_ms"] * 18 * 800 / 60e3)
    assert all(v > 0 for v in figures.values())
    with pytest.raises(InputError, match="68 clips or more"):
        run(clips=10)
