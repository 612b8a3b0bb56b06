"""Checkpoints: tensors in safetensors with a note in JSON, there whole or as they were before."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from torch import Tensor, nn
from torch.optim import Optimizer

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
            f"{path}: not a file that famaug wrote whole ({error!r}); delete it to start anew"
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


def network_tensors(prefix: str, networks: Mapping[str, nn.Module]) -> dict[str, Tensor]:
    """State of networks by name, as `PREFIX/NAME/KEY`."""
    return {
        f"{prefix}/{name}/{key}": value
        for name, network in networks.items()
        for key, value in network.state_dict().items()
    }


def restore_networks(
    prefix: str, networks: Mapping[str, nn.Module], tensors: Mapping[str, Tensor]
) -> None:
    """Raises:
    WeightsError: names or shapes differ.
    """
    for name, network in networks.items():
        try:
            network.load_state_dict(_below(f"{prefix}/{name}/", tensors))
        except RuntimeError as error:
            raise WeightsError(f"the checkpoint does not fit the network {name!r}: {error}") from (
                error
            )


def optimizer_tensors(optimizers: Mapping[str, Optimizer]) -> dict[str, Tensor]:
    """What optimisers remember of each parameter, as `optimizer/NAME/PLACE/KEY`."""
    return {
        f"optimizer/{name}/{place}/{key}": value
        for name, optimizer in optimizers.items()
        for place, slot in optimizer.state_dict()["state"].items()
        for key, value in slot.items()
    }


def restore_optimizers(optimizers: Mapping[str, Optimizer], tensors: Mapping[str, Tensor]) -> None:
    for name, optimizer in optimizers.items():
        slots: dict[int, dict[str, Tensor]] = {}
        for key, value in _below(f"optimizer/{name}/", tensors).items():
            place, _, what = key.partition("/")
            slots.setdefault(int(place), {})[what] = value
        optimizer.load_state_dict({**optimizer.state_dict(), "state": slots})


def _below(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
