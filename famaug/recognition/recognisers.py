"""Networks by name, or the user's own by `module:Class`, checked before any training."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from famaug.errors import InputError
from famaug.named import import_named
from famaug.recognition.inputs import InputSpec
from famaug.seeding import keyed_generator

RECOGNISERS: dict[str, str] = {
    "ststnet": "famaug.recognition.networks.ststnet:STSTNet",
    "off-apexnet": "famaug.recognition.networks.off_apexnet:OffApexNet",
    "flow-cnn": "famaug.recognition.networks.flow_cnn:FlowCNN",
    "dual-stream": "famaug.recognition.networks.dual_stream:DualStreamNet",
    "two-branch": "famaug.recognition.networks.two_branch:TwoBranchNet",
    "video": "famaug.recognition.networks.video_net:VideoNet",
}


def build_recogniser(
    name: str,
    *,
    classes: int,
    options: Mapping[str, Any] | None = None,
    input_spec: Mapping[str, Any] | None = None,
    seed: int = 0,
    key: str = "",
) -> tuple[nn.Module, InputSpec]:
    """A network with weights drawn from (seed, key), and the input it wants.

    Args:
        name: one of `RECOGNISERS`, or `module:Class` of your own. The class is called with
            `classes=` and the options; it maps float `B ...` to logits `B classes`.
        classes: how many.
        options: further arguments of the class.
        input_spec: fields of `InputSpec` that replace those of the class's `input_spec`; all of
            them where it has none.
        seed: of the initial weights.
        key: words that set these weights apart from others of the same seed.

    Raises:
        InputError: unknown name or option, no input described, or the network does not take its
            input or give `B classes`.
    """
    make = import_named(name, "recogniser", RECOGNISERS)
    arguments = dict(options or {})
    _check_options(name, make, arguments)
    with torch.random.fork_rng():
        # torch's layers draw their first weights from torch's own stream and nowhere else
        torch.manual_seed(int(keyed_generator(seed, "weights", key).integers(2**62)))
        net = make(classes=classes, **arguments)
    if not isinstance(net, nn.Module):
        raise InputError(f"{name} gives a {type(net).__name__}, not a torch.nn.Module")
    spec = _spec(name, net, dict(input_spec or {}))
    _check_fit(name, net, spec, classes)
    return net, spec


def scaled(inputs: Tensor, spec: InputSpec) -> Tensor:
    """uint8 inputs as the network sees them: float32, 0 as `low` and 255 as `high`."""
    return inputs.float() * ((spec.high - spec.low) / 255) + spec.low


def _check_options(name: str, make: Any, options: dict[str, Any]) -> None:
    known = inspect.signature(make).parameters
    if any(p.kind is inspect.Parameter.VAR_KEYWORD for p in known.values()):
        return
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise InputError(f"{name} takes no option {unknown}; it takes {sorted(known)}")
    if "classes" not in known:
        raise InputError(f"{name} must take classes=, the number of classes; it takes {[*known]}")


def _spec(name: str, net: nn.Module, given: dict[str, Any]) -> InputSpec:
    own = getattr(net, "input_spec", None)
    try:
        if isinstance(own, InputSpec):
            return replace(own, **given)
        return InputSpec(**given)
    except TypeError as error:
        raise InputError(
            f"{name}: its input is not described: give it an attribute `input_spec`, or the config "
            f"an `input` with kind and size ({error})"
        ) from error


def _check_fit(name: str, net: nn.Module, spec: InputSpec, classes: int) -> None:
    training = net.training
    net.eval()
    try:
        with torch.no_grad():
            seen = net(torch.zeros(2, *spec.shape))
    except (RuntimeError, ValueError, IndexError, TypeError) as error:
        raise InputError(
            f"{name} does not take its input, {spec.kind} of shape {spec.shape}: {error}"
        ) from error
    finally:
        net.train(training)
    if not isinstance(seen, Tensor) or seen.shape != (2, classes):
        shape = tuple(seen.shape) if isinstance(seen, Tensor) else type(seen).__name__
        raise InputError(f"{name} gives {shape} for 2 inputs; wanted (2, {classes}), logits")
