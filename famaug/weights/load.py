"""The one door for weights: safetensors files become tensors, and tensors networks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn

from famaug.errors import WeightsError
from famaug.files.limits import opened, translated

MAX_BYTES = 512 << 20
"""Of a file of weights; the largest network that famaug knows has 67 MB."""
MAX_HEADER = 4 << 20
"""Of a safetensors file's list of tensors."""
LARGEST = 1e9
"""No weight of a network that works is larger."""
N = TypeVar("N", bound=nn.Module)


def load_safetensors(path: Path) -> dict[str, Tensor]:
    """All tensors of a safetensors file, on the CPU, as stored.

    Raises:
        WeightsError: missing, too large, not a valid safetensors file, or holding numbers that
            are none.
    """
    return open_safetensors(path)[0]


def open_safetensors(
    path: Path, *, measured: bool = False
) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors and metadata of a safetensors file. Raises as `load_safetensors`, but that numbers
    that were `measured` may be missing (NaN): those are no weights."""
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
    if not measured:
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
