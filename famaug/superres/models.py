"""The sharpeners by name, and the door for weights of the user's own."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from famaug.errors import InputError, WeightsError
from famaug.packages import need
from famaug.superres.ncnn import convert_ncnn
from famaug.superres.rrdb import RRDBNet
from famaug.superres.srvgg import SRVGG
from famaug.weights.fetch import fetch
from famaug.weights.load import check_numbers, fill, load_safetensors, make_net
from famaug.weights.shipped import shipped_path
from famaug.weights.state_dict import read_torch_state_dict

SUFFIXES = (".safetensors", ".pth", ".pt", ".bin")
MOST_NUMBERS = 100_000_000
MOST = {"features": 256, "growth": 128, "blocks": 64, "convs": 128}
"""Larger networks are refused before they are built."""
MOST_LAYERS = 999
_WITHIN = ("params_ema", "params", "state_dict")


@dataclass(frozen=True)
class Model:
    """A sharpener that famaug knows.

    Attributes:
        kind: which network.
        weights: name of a shipped file, or of one to fetch.
        ships: False where the weights are fetched once.
    """

    kind: Literal["rrdb", "srvgg"]
    weights: str
    ships: bool


MODELS: dict[str, Model] = {
    "faces": Model("srvgg", "superres_faces", ships=True),  # compact, fine-tuned on faces
    "compact": Model("srvgg", "superres_compact", ships=True),  # realesr-animevideov3
    "realsr": Model("rrdb", "realsr_df2k", ships=False),  # RealSR DF2K, as in FAMGAN
    "realsr-jpeg": Model("rrdb", "realsr_df2k_jpeg", ships=False),  # DF2K_JPEG, of one's own file
    "realesrgan": Model("rrdb", "realesrgan_x4plus", ships=False),  # Real-ESRGAN x4plus
}
DEFAULT = "faces"


def load_model(model: str | Path, *, device: str | torch.device = "cpu") -> nn.Module:
    """A frozen network with `scale` and `reach`, float RGB `B 3 H W` in [0, 1] to `B 3 sH sW`.

    Args:
        model: a name in `MODELS`, or a file: .safetensors, .pth (also with `params_ema` or
            `params` in it), or ncnn's .bin. RRDB and compact networks are built here, others with
            spandrel where it is installed.
        device: where it runs.

    Raises:
        InputError: no such name or kind of file.
        FetchError: the weights cannot be had.
        WeightsError: damaged or hostile weights, or those of no known network.
    """
    known = MODELS.get(str(model))
    net = _from_file(Path(model)) if known is None else _known(known)
    return net.eval().requires_grad_(False).to(device)


def _known(model: Model) -> nn.Module:
    net = RRDBNet() if model.kind == "rrdb" else SRVGG()
    if model.ships:
        return fill(net, load_safetensors(shipped_path(model.weights)))
    return fill(net, convert_ncnn(fetch(model.weights), net))


def _from_file(path: Path) -> nn.Module:
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(
            f"--model {path}: a name ({', '.join(MODELS)}) or a file ({', '.join(SUFFIXES)}) was "
            "asked for"
        )
    if not path.is_file():
        raise WeightsError(f"{path}: no such file")
    if path.suffix.lower() == ".bin":
        net = RRDBNet() if path.stat().st_size > 8 << 20 else SRVGG()
        return fill(net, convert_ncnn(path, net))
    if path.suffix.lower() == ".safetensors":
        tensors = load_safetensors(path)
    else:
        tensors = read_torch_state_dict(path, within=_WITHIN)
    return build(tensors, str(path))


def build(tensors: dict[str, Tensor], name: str = "weights") -> nn.Module:
    """The network that a state dict belongs to, filled.

    Raises:
        WeightsError: of no known network, too large, or holding NaN.
    """
    numbers = sum(t.numel() for t in tensors.values())
    if numbers > MOST_NUMBERS:
        raise WeightsError(f"{name}: {numbers} numbers; up to {MOST_NUMBERS} are read")
    for key, value in tensors.items():
        if not value.is_floating_point():
            raise WeightsError(f"{name}: {key} holds no floats")
        if any(int(n) > MOST_LAYERS for n in re.findall(r"\d+", key)[:8]):
            raise WeightsError(f"{name}: {key} asks for more than {MOST_LAYERS} layers")
    check_numbers(tensors, name)
    tensors = {_renamed(k): v for k, v in tensors.items()}
    trunk = {int(k.split(".")[3]) for k in tensors if k.startswith("model.1.sub.")}
    if trunk:
        tensors = _old_sequential(tensors, max(trunk))
    if "conv_first.weight" in tensors and "body.0.rdb1.conv1.weight" in tensors:
        return make_net(lambda: _rrdb(tensors, name), tensors, name)
    if "body.0.weight" in tensors and "body.1.weight" in tensors:
        return make_net(lambda: _srvgg(tensors, name), tensors, name)
    return _foreign(tensors, name)


def _renamed(key: str) -> str:
    """ESRGAN's and RealSR's own names of 2018-2020 as today's."""
    key = key.removeprefix("module.")
    key = re.sub(r"^RRDB_trunk\.(\d+)\.RDB(\d)\.conv(\d)\.", r"body.\1.rdb\2.conv\3.", key)
    for old, new in (
        ("trunk_conv.", "conv_body."),
        ("upconv1.", "conv_up1."),
        ("upconv2.", "conv_up2."),
        ("HRconv.", "conv_hr."),
    ):
        if key.startswith(old):
            return new + key.removeprefix(old)
    return key


def _old_sequential(tensors: dict[str, Tensor], last: int) -> dict[str, Tensor]:
    """ESRGAN's first layout, numbered by position."""
    whole = {
        "model.0.": "conv_first.",
        f"model.1.sub.{last}.": "conv_body.",
        "model.3.": "conv_up1.",
        "model.6.": "conv_up2.",
        "model.8.": "conv_hr.",
        "model.10.": "conv_last.",
    }
    out = {}
    for key, value in tensors.items():
        new = re.sub(
            r"^model\.1\.sub\.(\d+)\.RDB(\d)\.conv(\d)\.0\.", r"body.\1.rdb\2.conv\3.", key
        )
        for start, name in whole.items():
            if new.startswith(start):
                new = name + new.removeprefix(start)
                break
        out[new] = value
    return out


def _count(keys: Iterable[str], pattern: str) -> int:
    found = [int(m.group(1)) for k in keys if (m := re.match(pattern, k))]
    return max(found) + 1


def _rrdb(tensors: dict[str, Tensor], name: str) -> RRDBNet:
    growth, features = (int(n) for n in tensors["body.0.rdb1.conv1.weight"].shape[:2])
    asked = {"blocks": _count(tensors, r"body\.(\d+)\."), "features": features, "growth": growth}
    return RRDBNet(**_within_limits(asked, name))


def _srvgg(tensors: dict[str, Tensor], name: str) -> SRVGG:
    layers = _count(tensors, r"body\.(\d+)\.")
    last = tensors.get(f"body.{layers - 1}.weight")
    scale = 0 if last is None else round((last.shape[0] / 3) ** 0.5)
    if not 1 <= scale <= 4 or last is None or last.shape[0] != 3 * scale * scale:
        raise WeightsError(f"{name}: its last layer makes no picture of scale 1 to 4")
    features = int(tensors["body.0.weight"].shape[0])
    asked = _within_limits({"features": features, "convs": (layers - 3) // 2}, name)
    return SRVGG(scale=scale, **asked)


def _within_limits(asked: dict[str, int], name: str) -> dict[str, int]:
    wrong = {k: v for k, v in asked.items() if not 1 <= v <= MOST[k]}
    if wrong:
        raise WeightsError(f"{name}: asks for a network of {wrong}; limits are {MOST}")
    return asked


class Foreign(nn.Module):
    """A network of spandrel's, with the same face to the outside as ours."""

    def __init__(self, descriptor: Any) -> None:
        super().__init__()
        self.net: nn.Module = descriptor.model
        self.call = descriptor
        self.scale = int(descriptor.scale)
        self.reach = self.follow = self.margin = 32
        self.bytes_per_pixel = 1 << 15

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.call(x)
        return out


def _foreign(tensors: dict[str, Tensor], name: str) -> nn.Module:
    seen = f"first keys: {list(tensors)[:4]}"
    spandrel = need("spandrel", f"{name}, neither an RRDB nor a compact network ({seen}),")
    try:
        found = spandrel.ModelLoader(device="cpu").load_from_state_dict(tensors)
    except Exception as e:
        raise WeightsError(f"{name}: spandrel knows no such network ({seen}): {e}") from e
    if not isinstance(found, spandrel.ImageModelDescriptor) or found.input_channels != 3:
        raise WeightsError(f"{name}: {found.architecture.name} does not turn RGB into RGB")
    return Foreign(found)
