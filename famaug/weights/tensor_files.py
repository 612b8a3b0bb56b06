"""Tensors with a note in JSON, in one safetensors file that is there whole or as it was before."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from famaug.errors import WeightsError
from famaug.files.limits import parse_json
from famaug.files.whole import write_whole
from famaug.people.persons import canonical
from famaug.weights.load import open_safetensors

NOTE = "famaug"
"""Key of the note among a file's metadata."""
DIGEST = "famaug_sha256"
"""Key of the digest of tensors and note."""


def save_tensors(path: Path, tensors: Mapping[str, Tensor], note: Mapping[str, Any]) -> None:
    """A kill or a full disk leaves the old file or the new one; a digest finds later damage."""
    from safetensors.torch import save

    whole = {k: v.detach().cpu().contiguous() for k, v in tensors.items()}
    text = json.dumps(note, sort_keys=True)
    write_whole(path, save(whole, metadata={NOTE: text, DIGEST: _digest(whole, text)}))


def load_tensors(
    path: Path, *, own: bool = False, measured: bool = False
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and note as `save_tensors` wrote them.

    Args:
        path: the file.
        own: a file that a run of this famaug goes on from: one without digest is refused too.
        measured: it holds measurements, of which some may be missing (NaN), and no weights.

    Raises:
        WeightsError: missing, damaged, without a note, or weights that are no numbers.
    """
    try:
        tensors, about = open_safetensors(path, measured=measured)
        if NOTE not in about:
            raise WeightsError(f"{path}: it has no note")
        note = parse_json(about[NOTE], path, error=WeightsError)
        said = about.get(DIGEST)
        if (own or said is not None) and said != _digest(tensors, about[NOTE]):
            raise WeightsError(f"{path}: tensors or note differ from their digest")
        if not isinstance(note, dict):
            raise WeightsError(f"{path}: its note is no mapping")
    except WeightsError as error:
        raise WeightsError(
            f"{path}: not a file of tensors that famaug wrote ({error}); give another, or, if it "
            "is a training's own checkpoint, delete it to start anew"
        ) from error
    return tensors, note


def subjects_of(path: Path) -> tuple[str, ...]:
    """Everybody ("dataset/subject") whom a safetensors file names as trained on: a list under
    "subjects" in its note, or as JSON in its metadata. The leakage guard reads them.

    Raises:
        WeightsError: a "subjects" that is no list of names.
    """
    _, about = open_safetensors(path)
    note = parse_json(about.get(NOTE, "{}"), path, error=WeightsError)
    said = note.get("subjects") if isinstance(note, dict) else None
    if said is None and "subjects" in about:
        said = parse_json(about["subjects"], path, error=WeightsError)
    if said is None:
        return ()
    if not isinstance(said, list) or not all(isinstance(s, str) for s in said):
        raise WeightsError(f"{path}: its 'subjects' are no list of names; got {str(said)[:80]}")
    return tuple(map(canonical, said))


def _digest(tensors: Mapping[str, Tensor], note: str) -> str:
    hasher = hashlib.sha256(note.encode())
    for name in sorted(tensors):
        value = tensors[name]
        hasher.update(f"\0{name}\0{value.dtype}\0{tuple(value.shape)}\0".encode())
        hasher.update(value.reshape(-1).view(torch.uint8).numpy().data)
    return hasher.hexdigest()
