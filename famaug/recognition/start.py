"""Files of weights of a recogniser, and those that a training begins from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor, nn

from famaug.errors import InputError, WeightsError
from famaug.flow.pictures import CHANNELS
from famaug.named import did_you_mean
from famaug.recognition.inputs import InputSpec
from famaug.recognition.recognisers import build_recogniser
from famaug.recognition.saved import KIND, About, read_about
from famaug.weights.fetch import fetch
from famaug.weights.load import fill, load_safetensors, open_safetensors
from famaug.weights.registry import ENTRIES
from famaug.weights.shipped import SHIPPED, shipped_path
from famaug.weights.state_dict import read_torch_state_dict
from famaug.weights.tensor_files import NOTE, subjects_of

WITHIN = ("state_dict", "model_state_dict", "model", "net")
SEVERAL_DEVICES = "module."


@dataclass(frozen=True, eq=False)
class Start:
    """First weights of every fold and seed.

    Attributes:
        name: file or name they were asked for by.
        tensors: the state of the network.
        subjects: everybody whom the file names as trained on.
        about: what it says of its network, or None where it does not.
    """

    name: str
    tensors: Mapping[str, Tensor]
    subjects: tuple[str, ...] = ()
    about: About | None = None

    def check_use(self, classes: Sequence[str], u: int, spec: InputSpec) -> None:
        """Raises WeightsError where it was trained on other classes, on channels in another order
        (`u`: which one of the inputs is u), or on other inputs, and says so."""
        if self.about is not None:
            order = CHANNELS[::-1] if u else CHANNELS
            name = f"training.start {self.name}"
            self.about.check_use(name, classes=classes, channels=order, spec=spec)

    def fill(self, net: nn.Module, network: str) -> None:
        """Puts them into a network.

        Raises:
            WeightsError: names or shapes differ; the message lists them.
        """
        want = net.state_dict()
        found = [f"it lacks {n}" for n in want if n not in self.tensors]
        found += [f"it has {n}" for n in self.tensors if n not in want]
        found += [
            f"{n} is {tuple(self.tensors[n].shape)}, wanted {tuple(v.shape)}"
            for n, v in want.items()
            if n in self.tensors and self.tensors[n].shape != v.shape
        ]
        if found:
            more = f" and {len(found) - 5} more" if len(found) > 5 else ""
            raise WeightsError(
                f"training.start {self.name} does not fit {network}: {'; '.join(found[:5])}{more}; "
                "give weights of the same network, options and number of classes"
            )
        net.load_state_dict(dict(self.tensors))


def read_start(start: str) -> Start:
    """The weights of a file, or of a name of `famaug weights list` (fetched where they must be).

    Raises:
        InputError: neither a file nor a name.
        WeightsError: no state dict, or one that is damaged. FetchError: it cannot be had.
    """
    path = weights_path(start, "training.start")
    if path.suffix != ".safetensors":
        return Start(start, read_state_dict(path))
    about = read_about(path) if _is_recogniser(path) else None
    return Start(start, read_state_dict(path), subjects_of(path), about)


def weights_path(name: str | Path, what: str) -> Path:
    """The file of a path, or of a name of `famaug weights list` (fetched where it must be).

    Args:
        what: what is asked for, begins the message.

    Raises:
        InputError: neither a file nor a name. FetchError: it cannot be had.
    """
    path, known = Path(name), [*SHIPPED, *(e.name for e in ENTRIES)]
    if path.is_file():
        return path
    if str(name) not in known:
        near = did_you_mean(str(name), known)
        raise InputError(
            f"{what} is a file of weights or a name of `famaug weights list`; "
            f"{str(name)!r} is neither{near}"
        )
    return shipped_path(str(name)) if name in SHIPPED else fetch(str(name))


def load_recogniser(
    source: str | Path,
    *,
    classes: Sequence[str] | None = None,
    channels: Sequence[str] = CHANNELS,
) -> tuple[nn.Module, InputSpec]:
    """A trained recogniser, and the input it wants, to use or to train further.

        net, spec = load_recogniser("flow-cnn/composite")

    Args:
        source: a file of `save_recogniser`, or a name of `famaug weights list`.
        classes: names of your classes in order, which must be the file's; None takes the file's
            (`read_about(path).classes`; `famaug weights card NAME` prints them).
        channels: order of the channels of your flow inputs; that of `flow_features` by default.

    Returns:
        The network, on the CPU, in evaluation mode, with all weights trainable: call `.train()`
        before you train it. And its `InputSpec`: inputs go from `low` to `high`, as `as_input`
        makes them.

    Raises:
        InputError: neither a file nor a name.
        WeightsError: other classes or another order of channels; weights that say nothing of
            their network; or a damaged file.
    """
    path = weights_path(source, "a recogniser")
    about = read_about(path)
    about.check_use(
        str(source), classes=about.classes if classes is None else classes, channels=channels
    )
    net, spec = build_recogniser(
        about.network,
        classes=len(about.classes),
        options=about.options,
        input_spec=vars(about.input),
    )
    try:
        return fill(net, read_state_dict(path)).requires_grad_(True), spec
    except WeightsError as error:
        raise WeightsError(f"{source} does not hold what it says of itself: {error}") from error


def _is_recogniser(path: Path) -> bool:
    """Whether a safetensors file says what network it is of. Other notes, and none, are as well."""
    _, about = open_safetensors(path)
    return f'"{KIND}"' in about.get(NOTE, "")


def read_state_dict(path: Path) -> dict[str, Tensor]:
    """Names and tensors of a state dict, in safetensors or as torch.save wrote it.

    A checkpoint's state dict may lie beside other things, and names may begin with "module." as
    those of several devices do.

    Raises:
        WeightsError: missing, damaged, or holding anything but tensors.
    """
    if path.suffix == ".safetensors":
        found = load_safetensors(path)
    else:
        found = read_torch_state_dict(path, within=WITHIN)
    if found and all(name.startswith(SEVERAL_DEVICES) for name in found):
        return {name.removeprefix(SEVERAL_DEVICES): t for name, t in found.items()}
    return found
