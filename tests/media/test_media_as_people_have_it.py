"""Orientation flags, rates and pixel formats of pictures and videos: upright, and as bright."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from famaug.errors import MediaError, UnevenFramesWarning
from famaug.media.clips import read_frames, read_picture


def upright(height: int = 40, width: int = 56) -> np.ndarray:
    """A corner each of red, green, blue and white: no turn or mirroring leaves it as it is."""
    picture = np.full((height, width, 3), 90, np.uint8)
    h, w = height // 2, width // 2
    picture[:h, :w], picture[:h, w:] = (230, 20, 20), (20, 210, 20)
    picture[h:, :w], picture[h:, w:] = (20, 20, 230), (250, 250, 250)
    return picture


STORED = {
    1: lambda p: p,
    2: lambda p: p[:, ::-1],
    3: lambda p: p[::-1, ::-1],
    4: lambda p: p[::-1],
    5: lambda p: p.swapaxes(0, 1),
    6: lambda p: p.swapaxes(0, 1)[::-1],
    7: lambda p: p[::-1, ::-1].swapaxes(0, 1),
    8: lambda p: p.swapaxes(0, 1)[:, ::-1],
}
"""How a camera stores the upright picture, by EXIF's number: row and column 0 as EXIF says."""


@pytest.mark.parametrize("turn", STORED)
@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "webp"])
def test_every_exif_orientation(tmp_path: Path, turn: int, suffix: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = turn
    path = tmp_path / f"a.{suffix}"
    stored = Image.fromarray(np.ascontiguousarray(STORED[turn](upright())))
    stored.save(path, exif=exif, **({"quality": 95} if suffix in ("jpg", "webp") else {}))
    read = read_picture(path)
    assert read.shape == upright().shape
    assert np.abs(read.astype(int) - upright()).mean() < 6


def matrix(a: int, b: int, c: int, d: int) -> bytes:
    return struct.pack(">9i", a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30)


def video(path: Path, frames: list[np.ndarray], **options: Any) -> Path:
    import av

    times = options.get("times")
    with av.open(str(path), "w") as container:
        stream = container.add_stream(options.get("codec", "libx264"), rate=options.get("rate", 25))
        stream.width, stream.height = frames[0].shape[1], frames[0].shape[0]
        stream.pix_fmt = options.get("pix_fmt", "yuv420p")
        if stream.codec_context.name == "libx264":
            stream.options = {"crf": "8"}
        stream.metadata.update(options.get("metadata", {}))
        if times:
            stream.time_base = stream.codec_context.time_base = Fraction(1, 1000)
        for i, picture in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            if times:
                frame.pts, frame.time_base = times[i], Fraction(1, 1000)
            for packet in stream.encode(frame):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return path


def with_matrix(path: Path, turn: bytes) -> Path:
    """The track's matrix, as a phone writes it into the header."""
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 4 + 20 + 16
    data[at : at + 36] = turn
    path.write_bytes(data)
    return path


TURNS = {
    (1, 0, 0, 1): lambda p: p,
    (0, 1, -1, 0): STORED[6],
    (-1, 0, 0, -1): STORED[3],
    (0, -1, 1, 0): STORED[8],
    (-1, 0, 0, 1): STORED[2],
    (1, 0, 0, -1): STORED[4],
    (0, 1, 1, 0): STORED[5],
    (0, -1, -1, 0): STORED[7],
}


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("suffix", ["mp4", "mov"])
def test_every_turn_of_a_phones_video(
    tmp_path: Path, turn: tuple[int, int, int, int], suffix: str
) -> None:
    stored = [TURNS[turn](upright())] * 5
    path = with_matrix(video(tmp_path / f"a.{suffix}", stored), matrix(*turn))
    frames, fps = read_frames(path, start=1)
    assert frames.shape == (4, *upright().shape)
    assert np.abs(frames.astype(int) - upright()).mean() < 12
    assert fps == 25


@pytest.mark.parametrize(
    ("angle", "turn"), [("90", 6), ("180", 3), ("270", 8), ("-90", 8), ("", 1)]
)
def test_a_tag_that_says_how_to_turn(tmp_path: Path, angle: str, turn: int) -> None:
    stored = [STORED[turn](upright())] * 3
    path = video(tmp_path / "a.mkv", stored, metadata={"rotate": angle} if angle else {})
    frames, _ = read_frames(path)
    assert np.abs(frames.astype(int) - upright()).mean() < 12


def test_a_turn_by_no_quarter_is_refused(tmp_path: Path) -> None:
    path = video(tmp_path / "a.mp4", [upright()] * 3)
    half = struct.pack(">9i", 46341, 46341, 0, -46341, 46341, 0, 0, 0, 1 << 30)
    with pytest.raises(MediaError, match="no quarter turns"):
        read_frames(with_matrix(path, half))


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "webm"])
def test_frames_at_uneven_times(tmp_path: Path, suffix: str) -> None:
    """Frame for frame, with the rate that they had on the whole."""
    codec = "libvpx" if suffix == "webm" else "libx264"
    shades = [np.full((32, 32, 3), 20 * i, np.uint8) for i in range(11)]
    times = [0, 33, 66, 100, 133, 300, 466, 500, 533, 566, 600]
    path = video(tmp_path / f"a.{suffix}", shades, times=times, codec=codec, rate=30)
    with pytest.warns(UnevenFramesWarning, match="mean rate of 16.67 a second"):
        frames, fps = read_frames(path)
    assert fps == pytest.approx(1000 * 10 / 600, rel=0.01)
    assert np.abs(frames.mean((1, 2, 3)) - 20 * np.arange(11)).max() < 6


@pytest.mark.parametrize("rate", [Fraction(30000, 1001), Fraction(200), Fraction(24)])
@pytest.mark.parametrize("suffix", ["mp4", "mkv", "avi"])
def test_even_frames_keep_the_containers_rate(tmp_path: Path, rate: Fraction, suffix: str) -> None:
    codec = "ffv1" if suffix == "avi" else "libx264"
    pix = "yuv444p" if suffix == "avi" else "yuv420p"
    path = video(tmp_path / f"a.{suffix}", [upright()] * 30, rate=rate, codec=codec, pix_fmt=pix)
    _, fps = read_frames(path)
    assert fps == pytest.approx(float(rate), rel=1e-3)


def ramp() -> np.ndarray:
    return np.linspace(0, 255, 64).round().reshape(8, 8)


@pytest.mark.parametrize(
    ("pixels", "mode"),
    [
        (ramp() / 255, "F"), (ramp(), "F"), (ramp() * 257, "F"),
        (ramp(), "I"), (ramp() * 257, "I"), (ramp() * 257, "I;16"),
    ],
)  # fmt: skip
def test_numbers_of_any_depth_are_as_bright(tmp_path: Path, pixels: np.ndarray, mode: str) -> None:
    kind = {"F": np.float32, "I": np.int32, "I;16": np.uint16}[mode]
    Image.fromarray(pixels.astype(kind)).save(tmp_path / "a.tif")
    read = read_picture(tmp_path / "a.tif")
    assert np.abs(read - ramp()[..., None]).max() <= 1
    if mode == "I;16":
        Image.fromarray(pixels.astype(kind)).save(tmp_path / "a.png")
        assert np.abs(read_picture(tmp_path / "a.png") - ramp()[..., None]).max() <= 1


@pytest.mark.parametrize("bad", [np.nan, np.inf, -4.0])
def test_pixels_that_are_no_brightness_are_refused(tmp_path: Path, bad: float) -> None:
    pixels = ramp().astype(np.float32)
    pixels[3, 3] = bad
    Image.fromarray(pixels).save(tmp_path / "a.tif")
    with pytest.raises(MediaError, match="pixels"):
        read_picture(tmp_path / "a.tif")


def test_colours_as_floats_are_refused_in_words(tmp_path: Path) -> None:
    import cv2

    cv2.imwrite(str(tmp_path / "a.tif"), np.full((8, 8, 3), 0.5, np.float32))
    with pytest.raises(MediaError, match=r"a\.tif: a TIFF .*save it as PNG, or as TIFF of 8 or 16"):
        read_picture(tmp_path / "a.tif")


@pytest.mark.parametrize("mode", ["L", "1", "P", "CMYK", "LA", "RGBA", "YCbCr"])
def test_modes_of_pictures_become_rgb(tmp_path: Path, mode: str) -> None:
    grey = mode in ("L", "1", "LA")
    source = np.zeros((20, 30, 3), np.uint8)
    source[5:15, 5:20] = 255 if grey else (255, 0, 0)
    suffix = "jpg" if mode in ("CMYK", "YCbCr") else "png"
    best = {"quality": 98, "subsampling": 0} if suffix == "jpg" else {}
    Image.fromarray(source).convert(mode).save(tmp_path / f"a.{suffix}", **best)
    read = read_picture(tmp_path / f"a.{suffix}")
    assert read.shape == source.shape
    assert np.abs(read.astype(int) - source).mean() < 8


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "RGB"])
def test_what_is_transparent_lies_on_black(tmp_path: Path, mode: str) -> None:
    """Whatever colour stands under it: an editor leaves white, or what was there before."""
    rgba = np.full((12, 12, 4), 255, np.uint8)
    rgba[4:8, 4:8] = (80, 80, 80, 255)
    rgba[:4, :, 3] = 0
    path = tmp_path / "a.png"
    if mode in ("P", "RGB"):
        colours = rgba[..., :3].copy()
        colours[:4] = (9, 200, 9)
        image = Image.fromarray(colours)
        image = image.quantize(8) if mode == "P" else image
        key = image.getpixel((0, 0))
        image.save(path, transparency=key)
    else:
        Image.fromarray(rgba).convert(mode).save(path)
    read = read_picture(path)
    assert not read[:4].any()
    assert (read[4:8, 4:8] == 80).all()
    assert (read[8:] == 255).all()


def test_half_transparent_is_half_as_bright(tmp_path: Path) -> None:
    rgba = np.full((6, 6, 4), (200, 100, 50, 128), np.uint8)
    for suffix in ("png", "webp"):
        Image.fromarray(rgba).save(tmp_path / f"a.{suffix}", lossless=True)
        assert np.abs(read_picture(tmp_path / f"a.{suffix}")[2, 2] - [100, 50, 25]).max() <= 1
