"""The tree reads as the pipeline: imports point only to the left, and importing is light."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "famaug"
ROOMS = (
    (
        "errors",
        "people",
        "types",
        "seeding",
        "files",
        "named",
        "packages",
        "processes",
        "progress",
        "clip_options",
        "samples",
        "shown",
    ),
    ("weights",),
    ("media", "flow"),
    ("faces",),
    ("aus",),
    ("modulation",),
    ("perception", "look"),
    ("generator",),
    ("superres",),
    ("training",),
    ("quality",),
    ("pipeline",),
    ("store",),
    ("data",),
    ("recognition", "generation"),
    ("report", "plot"),
    ("testing",),
    ("config", "configs"),
    ("demo", "bench"),
    ("studio",),
    ("commands",),
    ("cli", "__main__"),
)
"""A room may import from its own row and the rows above."""
MOVERS = {"files/whole.py"}
"""Modules beside the rooms `store` that may put a file in another's place."""
LOOSE = 11
"""Modules that may lie beside the rooms."""
ROW = {room: i for i, row in enumerate(ROOMS) for room in row}


def _room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def _module(room: str) -> Path:
    return PACKAGE / f"{room}.py"


def _imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            parts = name.split(".")
            if parts[0] == "famaug" and len(parts) > 1:
                found.add(parts[1])
    return found


def test_imports_point_one_way() -> None:
    wrong = []
    for path in sorted(PACKAGE.rglob("*.py")):
        room = _room(path)
        if room == "__init__":
            continue
        assert room in ROW, f"{path}: a room without a place in the pipeline"
        wrong += [
            f"{path.relative_to(ROOT)} imports {other}"
            for other in sorted(_imports(path))
            if ROW.get(other, -1) > ROW[room]
        ]
    assert not wrong, "\n".join(wrong)


def _dotted(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def _circle(links: dict[str, set[str]]) -> list[str]:
    """A way from a module back to itself, or nothing."""
    done: set[str] = set()

    def search(at: str, way: list[str]) -> list[str]:
        if at in way:
            return [*way[way.index(at) :], at]
        if at not in done:
            for other in sorted(links[at]):
                if found := search(other, [*way, at]):
                    return found
            done.add(at)
        return []

    return next((found for module in links if (found := search(module, []))), [])


@pytest.mark.parametrize("room", sorted(r for r in ROW if (PACKAGE / r).is_dir()))
def test_modules_of_a_room_import_each_other_one_way(room: str) -> None:
    """Imports within functions and those for types alone count like any other."""
    files = {_dotted(p): p for p in (PACKAGE / room).rglob("*.py")}
    links: dict[str, set[str]] = {}
    for module, path in files.items():
        links[module] = set()
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                assert not node.level, f"{path}: imports are written in full"
                within = [f"{node.module}.{alias.name}" for alias in node.names]
                names = [w if w in files else str(node.module) for w in within]
            links[module] |= {n for n in names if n in files}
    assert not _circle(links), " -> ".join(_circle(links))


def test_every_room_is_there() -> None:
    gone = [
        r for r in ROW if not (PACKAGE / r / "__init__.py").is_file() and not _module(r).is_file()
    ]
    assert not gone, f"a place for rooms that do not exist: {gone}"


def test_few_modules_lie_beside_the_rooms() -> None:
    loose = sorted(p.name for p in PACKAGE.glob("*.py"))
    assert len(loose) <= LOOSE, loose


def test_a_public_class_has_its_name_alone() -> None:
    """`from famaug... import Identity` must mean one thing, wherever it stands."""
    places: dict[str, list[str]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places.setdefault(node.name, []).append(str(path.relative_to(ROOT)))
    doubles = {name: at for name, at in places.items() if len(at) > 1}
    assert not doubles, f"classes of one name: {doubles}"


def test_one_door_for_putting_files_in_place() -> None:
    """`os.replace(a, b)`, `Path.replace(b)` and the renames, told from `str.replace(a, b)` by their
    one argument."""
    found = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            of_os = isinstance(node.func.value, ast.Name) and node.func.value.id == "os"
            moves = node.func.attr in ("replace", "rename", "renames")
            one = len(node.args) == 1 and not node.keywords
            if moves and (of_os or one) and _room(path) != "store":
                found.add(path.relative_to(PACKAGE).as_posix())
    assert found == MOVERS, f"new: {found - MOVERS}, not needed: {MOVERS - found}"


def test_nothing_imports_recipes() -> None:
    """Studies import each other, as files of one folder; nothing else imports a recipe."""
    studies = {p.stem for p in (ROOT / "recipes" / "studies").iterdir() if p.suffix in (".py", "")}
    for path in [*PACKAGE.rglob("*.py"), *(ROOT / "recipes").glob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            assert not {n.partition(".")[0] for n in names} & {"recipes", *studies}, path


def test_one_room_knows_yaml() -> None:
    """The library takes plain arguments; its configurations are read in `config`."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        text = path.read_text()
        named = {
            n.partition(".")[0] for n in re.findall(r"^\s*(?:from|import) ([\w.]+)", text, re.M)
        }
        named |= set(re.findall(r"import_module\(\"(\w+)", text))
        if named & {"omegaconf", "yaml", "pydantic"} and _room(path) != "config":
            found.append(str(path.relative_to(ROOT)))
    assert not found, found


@pytest.mark.parametrize(
    "banned", ["torch.load(", "torch.jit.load(", "pickle.load", "allow_pickle=True"]
)
def test_one_door_for_weights(banned: str) -> None:
    found = [p for p in PACKAGE.rglob("*.py") if banned in p.read_text()]
    assert not [p for p in found if "weights" not in p.parts], found


@pytest.mark.parametrize(
    ("call", "rooms"),
    [
        ("Image.open(", {"media/pictures.py"}),
        ("av.open(", {"media/videos.py", "media/clips.py"}),
        ("cv2.VideoCapture(", set()),
        ("np.load(", set()),
        ("pd.read_csv(", set()),
        ("OmegaConf.load(", set()),
        ("yaml.load(", set()),
        ("zipfile.ZipFile(", {"files/limits.py", "weights/fetch.py", "bench/faces.py"}),
        ("mkstemp(", {"files/whole.py"}),
    ],
)
def test_one_door_for_each_kind_of_file(call: str, rooms: set[str]) -> None:
    """What reads strangers' files does so behind the limits, what keeps files keeps them whole."""
    found = {
        p.relative_to(PACKAGE).as_posix() for p in PACKAGE.rglob("*.py") if call in p.read_text()
    }
    assert found <= rooms, found - rooms


@pytest.mark.parametrize(
    ("modules", "heavy"),
    [
        # `import famaug` and the command's help load neither torch nor the picture libraries
        ("famaug, famaug.cli", {"torch", "cv2", "matplotlib", "pandas", "skimage", "lmdb", "av"}),
        # every command and every worker process pays for what these load
        (
            "famaug.pipeline.synthesizer, famaug.config.generation, famaug.config.experiments",
            {"scipy.signal", "scipy.stats", "torchvision", "matplotlib", "skimage"},
        ),
    ],
)
def test_importing_is_light(modules: str, heavy: set[str]) -> None:
    code = (
        f"import sys, {modules};"
        f"heavy = {heavy} & set(sys.modules);"
        "sys.exit(f'loaded {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_the_package_works_without_a_network() -> None:
    """With sockets blocked: import, weights, a face found, a clip rendered."""
    code = """
import socket
def refuse(*a, **k): raise OSError("no network here")
socket.socket.connect = refuse
socket.create_connection = refuse
import numpy as np
from skimage.data import astronaut
from famaug import Synthesizer
from famaug.seeding import keyed_generator
s = Synthesizer(size=96)
plan = s.plan("aus:12=1", np.asarray(astronaut()), keyed_generator(0, "offline"))
assert s.render([plan])[0].shape[1:] == (96, 96, 3)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
