"""What wrapping a data set costs: a DataLoader over real clips, bare and wrapped.

    python -c "import json, famaug.bench.data as b; print(json.dumps(b.run(), indent=1))"

The bare and the wrapped loader are timed in turns, epoch by epoch, in one process; ratios are
medians of the turns. Clips are JPEG frames on disk, as data sets are released.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from torch.utils.data import DataLoader

from famaug.bench.store import moving_portrait
from famaug.data.clips import ClipFolder
from famaug.data.synth import MicroExpressionSynth
from famaug.errors import InputError
from famaug.store import CacheWriter
from famaug.types import Plan, Provenance

CLIPS = 24
FRAMES = 16
SIZE = 224
BATCH = 4


def run(*, rounds: int = 7, workers: int = 0, clips: int = CLIPS) -> dict[str, dict[str, float]]:
    """Measures the data room.

    Args:
        rounds: how often each loader is run through; the first one warms up.
        workers: of the DataLoader; 0 loads in this process and is the least noisy.
        clips: real clips, and as many in the cache; at least four.

    Returns:
        ratios: ratio0_vs_bare (clips a second at ratio 0 over those of the bare data set),
            cached_half_vs_bare (the same at ratio 0.5 from the cache).
        figures: clips a second, latency of the first sample, seconds to open 255 references, and
            memory of the wrapper (MiB).

    Raises:
        InputError: fewer than two rounds or four clips.
    """
    if rounds < 2 or clips < 4:
        raise InputError(
            f"rounds must be at least 2, the first warms up, and clips 4; got {rounds} and {clips}"
        )
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        _write(root, clips)
        data = ClipFolder(root / "clips", dataset="bench")
        before = _resident()
        half = MicroExpressionSynth(
            data, ratio=0.5, held_out=(), cache=root / "cache", items="clip"
        )
        first = _first_sample(half)
        ways = {"bare": data, "ratio0": MicroExpressionSynth(data, ratio=0), "half": half}
        speeds: dict[str, list[float]] = {name: [] for name in ways}
        for i in range(rounds):
            for way, dataset in ways.items():
                speed = _clips_per_second(dataset, workers)
                if i:
                    speeds[way].append(speed)
        memory = (_resident() - before) / 2**20
        opening = _opening(root)
    turns = range(rounds - 1)
    return {
        "ratios": {
            f"{key}_vs_bare": statistics.median(speeds[way][i] / speeds["bare"][i] for i in turns)
            for key, way in (("ratio0", "ratio0"), ("cached_half", "half"))
        },
        "figures": {
            **{f"{way}_clips_per_s": statistics.median(s) for way, s in speeds.items()},
            "first_synthetic_sample_ms": first,
            "open_255_refs_s": opening,
            "memory_mib": memory,
        },
    }


def _write(root: Path, clips: int) -> None:
    """Real clips as folders of JPEG frames of four people, synthetic ones in a cache."""
    import cv2

    with CacheWriter(root / "cache") as writer:
        for i in range(clips):
            clip = moving_portrait(i, t=FRAMES, size=SIZE)
            folder = root / "clips" / f"s{i % 4}" / f"c{i}"
            folder.mkdir(parents=True)
            for k, frame in enumerate(clip):
                cv2.imwrite(str(folder / f"img{k}.jpg"), frame[..., ::-1])
            side = {"dataset": "bench", "subject": f"s{i % 4}", "name": "", "digest": f"{i}"}
            plan = Plan(side, side, [[[0.0] * 17] * 2] * FRAMES, "bench/1", "", SIZE, 200.0)
            subject = f"bench/s{i % 4}"
            writer.put(plan.key, clip, Provenance(plan, subject, subject, "happiness", "driver"))


def _keep(items: list[Any]) -> int:
    """collate_fn: the bench times the data set, not the joining of batches."""
    return len(items)


def _clips_per_second(dataset: Any, workers: int) -> float:
    loader: DataLoader[Any] = DataLoader(
        dataset, batch_size=BATCH, num_workers=workers, collate_fn=_keep
    )
    began = time.perf_counter()
    count: int = sum(loader)
    return count / (time.perf_counter() - began)


def _first_sample(train: MicroExpressionSynth) -> float:
    began = time.perf_counter()
    train[len(train) - 1]
    return 1e3 * (time.perf_counter() - began)


def _opening(root: Path) -> float:
    """Seconds to open CASME II's replica of 255 clips, references only."""
    from famaug.data.readers.casme2 import Casme2
    from famaug.testing.replica import make_replica

    replica = make_replica("casme2", root / "casme2", longest=6)
    took = []
    for _ in range(3):
        began = time.perf_counter()
        Casme2(replica)
        took.append(time.perf_counter() - began)
    return min(took)


def _resident() -> int:
    """Bytes of resident memory (Linux)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096
