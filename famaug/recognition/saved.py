"""A trained recogniser in one file: its weights, and all that is needed to use them rightly."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from famaug import __version__
from famaug.errors import InputError, WeightsError
from famaug.files.limits import translated
from famaug.flow.pictures import CHANNELS
from famaug.named import import_named
from famaug.recognition.inputs import InputSpec
from famaug.recognition.recognisers import RECOGNISERS, scaled
from famaug.seeding import keyed_generator
from famaug.weights.tensor_files import load_tensors, save_tensors

KIND = "recogniser/1"
"""In the note of such a file."""
LARGEST_INPUT = 1024
MOST_FRAMES = 256
TRIED = 4
"""Made inputs whose logits a file remembers."""


@dataclass(frozen=True, kw_only=True)
class About:
    """What a file says of a recogniser.

    Attributes:
        network: a name of `RECOGNISERS`.
        options: all its arguments but `classes`.
        classes: names of the classes in order of the logits.
        channels: of flow inputs, in order ("u", "v", "strain"); of others empty.
        input: the input it was trained on.
        subjects: everybody ("dataset/subject") whom it was trained on.
        made: how it was made, in plain values, for people.
        logits: what it gives for `tried_inputs`.
        famaug: version that wrote it.
    """

    network: str
    options: Mapping[str, Any]
    classes: tuple[str, ...]
    channels: tuple[str, ...]
    input: InputSpec
    subjects: tuple[str, ...] = ()
    made: Mapping[str, Any] = field(default_factory=dict)
    logits: tuple[tuple[float, ...], ...] = ()
    famaug: str = ""

    def check_use(
        self,
        name: str,
        *,
        classes: Sequence[str],
        channels: Sequence[str] = (),
        spec: InputSpec | None = None,
    ) -> None:
        """Raises WeightsError where it would be shown, or be asked, something else than what it
        was trained on.

        Args:
            name: of the file, begins the message.
            classes: what is told apart, in order.
            channels: order of the channels of flow inputs; () for any.
            spec: the input it is to get; the method of the flow may differ.
        """
        wrong = []
        if list(classes) != list(self.classes):
            wrong.append(
                f"it tells apart {', '.join(self.classes)}, in this order; asked for were "
                f"{', '.join(map(str, classes))}: name the classes so, or begin from other weights"
            )
        if self.channels and channels and list(channels) != list(self.channels):
            wrong.append(
                f"its channels are {', '.join(self.channels)}; the inputs' are "
                f"{', '.join(channels)}: turn them round (data.channels of a flow folder)"
            )
        own, given = vars(self.input), vars(spec or self.input)
        wrong += [
            f"its inputs have {k} {own[k]!r}, here {given[k]!r}: set network.input.{k}"
            for k in ("kind", "size", "frames", "low", "high")
            if own[k] != given[k]
        ]
        if wrong:
            raise WeightsError(f"{name}: {'; '.join(wrong)}")

    def to_json(self) -> dict[str, Any]:
        """The note of the file."""
        value = {k: v for k, v in vars(self).items() if k != "input"}
        return {"kind": KIND, "input": asdict(self.input), **value}

    @staticmethod
    def from_json(note: Mapping[str, Any], name: str) -> About | None:
        """Of a file's note; None where it is of no recogniser.

        Raises:
            WeightsError: a note that is damaged, or names a network that famaug does not have.
        """
        if note.get("kind") != KIND:
            return None
        with translated(f"{name}: what it says of its recogniser", WeightsError):
            given = {k: v for k, v in note.items() if k != "kind"}
            spec = InputSpec(**given.pop("input"))
            for key in ("classes", "channels", "subjects"):
                given[key] = tuple(map(str, given[key]))
            given["logits"] = tuple(tuple(map(float, row)) for row in given["logits"])
            about = About(**given, input=spec)
            # a stranger's file must not name modules to be imported, or take all memory
            known = about.network in RECOGNISERS and isinstance(about.options, dict)
            room = spec.size <= LARGEST_INPUT and spec.frames <= MOST_FRAMES
            if not known or not room or len(about.classes) < 2:
                raise WeightsError(
                    f"{name}: says it is {about.network!r} of {len(about.classes)} classes with "
                    f"options {about.options} and inputs {spec.shape}; known are "
                    f"{', '.join(RECOGNISERS)}, 2 classes or more, up to {LARGEST_INPUT} pixels "
                    f"and {MOST_FRAMES} frames: the file is damaged or of another version"
                )
        return about


def tried_inputs(spec: InputSpec) -> Tensor:
    """Made inputs, float32 `TRIED ...spec.shape` from `low` to `high`: the same at all times."""
    made = keyed_generator(0, "tried").integers(0, 256, (TRIED, *spec.shape))
    return scaled(torch.from_numpy(made), spec)


def logits_of(net: nn.Module, spec: InputSpec) -> Tensor:
    """What a network gives for `tried_inputs`, float32 `TRIED C`; it is left in evaluation mode."""
    with torch.no_grad():
        found: Tensor = net.eval().cpu()(tried_inputs(spec)).float()
    return found


def save_recogniser(
    path: Path,
    net: nn.Module,
    *,
    network: str,
    options: Mapping[str, Any],
    spec: InputSpec,
    classes: Sequence[str],
    channels: Sequence[str] = CHANNELS,
    subjects: Sequence[str] = (),
    made: Mapping[str, Any] | None = None,
) -> About:
    """Writes a `.safetensors` file that `load_recogniser` and `training.start` read.

    Args:
        net: as of `build_recogniser`, trained; it is left in evaluation mode, on the CPU.
        spec: as of `build_recogniser`.
        network: as of `build_recogniser`.
        options: of the network; those that were not given are written with their defaults.
        classes: names in order of the logits.
        channels: order of the channels of the flow inputs it was trained on.
        subjects: everybody ("dataset/subject") whom it was trained on.
        made: how it was made, JSON-able, for people.

    Raises:
        InputError: a network of one's own, whose file nobody else could read.
    """
    if network not in RECOGNISERS:
        raise InputError(
            f"a file names a network of famaug's ({', '.join(RECOGNISERS)}); got {network!r}: keep "
            "the state dict of your own with torch.save or safetensors"
        )
    known = inspect.signature(import_named(network, "recogniser", RECOGNISERS)).parameters
    defaults = {k: p.default for k, p in known.items() if k != "classes"}
    about = About(
        network=network,
        options={**defaults, **options},
        classes=tuple(classes),
        channels=tuple(channels) if spec.kind == "flow" else (),
        input=spec,
        subjects=tuple(subjects),
        made=dict(made or {}),
        logits=tuple(tuple(round(float(x), 5) for x in row) for row in logits_of(net, spec)),
        famaug=__version__,
    )
    save_tensors(path, net.state_dict(), about.to_json())
    return about


def read_about(path: Path) -> About:
    """What a file of `save_recogniser` says of itself.

    Raises:
        WeightsError: another kind of file, or a damaged one.
    """
    about = About.from_json(load_tensors(path)[1], str(path))
    if about is None:
        raise WeightsError(
            f"{path}: weights without a word on their network; build_recogniser makes the network, "
            "into which load_state_dict puts them"
        )
    return about
