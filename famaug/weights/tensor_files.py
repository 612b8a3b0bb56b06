"""Tensors with a note in JSON, in one safetensors file that is there whole or as it was before."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from torch import Tensor

from famaug.errors import WeightsError

NOTE = "famaug"
"""Key of the note among a file's metadata."""


def save_tensors(path: Path, tensors: Mapping[str, Tensor], note: Mapping[str, Any]) -> None:
    """Writes beside and renames: a kill or a full disk leaves the old file or the new one."""
    from safetensors.torch import save

    whole = {k: v.detach().cpu().contiguous() for k, v in tensors.items()}
    write_whole(path, save(whole, metadata={NOTE: json.dumps(note, sort_keys=True)}))


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and note as `save_tensors` wrote them.

    Raises:
        WeightsError: missing, damaged, or without a note.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            note = json.loads((file.metadata() or {})[NOTE])
            return {k: file.get_tensor(k) for k in file.keys()}, note  # noqa: SIM118
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise WeightsError(
            f"{path}: not a file of tensors that famaug wrote ({error!r}); give another, or, if it "
            "is a training's own checkpoint, delete it to start anew"
        ) from error


def write_whole(path: Path, data: bytes | str) -> None:
    """A file that is there whole, or as it was before."""
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


def clear_parts(path: Path) -> None:
    """Removes what killed writers of this file left behind."""
    for part in path.parent.glob(f".{path.name}.*.part"):
        part.unlink(missing_ok=True)
