# ruff: noqa: E501  a table: one line a file
"""Hostile files of every kind that famaug reads, what each costs, and the table of SECURITY.md.

    python tests/attacks/hostile.py

makes the files, reads each in one process, and prints a row a file: bytes, outcome, memory above
the idle process, seconds.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import struct
import sys
import tempfile
import time
import warnings
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MIB = 1 << 20
Make = Callable[[Path], None]
Read = Callable[[Path], object]


@dataclass(frozen=True)
class Hostile:
    """A file: its name, how it is made, who reads it, and whether it is read after all."""

    name: str
    what: str
    make: Make
    read: Read
    refused: bool = True


def _bytes(data: bytes) -> Make:
    return lambda path: path.write_bytes(data) and None


def _sparse(size: int, start: bytes = b"") -> Make:
    def make(path: Path) -> None:
        with path.open("wb") as file:
            file.write(start)
            file.truncate(size)

    return make


def _png(side: int, rows: int) -> bytes:
    """Claims side x side pixels and holds so many rows of them."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    packer = zlib.compressobj(1)
    parts = [packer.compress(bytes(1 + 3 * side)) for _ in range(rows)]
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    body = chunk(b"IDAT", b"".join(parts) + packer.flush())
    return b"\x89PNG\r\n\x1a\n" + head + body + chunk(b"IEND", b"")


def _picture(kind: str, **how: Any) -> bytes:
    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", (64, 64)).save(file, kind, **how)
    return file.getvalue()


def _scans() -> bytes:
    data = _picture("JPEG", progressive=True)
    at = data.index(b"\xff\xda")
    end = data.index(b"\xff", at + 16)
    return data[:at] + data[at:end] * 5000 + data[at:]


def _video(frames: int) -> Make:
    def make(path: Path) -> None:
        import av
        import numpy as np

        with av.open(str(path), "w") as container:
            stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
            stream.width, stream.height, stream.pix_fmt = 2048, 1152, "yuv420p"
            grey = np.zeros((1152 * 3 // 2, 2048), np.uint8)
            for at in range(frames):
                frame = av.VideoFrame.from_ndarray(grey, format="yuv420p")
                frame.pts = at
                for packet in stream.encode(frame):
                    container.mux(packet)
            for packet in stream.encode():
                container.mux(packet)

    return make


def _zip(members: dict[str, bytes], how: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", how) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()


def _workbook(part: str, data: bytes) -> bytes:
    import openpyxl

    book, file = openpyxl.Workbook(), io.BytesIO()
    book.active.append(["Subject", "Filename"])
    book.save(file)
    with zipfile.ZipFile(file) as archive:
        members = {i.filename: archive.read(i) for i in archive.infolist()}
    return _zip({**members, part: data})


_SHEET = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'


def _wide() -> bytes:
    rows = b"".join(b'<row r="%d"><c r="XFD%d"><v>1</v></c></row>' % (i, i) for i in range(1, 9000))
    return _workbook("xl/worksheets/sheet1.xml", _SHEET + rows + b"</sheetData></worksheet>")


def _styles() -> bytes:
    return _workbook("xl/styles.xml", b"<styleSheet><cellXfs>" + b"<xf/>" * 2_000_000)


def _lying() -> bytes:
    """Its list of members says 100 bytes where 200 MB come."""
    data = bytearray(_workbook("xl/styles.xml", bytes(200 * MIB)))
    real, said = struct.pack("<I", 200 * MIB), struct.pack("<I", 100)
    return bytes(data).replace(real, said)


def _pth(pickled: bytes, how: int = zipfile.ZIP_STORED) -> bytes:
    return _zip({"x/data.pkl": pickled, "x/data/0": bytes(64), "x/version": b"3\n"}, how)


def _tuples(before: bytes, behind: bytes) -> bytes:
    return b"\x80\x02" + before + b")" + b"q\x00h\x00\x86" * 200 + behind + b"."


def _axes() -> bytes:
    storage = b"(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpuK\x10tQ"
    axes = b"(" + b"J\xff\xff\xff\x7f" * 50_000 + b"t"
    tensor = b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + b"K\x00" + axes * 2 + b"tR"
    return b"\x80\x02}X\x01\0\0\0a" + tensor + b"s."


def _stride() -> bytes:
    import torch

    file = io.BytesIO()
    torch.save({"a": torch.zeros(1).expand(1 << 32)}, file)
    return file.getvalue()


def _safetensors(header: dict[str, Any], body: bytes = b"") -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


def _generator(**note: Any) -> bytes:
    about = {"famaug": json.dumps({"kind": "ganimation", **note})}
    one = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}
    return _safetensors({"__metadata__": about, "a": one}, bytes(4))


def _record(layout: dict[str, Any], payload: bytes) -> Make:
    """A cache whose one record says so of itself."""

    def make(path: Path) -> None:
        import lmdb
        import numpy as np
        import xxhash

        from famaug.store import CacheWriter
        from famaug.store.record import _head_digest

        key = hashlib.sha256(b"x").hexdigest()
        with CacheWriter(path) as writer:
            writer.put(key, np.zeros((1, 4, 4, 3), np.uint8), None)
        head = json.dumps(
            {"version": 1, "layout": layout, "provenance": 0, "source": "0",
             "payload": xxhash.xxh3_128_hexdigest(payload)}
        ).encode()  # fmt: skip
        lengths = struct.pack("<IQ", len(head), 32 + len(head) + len(payload))
        value = b"FMC1" + lengths + _head_digest(key, lengths, head, b"") + head + payload
        with (
            lmdb.open(str(path / "shards/main.lmdb"), subdir=False) as env,
            env.begin(write=True) as t,
        ):
            t.put(key.encode(), value)

    return make


def _jpeg_record(path: Path) -> None:
    import cv2
    import numpy as np

    jpeg = cv2.imencode(".jpg", np.zeros((9000, 9000, 3), np.uint8))[1].tobytes()
    layout = {
        "codec": "jpeg",
        "shape": [1, 4, 4],
        "lengths": [len(jpeg)],
        "packing": "s",
        "quality": 9,
    }
    _record(layout, jpeg)(path)


def _still_record(path: Path) -> None:
    import lz4.block

    first = lz4.block.compress(bytes(512 * 512 * 3), store_size=False)
    layout = {"codec": "delta", "shape": [2000, 512, 512], "lengths": [len(first)] + [0] * 1999,
              "packing": "l" + "s" * 1999, "rows": [0, 0], "apex": 0}  # fmt: skip
    _record(layout, first)(path)


# -- the readers --------------------------------------------------------------------------------


def _read_picture(path: Path) -> object:
    from famaug.media.clips import read_picture

    return read_picture(path)


def _read_frames(path: Path) -> object:
    from famaug.media.clips import read_frames

    return read_frames(path)


def _read_labels(path: Path) -> object:
    from famaug.data.readers.tables import read_rows

    return read_rows(path, required=["Subject"])


def _read_aus(path: Path) -> object:
    from famaug.aus.read import read_aus

    return read_aus(path)


def _read_pth(path: Path) -> object:
    from famaug.weights.state_dict import read_torch_state_dict

    return read_torch_state_dict(path)


def _read_safetensors(path: Path) -> object:
    from famaug.weights.load import load_safetensors

    return load_safetensors(path)


def _read_generator(path: Path) -> object:
    from famaug.generator.networks.saved import load_generator

    return load_generator(path)


def _read_sharpener(path: Path) -> object:
    from famaug.superres.models import load_model

    return load_model(path)


def _read_task(path: Path) -> object:
    from famaug.faces.convert import convert_task

    return convert_task(path)


def _read_onnx(path: Path) -> object:
    from famaug.perception.sface import convert_sface

    return convert_sface(path)


def _read_settings(path: Path) -> object:
    from famaug.config.generation import GENERATION

    return GENERATION.read(path)


def _read_plan(path: Path) -> object:
    from famaug.errors import InputError
    from famaug.files.limits import read_json
    from famaug.types import Plan

    return Plan.from_json(read_json(path, error=InputError))


def _read_cache(path: Path) -> object:
    from famaug.store import ClipCache

    cache = ClipCache(path)
    return [cache.read(key) for key in cache.keys()]  # noqa: SIM118


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _laughs() -> bytes:
    lines = [f"l{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 9)}]" for i in range(1, 30)]
    return ("l0: &l0 [x]\n" + "\n".join(lines)).encode()


_EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n{ } loop\n"
_TILE = "TIFF whose one tile is 60000 x 60000"


def _tile() -> bytes:
    tags = [(256, 3, 64), (257, 3, 64), (258, 3, 8), (259, 3, 8), (262, 3, 1), (277, 3, 1),
            (322, 4, 60000), (323, 4, 60000), (324, 4, 200), (325, 4, 60)]  # fmt: skip
    body = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    head = b"II*\0" + struct.pack("<IH", 8, len(tags)) + body + struct.pack("<I", 0)
    return head.ljust(200, b"\0") + zlib.compress(bytes(MIB))


FILES: tuple[Hostile, ...] = (
    Hostile("program.png", "PostScript under another name", _bytes(_EPS), _read_picture),
    Hostile("claims.png", "PNG that claims 60000 x 60000", lambda p: _bytes(_png(60_000, 9))(p), _read_picture),
    Hostile("large.png", "PNG of 49 million pixels, black", lambda p: _bytes(_png(7000, 7000))(p), _read_picture, False),
    Hostile("scans.jpg", "JPEG of 5000 scans", lambda p: _bytes(_scans())(p), _read_picture),
    Hostile("tile.tif", _TILE, lambda p: _bytes(_tile())(p), _read_picture),
    Hostile("pipe.png", "a FIFO", _fifo, _read_picture),
    Hostile("endless.png", "a link to /dev/zero", _device, _read_picture),
    Hostile("sparse.png", "a picture of 1 TiB of nothing", _sparse(1 << 40, b"\x89PNG\r\n\x1a\n"), _read_picture),
    Hostile("list.mp4", "a play list that names other files", _bytes(b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n"), _read_frames),
    Hostile("still.mp4", "60 black frames of 2048 x 1152", _video(60), _read_frames),
    Hostile("pipe.mp4", "a FIFO", _fifo, _read_frames),
    Hostile("endless.avi", "a link to /dev/zero", _device, _read_frames),
    Hostile("wide.xlsx", "rows with one cell in the last column", lambda p: _bytes(_wide())(p), _read_labels),
    Hostile("styles.xlsx", "two million styles", lambda p: _bytes(_styles())(p), _read_labels),
    Hostile("lying.xlsx", "a member twice a million times its size", lambda p: _bytes(_lying())(p), _read_labels),
    Hostile("line.csv", "a line of 12 MB without end", _bytes(b"Subject," + b"x," * 6_000_000), _read_labels),
    Hostile("packed.csv", "gzip under another name", _bytes(zlib.compress(bytes(MIB), wbits=31)), _read_labels),
    Hostile("pipe.csv", "a FIFO", _fifo, _read_aus),
    Hostile("rows.csv", "five million rows of one cell", _bytes(b"frame,side,AU01_r\n" + b"1,l,1\n" * 5_000_000), _read_aus),
    Hostile("columns.csv", "a million columns", _bytes(b"AU01_r," + b"x," * 1_000_000 + b"\n"), _read_aus),
    Hostile("lists.pth", "a pickle of four million lists", lambda p: _bytes(_pth(b"\x80\x02" + b"]" * 4_000_000 + b".", zipfile.ZIP_DEFLATED))(p), _read_pth),
    Hostile("plain.pth", "the same, not compressed", lambda p: _bytes(_pth(b"\x80\x02" + b"]" * 4_000_000 + b"."))(p), _read_pth),
    Hostile("tuples.pth", "tuples in tuples, 200 deep, as a name", lambda p: _bytes(_pth(_tuples(b"}", b"K\x01s")))(p), _read_pth),
    Hostile("shown.pth", "the same where a storage should be", lambda p: _bytes(_pth(_tuples(b"", b"Q")))(p), _read_pth),
    Hostile("axes.pth", "a tensor of 50,000 axes", lambda p: _bytes(_pth(_axes()))(p), _read_pth),
    Hostile("stride.pth", "one number shown 4 billion times", lambda p: _bytes(_stride())(p), _read_pth),
    Hostile("code.pth", "a pickle that calls os.system", _bytes(b"cos\nsystem\n(S'touch ran'\ntR."), _read_pth),
    Hostile("header.safetensors", "a header of 1 TiB", _bytes(struct.pack("<Q", 1 << 40) + b"{}"), _read_safetensors),
    Hostile("sparse.safetensors", "1 TiB of nothing", _sparse(1 << 40), _read_safetensors),
    Hostile("deep.safetensors", "a header nested a million deep", _bytes(struct.pack("<Q", MIB) + b"[" * MIB), _read_safetensors),
    Hostile("vast.safetensors", "a generator that says it is 512 wide, 500 deep", _bytes(_generator(settings={"width": 512, "blocks": 500, "affine": True, "units": 17, "flow": False})), _read_generator),
    Hostile("pool.bin", "ncnn weights of 1 TiB of nothing", _sparse(1 << 40), _read_sharpener),
    Hostile("bomb.task", "a zip of 200 MB of nothing", lambda p: _bytes(_zip({"face_detector.tflite": bytes(200 * MIB)}))(p), _read_task),
    Hostile("nodes.onnx", "eight million empty nodes", _bytes(b"\x3a\x80\x80\x80\x08" + b"\x0a\x00" * (8 << 20)), _read_onnx),
    Hostile("laughs.yaml", "aliases of aliases, 9^29", _bytes(_laughs()), _read_settings),
    Hostile("deep.yaml", "lists nested 200,000 deep", _bytes(b"a: " + b"[" * 200_000), _read_settings),
    Hostile("deep.json", "a plan of 4 MB of opening brackets", _bytes(b"[" * (4 * MIB)), _read_plan),
    Hostile("lists.json", "a plan of 1.3 million lists", _bytes(b"[" + b"[]," * 1_300_000 + b"[]]"), _read_plan),
    Hostile("jpeg_cache", "a record of 4 x 4 whose JPEG is 9000 x 9000", _jpeg_record, _read_cache),
    Hostile("still_cache", "a record that unpacks to 1.5 GiB", _still_record, _read_cache),
)  # fmt: skip


@dataclass(frozen=True)
class Cost:
    """What reading a file took: MiB above the idle process, seconds (by the clock and of the
    processor), and how it ended."""

    name: str
    size: int
    mib: float
    seconds: float
    cpu: float
    error: str


def measure(file: Hostile, folder: Path) -> Cost:
    """Makes the file, reads it, and says what that took in this process."""
    path = folder / file.name
    file.make(path)
    size = path.lstat().st_size if path.is_symlink() or not path.is_dir() else 0
    size = size or sum(p.stat().st_blocks * 512 for p in path.rglob("*") if p.is_file())
    Path("/proc/self/clear_refs").write_text("5")
    before, began, busy, error = _peak(), time.monotonic(), time.process_time(), ""
    try:
        file.read(path)
    except Exception as e:
        error = ",".join(kind.__name__ for kind in type(e).__mro__[:-3])
    took = time.monotonic() - began, time.process_time() - busy
    return Cost(file.name, size, _peak() - before, *took, error)


def _peak() -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024


def warm_up() -> None:
    """Imports count once, and not for the first file of a kind."""
    import av  # noqa: F401
    import openpyxl  # noqa: F401
    import PIL.Image  # noqa: F401
    import torch

    torch.set_num_threads(1)


def main() -> None:
    warm_up()
    warnings.simplefilter("ignore")
    as_json = "--json" in sys.argv
    if not as_json:
        print("| file | what it is | bytes | read | MiB | s |\n|---|---|--:|---|--:|--:|")
    with tempfile.TemporaryDirectory() as name:
        for file in FILES:
            cost = measure(file, Path(name))
            if as_json:
                print(json.dumps(vars(cost)), flush=True)
                continue
            ended = cost.error.partition(",")[0] or "read"
            print(f"| {file.name} | {file.what} | {cost.size:,} | {ended} | {cost.mib:.0f} | "
                  f"{cost.cpu:.1f} |")  # fmt: skip


if __name__ == "__main__":
    main()
