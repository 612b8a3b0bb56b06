"""Inputs of every kind, and their cache."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from famaug.errors import InputError
from famaug.recognition.feature_cache import (
    _file_of,
    dataset_inputs,
    input_key,
)
from famaug.recognition.inputs import Bytes, InputSpec, make_input, make_inputs, needed
from famaug.testing import make_clip
from famaug.types import Clip, key_frames

FLOW = InputSpec(kind="flow", size=12, flow="farneback")


class MadeClips:
    """Pairs (Clip, label); picklable."""

    def __init__(self, count: int) -> None:
        self.count = count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> tuple[Clip, int]:
        return clip_of(index), index % 3


def clip_of(seed: int, **changes: object) -> Clip:
    clip = make_clip(seed, frames=6, size=(32, 40), shift=(0.5, 0.2))
    return Clip(replace(clip.ref, **changes), clip.frames)  # type: ignore[arg-type]


def cached_input(clip: Clip, spec: InputSpec, folder: Path) -> Bytes:
    return dataset_inputs([(clip, 0)], spec, folder=folder)[0]


def test_shapes_and_content() -> None:
    clip = clip_of(1, onset=1, apex=3, offset=4)
    assert key_frames(clip) == (1, 3, 4)
    for spec in (
        FLOW,
        InputSpec(kind="pair", size=32),
        InputSpec(kind="dynamic", size=20),
        InputSpec(kind="clip", size=16, frames=7),
    ):
        made = make_input(clip, spec)
        assert made.shape == spec.shape
        assert made.dtype == np.uint8
    frames = InputSpec(kind="clip", size=16, frames=4)
    spread = make_input(clip, frames)
    first = make_input(Clip(clip.ref, clip.frames[[1] * 6]), frames)
    assert np.array_equal(spread[:, 0], first[:, 0])
    assert not np.array_equal(spread[:, 0], spread[:, 3])


def test_inputs_of_many_and_of_the_frames_they_need() -> None:
    clips = [clip_of(seed, onset=1, apex=3, offset=4) for seed in range(3)]
    other = make_clip(9, frames=3, size=(40, 33), shift=(0.4, 0))
    for kind, frames in (("flow", 1), ("pair", 1), ("dynamic", 1), ("clip", 3)):
        spec = InputSpec(kind=kind, size=16, frames=frames)  # type: ignore[arg-type]
        alone = [make_input(clip, spec) for clip in (*clips, other)]
        together = make_inputs([needed(clip, spec) for clip in (*clips, other)], spec)
        assert all(np.array_equal(a, b) for a, b in zip(alone, together, strict=True)), kind
        assert input_key(needed(clips[0], spec), spec) == input_key(clips[0], spec)
    assert needed(clips[0], FLOW).frames.shape[0] == 2
    assert needed(clips[0], InputSpec(kind="clip", size=16, frames=3)) is clips[0]


def test_dynamic_image_by_hand() -> None:
    frames = np.zeros((3, 4, 4, 3), np.uint8)
    frames[2, 0, 0], frames[0, 3, 3], frames[1] = 100, 50, 77
    clip = Clip(replace(clip_of(1).ref), frames)
    made = make_input(clip, InputSpec(kind="dynamic", size=4))
    # weights -2 0 2: +200 at one corner, -100 at the other, 0 between
    assert made[0, 0, 0] == 255
    assert made[0, 3, 3] == 0
    assert made[0, 1, 1] == 85


def test_unknown_apex_is_the_farthest_frame() -> None:
    clip = clip_of(2)
    frames = clip.frames.copy()
    frames[3] = 255 - frames[0]
    assert key_frames(Clip(clip.ref, frames)) == (0, 3, 5)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"onset": 6}, "onset 6 and offset 5"),
        ({"offset": 9}, "offset 9 do not fit its 6 frames"),
        ({"onset": 5}, "onset 5 and offset 5 do not fit"),
        ({"onset": 4, "offset": 2}, "onset 4 and offset 2 do not fit"),
    ],
)
def test_positions_must_fit(changes: dict[str, int], words: str) -> None:
    with pytest.raises(InputError, match=words):
        make_input(clip_of(1, **changes), FLOW)
    with pytest.raises(InputError, match="one frame"):
        key_frames(Clip(clip_of(1).ref, clip_of(1).frames[:1]))


def test_key_is_the_content() -> None:
    clip = clip_of(1, onset=0, apex=3, offset=5)
    key = input_key(clip, FLOW)
    assert key == input_key(clip_of(1, onset=0, apex=3, offset=5, clip="renamed"), FLOW)
    assert key != input_key(clip_of(1, onset=0, apex=4, offset=5), FLOW)
    assert key != input_key(clip, replace(FLOW, flow="dis"))
    assert key != input_key(clip, replace(FLOW, size=14))
    assert key == input_key(clip, replace(FLOW, high=255.0))  # scaled later
    frames = clip.frames.copy()
    frames[3, 0, 0, 0] ^= 1
    assert key != input_key(Clip(clip.ref, frames), FLOW)


def test_cache_is_used_and_heals(tmp_path: Path) -> None:
    clip = clip_of(1)
    made = cached_input(clip, FLOW, tmp_path)
    (file,) = tmp_path.rglob("*.npy")
    file.write_bytes(_file_of(made + 1))
    assert np.array_equal(cached_input(clip, FLOW, tmp_path), made + 1)  # read, not made
    file.write_bytes(file.read_bytes()[:50])
    assert np.array_equal(cached_input(clip, FLOW, tmp_path), made)
    assert np.array_equal(np.load(file), made)
    assert [p.suffix for p in tmp_path.rglob("*") if p.is_file()] == [".npy"]


def test_every_flipped_bit_of_a_kept_input_is_found_out(tmp_path: Path) -> None:
    clip, rng = clip_of(1), np.random.default_rng(0)
    made = cached_input(clip, FLOW, tmp_path)
    (file,) = tmp_path.rglob("*.npy")
    whole = file.read_bytes()
    for place in rng.integers(0, len(whole), 100):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << int(rng.integers(8))
        file.write_bytes(damaged)
        assert np.array_equal(cached_input(clip, FLOW, tmp_path), made)
        assert file.read_bytes() == whole


@pytest.mark.slow
def test_same_in_processes(tmp_path: Path) -> None:
    data = MadeClips(5)
    here = dataset_inputs(data, FLOW)
    there = dataset_inputs(data, FLOW, workers=2, folder=tmp_path)
    assert here.shape == (5, 3, 12, 12)
    assert np.array_equal(here, there)
    assert len(list(tmp_path.rglob("*.npy"))) == 5


def test_flows_made_together_are_kept_one_by_one(tmp_path: Path) -> None:
    """Eleven clips of two sizes, one that shows no motion; some are kept from before."""
    clips = [
        make_clip(seed, frames=3, size=(32, 40) if seed % 3 else (36, 33), shift=(0.5, 0.2))
        for seed in range(11)
    ]
    clips[4] = Clip(clips[4].ref, clips[4].frames[:1])
    items = [(clip, 0) for clip in clips]
    spec = InputSpec(kind="flow", size=12)
    told: list[int] = []
    out: dict[int, str] = {}
    dataset_inputs([items[0], items[9]], spec, folder=tmp_path)
    found = dataset_inputs(
        items,
        spec,
        folder=tmp_path,
        left_out=out,
        progress=lambda _, done, of: told.append(done),
    )
    assert [*out] == [4]
    assert "one frame" in out[4]
    assert told == [*range(1, 12)]
    for i in {*range(11)} - {4}:
        assert np.array_equal(found[i], make_input(clips[i], spec))
    assert len([*tmp_path.rglob("*.npy")]) == 10
    small = make_clip(1, frames=3, size=(12, 12))  # among others that fit
    with pytest.raises(InputError, match=r"item 2 of the dataset: flow needs .* got \(12, 12"):
        dataset_inputs([*items[:2], (small, 0), *items[5:]], spec)


def test_bad_item_is_named() -> None:
    class Bad(MadeClips):
        def __getitem__(self, index: int) -> tuple[Clip, int]:
            clip, label = super().__getitem__(index)
            return (clip if index < 2 else Clip(clip.ref, clip.frames[:1])), label

    with pytest.raises(InputError, match="item 2 of the dataset: clip made/s1/clip2"):
        dataset_inputs(Bad(3), FLOW)
    with pytest.raises(InputError, match="flow, pair, dynamic, clip"):
        InputSpec(kind="rgb", size=8)  # type: ignore[arg-type]
