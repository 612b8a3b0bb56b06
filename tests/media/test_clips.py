"""Reading pictures, folders and videos, and refusing what is not what it claims to be."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from famaug.errors import InputError, MediaError
from famaug.media.clips import (
    check_target,
    frame_paths,
    load_clip,
    read_frames,
    read_picture,
    write_clip,
)
from famaug.types import ClipRef, Plan

PLAN = Plan({}, {}, [], "warp/1", "", 64, 50.0)


def _noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def _huge_png(side: int) -> bytes:
    """A valid header and a few bytes that claim side x side pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "P", "I;16"])
def test_every_kind_of_picture_becomes_rgb(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "p.png"
    if mode == "I;16":
        Image.fromarray(_noise(8, 9).astype(np.uint16) * 257).save(path)
    else:
        Image.fromarray(_noise(8, 9, 3)).convert(mode).save(path)
    picture = read_picture(path)
    assert picture.shape == (8, 9, 3)
    assert picture.dtype == np.uint8
    if mode == "I;16":
        assert (picture[..., 0] == _noise(8, 9)).all()


@pytest.mark.parametrize("side", [9_000, 60_000])
def test_pixel_bombs_are_refused_before_they_are_decoded(tmp_path: Path, side: int) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(_huge_png(side))
    with pytest.raises(MediaError, match="pixel"):
        read_picture(path)


def test_truncated_and_foreign_pictures(tmp_path: Path) -> None:
    whole = tmp_path / "whole.png"
    Image.fromarray(_noise(50, 50, 3)).save(whole)
    cut = tmp_path / "cut.png"
    cut.write_bytes(whole.read_bytes()[:900])
    text = tmp_path / "text.jpg"
    text.write_text("no picture")
    for path in (cut, text, tmp_path / "missing.png"):
        with pytest.raises(MediaError, match=path.name):
            read_picture(path)


def test_frames_come_in_natural_order(tmp_path: Path) -> None:
    for n in (1, 2, 10, 9):
        Image.fromarray(np.full((4, 4, 3), n, np.uint8)).save(tmp_path / f"img{n}.png")
    (tmp_path / "notes.txt").write_text("not a frame")
    assert [p.name for p in frame_paths(tmp_path)] == [
        "img1.png", "img2.png", "img9.png", "img10.png",
    ]  # fmt: skip
    frames, fps = read_frames(tmp_path)
    assert frames[:, 0, 0, 0].tolist() == [1, 2, 9, 10]
    assert fps is None


def test_folders_without_frames_or_of_mixed_sizes(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="no pictures"):
        read_frames(tmp_path)
    Image.fromarray(_noise(4, 4, 3)).save(tmp_path / "a.png")
    Image.fromarray(_noise(4, 5, 3)).save(tmp_path / "b.png")
    with pytest.raises(MediaError, match="different sizes"):
        read_frames(tmp_path)


def test_a_video_there_and_back(tmp_path: Path) -> None:
    y, x = np.mgrid[:64, :80]
    still = np.stack([x * 3, y * 3, x + y], -1).astype(np.uint8)
    frames = np.stack([np.roll(still, i, 1) for i in range(12)])
    write_clip(tmp_path / "clip.mp4", frames, fps=50, plan=PLAN)
    again, fps = read_frames(tmp_path / "clip.mp4")
    assert fps == pytest.approx(50)
    assert again.shape == frames.shape
    assert np.abs(again.astype(int) - frames).mean() < 4
    part, _ = read_frames(tmp_path / "clip.mp4", start=3, stop=5)
    assert (part == again[3:5]).all()


def test_frames_as_png_are_lossless_and_whole(tmp_path: Path) -> None:
    frames = _noise(3, 16, 16, 3)
    out = tmp_path / "clip"
    write_clip(out, frames, fps=50, plan=PLAN)
    assert (read_frames(out)[0] == frames).all()
    assert (out / "plan.json").exists()
    ref = ClipRef("d", "s", "c", frames=tuple(str(p) for p in frame_paths(out)))
    assert (load_clip(ref).frames == frames).all()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["clip"]  # nothing half-written
    with pytest.raises(InputError, match="there already"):
        check_target(out)
    with pytest.raises(InputError, match="mp4"):
        check_target(tmp_path / "clip.gif")


def test_a_file_that_is_no_video(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"\0" * 5000)
    with pytest.raises(MediaError, match="not a video"):
        read_frames(path)
