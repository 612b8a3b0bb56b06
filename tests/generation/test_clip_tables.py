"""AU tables of a data set's clips: whose they are, which rows are the expression, what is lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from skimage.data import astronaut
from typer.testing import CliRunner

from famaug.aus.openface import read_openface
from famaug.cli import app
from famaug.data import ClipFolder, MicroExpressionSynth, leave_one_subject_out
from famaug.data.guard import DRIVER, UNNAMED, Guard
from famaug.errors import InputError, TrackError
from famaug.generation import Generation, generate
from famaug.generation.clip_tables import rows_of, table_driver
from famaug.generation.patterns import check_pattern
from famaug.recognition.inputs import InputSpec
from famaug.recognition.pool import synthetic_pool
from famaug.store import ClipCache
from famaug.testing.openface_tables import make_openface
from famaug.types import ClipRef, Provenance
from tests.generation.generation_builders import (
    NoPixels,
    QuickSynthesizer,
    growing,
    write_clips,
    write_pictures,
)
from tests.store.store_builders import ListOfClips

PATTERN = "{subject}/{clip}.csv"
ROWS = """subject,clip,onset,apex,offset,fps,emotion
sub01,EP1,2,5,9,50,disgust
sub02,EP1,0,4,9,50,surprise
sub02,EP1#2,1,4,8,50,happiness
sub03,EP1,0,4,9,50,others
sub03,EP2,0,4,9,50,others
"""


def dataset(tmp: Path, rows: str = ROWS) -> NoPixels:
    names = ["/".join(line.split(",")[:2]) for line in rows.splitlines()[1:]]
    write_clips(tmp / "data", {name: growing(i, t=10) for i, name in enumerate(names)})
    (tmp / "table.csv").write_text(rows)
    return NoPixels(tmp / "data", dataset="casme2", table=tmp / "table.csv")


def settings(tmp: Path, data: Any, pattern: str, **changes: Any) -> Generation:
    if not (tmp / "faces").exists():
        write_pictures(tmp / "faces", 1)
    values: dict[str, Any] = {
        "out": tmp / "cache", "dataset": data, "clips": False, "own_faces": False,
        "clip_tables": pattern, "pictures": [tmp / "faces"], "synthesizer": QuickSynthesizer(),
    }  # fmt: skip
    return Generation(**(values | changes))


@pytest.mark.filterwarnings("ignore::famaug.errors.FilterTooWideWarning")
def test_joined_to_the_rows_and_nothing_is_read(tmp_path: Path) -> None:
    data, tables = dataset(tmp_path), tmp_path / "openface"
    for name, seed in (("01/EP1", 1), ("02/ep1", 2), ("03/EP1", 3), ("03/EP9", 4), ("77/EP1", 5)):
        make_openface(tables / f"{name}.csv", frames=10, fps=30.0, seed=seed)
    (tables / "03" / "EP1.csv").write_text("frame\n1\n")
    report = generate(settings(tmp_path, data, f"{tables}/{PATTERN}"))
    assert {s.name for s in report.skipped} == {
        "casme2/sub03/EP1 (table)", "casme2/sub03/EP2 (table)"
    }  # fmt: skip
    reasons = {s.name[-11:]: s.reason for s in report.skipped}
    assert "holds no rows" in reasons["EP1 (table)"]
    assert "no table" in reasons["EP2 (table)"]
    lost = next(n for n in report.notes if "belong to no clip" in n)
    assert lost.startswith("2 tables like")
    assert "03/EP9.csv" in lost
    assert "77/EP1.csv" in lost
    cache = ClipCache(tmp_path / "cache")
    stories = [cache.provenance(k) for k in cache.keys()]  # noqa: SIM118
    of = {str(s.label): s for s in stories if s is not None}
    assert set(of) == {"disgust", "surprise", "happiness"}
    assert {label: len(s.plan.track) for label, s in of.items()} == {
        "disgust": 8, "surprise": 10, "happiness": 8
    }  # fmt: skip
    assert {s.plan.fps for s in of.values()} == {50.0}, "the row's rate, not the table's"
    check_whose(of["disgust"])
    again = generate(settings(tmp_path, data, f"{tables}/{PATTERN}"))
    assert (again.made, again.measured) == (0, 0)


def check_whose(story: Provenance) -> None:
    assert (story.driver_subject, story.label_source) == ("casme2/sub01", "driver")
    assert Guard({"casme2/1"}).reason(story) == "driver subject held out"
    assert Guard({"casme2/2"}).reason(story) is None


def clip(tmp: Path, first: int, last: int, *, whole: tuple[int, int], **ref: Any) -> ClipRef:
    """A clip whose frames are numbered first to last, in a folder of more."""
    folder = tmp / "frames"
    folder.mkdir()
    for number in range(whole[0], whole[1] + 1):
        (folder / f"img{number}.jpg").touch()
    frames = tuple(str(folder / f"img{n}.jpg") for n in range(first, last + 1))
    values: dict[str, Any] = {"onset": 0, "offset": last - first}
    return ClipRef("casme2", "sub01", "EP", frames=frames, **(values | ref))


@pytest.mark.parametrize(
    ("first", "length", "rows"),
    [
        (1, 55, (0, 54)),  # of the clip's frames alone
        (0, 55, (0, 54)),
        (1, 98, (43, 97)),  # of all files of the folder, counted from 1
        (0, 98, (43, 97)),
        (3, 98, (43, 97)),  # one CSV an image, by its number
        (3, 110, (43, 97)),  # ... of more images
        (1, 100, (45, 99)),  # by number: neither count fits
    ],
)
def test_the_rows_of_the_expression(
    tmp_path: Path, first: int, length: int, rows: tuple[int, int]
) -> None:
    ref = clip(tmp_path, 46, 100, whole=(3, 100))
    assert rows_of(ref, first=first, length=length, path=Path("t.csv")) == rows


def test_rows_of_a_video_and_of_what_does_not_fit(tmp_path: Path) -> None:
    video = ClipRef("samm", "006", "1", video="a.mp4", onset=10, offset=30)
    for first, want in ((1, (10, 30)), (0, (10, 30)), (5, (6, 26))):
        assert rows_of(video, first=first, length=40, path=Path("t.csv")) == want
    whole = ClipRef("samm", "006", "1", video="a.mp4")
    assert rows_of(whole, first=1, length=40, path=Path("t.csv")) == (0, 39)
    with pytest.raises(TrackError, match=r"frames 1 to 20; the expression .* is frames 11 to 31"):
        rows_of(video, first=1, length=20, path=Path("t.csv"))
    with pytest.raises(TrackError, match=r"frames 1 to 80; .* is frames 46 to 100"):
        rows_of(clip(tmp_path, 46, 100, whole=(3, 100)), first=1, length=80, path=Path("t.csv"))


@pytest.mark.parametrize("layout", ["video", "images"])
def test_a_raw_clips_table_is_cut_to_the_expression(tmp_path: Path, layout: Any) -> None:
    ref = clip(tmp_path, 16, 35, whole=(1, 40), fps=200.0, emotion="disgust")
    table = make_openface(
        tmp_path / "t.csv", layout=layout, frames=40, onset=15, apex=25, offset=34
    )
    driver = table_driver(table, ref)
    track: Any = driver.content
    whole = read_openface(table).track.intensity
    assert np.array_equal(track.intensity, whole[15:35])
    assert (track.fps, driver.subject, driver.label) == (200.0, "sub01", "disgust")


@pytest.mark.parametrize(
    "pattern", ["a/b.csv", "{subject}.csv", "{clip}{name}", "{clip}/{clip}", "{clip:3}", "{", "{}"]
)
def test_patterns_that_say_nothing(pattern: str) -> None:
    with pytest.raises(InputError, match="pattern"):
        check_pattern(pattern)


def test_a_pattern_that_fits_several_people(tmp_path: Path) -> None:
    data = dataset(tmp_path)
    make_openface(tmp_path / "openface" / "EP1.csv", frames=10)
    with pytest.raises(InputError, match="could be of casme2/sub01 or casme2/sub02"):
        generate(settings(tmp_path, data, str(tmp_path / "openface" / "{clip}.csv")))
    with pytest.raises(InputError, match=r"no driver is left .* no table"):
        generate(settings(tmp_path, data, str(tmp_path / "nowhere" / PATTERN)))


def test_drivers_without_a_label_are_told(tmp_path: Path) -> None:
    table = make_openface(tmp_path / "mine.csv", frames=10)
    made = settings(tmp_path, None, "", clip_tables=None, tables=[table], rules=["aus:12=1"])
    (note,) = [n for n in generate(made, dry_run=True).notes if "no class label" in n]
    assert str(table) in note
    assert "aus:12=1" in note


@pytest.mark.filterwarnings("ignore::famaug.errors.FilterTooWideWarning")
def test_whose_a_loose_table_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the YAML to the fold and the recogniser's pool. There was no way to name anybody."""
    monkeypatch.chdir(tmp_path)
    make_openface(Path("smile.csv"), frames=10, units={12: 2.0})
    Image.fromarray(astronaut()[:224, 112:336]).save("face.png")
    Path("made.yaml").write_text(
        "out: cache\ndrivers: {clips: false, tables: [smile.csv]}\ngate: {enabled: false}\n"
        "identities: {pictures: [face.png]}\nrender: {size: 64}\n"
    )
    real = ListOfClips(["s01", "s02"])
    people = tuple(ref.person for ref in real.refs)
    folds = leave_one_subject_out(real)

    def made(*more: str) -> tuple[str, list[Any]]:
        done = CliRunner().invoke(app, ["pregenerate", "made.yaml", *more])
        assert done.exit_code == 0, (done.output, done.exception)
        seen: list[Any] = []
        for fold in folds:
            try:
                train = MicroExpressionSynth(
                    fold.train, ratio=1, cache="cache", label_of=lambda _: "happy"
                )
                seen.append(train.excluded)
            except InputError as error:
                seen.append(str(error))
        return done.output, seen

    said, seen = made()
    assert "nobody is named as the subject of smile.csv" in said
    assert all(f"{{'{UNNAMED}': 1}}" in why for why in seen)
    said, seen = made("drivers.tables_of=d/s01")  # another plan: made beside the first
    assert "nobody is named" not in said
    assert f"'{DRIVER}': 1" in seen[0]
    assert seen[1] == {UNNAMED: 1}
    _, seen = made("drivers.tables_of=none")
    assert seen == [{UNNAMED: 1, DRIVER: 1}, {UNNAMED: 1}]
    pool = synthetic_pool(
        ClipCache("cache"), InputSpec(kind="pair", size=28), classes=["happy"],
        label_of=lambda _: "happy", folds={f.name: f.held_out for f in folds}, people=people,
    )  # fmt: skip
    assert pool.left_out == {UNNAMED: 1}
    assert [int(pool.allowed(f.held_out, people).sum()) for f in folds] == [1, 2]
    done = CliRunner().invoke(app, ["pregenerate", "made.yaml", "drivers.tables_of=d/"])
    assert "a person is written 'dataset/subject'" in str(done.exception)


@pytest.mark.filterwarnings("ignore::famaug.errors.FilterTooWideWarning")
@pytest.mark.parametrize(("who", "unnamed"), [("", 2), ("none", 0)])
def test_a_clip_of_a_folder_that_names_nobody(tmp_path: Path, who: str, unnamed: int) -> None:
    """Measured, and by its annotation; "none" in the table's column is a name."""
    write_clips(tmp_path / "data", {"x/a": growing(1)})
    (tmp_path / "t.csv").write_text(
        f"subject,clip,path,emotion,action_units\n{who},a,x/a,happy,12\n"
    )
    data = ClipFolder(tmp_path / "data", dataset="mine", table=tmp_path / "t.csv")
    report = generate(settings(tmp_path, data, "", clip_tables=None, clips=True, annotations=True))
    assert report.made == 2
    assert any("nobody is named" in note for note in report.notes) is bool(unnamed)
    real, cache = ListOfClips(["s01", "s02"]), tmp_path / "cache"
    assert MicroExpressionSynth(real, held_out=(), ratio=1, cache=cache).excluded == {}
    train = leave_one_subject_out(real)[0].train
    if unnamed:
        with pytest.raises(InputError, match=f"'{UNNAMED}': 2"):
            MicroExpressionSynth(train, ratio=1, cache=cache)
    else:
        assert MicroExpressionSynth(train, ratio=1, cache=cache).excluded == {}
