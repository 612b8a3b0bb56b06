"""Generators in files that say themselves what they are: safetensors with a note."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from famaug.errors import WeightsError
from famaug.generator.networks.ganimation import GanimationGenerator
from famaug.generator.networks.layouts import WIDEST, ImportedNetwork, import_state_dict
from famaug.weights.load import load_safetensors, make_net
from famaug.weights.shipped import sha256_of
from famaug.weights.state_dict import read_torch_state_dict
from famaug.weights.tensor_files import load_tensors, save_tensors

KIND = "ganimation"


def note_of(network: GanimationGenerator, **more: Any) -> dict[str, Any]:
    """What a file of this network says of itself."""
    return {"kind": KIND, "settings": network.settings, **more}


def save_generator(path: Path, network: GanimationGenerator, **more: Any) -> None:
    """Writes the weights with a note; whole or not at all."""
    save_tensors(path, network.state_dict(), note_of(network, **more))


def load_generator(path: Path) -> tuple[GanimationGenerator, dict[str, Any]]:
    """The generator of a file that a training or an import wrote, frozen, and its note.

    Raises:
        WeightsError: missing, damaged, of another kind, or not fitting its own note.
    """
    tensors, note = load_tensors(path)
    settings = note.get("settings")
    if note.get("kind") != KIND or not isinstance(settings, dict):
        raise WeightsError(
            f"{path}: a file of kind {KIND!r} is asked for; its note says {note.get('kind')!r}"
        )
    known = _known(path, settings)
    return make_net(lambda: GanimationGenerator(**known), tensors, str(path)), note


def import_file(path: Path) -> tuple[ImportedNetwork, dict[str, Any]]:
    """A public checkpoint (of torch.save, or safetensors) and the note to save it with.

    Raises:
        WeightsError: not a state dict, or of no layout that is known.
    """
    if path.suffix == ".safetensors":
        tensors = load_safetensors(path)
    else:
        tensors = read_torch_state_dict(path)
    try:
        found = import_state_dict(tensors)
    except WeightsError as error:
        raise WeightsError(f"{path}: {error}") from error
    source = {
        "layout": found.layout,
        "source_sha256": sha256_of(path),
        "left_out": len(found.left_out),
    }
    return found, {"kind": found.kind, "settings": found.settings, **source}


def _known(path: Path, settings: dict[str, Any]) -> dict[str, Any]:
    settings = {"maps_inside": False, **settings}  # files from before it could be had
    kinds = {
        "width": int, "blocks": int, "affine": bool, "units": int, "flow": bool,
        "maps_inside": bool,
    }  # fmt: skip
    good = settings.keys() == kinds.keys() and all(
        type(settings[k]) is kind and 0 <= settings[k] <= WIDEST for k, kind in kinds.items()
    )
    if not good:
        raise WeightsError(f"{path}: settings {settings} are not those of a generator")
    return settings
