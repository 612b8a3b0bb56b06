"""The command line that a shipped YAML or a recipe opens with: each is run, made small."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.docs.documents import PYTHON, Ran, Step, environment_of, run

ROOT = Path(__file__).resolve().parents[2]

CONFIGS = sorted(
    p for p in (ROOT / "famaug" / "configs").rglob("*.yaml") if p.parent.name != "templates"
)
RECIPES = sorted(
    p for p in (ROOT / "recipes").rglob("*.py") if '__name__ == "__main__"' in p.read_text()
)
COMMAND = re.compile(r"^[# ]*((?:\w+=\S+ )*(?:famaug|python|torchrun|accelerate) .*)$")

TINY = "data.options.missing=skip network.input.flow=dis --dry-run"
SMALL: dict[str, str] = {
    "generation/casme2.yaml": "--dry-run render.sizes=[0]",
    "generation/one_fold.yaml": "--dry-run",
    "generation/ray.yaml": "--dry-run --engine local drivers.per_rule=4 "
    "identities.pictures=[faces]",
    "generation/rules_on_pictures.yaml": "--dry-run identities.pictures=[faces]",
    "recognition/composite.yaml": TINY,
    "recognition/flow_cnn.yaml": TINY,
    "recognition/flow_folder.yaml": "--dry-run",
    "recognition/two_branch.yaml": "--dry-run folds=k-fold:2 network.options.pretrained=false",
    "recognition/video.yaml": "--dry-run data.options.missing=skip training.device=cpu "
    "network.options.pretrained=false network.options.frames=2 network.options.size=32",
    "compare_look.py": "--subjects 4 --clips 4 --longest 8 --steps 2 --seeds 1",
    "pregenerate_cache.py": "identities.pictures=[faces] drivers.per_rule=1 render.size=96",
}
"""What is put behind a header's command, by the file's name."""
FACES = 4
"""People whose pictures the folder holds."""
LESS = " realsr realesrgan"
"""Networks of 33 MB each that a header names and that are not fetched here."""
FETCHES = "works for minutes on videos that are fetched"
NOT_RUN: dict[str, str] = {
    "ablation/composite.yaml": "makes caches first; tests/recipes runs an ablation",
    "ablation/flow_folder.yaml": "makes caches first; tests/recipes runs it",
    "superres/faces.yaml": "docs/superres.md runs two steps",
    "measure_seen_basis.py": "renders for minutes",
    "generation/composite.yaml": "needs faces of three data sets; tests/recipes opens it",
    "generator/ganimation-clips.yaml": "videos of one's own; tests/training/ganimation",
    "generator/ganimation-paper.yaml": "200,000 faces of one's own; tests/training/ganimation",
    "generator/ganimation-rendered.yaml": "renders for minutes; tests/training/ganimation",
    "build_site.py": "tests/docs/test_site.py builds the site",
    "ablate_synthetic_ratio.py": "as ablation/composite.yaml; tests/recipes runs it",
    "train_recognizer.py": "as recognition/composite.yaml; tests/recipes runs it",
    "train_superres.py": "tests/training/superres/test_superres_training.py runs it",
    "train_generator.py": "tests/training/ganimation/test_generator_recipe.py runs it",
    "evaluate_expressions.py": "tests/studies runs it",
    "evaluate_aus.py": "docs/aus.md runs it",
    "measure_gate.py": "docs/quality.md runs it",
    "superres_figure.py": "docs/superres.md runs it",
    "evaluate_skin.py": FETCHES,
    "learn_skin.py": FETCHES,
}
"""Headers that are not run here, with the reason."""


def header_of(path: Path) -> list[str]:
    """Commands of the comment or docstring that a file opens with."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        lines = (ast.get_docstring(ast.parse(text), clean=False) or "").splitlines()
    else:
        lines = re.match(r"(#.*\n)*", text)[0].splitlines()  # type: ignore[index]
    found = (
        COMMAND.match(line) for line in re.sub(r"\\\n[# ]*", "", "\n".join(lines)).splitlines()
    )
    return [re.sub(r"\s+(\(.*\)|# .*)$", "", m[1]).strip() for m in found if m]


def _name(path: Path) -> str:
    return f"{path.parent.name}/{path.name}" if path.suffix == ".yaml" else path.name


@pytest.fixture(scope="session")
def folder(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all that headers name: data sets (replicas), faces, flow pictures."""
    here = tmp_path_factory.mktemp("headers") / "folder"
    shutil.copytree(samples, here)
    shutil.copytree(ROOT / "recipes", here / "recipes")
    (here / "data").mkdir()
    for number, person in enumerate(sorted((here / "CASME2/Cropped/Cropped").iterdir()), 1):
        shutil.copytree(person, here / "data" / "clips" / f"{number:02d}")
    (here / "docs" / "figures").mkdir(parents=True)
    script = (
        "from famaug.testing import make_replica\n"
        "for n in ('smic', 'samm', 'casme2'): make_replica(n, f'data/{n.upper()}', longest=4)\n"
    )
    subprocess.run([PYTHON, "-c", script], cwd=here, check=True, env=environment_of(PYTHON))
    for face in sorted((here / "faces").iterdir())[FACES:]:
        face.unlink()
    shutil.copytree(here / "faces", here / "data" / "faces")
    (here / "FACES").symlink_to("faces")
    (here / "FOLDER_OF_FACE_PICTURES").symlink_to("faces")
    _write_flow(here)
    return here


def _write_flow(here: Path) -> None:
    """`DIR` with one flow picture a clip, and its table `CSV`."""
    (here / "DIR").mkdir()
    rows = ["dataset,subject,clip,label"]
    for number in range(12):
        subject, label = f"sub{number % 4:02d}", number % 3
        picture = np.full((28, 28, 3), 20 * number, np.uint8)
        Image.fromarray(picture).save(here / "DIR" / f"{subject}_c{number} .png")
        rows.append(f"casme2,{subject},c{number},{label}")
    (here / "CSV").write_text("\n".join(rows) + "\n")


RUN = [p for p in [*CONFIGS, *RECIPES] if _name(p) not in NOT_RUN]


@pytest.mark.docs
@pytest.mark.timeout(900)
@pytest.mark.parametrize("path", RUN, ids=_name)
def test_the_command_of_a_header_runs(path: Path, folder: Path, ran: list[Ran]) -> None:
    command = next(c for c in header_of(path) if path.stem in c and "CONFIG" not in c)
    command = re.sub(r" \[.*", "", command)  # optional parts
    command = command.replace(LESS, "")
    text = f"{command} {SMALL.get(_name(path), '')}".strip()
    places = {"CASME2": "CASME2", "FACES": "faces"} if "composite" not in path.stem else {}
    done = run(Step(_name(path), text), folder, environment_of(PYTHON) | places)
    ran.append(done)
    tail = "\n".join(done.output.splitlines()[-15:])
    assert not done.code, f"{text}\nended with {done.code}:\n{tail}"


@pytest.mark.parametrize("path", [*CONFIGS, *RECIPES], ids=_name)
def test_every_file_opens_with_its_command(path: Path) -> None:
    assert any(path.stem in command for command in header_of(path)), path


def test_the_tables_name_files_that_are_there() -> None:
    names = {_name(p) for p in [*CONFIGS, *RECIPES]}
    assert set(SMALL) | set(NOT_RUN) <= names
    assert not set(SMALL) & set(NOT_RUN)
