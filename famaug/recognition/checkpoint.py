"""Tensors with a note, in one safetensors file that is there whole or not at all."""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from torch import Tensor

from famaug.errors import WeightsError

_NOTE = "famaug"


def save_tensors(path: Path, tensors: dict[str, Tensor], note: dict[str, Any]) -> None:
    """Writes beside and renames, so that a kill leaves the old file or the new one."""
    from safetensors.torch import save

    data = save(
        {k: v.detach().cpu().contiguous() for k, v in tensors.items()},
        metadata={_NOTE: json.dumps(note)},
    )
    write_whole(path, data)


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """What `save_tensors` wrote.

    Raises:
        WeightsError: not such a file, or damaged.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            note = json.loads((file.metadata() or {})[_NOTE])
            return {k: file.get_tensor(k) for k in file.keys()}, note  # noqa: SIM118
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise WeightsError(
            f"{path}: not a checkpoint ({error}); delete it to start anew"
        ) from error


def write_whole(path: Path, data: bytes | str) -> None:
    """A file that is there whole or as it was before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data.encode() if isinstance(data, str) else data)
            file.flush()
            os.fsync(file.fileno())
        mask = os.umask(0)
        os.umask(mask)
        Path(name).chmod(0o666 & ~mask)
        Path(name).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise
