"""Files of weights of a recogniser, and those that a training begins from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor, nn

from famaug.errors import InputError, WeightsError
from famaug.named import did_you_mean
from famaug.weights.fetch import fetch
from famaug.weights.load import load_safetensors
from famaug.weights.registry import ENTRIES
from famaug.weights.shipped import SHIPPED, shipped_path
from famaug.weights.state_dict import read_torch_state_dict
from famaug.weights.tensor_files import subjects_of

WITHIN = ("state_dict", "model_state_dict", "model", "net")
SEVERAL_DEVICES = "module."


@dataclass(frozen=True, eq=False)
class Start:
    """First weights of every fold and seed.

    Attributes:
        name: file or name they were asked for by.
        tensors: the state of the network.
        subjects: everybody whom the file names as trained on.
    """

    name: str
    tensors: Mapping[str, Tensor]
    subjects: tuple[str, ...] = ()

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
    path, known = Path(start), [*SHIPPED, *(e.name for e in ENTRIES)]
    if not path.is_file():
        if start not in known:
            near = did_you_mean(start, known)
            raise InputError(
                f"training.start is a file of weights or a name of `famaug weights list`; "
                f"{start!r} is neither{near}"
            )
        path = shipped_path(start) if start in SHIPPED else fetch(start)
    own = path.suffix == ".safetensors"
    return Start(start, read_state_dict(path), subjects_of(path) if own else ())


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
