"""PyTorch state dict files of other people: tensors only, nothing is executed, up to a size."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from famaug.errors import WeightsError

MAX_BYTES = 1 << 30
"""Of the file, and of what it unpacks to."""


def read_torch_state_dict(
    path: Path, *, legacy: bool = False, within: Sequence[str] = ()
) -> dict[str, Tensor]:
    """Names and tensors of a state dict that `torch.save` wrote (its zip format).

    The restricted loader of PyTorch builds tensors and containers and calls nothing else.

    Args:
        path: the file.
        legacy: also read the format that PyTorch wrote before 1.6; only for files whose sha256
            is pinned.
        within: names under which the state dict may lie in the file's dictionary; the first one
            that is there is taken.

    Raises:
        WeightsError: missing, too large, damaged, or holding anything but named tensors.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise WeightsError(f"{path}: more than {MAX_BYTES >> 20} MiB")
        if not (legacy and path.is_file() and not zipfile.is_zipfile(path)):
            _refuse_bombs(path)
        found = torch.load(path, map_location="cpu", weights_only=True)
    except zipfile.BadZipFile as e:
        raise WeightsError(
            f"{path}: not a file of torch.save's zip format; save it again with a current PyTorch"
        ) from e
    except (OSError, RuntimeError, EOFError, ValueError, KeyError, pickle.UnpicklingError) as e:
        raise WeightsError(f"{path}: not a state dict of tensors: {e}") from e
    if isinstance(found, dict):
        found = next((found[k] for k in within if isinstance(found.get(k), dict)), found)
    if not isinstance(found, dict) or not all(isinstance(v, Tensor) for v in found.values()):
        raise WeightsError(f"{path}: holds {type(found).__name__}, not names and tensors")
    return {str(k): v for k, v in found.items()}


def _refuse_bombs(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        if sum(member.file_size for member in archive.infolist()) > MAX_BYTES:
            raise WeightsError(f"{path}: unpacks to more than {MAX_BYTES >> 20} MiB")
