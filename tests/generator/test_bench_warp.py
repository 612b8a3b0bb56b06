from __future__ import annotations

from famaug.bench.warp import run


def test_the_bench_measures_faces_and_frames():
    result = run(rounds=2)
    assert result["ratios"] == {}
    assert set(result["figures"]) == {"cost_per_face_ms", "ms_per_frame"}
    assert all(0 < value < 5000 for value in result["figures"].values())
