"""Is this LMDB file whole? Checked with plain reads, before its pages are trusted as memory.

LMDB maps its file and follows page numbers and offsets without checking most of them: a short
file ends in SIGBUS, a flipped bit in a page header in an abort or a read beyond the file. So the
size is checked against the last page before the file is mapped, and the tree of pages (about one
page for 40 clips) once, right after. What the records themselves hold is checked by their digests.

Layout of LMDB 0.9 data files (format version 1), little endian, 64-bit: two meta pages, then
pages of branch, leaf or overflow kind; a value larger than about half a page lies in overflow
pages of its own.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from famaug.errors import CacheCorruptError
from famaug.files.limits import opened

MAGIC, FORMAT = 0xBEEFC0DE, 1
MOST_BYTES = 1 << 50
_PAGE = struct.Struct("<QHHHH")  # pgno, pad, flags, lower, upper
_META = struct.Struct("<IIQQ")  # magic, format, address, map size
_DB = struct.Struct("<IHHQQQQQ")  # pad, flags, depth, branch, leaf, overflow, entries, root
_TAIL = struct.Struct("<QQ")  # last page, transaction
_NODE = struct.Struct("<HHHH")  # size or page number (48 bits in a branch), flags, key size
_BRANCH, _LEAF, _OVERFLOW, _META_PAGE = 1, 2, 4, 8
_BIG = 1
_INTEGER_KEYS = 8
_NO_PAGE = 0xFFFFFFFFFFFFFFFF
_SIZES = (512, 1024, 2048, 4096, 8192, 16384, 32768)


@dataclass(frozen=True)
class Tree:
    depth: int
    entries: int
    root: int


@dataclass(frozen=True)
class Meta:
    """One of the two meta pages.

    Attributes:
        page_bytes: size of a page.
        last_page: number of the last page in use.
        transaction: id of the commit that wrote it.
        free, main: the tree of free pages and the tree of records.
    """

    page_bytes: int
    last_page: int
    transaction: int
    free: Tree
    main: Tree


def read_metas(path: Path) -> list[Meta]:
    """The readable meta pages, newest first.

    Raises:
        CacheCorruptError: the file is not an LMDB file, or both metas are damaged.
    """
    with opened(path, at_most=MOST_BYTES, error=CacheCorruptError) as file:
        metas = [m for m in _metas(file) if m is not None]
        size = file.seek(0, 2)
    if not metas or size < 2 * metas[0].page_bytes:
        raise CacheCorruptError(
            f"{path}: not an LMDB file of format {FORMAT}, or its start is damaged "
            f"({size} bytes); restore it from a copy or delete it and generate again"
        )
    return sorted(metas, key=lambda m: -m.transaction)


def _metas(file: BinaryIO) -> Iterator[Meta | None]:
    first = file.read(152)
    meta = _parse_meta(first, 0)
    yield meta
    for size in (meta.page_bytes,) if meta else _SIZES:
        file.seek(size)
        second = _parse_meta(file.read(152), 1)
        if second and second.page_bytes == size:
            yield second
            return


def _parse_meta(raw: bytes, number: int) -> Meta | None:
    if len(raw) < 152:
        return None
    pgno, _, flags, _, _ = _PAGE.unpack_from(raw, 0)
    magic, form, _, _ = _META.unpack_from(raw, 16)
    if (pgno, flags, magic, form) != (number, _META_PAGE, MAGIC, FORMAT):
        return None
    free, main = _DB.unpack_from(raw, 40), _DB.unpack_from(raw, 88)
    last_page, transaction = _TAIL.unpack_from(raw, 136)
    if free[0] not in _SIZES or last_page < 1 or last_page > 1 << 40:
        return None
    if not free[1] & _INTEGER_KEYS or main[1]:  # other kinds of trees are walked in other ways
        return None
    return Meta(free[0], last_page, transaction, Tree(free[2], *free[6:]), Tree(main[2], *main[6:]))


def check_pages(path: Path, meta: Meta, *, for_writing: bool = False) -> None:
    """Walks the tree of records (and of free pages, for writing) of one commit.

    The caller holds a read transaction of that commit, so no writer reuses its pages. What counts
    is the last page that is used: LMDB may number pages at the end that it never wrote.

    Raises:
        CacheCorruptError: the file is truncated, or a page or node lies outside what it may.
    """
    with opened(path, at_most=MOST_BYTES, error=CacheCorruptError) as file:
        walk = _Walk(file, path, meta, overflow=for_writing)
        walk.tree(meta.main)
        if for_writing:
            walk.tree(meta.free, keys_sorted=False)


class _Walk:
    def __init__(self, file: BinaryIO, path: Path, meta: Meta, *, overflow: bool) -> None:
        self.file, self.path, self.meta, self.overflow = file, path, meta, overflow
        self.seen: set[int] = set()
        self.size = file.seek(0, 2)

    def bad(self, page: int, what: str) -> CacheCorruptError:
        return CacheCorruptError(
            f"{self.path}: page {page}: {what}; restore the shard from a copy or delete it "
            "and generate again"
        )

    def tree(self, tree: Tree, *, keys_sorted: bool = True) -> None:
        if tree.root == _NO_PAGE:
            if tree.entries:
                raise self.bad(0, f"{tree.entries} records but no root")
            return
        found, last = 0, b""
        for key in self.leaves(tree.root, tree.depth):
            if keys_sorted and key <= last:
                raise self.bad(tree.root, "keys are out of order")
            found, last = found + 1, key
        if found != tree.entries:
            raise self.bad(tree.root, f"{found} records found, {tree.entries} announced")

    def leaves(self, number: int, depth: int) -> Iterator[bytes]:
        """Keys in order below a page; every page and node on the way is checked."""
        kind = _LEAF if depth == 1 else _BRANCH
        page = self.page(number, kind)
        for low, high, flags, key_size, start in self.nodes(number, page):
            key = page[start : start + key_size]
            if len(key) != key_size:
                raise self.bad(number, "a key ends outside the page")
            if kind == _BRANCH:
                yield from self.leaves(low | high << 16 | flags << 32, depth - 1)
            else:
                self.value(number, page, low | high << 16, flags, start + key_size)
                yield key

    def page(self, number: int, kind: int) -> bytes:
        size = self.meta.page_bytes
        if not 2 <= number <= self.meta.last_page or number in self.seen:
            raise self.bad(number, "not a page of this file, or used twice")
        self.seen.add(number)
        self.file.seek(number * size)
        page = self.file.read(size)
        if len(page) != size:
            raise self.bad(number, f"truncated: the file ends before it, at {self.size} bytes")
        pgno, _, flags, lower, upper = _PAGE.unpack_from(page, 0)
        if pgno != number or flags != kind or not 16 <= lower <= upper <= size or lower % 2:
            raise self.bad(number, "its header is damaged")
        if lower == 16:
            raise self.bad(number, "it is empty")
        return page

    def nodes(self, number: int, page: bytes) -> Iterator[tuple[int, int, int, int, int]]:
        lower, upper = struct.unpack_from("<HH", page, 12)
        for (offset,) in struct.iter_unpack("<H", page[16:lower]):
            if not upper <= offset <= len(page) - _NODE.size:
                raise self.bad(number, "a node lies outside the page")
            low, high, flags, key_size = _NODE.unpack_from(page, offset)
            yield low, high, flags, key_size, offset + _NODE.size

    def value(self, number: int, page: bytes, size: int, flags: int, start: int) -> None:
        if flags & ~_BIG:
            raise self.bad(number, "a node has unknown flags")
        if not flags & _BIG:
            if start + size > len(page):
                raise self.bad(number, "a value ends outside the page")
            return
        if start + 8 > len(page):
            raise self.bad(number, "a page number ends outside the page")
        (first,) = struct.unpack_from("<Q", page, start)
        count = -(-(16 + size) // self.meta.page_bytes)
        if not 2 <= first <= self.meta.last_page + 1 - count:
            raise self.bad(number, "a value lies outside the file")
        if (first + count) * self.meta.page_bytes > self.size:
            raise self.bad(first, f"truncated: the file ends before it does, at {self.size} bytes")
        if self.overflow:
            self.overflow_header(first, count)

    def overflow_header(self, first: int, count: int) -> None:
        # a writer frees as many pages as this header says
        self.file.seek(first * self.meta.page_bytes)
        pgno, _, flags, low, high = _PAGE.unpack(self.file.read(_PAGE.size))
        if (pgno, flags, low | high << 16) != (first, _OVERFLOW, count):
            raise self.bad(first, "the header of a value's pages is damaged")
