"""Cached clips as a recogniser sees them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from famaug.data import MicroExpressionSynth
from famaug.data.cached import read_entries
from famaug.data.guard import Guard
from famaug.recognition import as_input
from famaug.recognition.inputs import InputSpec, make_input
from famaug.recognition.pool import CachedClips, synthetic_pool
from famaug.store import CacheWriter, ClipCache
from famaug.testing import make_clip
from famaug.types import AU_INDEX, Frames, Plan, Provenance, key_frames


def _clip_with_a_blink() -> tuple[Frames, Plan]:
    """The expression peaks at frame 4; what moves most of all pixels is a blink at frame 8."""
    frames = make_clip(1, frames=10, size=(48, 40), shift=(0.2, 0)).frames.copy()
    frames[8, 10:20] = 255 - frames[8, 10:20]
    track = np.zeros((10, 2, 17))
    track[:, :, AU_INDEX[12]] = (1.5 * np.sin(np.pi * np.arange(10) / 8).clip(0))[:, None]
    track[8, :, AU_INDEX[45]] = 5
    side = {"name": "n", "dataset": "d", "subject": "1", "digest": "0"}
    return frames, Plan(side, side, track.tolist(), "test/1", "", None, 100.0)


def test_the_apex_is_the_plans_not_a_blink(tmp_path: Path) -> None:
    frames, plan = _clip_with_a_blink()
    story = Provenance(plan, "d/1", "d/2", "positive", "driver")
    with CacheWriter(tmp_path / "c") as writer:
        writer.put(plan.key, frames, story)
    cache = ClipCache(tmp_path / "c")
    clips = CachedClips(cache, read_entries(cache, None), Guard(()))
    assert key_frames(clips[0]) == (0, 4, 9)

    spec = InputSpec(kind="pair", size=28)
    pool = synthetic_pool(cache, spec, classes=["positive"])
    train = MicroExpressionSynth(
        [(make_clip(2, frames=5, size=(48, 40)), "positive")],
        ratio=1,
        cache=cache,
        held_out=(),
        as_item=as_input(spec),
    )
    seen, label = train[1]
    assert label == "positive"
    assert torch.equal(seen, torch.from_numpy(pool.inputs[0]).float() / 255)
    assert np.array_equal(pool.inputs[0], make_input(clips[0], spec))


def test_as_input_scales_as_the_network_is_told() -> None:
    clip = make_clip(3, frames=6, size=(40, 40), shift=(1, 0))
    item = {"frames": torch.from_numpy(clip.frames), "onset": 0, "apex": -1, "offset": 5,
            "clip": "c", "label": 2}  # fmt: skip
    seen, label = as_input(InputSpec(kind="flow", size=28, flow="dis", low=-1.0))(item)
    assert label == 2
    assert seen.shape == (3, 28, 28)
    assert (float(seen.min()), float(seen.max())) == pytest.approx((-1, 1))
