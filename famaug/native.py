"""C beside a module, compiled once on this machine: for what PyTorch's own operations do slowly.

Whoever uses it has a way in PyTorch too, for machines without a compiler.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import logging
import os
import platform
import shutil
import stat
import subprocess
import tempfile
from pathlib import Path

from famaug.files.whole import sync_file
from famaug.weights.fetch import home
from famaug.weights.shipped import sha256_of

log = logging.getLogger(__name__)

OFF = "FAMAUG_NO_COMPILER"
"""Set in the environment, nothing is compiled."""
_FLAGS = ("-std=gnu11", "-O3", "-march=native", "-fno-math-errno", "-shared", "-fPIC", "-pthread")
_SECONDS = 120
_OTHERS = 0o022  # group and others may write


def find_compiler() -> str | None:
    """The C compiler that is used; None where there is none, or it is turned off."""
    if os.environ.get(OFF) or os.name != "posix":
        return None
    return shutil.which(os.environ.get("CC", "cc")) or shutil.which("gcc")


@functools.cache
def open_native(source: Path) -> ctypes.CDLL | None:
    """A compiled C file; None without a compiler, or where `FAMAUG_NO_COMPILER` is set.

    It lies in famaug's folder for stored files, named by source, compiler and processor, so that
    another machine with the same home compiles its own, and by its own sha256: a damaged one is
    compiled again. Where others may write to that folder, it lies in one that only this user can
    write to, among the system's temporary files.
    """
    compiler = find_compiler()
    if compiler is None:
        return None
    key = hashlib.sha256(
        source.read_bytes() + " ".join([compiler, *_FLAGS, _processor()]).encode()
    ).hexdigest()[:16]
    for folder in (home() / "compiled", Path(tempfile.gettempdir()) / f"famaug-{os.geteuid()}"):
        try:
            if _is_private(folder):
                name = f"{source.stem}-{key}"
                found = _find(folder, name) or _compile(compiler, source, folder, name)
                return ctypes.CDLL(str(found))
        except (OSError, subprocess.SubprocessError):
            continue
    return None


def _is_private(folder: Path) -> bool:
    """Whether only this user (and root) can put files there; it is made where it is missing.

    Raises:
        OSError: it cannot be made.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    real = folder.resolve()
    here = real.stat()
    if here.st_uid == os.geteuid() and here.st_mode & _OTHERS:
        # ours, made with a loose umask: closed, and emptied of what others may have put there
        real.chmod(0o700)
        for file in real.glob("*.so"):
            file.unlink()
    if not _is_ours(real):
        return False
    # in a folder with the sticky bit only a file's owner can replace it
    return all(_is_ours(above, sticky=True) for above in real.parents)


def _is_ours(path: Path, *, sticky: bool = False) -> bool:
    at = path.stat()
    closed = not at.st_mode & _OTHERS or (sticky and bool(at.st_mode & stat.S_ISVTX))
    return at.st_uid in (0, os.geteuid()) and closed


def _find(folder: Path, name: str) -> Path | None:
    """The library of that name that is whole; others of that name are removed."""
    for path in folder.glob(f"{name}-*.so"):
        digest = path.stem.rpartition("-")[2]
        if not path.is_symlink() and _is_ours(path) and sha256_of(path)[:16] == digest:
            return path
        path.unlink()
    return None


def _compile(compiler: str, source: Path, folder: Path, name: str) -> Path:
    """Under a name of its own first: two processes may compile at once."""
    with tempfile.TemporaryDirectory(dir=folder, prefix=".part-") as draft:
        made = Path(draft) / "made.so"
        command = [compiler, *_FLAGS, "-o", str(made), str(source), "-lm"]
        log.info("compiling %s", " ".join(command))
        subprocess.run(command, check=True, capture_output=True, timeout=_SECONDS)
        made.chmod(0o700)
        sync_file(made)
        return made.replace(folder / f"{name}-{sha256_of(made)[:16]}.so")


def _processor() -> str:
    """What `-march=native` depends on."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        chosen = ("model name", "flags", "Features", "CPU part")
        return "\n".join(sorted({line for line in lines if line.startswith(chosen)}))
    except OSError:
        return f"{platform.machine()} {platform.processor()} {platform.node()}"
