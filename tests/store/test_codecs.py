from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from famaug.errors import CacheCorruptError, InputError
from famaug.store.codecs import CODECS, Layout, cache_key, decode_into, encode
from tests.store.store_builders import moving_clip, noise_clip, plan_of


def decoded(layout: Layout, payload: bytes, indices: list[int] | None = None) -> np.ndarray:
    t = layout.shape[0] if indices is None else len(indices)
    out = np.full((t, *layout.shape[1:], 3), 99, np.uint8)
    decode_into(layout, payload, out, indices)
    return out


CLIPS = {
    "moving": moving_clip(),
    "noise": noise_clip(),
    "still": np.repeat(moving_clip(t=1), 5, axis=0),
    "one frame": moving_clip(t=1),
    "one pixel": noise_clip(t=3, h=1, w=1),
    "extremes": np.stack([np.full((9, 9, 3), v, np.uint8) for v in (0, 255, 0, 128, 255)]),
    "sensor noise": (moving_clip(h=90, w=90) + noise_clip(t=8, h=90, w=90) % np.uint8(4)).astype(
        np.uint8
    ),
}


@pytest.mark.parametrize("codec", ["delta", "raw"])
@pytest.mark.parametrize("name", CLIPS)
def test_lossless(codec: str, name: str) -> None:
    frames = CLIPS[name]
    layout, payload = encode(frames, codec=codec)
    assert np.array_equal(decoded(layout, payload), frames)
    picked = [len(frames) - 1, 0, len(frames) // 2, 0]
    assert np.array_equal(decoded(layout, payload, picked), frames[picked])


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_clip_any_choice_of_frames(data: st.DataObject) -> None:
    t, h, w = (data.draw(st.integers(1, n)) for n in (7, 6, 6))
    flat = data.draw(st.binary(min_size=t * h * w * 3, max_size=t * h * w * 3))
    frames = np.frombuffer(flat, np.uint8).reshape(t, h, w, 3).copy()
    if data.draw(st.booleans()):
        frames[:, : h // 2] = frames[0, : h // 2]
    picked = data.draw(st.lists(st.integers(0, t - 1), max_size=9))
    layout, payload = encode(frames, codec="delta")
    assert np.array_equal(decoded(layout, payload), frames)
    assert np.array_equal(decoded(layout, payload, picked), frames[picked])
    assert Layout.from_json(layout.to_json()) == layout


def test_still_background_costs_nothing() -> None:
    frames = np.repeat(noise_clip(t=1, h=100, w=100), 16, axis=0)
    frames[3:, 40:50, 40:50] += 7
    _, payload = encode(frames, codec="delta")
    assert len(payload) < 100 * 100 * 3 + 16 * 100


def test_apex_needs_two_chunks() -> None:
    frames = moving_clip(t=16)
    layout, payload = encode(frames, codec="delta")
    assert layout.apex == np.abs(frames.astype(int) - frames[0]).sum((1, 2, 3)).argmax()
    assert 2 < layout.apex < 14
    # break every chunk but the two that onset and apex need
    start, end = np.cumsum([0, *layout.lengths])[[layout.apex, layout.apex + 1]]
    damaged = bytearray(len(payload))
    damaged[: layout.lengths[0]] = payload[: layout.lengths[0]]
    damaged[start:end] = payload[start:end]
    got = decoded(layout, bytes(damaged), [0, layout.apex])
    assert np.array_equal(got, frames[[0, layout.apex]])


def test_sensor_noise_goes_to_the_entropy_coder() -> None:
    frames = CLIPS["sensor noise"]
    layout, payload = encode(frames, codec="delta")
    assert "z" in layout.packing
    assert len(payload) < 0.6 * frames.nbytes


def test_jpeg_is_near_and_in_rgb() -> None:
    frames = moving_clip(h=64, w=64)
    layout, payload = encode(frames, codec="jpeg", quality=95)
    assert np.abs(decoded(layout, payload).astype(int) - frames).mean() < 2.5
    assert layout.quality == 95


def test_writes_through_strides() -> None:
    frames = moving_clip()
    layout, payload = encode(frames, codec="delta")
    out = np.zeros((3, *frames.shape[1:3], len(frames)), np.uint8)
    decode_into(layout, payload, out.transpose(3, 1, 2, 0))
    assert np.array_equal(out.transpose(3, 1, 2, 0), frames)


@pytest.mark.parametrize("codec", CODECS)
def test_a_forged_chunk_is_an_error(codec: str) -> None:
    layout, payload = encode(moving_clip(), codec=codec, quality=90 if codec == "jpeg" else None)
    with pytest.raises(CacheCorruptError, match="layout says"):
        decoded(layout, payload[:-1])
    lengths = (layout.lengths[0] + 1, layout.lengths[1] - 1, *layout.lengths[2:])
    forged = Layout.from_json(layout.to_json() | {"lengths": lengths})
    if codec != "jpeg":  # a JPEG may end in a byte too many
        with pytest.raises(CacheCorruptError):
            decoded(forged, payload)
    for packing in ("l", "z"):
        forged = Layout.from_json(layout.to_json() | {"packing": packing * 8, "codec": "delta"})
        with pytest.raises(CacheCorruptError):
            decoded(forged, bytes(len(payload)))


@pytest.mark.parametrize(
    "change",
    [
        {"shape": [1 << 20, 1 << 20, 4]},
        {"shape": [0, 4, 4]},
        {"shape": [8, 40]},
        {"rows": [0, 41]},
        {"rows": [5, 2]},
        {"apex": 8},
        {"apex": -1},
        {"lengths": [1]},
        {"lengths": [-1] * 8},
        {"packing": "xxxxxxxx"},
        {"codec": "pickle"},
        {"shape": "none"},
        {"surprise": 1},
    ],
)
def test_a_forged_layout_is_an_error(change: dict[str, object]) -> None:
    layout, _ = encode(moving_clip(), codec="delta")
    with pytest.raises(CacheCorruptError):
        Layout.from_json(layout.to_json() | change)


def test_a_lossy_codec_has_its_own_key() -> None:
    plan = plan_of(1)
    assert cache_key(plan) == cache_key(plan, codec="raw") == plan.key
    lossy = {cache_key(plan, codec="jpeg", quality=q) for q in (80, 95)}
    assert len(lossy | {plan.key}) == 3


@pytest.mark.parametrize(
    ("codec", "quality"), [("png", None), ("jpeg", None), ("jpeg", 0), ("delta", 90)]
)
def test_wrong_codec(codec: str, quality: int | None) -> None:
    with pytest.raises(InputError):
        cache_key(plan_of(1), codec=codec, quality=quality)  # type: ignore[arg-type]
