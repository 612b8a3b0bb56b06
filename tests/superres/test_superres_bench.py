"""The bench runs and its figures are of the kind it says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from famaug.bench import superres
from famaug.errors import FamaugWarning, FetchError


@pytest.mark.media
def test_bench(fetched: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(superres, "FRAMES", 4)
    fetched("realesr_animevideov3")
    fetched("realesr_animevideov3_graph")
    result = superres.run(rounds=1, models=("compact",), expressions=("au4",))
    ratios, figures = result["ratios"], result["figures"]
    assert {"compact_vs_ncnn", "compact_bf16_vs_ncnn", "reuse_vs_full"} <= ratios.keys()
    assert "rrdb_vs_ncnn" not in ratios
    assert {"compact_ours_cpu_ms", "compact_ours_ms", "reuse_au4_cpu_ms"} <= figures.keys()
    assert min(ratios.values()) > 0
    assert 0 < figures["compact_bf16_max"] <= 8
    assert max(figures["compact_fp32_max"], figures["compact_ncnn_max"]) <= 1
    assert figures["reuse_au4_max"] <= 4
    assert figures["reuse_au4_share"] < figures["reuse_au4_tolerance1_share"] < 0.02


def test_what_is_not_measured_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(name: str) -> Path:
        raise FetchError(f"{name} is gone")

    monkeypatch.setattr(superres, "fetch", gone)
    with pytest.warns(FamaugWarning, match="compact is not measured: .* is gone"):
        result = superres.run(rounds=1, models=("compact",), expressions=())
    assert result == {"ratios": {}, "figures": {}}
