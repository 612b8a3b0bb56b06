"""How fast the clip cache reads and writes, beside PNG files and beside plain memory.

    famaug bench store

Reading is timed warm, in rounds of PNG, memcpy, cache, onset and apex, each over more clips than a
processor's cache holds, into the buffer of a batch; figures are medians over all rounds.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from famaug.errors import InputError
from famaug.seeding import keyed_generator
from famaug.store import CacheWriter, ClipCache
from famaug.types import Floats, Frames

BATCH = 16


def run() -> dict[str, dict[str, float]]:
    """What `famaug bench store` measures."""
    return bench_store()


def bench_store(
    *,
    clips: Sequence[Frames] | None = None,
    rounds: int = 5,
    reads: int = 20_000,
    folder: Path | None = None,
) -> dict[str, dict[str, float]]:
    """Measures the store.

    Args:
        clips: uint8 `T H W 3`, all of one shape, at least three; by default 32 portraits of
            16 x 224 x 224 that move a little over a still background.
        rounds: how often each clip is read.
        reads: how many reads memory is watched over.
        folder: where to work; a temporary folder by default.

    Returns:
        ratios: cached_vs_png (times faster than cv2.imread of the same frames), bytes_vs_png
            (share of the bytes of those PNGs), cached_vs_memcpy (times the duration of copying
            the raw frames), onset_apex_vs_share (times 2/T of reading the whole clip).
        figures: milliseconds, kilobytes, clips a second, and memory growth in MiB.

    Raises:
        InputError: too few clips, or scikit-image is missing and no clips were given.
    """
    pictures = [moving_portrait(i) for i in range(32)] if clips is None else list(clips)
    if len(pictures) < 3 or len({c.shape for c in pictures}) > 1:
        raise InputError(f"the bench needs three clips or more, of one shape; got {len(pictures)}")
    with tempfile.TemporaryDirectory(dir=folder) as name:
        root = Path(name)
        figures = _writing(root, pictures)
        cache = ClipCache(root / "delta")
        figures |= _reading(root, cache, pictures, rounds)
        figures |= _loading(cache, figures["cached_ms"])
        figures["memory_growth_mib"] = _memory(root, reads)
        figures["moving_share"] = float(np.mean([(c != c[0]).any(-1).mean() for c in pictures]))
    share = figures["cached_ms"] * 2 / len(pictures[0])
    ratios = {
        "cached_vs_png": figures["png_ms"] / figures["cached_ms"],
        "bytes_vs_png": figures["delta_kb"] / figures["png_kb"],
        "cached_vs_memcpy": figures["cached_ms"] / figures["memcpy_ms"],
        "onset_apex_vs_share": figures["onset_apex_ms"] / share,
    }
    return {"ratios": ratios, "figures": figures}


def moving_portrait(number: int, *, t: int = 16, size: int = 224) -> Frames:
    """A photographed face that is warped smoothly by about a pixel from onset to offset, its
    surroundings bit-identical in every frame. Other numbers move otherwise.
    """
    from skimage import data

    rng = keyed_generator(number, "bench.store")
    left, top = rng.integers(90, 110), rng.integers(0, 12)
    read: Callable[[], Frames] = data.astronaut
    picture = read()
    face = np.ascontiguousarray(picture[top : top + 240, left : left + 240])
    face = cv2.resize(face, (size, size), interpolation=cv2.INTER_AREA)
    y, x = np.mgrid[0:size, 0:size].astype(np.float32)
    ring = np.clip(1 - ((y / size - 0.5) / 0.42) ** 2 - ((x / size - 0.5) / 0.34) ** 2, 0, 1)
    ring = ring * ring * (3 - 2 * ring)
    waves, strength = rng.uniform(18, 30, 2), rng.uniform(1.0, 1.6)
    frames = []
    for i in range(t):
        envelope = strength * np.sin(np.pi * (i / max(t - 1, 1)) ** 1.3)
        frames.append(_moved(face, ring * envelope, x, y, waves))
    return np.stack(frames)


def _moved(face: Frames, by: Floats, x: Floats, y: Floats, waves: Any) -> Frames:
    moved = cv2.remap(
        face,
        (x + by * np.sin(y / waves[0])).astype(np.float32),
        (y + by * np.cos(x / waves[1])).astype(np.float32),
        cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REFLECT,
    )
    moved[by == 0] = face[by == 0]
    return np.asarray(moved, np.uint8)


def _key(number: int) -> str:
    return f"{number:064x}"


def _writing(root: Path, clips: Sequence[Frames]) -> dict[str, float]:
    figures: dict[str, float] = {}
    codecs: list[tuple[Any, int | None]] = [("delta", None), ("raw", None), ("jpeg", 95)]
    for codec, quality in codecs:
        began = time.perf_counter()
        with CacheWriter(root / codec, codec=codec, quality=quality) as writer:
            for i, clip in enumerate(clips):
                writer.put(_key(i), clip, None)
        took = time.perf_counter() - began
        figures[f"write_{codec}_clips_per_s"] = len(clips) / took
        figures[f"write_{codec}_mb_per_s"] = sum(c.nbytes for c in clips) / took / 1e6
        cache = ClipCache(root / codec)
        sizes = []
        for i in range(len(clips)):
            with cache.record(_key(i)) as (_, record):
                sizes.append(record.layout.payload_bytes)
        figures[f"{codec}_kb"] = float(np.mean(sizes)) / 1e3
    return figures


def _reading(
    root: Path, cache: ClipCache, clips: Sequence[Frames], rounds: int
) -> dict[str, float]:
    files = [_save_png(root / "png" / str(i), clip) for i, clip in enumerate(clips)]
    batch = np.zeros((BATCH, *clips[0].shape), np.uint8)
    apexes = []
    for i in range(len(clips)):
        with cache.record(_key(i)) as (_, record):
            apexes.append(record.layout.apex)

    def png(i: int, out: Frames) -> None:
        for place, path in enumerate(files[i]):
            out[place] = cv2.imread(path)

    ways: dict[str, Callable[[int, Frames], Any]] = {
        "png_ms": png,
        "memcpy_ms": lambda i, out: np.copyto(out, clips[i]),
        "cached_ms": lambda i, out: cache.read_into(_key(i), out),
        "onset_apex_ms": lambda i, out: cache.read_into(_key(i), out[:2], [0, apexes[i]]),
    }
    times: dict[str, list[float]] = {name: [] for name in ways}
    for r in range(rounds + 1):
        for name, way in ways.items():
            for i in range(len(clips)):
                began = time.perf_counter()
                way(i, batch[i % BATCH])
                if r:  # the first round only warms up
                    times[name].append(time.perf_counter() - began)
    figures = {name: float(np.median(found)) * 1e3 for name, found in times.items()}
    figures["png_kb"] = sum(Path(p).stat().st_size for f in files for p in f) / len(clips) / 1e3
    figures["raw_kb"] = clips[0].nbytes / 1e3
    return figures


def _save_png(folder: Path, clip: Frames) -> list[str]:
    folder.mkdir(parents=True)
    paths = [str(folder / f"{i:05d}.png") for i in range(len(clip))]
    for path, frame in zip(paths, clip, strict=True):
        cv2.imwrite(path, frame[..., ::-1])
    return paths


class _CacheItems(Dataset[torch.Tensor]):
    """The clips of a cache, several times over."""

    def __init__(self, cache: ClipCache, times: int) -> None:
        self.cache, self.keys = cache, cache.keys() * times

    def __len__(self) -> int:
        return len(self.keys)

    def __getitem__(self, index: int) -> torch.Tensor:
        return torch.from_numpy(self.cache.read(self.keys[index]).frames)


def _loading(cache: ClipCache, cached_ms: float) -> dict[str, float]:
    items = _CacheItems(cache, 8)
    loader = DataLoader(items, batch_size=BATCH, num_workers=2, persistent_workers=True)
    for _ in loader:  # workers start, files get warm
        pass
    began = time.perf_counter()
    count = sum(len(batch) for batch in loader)
    took = time.perf_counter() - began
    return {
        "loader_clips_per_s": count / took,
        "loader_decoding_share": count * cached_ms / 1e3 / (2 * took),
    }


def _memory(root: Path, reads: int) -> float:
    """Growth of the resident memory over many reads of small clips, in MiB."""
    with CacheWriter(root / "small") as writer:
        for i in range(8):
            writer.put(_key(i), moving_noise(i), None)
    cache, first = ClipCache(root / "small"), 0
    for i in range(reads):
        cache.read(_key(i % 8))
        if i == reads // 10:
            first = _resident()
    grown = (_resident() - first) / 2**20
    shutil.rmtree(root / "small")
    return grown


def moving_noise(number: int) -> Frames:
    """A small clip, uint8 `8 48 48 3`, in which a part changes at random."""
    rng = keyed_generator(number, "bench.noise")
    frames = np.repeat(rng.integers(0, 256, (1, 48, 48, 3), dtype=np.uint8), 8, axis=0)
    frames[1:, 12:36, 12:36] += rng.integers(0, 5, (7, 24, 24, 3), dtype=np.uint8)
    return frames


def _resident() -> int:
    """Bytes of resident memory (Linux)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096
