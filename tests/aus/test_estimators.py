"""The list of estimators, and an estimator of a user's own through every door."""

from __future__ import annotations

import json
import stat
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from famaug import Synthesizer, samples
from famaug.aus.estimators import ESTIMATORS, find_estimator
from famaug.aus.openface_binary import OpenFaceBinary
from famaug.aus.protocol import measure
from famaug.aus.table import read_table
from famaug.cli import app
from famaug.errors import InputError, MissingPackageError, TrackError
from famaug.media.pictures import read_picture
from famaug.seeding import keyed_generator
from famaug.store import ClipCache
from famaug.testing.openface_tables import make_openface
from famaug.types import AU_INDEX, AUTrack, Clip, ClipRef, Frames

BRIGHT = """
import os
from famaug.types import AU_INDEX, AUTrack
import numpy as np

class Bright:
    name, version, licence, scale = "bright", "1", "mine", "bright"
    def measure(self, frames, neutral):
        log = os.open("log", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
        os.write(log, b"measured\\n")
        os.close(log)
        level = frames.mean(axis=(1, 2, 3))
        x = np.zeros((len(frames), 2, 17))
        x[:, :, AU_INDEX[12]] = np.clip((level - level[neutral]) / 10, 0, 5)[:, None]
        return AUTrack.of(x, estimator="any", scale="bright", sided=False)

class Newer(Bright):
    version = "2"

class Nameless:
    version = scale = "1"

class Short(Bright):
    def measure(self, frames, neutral):
        return super().measure(frames[1:], neutral)

class Other(Bright):
    scale = "other"

class Broken(Bright):
    def measure(self, frames, neutral):
        return frames[99]
"""
PROGRAM = """#!{python}
import pathlib, sys
words = [w for w in sys.argv[1:] if w != "-aus"]
a = dict(zip(words[::2], words[1::2]))
here = pathlib.Path(__file__).parent
count = len(list(pathlib.Path(a["-fdir"]).iterdir()))
out = pathlib.Path(a["-out_dir"]); out.mkdir()
rows = (here / "rows.csv").read_text().splitlines()
(out / (a["-of"] + ".csv")).write_text("\\n".join(rows[: count + 1]))
"""


def clip(length: int = 12, side: int = 144) -> Frames:
    """A face that gets brighter and darker again."""
    face = cv2.resize(read_picture(samples.face("woman_31")), (side, side))
    lift = 30 * np.sin(np.linspace(0, np.pi, length))
    shown = np.clip(face[None] * 0.7 + lift[:, None, None, None], 0, 255)
    return np.asarray(shown, np.uint8)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a module of one's own, two clips and a picture."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "brow", raising=False)
    Path("brow.py").write_text(BRIGHT)
    for person in ("01", "02"):
        folder = Path("clips", person, "a")
        folder.mkdir(parents=True)
        for i, frame in enumerate(clip()):
            changed = frame if person == "01" else frame[..., ::-1]
            cv2.imwrite(str(folder / f"{i:03d}.png"), changed)
    Path("face.png").write_bytes(samples.face("woman_31").read_bytes())
    return tmp_path


@pytest.fixture
def openface(tmp_path: Path) -> Path:
    """A real program with OpenFace's command line; its numbers are invented."""
    path = tmp_path / "openface" / "FeatureExtraction"
    path.parent.mkdir()
    path.write_text(PROGRAM.replace("{python}", sys.executable))
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    make_openface(path.with_name("rows.csv"), frames=40)
    return path


def famaug(*words: object) -> str:
    done = CliRunner().invoke(app, [*map(str, words)])
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.mark.parametrize("name", ["flow", "points"])
def test_those_that_ship_read_a_smile(name: str) -> None:
    face = cv2.resize(read_picture(samples.face("woman_31")), (288, 288))
    maker = Synthesizer(size=None, fps=50)
    frames = maker.render([maker.plan("aus:12=3", face, keyed_generator(0, "smile"))])[0]
    track = measure(find_estimator(name), frames, fps=50)
    assert track.estimator == f"mesh-{name}/2"
    assert (track.scale, track.fps, len(track)) == ("famaug", 50, len(frames))
    assert np.nanmax(track.intensity[:, :, AU_INDEX[12]]) > 1.5
    assert np.nanmax(measure(find_estimator(name), frames[:1], picture=face).intensity) < 0.5


@pytest.mark.slow
@pytest.mark.usefixtures("here")
def test_ones_own_through_every_door() -> None:
    done = json.loads(
        famaug("aus", "clips/01/a", "--backend", "brow:Bright", "--sizes", "0", "--out", "a.csv",
               "--fps", 30, "--json").splitlines()[-1]
    )  # fmt: skip
    assert (done["estimator"], done["scale"], done["frames"]) == ("bright/1", "bright", 12)
    table = read_table("a.csv")
    assert (table.scale, table.sided, table.estimator) == ("bright", False, "bright/1")
    assert 1.5 < table.intensity.max() <= 5

    keys = {
        name: json.loads(
            famaug("generate", "--driver", "clips/01/a", "--identity", "face.png", "--out", "o",
                   "--estimator", name, "--fps", 30, "--dry-run", "--json").splitlines()[-1]
        )["key"]
        for name in ("flow", "brow:Bright", "brow:Newer")
    }  # fmt: skip
    assert len(set(keys.values())) == 3

    Path("log").unlink()
    Path("made.yaml").write_text(
        "out: ${oc.env:OUT,cache/one}\nmeasured: kept\ndataset: {reader: ClipFolder, root: clips}\n"
        "render: {estimator: 'brow:Bright', size: 64, fps: 30}\ngate: {enabled: false}\n"
        "work: {workers: 2}\n"
    )
    famaug("pregenerate", "made.yaml")
    cache = ClipCache("cache/one")
    params = [cache.provenance(key).plan.params for key in cache]  # type: ignore[union-attr]
    assert {p["estimator"] for p in params} == {"bright/1"}
    assert len(params) == 2
    famaug("pregenerate", "made.yaml", "out=cache/two")
    assert Path("log").read_text().split() == ["measured"] * 2, "once a clip, for both caches"
    famaug("pregenerate", "made.yaml", "out=cache/three", "render.estimator=brow:Newer")
    assert Path("log").read_text().split() == ["measured"] * 4, "another version is another measure"


@pytest.mark.usefixtures("here")
def test_the_measured_folder_knows_estimators_apart() -> None:
    driver = Clip(ClipRef("d", "1", "c", onset=0, fps=30), clip())
    tracks = [
        Synthesizer(estimator=name, measured="kept").measure(driver_of(driver))
        for name in ("brow:Bright", "brow:Bright", "brow:Newer", "points")
    ]
    names = [t.estimator for t in tracks if isinstance(t, AUTrack)]
    assert names == ["bright/1", "bright/1", "bright/2", "mesh-points/2"]
    assert Path("log").read_text().split() == ["measured"] * 2


def driver_of(clip: Clip) -> object:
    from famaug.pipeline.inputs import Driver

    return Driver.of(clip)


def test_the_users_openface(openface: Path, here: Path) -> None:
    del here
    for place in (openface, openface.parent):
        name = f"openface-binary:{place}"
        out = famaug("aus", "clips/01/a", "--backend", name, "--sizes", "0", "--out", "of.csv")
        assert "12 frames" in out
    track = read_table("of.csv")
    assert track.scale == "openface"
    assert track.estimator == f"openface-binary/{OpenFaceBinary(openface).version}"
    name = f"openface-binary:{openface}"
    out = famaug("generate", "--driver", "clips/01/a", "--identity", "face.png", "--out", "o",
                 "--estimator", name, "--fps", 30, "--dry-run")  # fmt: skip
    assert "12 frames" in out


def test_sizes_and_halves_of_any(openface: Path) -> None:
    found = find_estimator(f"halves:openface-binary:{openface}", sizes=(-4, 0, 4))
    track = measure(found, clip(), fps=30)
    assert track.sided
    name = f"openface-binary@sizes(-4,0,+4)+mirror/{OpenFaceBinary(openface).version}"
    assert (track.estimator, len(track), track.fps) == (name, 12, 30)


@pytest.mark.usefixtures("here")
def test_what_is_none() -> None:
    frames = clip()
    with pytest.raises(InputError, match=r"no estimator 'flw'.*did you mean flow"):
        Synthesizer(estimator="flw")
    with pytest.raises(InputError, match="no estimator: it lacks name, licence, measure"):
        find_estimator("brow:Nameless")
    with pytest.raises(InputError, match="takes nothing behind a colon"):
        find_estimator("points:fast")
    with pytest.raises(TrackError, match="bright gave 11 frames for 12"):
        measure(find_estimator("brow:Short"), frames)
    with pytest.raises(TrackError, match="says its scale is 'other'"):
        measure(find_estimator("brow:Other"), frames)
    with pytest.raises(InputError, match=r"bright failed \(IndexError"):
        measure(find_estimator("brow:Broken"), frames)
    with pytest.raises(InputError, match="neutral frame 12 is not within"):
        measure(find_estimator("brow:Bright"), frames, 12)


def test_what_is_missing_is_told_before_anything_is_measured(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("pyfaceau", "feat"):
        monkeypatch.setitem(sys.modules, module, None)
    for name, words in (
        ("pyfaceau", r'pip install "famaug\[pyfaceau\]"'),
        ("pyfeat", r'pip install "famaug\[estimators\]"'),
        (f"openface-binary:{here}", "no OpenFace at"),
    ):
        with pytest.raises(MissingPackageError, match=words):
            Synthesizer(estimator=name)
    assert set(ESTIMATORS) == {"flow", "points", "openface-binary", "pyfaceau", "pyfeat"}
