"""State dicts of strangers: good ones load, the others do nothing but raise."""

from __future__ import annotations

import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch

from famaug.errors import WeightsError
from famaug.weights.state_dict import read_torch_state_dict


class Hostile:
    """Its unpickling would run a command."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> Any:
        return os.system, (self.command,)


def test_a_state_dict_loads(tmp_path: Path) -> None:
    net = torch.nn.Conv2d(3, 5, 3)
    torch.save(net.state_dict(), tmp_path / "net.pth")
    found = read_torch_state_dict(tmp_path / "net.pth")
    assert found.keys() == net.state_dict().keys()
    assert torch.equal(found["weight"], net.weight)


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("nested", [False, True])
def test_code_is_not_run(tmp_path: Path, nested: bool, zipped: bool) -> None:
    mark = tmp_path / "ran"
    evil: Any = Hostile(f"touch {mark}")
    value = {"weight": [evil]} if nested else evil
    torch.save(value, tmp_path / "evil.pth", _use_new_zipfile_serialization=zipped)
    with pytest.raises(WeightsError, match="system"):
        read_torch_state_dict(tmp_path / "evil.pth")
    (tmp_path / "plain.pth").write_bytes(pickle.dumps(evil))
    with pytest.raises(WeightsError, match="calls 'posix system'"):
        read_torch_state_dict(tmp_path / "plain.pth")
    assert not mark.exists()


def test_both_formats_keep_every_kind_of_number_and_shared_storages(tmp_path: Path) -> None:
    whole = torch.arange(24.0).reshape(4, 6)
    state = {
        "whole": whole,
        "part": whole[1:, ::2],
        "turned": whole.t(),
        "half": torch.ones(3, dtype=torch.float16),
        "brain": torch.ones(3, dtype=torch.bfloat16),
        "count": torch.tensor(7),
        "mask": torch.tensor([True, False]),
        "none": torch.zeros(0, 5),
        "learnt": torch.nn.Parameter(torch.full((2,), 3.0)),
    }
    for zipped in (True, False):
        path = tmp_path / f"{zipped}.pth"
        torch.save({"state_dict": state, "epoch": 3, "lr": 1e-3}, path,
                   _use_new_zipfile_serialization=zipped)  # fmt: skip
        found = read_torch_state_dict(path, within=("state_dict",))
        assert found.keys() == state.keys()
        for name, value in state.items():
            assert found[name].dtype == value.dtype
            assert torch.equal(found[name], value)


def test_truncated_and_foreign_files(tmp_path: Path) -> None:
    with (
        zipfile.ZipFile(tmp_path / "bomb.pth", "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("archive/data/0", "w", force_zip64=True) as member,
    ):
        for _ in range(600):
            member.write(bytes(1 << 20))
    with pytest.raises(WeightsError, match="unpacks to"):
        read_torch_state_dict(tmp_path / "bomb.pth")
    torch.save({"a": torch.zeros(1000)}, tmp_path / "whole.pth")
    (tmp_path / "cut.pth").write_bytes((tmp_path / "whole.pth").read_bytes()[:2000])
    torch.save([torch.zeros(3)], tmp_path / "list.pth")
    torch.save({"a": torch.zeros(3), "b": "text"}, tmp_path / "text.pth")
    for name in ("cut.pth", "list.pth", "text.pth", "missing.pth"):
        with pytest.raises(WeightsError, match=name):
            read_torch_state_dict(tmp_path / name)
    old = tmp_path / "old.pth"
    torch.save({"a": torch.arange(300)}, old, _use_new_zipfile_serialization=False)
    data = old.read_bytes()
    for end in range(0, len(data), 97):
        old.write_bytes(data[:end])
        with pytest.raises(WeightsError):
            read_torch_state_dict(old)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1e20])
def test_numbers_that_are_none_are_refused(tmp_path: Path, value: float) -> None:
    torch.save({"a": torch.tensor([1.0, value])}, tmp_path / "net.pth")
    with pytest.raises(WeightsError, match="a holds"):
        read_torch_state_dict(tmp_path / "net.pth")
