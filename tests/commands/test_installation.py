"""`famaug doctor` on an installation: every optional part, and what is wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import famaug.commands.installation as installation
from famaug.packages import PARTS, hint


def test_an_absent_part_is_listed_with_its_extra() -> None:
    found = installation.look_at_installation()
    found.optional["ray"] = None
    said = {line.split()[0]: line for line in found.lines()}
    for part in PARTS:
        if part.extra:
            version = found.optional[part.package]
            assert (version or f"absent: {hint(part)}") in said[part.package]
    assert found.to_json()["install"]["ray"] == 'pip install "famaug[ray]"'  # type: ignore[index]
    assert {*found.space} >= {"here", "fetched", "temporary"}
    assert all(found.weights.values())
    assert found.devices[0] == "cpu"


def test_a_full_disk_is_a_problem_and_little_shared_memory_a_note(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(installation, "LITTLE", 2**63)
    found = installation.look_at_installation()
    assert any("MiB are free there" in line for line in found.problems)
    if Path("/dev/shm").is_dir():
        assert any("--shm-size" in line for line in found.notes)


def test_the_command_sees_two_opencvs_and_a_broken_package(tmp_path: Path) -> None:
    info = tmp_path / "opencv_python-4.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: opencv-python\nVersion: 4.1\n")
    (info / "RECORD").write_text("cv2/__init__.py,sha256=x,7\n")
    (tmp_path / "torchvision.py").write_text("raise RuntimeError('operator nms does not exist')")
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); sys.argv[1:] = ['doctor', '--json'];"
        "from famaug.cli import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    value = json.loads(done.stdout.splitlines()[-1])
    assert value["command"] == "doctor"
    two, broken = value["problems"]
    assert two.startswith("2 wheels of OpenCV fight over cv2 (opencv-python 4.1, opencv-python-hea")
    assert broken == (
        "famaug needs torchvision, which cannot be imported (operator nms does not exist): "
        "pip install --force-reinstall torchvision"
    )
    assert "Traceback" not in done.stderr
