"""Packages that may be absent: names stay usable, errors say what to type, imports stay light."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from textwrap import indent

import pytest

from famaug.errors import FamaugError, MissingPackageError
from famaug.packages import CORE, PARTS, hint, installed, need, stand_in

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
LONERS = {"pyfaceau"}
"""Extras that cannot live in one environment with the others."""
REFUSE = """
import sys
from importlib.abc import MetaPathFinder
class Refuse(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {names!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Refuse())
"""


def _run(code: str, *absent: str) -> str:
    code = REFUSE.format(names=absent) + code
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _name(requirement: str) -> str:
    found = re.match(r"[\w-]+", requirement)
    assert found is not None
    return found[0]


def _members(extra: str) -> set[str]:
    """Extras of famaug that an extra is made of."""
    inner = [r for r in EXTRAS[extra] if r.startswith("famaug[")]
    return {each for r in inner for each in r[len("famaug[") : -1].split(",")}


@pytest.mark.parametrize("part", PARTS, ids=lambda p: p.package)
def test_the_hint_installs_the_package(part) -> None:  # type: ignore[no-untyped-def]
    brought = EXTRAS[part.extra] if part.extra else PROJECT["dependencies"]
    assert part.package in {_name(r) for r in brought}


def test_the_core_is_what_is_declared() -> None:
    assert sorted(CORE) == sorted(_name(r) for r in PROJECT["dependencies"])


def test_every_package_of_an_extra_is_a_part() -> None:
    known = {(p.extra, p.package) for p in PARTS if p.extra}
    asked = {
        (extra, _name(r))
        for extra, every in EXTRAS.items()
        for r in every
        if extra not in ("dev", "convert") and not r.startswith("famaug[")
    }
    assert asked == known - {("convert", "tflite")}


def test_the_readme_lists_every_extra() -> None:
    (table,) = re.findall(r"\| extra \| brings .*\n\|.*\n((?:\|.*\n)+)", README.read_text())
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \|", table, re.MULTILINE)
    listed = {extra: set(brings.split(", ")) for extra, brings in rows}
    assert listed.pop("all") == {"all of these"}
    assert listed == {
        extra: {_name(r) for r in every}
        for extra, every in EXTRAS.items()
        if extra not in ("all", "dev")
    }


def test_all_is_everything_that_lives_together() -> None:
    assert _members("all") == set(EXTRAS) - {"all", "dev"} - LONERS
    assert all(r.startswith("famaug[") for r in EXTRAS["all"])
    assert _members("dev") <= _members("all")


def _texts() -> Iterator[tuple[str, str]]:
    """Everything a user may read: pages, code with its messages, recipes, configurations."""
    every = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
    for folder in ("famaug", "recipes"):
        every += [p for p in (ROOT / folder).rglob("*") if p.suffix in (".py", ".yaml")]
    for path in every:
        yield path.name, path.read_text()


def test_extras_that_are_named_exist() -> None:
    """And a command that names one is written in double quotes, which every shell takes."""
    wrong = []
    for name, text in _texts():
        if name == "packages.py":
            continue
        asked = re.findall(r"famaug\[([a-z][a-z,]*)\]", text)
        wrong += [f"{name}: {a}" for a in asked if not set(a.split(",")) <= set(EXTRAS)]
        typed = re.findall(r"pip install (?:-\S+ )*\S*\[.*", text)
        wrong += [f"{name}: {t}" for t in typed if not re.match(r'pip install (-\S+ )*"', t)]
    assert not wrong, "\n".join(wrong)


def test_nothing_asks_for_a_package_by_hand() -> None:
    """Optional packages are imported by `need`; only their own modules, behind it, by `import`."""
    optional = {p.module for p in PARTS if p.extra} | {"torchvision", "albumentations", "timm"}
    wrong = []
    for path in [*(ROOT / "famaug").rglob("*.py"), *(ROOT / "recipes").glob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            named = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                named = [node.module or ""]
            if isinstance(node, ast.ExceptHandler) and isinstance(node.type, ast.Name):
                named = ["!"] if node.type.id in ("ImportError", "ModuleNotFoundError") else []
            for name in named:
                behind = path.name in ("packages.py", "named.py")
                if (name.partition(".")[0] in optional or name == "!") and not behind:
                    wrong.append(f"{path.relative_to(ROOT)}:{node.lineno} {name}")
    assert not wrong, "\n".join(wrong)


def test_an_absent_package_is_an_import_error_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ImportError) as error:
        need("ray", "the engine ray")
    assert isinstance(error.value, FamaugError)
    assert error.value.name == "ray"
    assert str(error.value) == (
        'the engine ray needs ray, which is not installed: pip install "famaug[ray]"'
    )


def test_a_broken_package_says_how(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "ncnn", raising=False)
    (tmp_path / "ncnn.py").write_text("raise RuntimeError('operator nms does not exist')")
    with pytest.raises(MissingPackageError, match=r"cannot be imported \(operator nms does not"):
        need("ncnn", "this")
    (tmp_path / "ncnn.py").write_text("import no_such_thing")
    with pytest.raises(MissingPackageError, match="ncnn, which lacks no_such_thing"):
        need("ncnn", "this")


def test_a_stand_in_raises_when_it_is_made() -> None:
    error = MissingPackageError("X needs y", name="y")
    kind = stand_in("X", error)
    assert kind.__name__ == "X"
    with pytest.raises(MissingPackageError, match="X needs y"):
        kind(p=0.3)


def test_names_of_famaug_data_can_be_looked_at() -> None:
    """hasattr, getmembers, dir and a star import, with packages absent; using a name says which."""
    code = """
import inspect
import famaug.data, famaug.recognition, famaug.config.generation
from famaug.data import *
from famaug.data import SynthClip, SynthTransform
from famaug.data.readers import find_reader
assert hasattr(famaug.data, "SynthClip") and not hasattr(famaug.data, "Nothing")
members = dict(inspect.getmembers(famaug.data))
assert set(famaug.data.__all__) <= members.keys() & set(dir(famaug.data))
assert find_reader("casme2", "reader") is Casme2
for kind in (SynthTransform, SynthClip):
    try:
        kind(p=0.3)
    except ImportError as error:
        print(error)
"""
    assert _run(code, "torchvision", "albumentations", "timm").splitlines() == [
        "SynthTransform needs torchvision, which is not installed: pip install famaug",
        "SynthClip needs albumentations, which is not installed: pip install famaug",
    ]


JOBS = {
    "ray": """
from famaug.config.generation import GENERATION, open_generation
open_generation(GENERATION.of({'out': 'x', 'work': {'engine': 'ray'}}))
""",
    "accelerate": """
from famaug.training.loop.engine import Engine
Engine(device='cpu')
""",
    "tensorboard": """
from famaug.config.recognition import RECOGNITION
RECOGNITION.of({'out': 'x', 'data': {'root': '.'}, 'tensorboard': True})
""",
    "webdataset": """
from famaug.store.export import export_webdataset
export_webdataset('x', 'x.tar')
""",
    "onnx": """
import pathlib
from famaug.perception.sface import convert_sface
convert_sface(pathlib.Path('x'))
""",
    "feat": """
from famaug.aus.pyfeat import PyFeat
PyFeat()
""",
}
"""Optional module: a job that needs it."""


@pytest.fixture(scope="module")
def refusals() -> list[str]:
    """What each job ends with where its package is absent; one process for all, as torch loads."""
    code = "".join(
        f"try:\n{indent(job, '    ')}\nexcept ImportError as error: print(error)\n"
        for job in JOBS.values()
    )
    return _run(code, *JOBS).splitlines()


@pytest.mark.parametrize("number", range(len(JOBS)), ids=[*JOBS])
def test_a_job_says_which_extra_it_needs(number: int, refusals: list[str]) -> None:
    (part,) = (p for p in PARTS if p.module == [*JOBS][number])
    assert f"needs {part.package}, which is not installed: {hint(part)}" in refusals[number]


def test_the_command_line_ends_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("out: x\nwork: {engine: ray}\n")
    code = f"""
import sys
from famaug.cli import main
sys.argv = ["famaug", "pregenerate", {str(tmp_path / "c.yaml")!r}]
try:
    main()
except SystemExit as end:
    print("exit", end.code)
"""
    code = REFUSE.format(names=("ray",)) + code
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "exit 1\n"
    assert done.stderr == f"famaug: the engine ray needs ray, which is not installed: {_ray()}\n"


def _ray() -> str:
    return hint(next(p for p in PARTS if p.package == "ray"))


def test_looking_imports_little() -> None:
    """Help of every command, what arguments are checked by, the names of `famaug.data`."""
    code = """
from typer.testing import CliRunner
import famaug.cli
from famaug.packages import PARTS
every = {p.module for p in PARTS} | {"torch", "cv2", "pandas"}
def loaded(): return sorted(every & set(sys.modules))
for command in famaug.cli.app.registered_commands + famaug.cli.app.registered_groups:
    name = command.name or command.typer_instance.info.name
    assert CliRunner().invoke(famaug.cli.app, [name, "--help"]).exit_code == 0, name
print("help", *loaded())
import famaug.media.clips, famaug.data.readers, famaug.modulation.rules
import famaug.quality.gate, famaug.config.recognition, famaug.samples, famaug.weights.shipped
print("checks of arguments", *loaded())
import famaug.config.generation
print("configurations", *loaded())
from famaug.data import Casme2, MicroExpressionSynth, leave_one_subject_out
from famaug import Synthesizer
print("names", *loaded())
"""
    assert _run(code) == "help\nchecks of arguments\nconfigurations cv2\nnames cv2 torch\n"


def test_versions() -> None:
    assert installed("numpy")
    assert installed("no-such-package-anywhere") is None


def test_albumentations_asks_no_registry() -> None:
    """It looks for newer versions when it is imported, unless it is told not to."""
    code = """
import sys
def watch(event, args):
    if event in ("socket.connect", "socket.getaddrinfo"):
        sys.exit(f"{event} {args}")
sys.addaudithook(watch)
from famaug.data import SynthClip
print(SynthClip.__name__)
"""
    assert _run(code) == "SynthClip\n"
