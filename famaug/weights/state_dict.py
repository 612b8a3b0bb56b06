"""PyTorch state dict files of other people: tensors only, nothing is executed, up to a size.

Both formats of torch.save are read: the zip archive of PyTorch 1.6 and later, and the row of
pickles before. In both the numbers lie unpacked, so a file never takes more than its own size.
"""

from __future__ import annotations

import io
import math
import struct
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor

from famaug.errors import FamaugError, WeightsError
from famaug.files.limits import opened, opened_zip
from famaug.weights.load import check_numbers
from famaug.weights.torch_pickle import MAX_BYTES as MAX_PICKLE
from famaug.weights.torch_pickle import Storage, Stored, parse

MAX_BYTES = 512 << 20
"""Of the file."""
_MAGIC = 0x1950A86A20F9469CFC6C

Read = Callable[[Storage], bytearray]


def read_torch_state_dict(path: Path, *, within: Sequence[str] = ()) -> dict[str, Tensor]:
    """Names and tensors of a state dict that `torch.save` wrote, before PyTorch 1.6 or since.

    Args:
        path: the file.
        within: names under which the state dict may lie in the file's dictionary; the first one
            that is there is taken.

    Raises:
        WeightsError: missing, too large, damaged, or holding anything but named tensors of finite
            numbers.
    """
    try:
        with opened(path, at_most=MAX_BYTES, error=WeightsError) as file:
            zipped = file.read(4) == b"PK\x03\x04"
        with (_zip if zipped else _row)(path) as (found, read):
            if isinstance(found, dict):
                found = next((found[k] for k in within if isinstance(found.get(k), dict)), found)
            if not isinstance(found, dict) or not all(
                isinstance(v, Stored) for v in found.values()
            ):
                raise WeightsError(f"{path}: holds {_what(found)}, not names and tensors")
            tensors = _tensors(found, read)
    except FamaugError:
        raise
    except Exception as e:  # whatever a damaged pickle or archive leads to
        raise WeightsError(f"{path}: not a state dict of tensors: {e or type(e).__name__}") from e
    check_numbers(tensors, str(path))
    return tensors


def _what(found: Any) -> str:
    if not isinstance(found, dict):
        return type(found).__name__
    other = next(k for k, v in found.items() if not isinstance(v, Stored))
    return f"{type(found[other]).__name__} under {other!r}"


@contextmanager
def _zip(path: Path) -> Iterator[tuple[Any, Read]]:
    with opened_zip(path, at_most=MAX_BYTES, unpacked=MAX_BYTES, error=WeightsError) as archive:
        infos = archive.infolist()
        if any(i.compress_type != zipfile.ZIP_STORED for i in infos):
            raise WeightsError(f"{path}: a compressed archive; torch.save writes plain ones")
        names = [i.filename for i in infos if i.filename.endswith("/data.pkl")]
        if len(names) != 1 or archive.getinfo(names[0]).file_size > MAX_PICKLE:
            raise WeightsError(
                f"{path}: not a file of torch.save: {len(names)} members data.pkl, or one above "
                f"{MAX_PICKLE} bytes"
            )
        root = names[0].removesuffix("data.pkl")
        if root + "byteorder" in archive.namelist() and archive.read(root + "byteorder") != (
            b"little"
        ):
            raise WeightsError(f"{path}: written on a machine of the other byte order")

        def read(storage: Storage) -> bytearray:
            info = archive.getinfo(f"{root}data/{storage.key}")
            size = storage.length * storage.dtype.itemsize
            if info.file_size != size:
                raise ValueError(f"storage {storage.key} has {info.file_size} bytes, not {size}")
            buffer = bytearray(size)
            with archive.open(info) as file:
                if cast(io.BufferedIOBase, file).readinto(buffer) != size:
                    raise ValueError(f"storage {storage.key} is cut off")
            return buffer

        yield parse(io.BytesIO(archive.read(names[0]))), read


@contextmanager
def _row(path: Path) -> Iterator[tuple[Any, Read]]:
    """Pickles of a magic number, a version, the machine, the value and the keys; then storages."""
    with opened(path, at_most=MAX_BYTES, error=WeightsError) as file:
        start = io.BytesIO(file.read(MAX_PICKLE))
        if parse(start) != _MAGIC:
            raise ValueError("it begins neither as a zip archive nor with torch.save's number")
        _, machine, value, keys = (parse(start) for _ in range(4))
        if machine.get("little_endian") is not True:
            raise ValueError("it was written on a machine of the other byte order")
        at, places = start.tell(), {str(k): 0 for k in keys}
        size = file.seek(0, 2)
        sizes = {s.key: s.dtype.itemsize for s in _storages(value)}
        for key in places:
            file.seek(at)
            (length,) = struct.unpack("<q", file.read(8))
            places[key] = at
            at += 8 + length * sizes[key]
            if not 0 <= length <= size or at > size:
                raise ValueError(f"storage {key} ends beyond the file")

        def read(storage: Storage) -> bytearray:
            file.seek(places[storage.key])
            if struct.unpack("<q", file.read(8))[0] != storage.length:
                raise ValueError(f"storage {storage.key} is of another size than its tensors say")
            buffer = bytearray(storage.length * storage.dtype.itemsize)
            if file.readinto(buffer) != len(buffer):
                raise ValueError(f"storage {storage.key} is cut off")
            return buffer

        yield value, read


def _storages(value: Any) -> Iterator[Storage]:
    todo, seen = [value], set[int]()
    while todo:
        each = todo.pop()
        if isinstance(each, Stored):
            yield each.storage
        elif isinstance(each, (dict, list, tuple)) and id(each) not in seen:
            seen.add(id(each))
            todo.extend(each.values() if isinstance(each, dict) else each)


def _tensors(found: dict[Any, Stored], read: Read) -> dict[str, Tensor]:
    held: dict[Storage, Tensor] = {}
    out: dict[str, Tensor] = {}
    total = 0
    for name, each in found.items():
        storage = each.storage
        numbers = math.prod(each.shape)
        total += numbers * storage.dtype.itemsize
        last = each.offset + sum((n - 1) * s for n, s in zip(each.shape, each.stride, strict=True))
        if numbers > storage.length or (numbers and last >= storage.length) or total > MAX_BYTES:
            raise ValueError(f"{name} is larger than what is stored of it")
        if storage not in held:
            data = read(storage)
            empty = torch.empty(0, dtype=storage.dtype)
            held[storage] = torch.frombuffer(data, dtype=storage.dtype) if data else empty
        out[str(name)] = held[storage].as_strided(each.shape, each.stride, each.offset)
    return out
