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


@pytest.mark.parametrize("nested", [False, True])
def test_code_is_not_run(tmp_path: Path, nested: bool) -> None:
    mark = tmp_path / "ran"
    evil: Any = Hostile(f"touch {mark}")
    torch.save({"weight": [evil]} if nested else evil, tmp_path / "evil.pth")
    with pytest.raises(WeightsError):
        read_torch_state_dict(tmp_path / "evil.pth")
    (tmp_path / "plain.pth").write_bytes(pickle.dumps(evil))
    with pytest.raises(WeightsError, match="zip format"):
        read_torch_state_dict(tmp_path / "plain.pth")
    assert not mark.exists()


def test_bombs_truncated_and_foreign_files(tmp_path: Path) -> None:
    with (
        zipfile.ZipFile(tmp_path / "bomb.pth", "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("archive/data/0", "w", force_zip64=True) as member,
    ):
        for _ in range(1100):
            member.write(bytes(1 << 20))
    with pytest.raises(WeightsError, match="unpacks to more"):
        read_torch_state_dict(tmp_path / "bomb.pth")
    torch.save({"a": torch.zeros(1000)}, tmp_path / "whole.pth")
    (tmp_path / "cut.pth").write_bytes((tmp_path / "whole.pth").read_bytes()[:2000])
    torch.save([torch.zeros(3)], tmp_path / "list.pth")
    for name in ("cut.pth", "list.pth", "missing.pth"):
        with pytest.raises(WeightsError):
            read_torch_state_dict(tmp_path / name)


def test_the_older_format_only_on_request(tmp_path: Path) -> None:
    path, evil = tmp_path / "old.pth", tmp_path / "evil.pth"
    torch.save({"a": torch.arange(3)}, path, _use_new_zipfile_serialization=False)
    with pytest.raises(WeightsError, match="zip format"):
        read_torch_state_dict(path)
    assert read_torch_state_dict(path, legacy=True)["a"].tolist() == [0, 1, 2]
    mark = tmp_path / "ran"
    torch.save(Hostile(f"touch {mark}"), evil, _use_new_zipfile_serialization=False)
    with pytest.raises(WeightsError):
        read_torch_state_dict(evil, legacy=True)
    assert not mark.exists()
