"""What is published: the wheel carries every file of the package and nothing else, and its page
shows pictures wherever it is read."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    from hatchling.builders.wheel import WheelBuilder

    folder = tmp_path_factory.mktemp("wheel")
    (made,) = WheelBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"])
    return zipfile.ZipFile(made)


def _of_package() -> set[str]:
    return {
        p.relative_to(ROOT).as_posix()
        for p in (ROOT / "famaug").rglob("*")
        if p.is_file() and "__pycache__" not in p.parts
    }


def test_the_wheel_is_the_package(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    about = {n for n in names if ".dist-info/" in n}
    assert names - about == _of_package()
    assert {n.partition("/")[2] for n in about} >= {"licenses/LICENSE", "licenses/NOTICE"}


def test_it_carries_what_is_read_at_run_time(wheel: zipfile.ZipFile) -> None:
    from famaug.samples import faces
    from famaug.weights.shipped import SHIPPED

    names = set(wheel.namelist())
    assert "famaug/py.typed" in names
    assert {f"famaug/weights/files/{s.file}" for s in SHIPPED.values()} <= names
    assert {f"famaug/samples/faces/{p.name}" for p in faces().values()} <= names
    kinds = {n.split("/")[2] for n in names if n.startswith("famaug/configs/") and n.count("/") > 2}
    assert kinds >= {"generation", "generator", "recognition", "superres"}
    assert not [n for n in names if "/tests/" in n or "test_" in n]


LOADS = """
import sys, torch, famaug
from famaug.recognition import load_recogniser
from famaug.recognition.saved import logits_of, read_about
from famaug.weights.shipped import shipped_path

assert famaug.__file__.startswith(sys.argv[1]), famaug.__file__
net, spec = load_recogniser("flow-cnn/composite", classes=["negative", "positive", "surprise"])
told = torch.tensor(read_about(shipped_path("flow-cnn/composite")).logits)
torch.testing.assert_close(logits_of(net, spec), told, atol=1e-3, rtol=0)
print(sum(p.numel() for p in net.parameters()))
"""


def test_the_recogniser_that_ships_loads_in_a_fresh_process(
    wheel: zipfile.ZipFile, tmp_path: Path
) -> None:
    """And gives, for made inputs, what its file remembers: the network of that name has not
    changed under it."""
    wheel.extractall(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", LOADS, str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert 50_000 < int(done.stdout) < 200_000


def test_links_of_its_page_work_anywhere(wheel: zipfile.ZipFile) -> None:
    (name,) = (n for n in wheel.namelist() if n.endswith("/METADATA"))
    message = Parser().parsestr(wheel.read(name).decode())
    page = str(message.get_payload())
    home = PROJECT["urls"]["Homepage"]
    raw = home.replace("https://github.com", "https://raw.githubusercontent.com")
    pictures = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", page)
    shown = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", (ROOT / "README.md").read_text())
    version = message["Version"]
    assert pictures == [f"{raw}/v{version}/{p}" for p in shown]
    assert all((ROOT / p).is_file() for p in shown)
    links = re.findall(r"(?<!!)\[[^\]]*\]\(([^)]+)\)", page)
    assert all(link.startswith(("https://", "#")) for link in links)
    for link in links:
        if link.startswith(f"{home}/blob/v{version}/"):
            path, _, _ = link.removeprefix(f"{home}/blob/v{version}/").partition("#")
            assert (ROOT / path).exists(), link


def test_one_address_everywhere() -> None:
    home = PROJECT["urls"]["Homepage"]
    assert all(url.startswith(home) for url in PROJECT["urls"].values())
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
        for url in re.findall(r"https://[\w.]*github[\w.]*/\w+/famaug\b", path.read_text()):
            assert url == home, path


def test_the_version_is_the_packages(wheel: zipfile.ZipFile) -> None:
    import famaug

    assert wheel.filename is not None
    assert Path(wheel.filename).name == f"famaug-{famaug.__version__}-py3-none-any.whl"
