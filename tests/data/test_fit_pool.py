"""A data set's clips as something to draw from: through the command, the driver and the YAML."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from famaug import Synthesizer, samples
from famaug.cli import app
from famaug.data import Guard
from famaug.data.pools import fit_pool
from famaug.errors import InputError
from famaug.media.pictures import read_picture
from famaug.seeding import keyed_generator
from famaug.store import ClipCache
from famaug.types import AU_INDEX, Clip, ClipRef, Frames

BRIGHT = """
import numpy as np
from famaug.types import AU_INDEX, AUTrack

class Bright:
    name, version, licence, scale = "bright", "1", "mine", "bright"
    def measure(self, frames, neutral):
        level = frames.mean(axis=(1, 2, 3))
        x = np.zeros((len(frames), 2, 17))
        x[:, :, AU_INDEX[12]] = np.clip((level - level[neutral]) / 10, 0, 5)[:, None]
        return AUTrack.of(x, estimator="any", scale="bright", sided=False)
"""


def clip(top: float, length: int = 24) -> Frames:
    """Gets brighter by `top` grey levels and darker again."""
    lift = top * np.sin(np.linspace(0, np.pi, length)) ** 2
    return np.asarray(np.full((length, 48, 48, 3), 60) + lift[:, None, None, None], np.uint8)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Clips of three people in a folder with a table of labels, and a face."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    Path("bright.py").write_text(BRIGHT)
    rows = ["subject,clip,emotion,fps,onset,offset"]
    for number, (person, label) in enumerate([("1", "happy"), ("2", "sad"), ("3", "happy")]):
        folder = Path("clips", person, "a")
        folder.mkdir(parents=True)
        for i, frame in enumerate(clip(30 + 5 * number)):
            cv2.imwrite(str(folder / f"{i:03d}.png"), frame)
        rows.append(f"{person},a,{label},100,0,23")
    Path("table.csv").write_text("\n".join(rows))
    picture = cv2.resize(read_picture(samples.face("woman_31")), (144, 144))
    cv2.imwrite("face.png", picture[..., ::-1])
    return tmp_path


def famaug(*words: object) -> str:
    done = CliRunner().invoke(app, [*map(str, words)])
    assert done.exit_code == 0, done.output
    return done.output


def made(kind: str, *more: object) -> dict[str, object]:
    out = famaug("pool", "ClipFolder", "clips", "--kind", kind, "--out", f"{kind}.json", "--option",
                 "table=table.csv", "--estimator", "bright:Bright", "--json", *more)  # fmt: skip
    value: dict[str, object] = json.loads(out.splitlines()[-1])
    return value


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("kind", ["stats", "pairs", "early"])
def test_measured_saved_and_drawn_from(kind: str) -> None:
    assert made(kind)["classes"] == {"happy": 2, "sad": 1}
    out = famaug("generate", "--driver", f"{kind}:{kind}.json:happy", "--identity", "face.png",
                 "--out", "shown", "--size", 64, "--fps", 50)  # fmt: skip
    assert "wrote" in out
    plan = json.loads(Path("shown", "plan.json").read_text())
    track = np.asarray(plan["track"])
    top = track[:, :, AU_INDEX[12]].max()
    assert track.sum() == pytest.approx(track[:, :, AU_INDEX[12]].sum())
    low, high = (0.7, 1.9) if kind == "early" else (2.8, 4.2)
    assert low < top < high, "the apex is 3 or 4 of 5"
    people = {"folder/1", "folder/3"}
    assert set(plan["driver"]["subjects"]) & people
    assert set(plan["driver"]["subjects"]) <= people | {"folder/2"}


@pytest.mark.usefixtures("here")
def test_in_a_cache_no_fold_sees_whom_it_holds_out() -> None:
    made("early")
    assert made("pairs", "--held-out", "folder/3")["classes"] == {"happy": 1, "sad": 1}
    Path("made.yaml").write_text(
        "out: cache\ndrivers: {rules: ['early:early.json:happy', 'pairs:pairs.json:sad'], "
        "per_rule: 6}\nidentities: {pictures: [face.png]}\nrender: {size: 64, fps: 50}\n"
        "gate: {enabled: false}\n"
    )
    famaug("pregenerate", "made.yaml")
    cache = ClipCache("cache")
    every = [cache.provenance(key) for key in cache]
    labels = {p.label for p in every if p}
    assert labels == {"happy", "sad"}
    assert len(every) >= 10, "two draws of one pair can be alike"
    whose = [p.plan.driver["subjects"] for p in every if p]
    assert {tuple(w) for w in whose} == {("folder/1",), ("folder/2",), ("folder/3",)}
    guard = Guard({"folder/3"})
    kept = [p for p in every if p and guard.reason(p) is None]
    assert 0 < len(kept) < len(every)
    assert all(p.plan.driver["subjects"] != ["folder/3"] for p in kept)


class Loose:
    """One clip of nobody, one of somebody."""

    def __init__(self) -> None:
        self.refs = [ClipRef("", "", "loose", fps=50), ClipRef("d", "1", "a", fps=50)]

    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: int) -> tuple[Clip, str]:
        return Clip(self.refs[index], clip(30)), "happy"


@pytest.mark.usefixtures("here")
def test_a_clip_of_nobody_is_left_out_and_counted() -> None:
    pool, skipped = fit_pool(Loose(), "early", synthesizer=Synthesizer(estimator="bright:Bright"))
    assert pool.subjects == ("d/1",)
    assert list(skipped.values()) == ["nobody is named as its subject"]
    drawn = pool.draw(keyed_generator(0), fps=50)
    assert drawn.scale == "bright"


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (("a.json", "--kind", "some"), "--kind is stats"),
        (("a.csv", "--kind", "stats"), "must end in .json"),
        (("a.json", "--kind", "stats", "--option", "label"), "NAME=VALUE"),
        (("a.json", "--kind", "stats", "--option", "lable=x"), "lable is unknown"),
    ],
)
def test_what_cannot_be(typed: tuple[str, ...], told: str) -> None:
    done = CliRunner().invoke(app, ["pool", "ClipFolder", "clips", "--out", *typed])
    assert isinstance(done.exception, InputError)
    assert told in str(done.exception)


@pytest.mark.usefixtures("here")
def test_a_file_of_another_kind() -> None:
    made("pairs")
    with pytest.raises(InputError, match="holds pairs, so it is pairs:"):
        Synthesizer().plan("early:pairs.json", "face.png", keyed_generator(0))
