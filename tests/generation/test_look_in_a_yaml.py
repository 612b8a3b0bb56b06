"""`render.look`: a look from a file, fitted on nobody whom the data set's part holds out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from famaug.config.generation import GENERATION, open_generation
from famaug.config.read import Config
from famaug.data import Look, load_look, save_look
from famaug.errors import InputError, LeakageError
from famaug.pipeline import Synthesizer
from tests.generation.generation_builders import small_dataset

LOOK = Look(
    size=(40, 32),
    fps=25.0,
    grey=False,
    framing=(0.5, 0.2, 0.5, 0.8),
    spread=((1e-4, 0, 0, 0), (0, 1e-4, 0, 0), (0, 0, 1e-4, 0), (0, 0, 0, 1e-4)),
    blur=0.8,
    noise=((60.0, 1.0), (200.0, 2.0)),
    chroma=0.5,
    jpeg=90,
    paths=((0.5, ((0.0, 0.0, 0.0, 0.0), (0.1, 0.0, 0.0, 0.0))),),
    blinks=0.1,
    subjects=("d/s1", "d/s2"),
    clips=4,
)


def test_a_file_is_the_look_again(tmp_path: Path) -> None:
    save_look(LOOK, tmp_path / "new" / "look.json")
    assert load_look(tmp_path / "new" / "look.json") == LOOK


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"version": "look/0"}, "fit it again"),
        ({"more": 1}, "fit it again"),
        ({"size": [10**9, 10**9]}, "frames of"),
        ({"size": "large"}, "a look"),
        ({"spread": [[1]]}, "a look"),
        ({"paths": [[1, "x"]]}, "a look"),
        ({"noise": 3}, "a look"),
        ({"subjects": []}, "no people"),
        ({"subjects": ["", 3]}, "no people"),
    ],
)
def test_what_is_no_look_is_refused(tmp_path: Path, changes: dict[str, Any], why: str) -> None:
    (tmp_path / "look.json").write_text(json.dumps(LOOK.to_json() | changes))
    with pytest.raises(InputError, match=why):
        load_look(tmp_path / "look.json")


@pytest.mark.parametrize("text", ["[]", "{", '{"seed": 1}', ""])
def test_other_files_are_no_looks(tmp_path: Path, text: str) -> None:
    (tmp_path / "look.json").write_text(text)
    with pytest.raises(InputError, match=r"is no look|not readable as JSON"):
        load_look(tmp_path / "look.json")
    with pytest.raises(InputError):
        load_look(tmp_path / "nowhere.json")


def config(tmp: Path, held_out: str, **render: Any) -> Config:
    if not (tmp / "clips").exists():
        small_dataset(tmp / "clips")
        save_look(LOOK, tmp / "look.json")
    return GENERATION.of(
        {
            "out": str(tmp / "out"),
            "dataset": {
                "root": str(tmp / "clips"),
                "options": {"dataset": "d"},
                "fold": {"by": "subject", "name": held_out},
            },
            "render": {"look": str(tmp / "look.json"), "size": 64} | render,
        }
    )


def test_clips_get_the_look_of_the_folds_own_people_only(tmp_path: Path) -> None:
    settings, _ = open_generation(config(tmp_path, "d/s0"))
    assert isinstance(settings.synthesizer, Synthesizer)
    assert settings.synthesizer.look == LOOK
    with pytest.raises(LeakageError, match="the look was fitted on d/s1, who is held out"):
        open_generation(config(tmp_path, "d/s1"))
    with pytest.raises(InputError, match=r"render\.look frames the face anew"):
        config(tmp_path, "d/s0", size=None)
    with pytest.raises(InputError, match=r"render\.look must be a profile .*json is no file"):
        config(tmp_path, "d/s0", look=str(tmp_path / "nowhere.json"))
