"""State dicts of public GANimation implementations, told apart by their keys and renamed to ours.

Only names and shapes are known here; no code of these projects is used.

    official   albertpumarola/GANimation
    donydchen  donydchen/ganimation_replicate (instance norm without scale and shift)
    vipermu    vipermu/ganimation (as official; the same layers also under debug1 ... debug4)
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from famaug.errors import WeightsError
from famaug.generator.networks.critics import PatchCritic
from famaug.generator.networks.ganimation import GanimationGenerator
from famaug.types import AUS

MARKS = {
    "attetion_reg.0.weight": "official",
    "au_top.0.weight": "donydchen",
    "im_att.0.weight": "vipermu",
    "dis_top.weight": "donydchen",
    "conv1.weight": "official or vipermu",
}
"""A key that only this layout has (the last two: of discriminators)."""
COLOUR = {"official": "img_reg", "donydchen": "color_top", "vipermu": "im_reg"}
ATTENTION = {"official": "attetion_reg", "donydchen": "au_top", "vipermu": "im_att"}
MOST_BLOCKS, WIDEST = 64, 256
MOST_LAYERS, MOST_CHANNELS, MOST_SIDE = 8, 4096, 16
"""Limits, so that a hostile file cannot ask for a huge network."""
UNUSED = re.compile(r"(^|\.)(running_mean|running_var|num_batches_tracked)$|^debug\d\.")
"""Statistics that these implementations keep but never use (they normalise each picture by
itself), and vipermu's second names for the same layers."""


@dataclass(frozen=True, eq=False)
class ImportedNetwork:
    """A public state dict as one of our networks.

    Attributes:
        kind: "ganimation" or "ganimation-critic".
        layout: whose.
        network: with the weights, in evaluation mode.
        left_out: keys that have no effect on the network's output.
    """

    kind: str
    layout: str
    network: GanimationGenerator | PatchCritic
    left_out: tuple[str, ...]

    @property
    def settings(self) -> dict[str, Any]:
        return self.network.settings


def import_state_dict(tensors: Mapping[str, Tensor]) -> ImportedNetwork:
    """A public implementation's generator or discriminator.

    Raises:
        WeightsError: no layout that is known, keys missing or unknown, shapes that do not fit, or
            values that are no numbers; the message lists what was seen and what is expected.
    """
    plain = {k.removeprefix("module."): v for k, v in tensors.items()}  # of DataParallel
    layout = next((name for mark, name in MARKS.items() if mark in plain), None)
    if layout is None:
        raise WeightsError(
            "no layout of a GANimation that is known (official, donydchen, vipermu): none of the "
            f"keys {[*MARKS]} is there; seen: {_some(plain)}"
        )
    generator = layout in COLOUR and f"{ATTENTION[layout]}.0.weight" in plain
    unused = [k for k in plain if UNUSED.search(k) or (generator and _cancels(layout, k))]
    kept = {k: v for k, v in plain.items() if k not in set(unused)}
    network: GanimationGenerator | PatchCritic
    if generator:
        names = dict(_generator_names(layout, kept))
        _check_keys(layout, names, kept)
        network = _generator(layout, kept, names)
    else:
        names = dict(_critic_names(layout, kept))
        _check_keys(layout, names, kept)
        network = _critic(layout, kept, names)
    _fill(network, {ours: kept[theirs] for theirs, ours in names.items()}, names)
    kind = "ganimation" if generator else "ganimation-critic"
    return ImportedNetwork(kind, layout, network.eval(), tuple(sorted(unused)))


def _cancels(layout: str, key: str) -> bool:
    """Biases before a norm that subtracts the mean change nothing."""
    return layout == "donydchen" and key.startswith("model.") and key.endswith(".bias")


def _generator_names(layout: str, tensors: Mapping[str, Tensor]) -> Iterator[tuple[str, str]]:
    """(their key, our key) of every tensor that a generator of this layout has."""
    trunk, inner = ("model", "conv_block") if layout == "donydchen" else ("main", "main")
    affine = layout != "donydchen"
    blocks = 0
    while f"{trunk}.{9 + blocks}.{inner}.0.weight" in tensors and blocks < MOST_BLOCKS:
        blocks += 1
    dropout = f"{trunk}.9.{inner}.4.weight" in tensors and not affine
    second = 4 if dropout else 3

    def pair(theirs: str, norm: str, ours: str) -> Iterator[tuple[str, str]]:
        yield f"{theirs}.weight", f"{ours}.conv.weight"
        if affine:
            yield f"{norm}.weight", f"{ours}.norm.weight"
            yield f"{norm}.bias", f"{ours}.norm.bias"

    behind = 9 + max(blocks, 1)
    places = {"enter": 0, "down.0": 3, "down.1": 6, "up.0": behind, "up.1": behind + 3}
    for ours, place in places.items():
        yield from pair(f"{trunk}.{place}", f"{trunk}.{place + 1}", ours)
    for i in range(max(blocks, 1)):
        own = f"{trunk}.{9 + i}.{inner}"
        yield from pair(f"{own}.0", f"{own}.1", f"blocks.{i}.first")
        yield from pair(f"{own}.{second}", f"{own}.{second + 1}", f"blocks.{i}")
    yield f"{COLOUR[layout]}.0.weight", "colour.weight"
    yield f"{ATTENTION[layout]}.0.weight", "attention.weight"


def _critic_names(layout: str, tensors: Mapping[str, Tensor]) -> Iterator[tuple[str, str]]:
    own = layout == "donydchen"
    trunk = "model" if own else "main"
    layers = 0
    while f"{trunk}.{2 * layers}.weight" in tensors:
        layers += 1
    for i in range(max(layers, 1)):
        for what in ("weight", "bias"):
            yield f"{trunk}.{2 * i}.{what}", f"layers.{i}.{what}"
    yield ("dis_top.weight" if own else "conv1.weight"), "realness.weight"
    yield ("aus_top.weight" if own else "conv2.weight"), "intensity.weight"


def _generator(
    layout: str, tensors: Mapping[str, Tensor], names: Mapping[str, str]
) -> GanimationGenerator:
    first = _theirs(names, "enter.conv.weight")
    shape = _four(tensors[first], first)
    blocks = sum(ours.endswith(".first.conv.weight") for ours in names.values())
    if shape[1] != 3 + len(AUS):
        raise WeightsError(
            f"{first} takes {shape[1]} channels; {3 + len(AUS)} are asked for: a colour picture "
            f"and {len(AUS)} AUs in OpenFace's order"
        )
    if shape[0] > WIDEST:
        raise WeightsError(f"{first} has {shape[0]} channels; up to {WIDEST} are read")
    return GanimationGenerator(width=shape[0], blocks=blocks, affine=layout != "donydchen")


def _critic(layout: str, tensors: Mapping[str, Tensor], names: Mapping[str, str]) -> PatchCritic:
    first, last = _theirs(names, "layers.0.weight"), _theirs(names, "intensity.weight")
    width = _four(tensors[first], first)[0]
    units, _, side, _ = _four(tensors[last], last)
    layers = sum(ours.startswith("layers.") for ours in names.values()) // 2
    if layers > MOST_LAYERS or width << layers > 2 * MOST_CHANNELS or side > MOST_SIDE:
        raise WeightsError(
            f"a discriminator of {layers} layers, {width} channels in the first and a last side of "
            f"{side} is larger than what is read"
        )
    return PatchCritic(width=width, layers=layers, size=side << layers, units=units)


def _check_keys(layout: str, names: Mapping[str, str], seen: Mapping[str, Tensor]) -> None:
    missing, unknown = sorted(names.keys() - seen.keys()), sorted(seen.keys() - names.keys())
    if missing or unknown:
        raise WeightsError(
            f"a state dict of the {layout} layout, but {len(missing)} keys are missing "
            f"({_some(missing)}) and {len(unknown)} unknown ({_some(unknown)}); "
            f"expected {len(names)}: {_some(names)}"
        )


def _fill(network: nn.Module, state: Mapping[str, Tensor], names: Mapping[str, str]) -> None:
    want = network.state_dict()
    wrong = [
        f"{theirs}: {tuple(state[ours].shape)} seen, {tuple(want[ours].shape)} expected"
        for theirs, ours in names.items()
        if state[ours].shape != want[ours].shape
    ]
    if wrong:
        raise WeightsError(f"shapes do not fit: {_some(wrong)}")
    broken = [
        theirs
        for theirs, ours in names.items()
        if not state[ours].is_floating_point() or not bool(torch.isfinite(state[ours]).all())
    ]
    if broken:
        raise WeightsError(f"values that are no finite numbers: {_some(broken)}")
    network.load_state_dict({k: v.float() for k, v in state.items()})


def _theirs(names: Mapping[str, str], wanted: str) -> str:
    return next(theirs for theirs, ours in names.items() if ours == wanted)


def _four(tensor: Tensor, key: str) -> tuple[int, int, int, int]:
    if tensor.ndim != 4 or 0 in tensor.shape:
        raise WeightsError(f"{key} must have four axes; it is {tuple(tensor.shape)}")
    a, b, c, d = tensor.shape
    return a, b, c, d


def _some(keys: Any, most: int = 8) -> str:
    listed = [str(k) for k in keys]
    more = f", ... ({len(listed) - most} more)" if len(listed) > most else ""
    return (", ".join(listed[:most]) + more) if listed else "none"
