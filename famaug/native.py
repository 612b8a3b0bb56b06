"""C beside a module, compiled once on this machine: for what PyTorch's own operations do slowly.

Whoever uses it has a way in PyTorch too, for machines without a compiler.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from pathlib import Path

from famaug.weights.fetch import home

OFF = "FAMAUG_NO_COMPILER"
"""Set in the environment, nothing is compiled."""
_FLAGS = ("-std=gnu11", "-O3", "-march=native", "-fno-math-errno", "-shared", "-fPIC", "-pthread")
_SECONDS = 120


def find_compiler() -> str | None:
    """The C compiler that is used; None where there is none, or it is turned off."""
    if os.environ.get(OFF) or os.name != "posix":
        return None
    return shutil.which(os.environ.get("CC", "cc")) or shutil.which("gcc")


@functools.cache
def open_native(source: Path) -> ctypes.CDLL | None:
    """A compiled C file; None without a compiler, or where `FAMAUG_NO_COMPILER` is set.

    It lies in famaug's folder for stored files, named by source, compiler and processor, so that
    another machine with the same home compiles its own.
    """
    compiler = find_compiler()
    if compiler is None:
        return None
    key = hashlib.sha256(
        source.read_bytes() + " ".join([compiler, *_FLAGS, _processor()]).encode()
    ).hexdigest()[:16]
    target = home() / "compiled" / f"{source.stem}-{key}.so"
    try:
        if not target.is_file():
            _compile(compiler, source, target)
        return ctypes.CDLL(str(target))
    except (OSError, subprocess.SubprocessError):
        return None


def _compile(compiler: str, source: Path, target: Path) -> None:
    """Under a name of its own first: two processes may compile at once."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".part-") as folder:
        made = Path(folder) / "made.so"
        command = [compiler, *_FLAGS, "-o", str(made), str(source), "-lm"]
        subprocess.run(command, check=True, capture_output=True, timeout=_SECONDS)
        made.replace(target)


def _processor() -> str:
    """What `-march=native` depends on."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        chosen = ("model name", "flags", "Features", "CPU part")
        return "\n".join(sorted({line for line in lines if line.startswith(chosen)}))
    except OSError:
        return f"{platform.machine()} {platform.processor()} {platform.node()}"
