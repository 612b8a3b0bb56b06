"""What a file may cost before it is read: one place for the limits of every reader.

A file is opened only where it is a plain file (a FIFO would wait for ever, a device never ends),
its size is looked at before its bytes are taken, and what it may unpack to is bounded by its own
size. The sizes themselves stand beside the readers.
"""

from __future__ import annotations

import io
import json
import math
import os
import stat
import sys
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from functools import cache
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from famaug.errors import FamaugError, RenderError

MIB = 1 << 20
JSON_BYTES = 4 * MIB
"""Of a plan, a manifest, a note: JSON takes up to forty times its size when it is read."""
FREE_BYTES = 256 * MIB
"""What any file may unpack to."""
MOST_UNPACKED = 1000
"""Times its own size a file may unpack to beyond that."""
_DIRECTORY_BYTES = MIB  # of a zip's list of members: each takes ten times that as an object

Raises = type[FamaugError]


@contextmanager
def opened(
    path: str | os.PathLike[str], *, at_most: int, error: Raises
) -> Iterator[io.BufferedReader]:
    """A plain file, open for reading bytes; its size is checked first.

    Args:
        path: of the file; links are followed.
        at_most: bytes that the file may have.
        error: what is raised.

    Raises:
        FamaugError: as `error`: no such file, no plain file (a folder, FIFO, socket or device),
            too large, or unreadable.
    """
    with translated(str(path), error):
        file = _open(path)
    with file:
        check_size(path, os.fstat(file.fileno()).st_size, at_most, error)
        yield file


def _open(path: str | os.PathLike[str]) -> io.BufferedReader:
    # without O_NONBLOCK opening a FIFO waits for a writer; some devices act when they are opened
    _check_kind(os.stat(path).st_mode)  # noqa: PTH116  takes what Path does not
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        _check_kind(os.fstat(handle).st_mode)
        return os.fdopen(handle, "rb")
    except BaseException:
        os.close(handle)
        raise


def _check_kind(mode: int) -> None:
    if not stat.S_ISREG(mode):
        kinds = {stat.S_IFDIR: "folder", stat.S_IFIFO: "FIFO", stat.S_IFSOCK: "socket"}
        raise OSError(f"a file was asked for; this is a {kinds.get(stat.S_IFMT(mode), 'device')}")


def check_size(path: object, size: int, at_most: int, error: Raises) -> None:
    """Raises `error` for more than `at_most` bytes."""
    if size > at_most:
        seen, most = _bytes(size), _bytes(at_most)
        raise error(f"{path}: {seen}; files of this kind are read up to {most}")


def read_bytes(path: str | os.PathLike[str], *, at_most: int, error: Raises) -> bytes:
    """A file's bytes. Raises as `opened`, also where it has more bytes than it said."""
    with opened(path, at_most=at_most, error=error) as file:
        with translated(str(path), error):
            data = file.read(at_most + 1)
        check_size(path, len(data), at_most, error)
        return data


def read_text(path: str | os.PathLike[str], *, at_most: int, error: Raises) -> str:
    """A file's text, UTF-8 with or without a mark at its start, line ends as they are.

    Raises as `read_bytes`, also where it is not UTF-8.
    """
    data = read_bytes(path, at_most=at_most, error=error)
    with translated(str(path), error):
        return data.decode("utf-8-sig")


def read_json(path: str | os.PathLike[str], *, error: Raises, at_most: int = JSON_BYTES) -> Any:
    """A JSON file's value. Raises as `read_bytes`, also where it is no JSON."""
    return parse_json(read_bytes(path, at_most=at_most, error=error), path, error=error)


def parse_json(data: bytes | str, name: object, *, error: Raises, at_most: int = JSON_BYTES) -> Any:
    """The value of JSON text that came from elsewhere, also of text nested without end.

    Raises:
        FamaugError: as `error`: too long, or no JSON.
    """
    check_size(name, len(data), at_most, error)
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as e:
        raise error(f"{name}: not readable as JSON: {e}") from e


def check_unpacked(name: object, *, packed: int, unpacked: int, error: Raises) -> None:
    """Refuses what would unpack to far more than its own size, before it does.

    Args:
        name: of the file, for the message.
        packed, unpacked: bytes now, and bytes it says it will take.
    """
    most = FREE_BYTES + MOST_UNPACKED * packed
    if unpacked > most:
        raise error(
            f"{name}: {_bytes(packed)} would unpack to {_bytes(unpacked)}; up to {_bytes(most)} "
            "are believed of a file of its size"
        )


@contextmanager
def opened_zip(
    path: str | os.PathLike[str], *, at_most: int, unpacked: int, error: Raises
) -> Iterator[zipfile.ZipFile]:
    """A zip archive whose list of members, and what they say they unpack to, are bounded.

    Read members with `member`: what a list says is not yet true.

    Args:
        path: of the archive.
        at_most: bytes of the archive.
        unpacked: bytes of all its members.
        error: what is raised, also for what goes wrong while the archive is in use.
    """
    with opened(path, at_most=at_most, error=error) as file, translated(str(path), error):
        bounded = _ShortReads(file)
        with zipfile.ZipFile(bounded) as archive:
            bounded.most = sys.maxsize
            total = sum(each.file_size for each in archive.infolist())
            if total > unpacked:
                raise error(f"{path}: unpacks to {_bytes(total)}; up to {_bytes(unpacked)} is read")
            yield archive


def member(archive: zipfile.ZipFile, name: str) -> bytes:
    """A member's bytes, no more than the archive's list says.

    Raises:
        KeyError, zipfile.BadZipFile, zlib.error: there is none, or it is damaged.
    """
    info = archive.getinfo(name)
    parts, left = [], info.file_size + 1
    with archive.open(info) as file:
        while left and (part := file.read(min(left, MIB))):
            parts.append(part)
            left -= len(part)
    if not left:
        raise zipfile.BadZipFile(f"{name} unpacks to more than it says")
    return b"".join(parts)


class _ShortReads(io.BufferedIOBase):
    """A file that refuses long reads: a zip's list of members is read in one."""

    def __init__(self, file: io.BufferedReader) -> None:
        self.file, self.most = file, _DIRECTORY_BYTES

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or size < 0:
            size = self.most + 1 if self.most < sys.maxsize else -1
        data = self.file.read(size) if size <= self.most + 1 else b""
        if size > self.most + 1 or len(data) > self.most:
            raise zipfile.BadZipFile(f"its list of members has more than {_bytes(self.most)}")
        return data

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return self.file.seek(offset, whence)

    def tell(self) -> int:
        return self.file.tell()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True


def check_finite(pictures: Any) -> None:
    """Refuses what a network or renderer made where it is no picture; rounding would make it black.

    Args:
        pictures: a float tensor or array, before it becomes uint8.

    Raises:
        RenderError: NaN or an infinity in it.
    """
    low, high = float(pictures.min()), float(pictures.max())
    if not (math.isfinite(low) and math.isfinite(high)):
        raise RenderError(
            f"frames with values from {low} to {high} were made, which is no picture: the weights "
            "are damaged or overflow; try another generator or sharpener"
        )


@contextmanager
def translated(name: str, error: Raises) -> Iterator[None]:
    """Whatever a foreign reader raises about a damaged file becomes `error`: such readers raise
    what they happen to meet (KeyError, TypeError, NotImplementedError, struct.error ...)."""
    try:
        yield
    except FamaugError:
        raise
    except OSError as e:
        said = e.strerror or str(e) or type(e).__name__  # the number of the error says nobody much
        raise error(f"{name}: cannot be read: {said}") from e
    except Exception as e:
        said = str(e) or type(e).__name__
        raise error(said if name in said else f"{name}: {said}") from e


def wrong_fields(kind: Any, value: Mapping[str, Any]) -> str | None:
    """What keeps stored values from being the fields of a dataclass, or None: keys that are missing
    or unknown, or a value of another type than the field's (True is no number)."""
    kinds = _field_kinds(kind)
    unknown = [k for k in value if k not in kinds]
    required = [f.name for f in fields(kind) if f.default is f.default_factory]
    missing = [k for k in required if k not in value]
    if unknown or missing:
        return f"missing {missing}, unknown {unknown[:5]}"
    wrong = next((k for k, found in value.items() if type(found) not in kinds[k]), None)
    return None if wrong is None else f"{wrong} is {type(value[wrong]).__name__}"


@cache
def _field_kinds(kind: Any) -> dict[str, tuple[type, ...]]:
    return {name: _kinds(hint) for name, hint in get_type_hints(kind).items()}


def _kinds(hint: Any) -> tuple[type, ...]:
    """The types of an annotation's values: dict[str, Any] is a dict, a float may be written 25."""
    if get_origin(hint) in (Union, UnionType):
        return tuple(one for part in get_args(hint) for one in _kinds(part))
    if get_origin(hint) is Literal:
        return tuple({type(one) for one in get_args(hint)})
    return (int, float) if hint is float else (get_origin(hint) or hint,)


def _bytes(number: int) -> str:
    return f"{number} bytes" if number < MIB else f"{number / MIB:.0f} MiB"
