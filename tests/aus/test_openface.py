"""OpenFace's layouts, written as OpenFace writes them."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import numpy as np
import pytest

from famaug.aus.columns import VALUE_COLUMNS
from famaug.aus.openface import PRESENCE_AUS, read_openface
from famaug.aus.openface_binary import OpenFaceBinary
from famaug.aus.protocol import measure
from famaug.errors import InputError, MissingPackageError, TableWarning, TrackError
from famaug.seeding import keyed_generator
from famaug.testing import make_openface
from famaug.types import AU_INDEX

PRESENCE = [f"AU{au:02d}_c" for au in PRESENCE_AUS]


def values(rows: int, key: str = "of") -> np.ndarray:
    return keyed_generator(0, key).uniform(0, 3, (rows, 17)).round(2)


def presence(rows: int) -> np.ndarray:
    """AU45 always, AU28 never, the rest in every other frame: a shift by one would show."""
    c = np.tile(np.arange(rows)[:, None] % 2, (1, 18)).astype(float)
    c[:, PRESENCE_AUS.index(28)], c[:, PRESENCE_AUS.index(45)] = 0, 1
    return c


def text(head: list[str], rows: list[list[float]], sep: str = ", ") -> str:
    lines = [sep.join(head), *(sep.join(f"{v:g}" for v in row) for row in rows)]
    return "\r\n".join(lines) + "\r\n"


def image_csv(faces: list[list[float]], x: np.ndarray) -> str:
    """FaceLandmarkImg: (face, confidence) a row."""
    c = presence(len(x))
    rows = [[*f, *a, *b] for f, a, b in zip(faces, x.tolist(), c.tolist(), strict=True)]
    return text(["face", "confidence", *VALUE_COLUMNS, *PRESENCE], rows)


def video_csv(
    x: np.ndarray,
    *,
    frames: list[int] | None = None,
    confidence: list[float] | None = None,
    success: list[int] | None = None,
    faces: list[int] | None = None,
    fps: float = 25,
) -> str:
    """FeatureExtraction, with some of the other columns it writes."""
    n = len(x)
    frames = frames or list(range(1, n + 1))
    head = ["frame", "face_id", "timestamp", "confidence", "success", "gaze_0_x", "pose_Tx"]
    rows = [
        [f, i, round((f - 1) / fps, 3), c, s, 0.1, -3.5, *a, *b]
        for f, i, c, s, a, b in zip(
            frames,
            faces or [0] * n,
            confidence or [0.98] * n,
            success or [1] * n,
            x.tolist(),
            presence(n).tolist(),
            strict=True,
        )
    ]
    return text([*head, *VALUE_COLUMNS, *PRESENCE], rows)


def saved(tmp_path: Path, content: str, name: str = "a.csv") -> Path:
    path = tmp_path / name
    path.write_text(content, newline="")
    return path


def test_feature_extraction(tmp_path: Path) -> None:
    reading = read_openface(saved(tmp_path, video_csv(values(30))))
    track = reading.track
    assert np.allclose(track.intensity, values(30)[:, None])
    assert np.allclose(track.confidence, 0.98)
    assert (track.sided, track.scale, track.fps) == (False, "openface", 25)
    assert track.estimator == "openface-csv/FeatureExtraction"
    assert np.array_equal(reading.presence, presence(30))
    assert not reading.presence[:, 16].any()  # AU28, before AU45
    assert reading.presence[:, 17].all()
    assert reading.presence_mean[AU_INDEX[45]] == 1
    assert reading.presence_mean[AU_INDEX[26]] == 0.5


def test_face_landmark_img_merged(tmp_path: Path) -> None:
    content = image_csv([[0, 0.975]] * 8, values(8))
    track = read_openface(saved(tmp_path, content)).track
    assert np.allclose(track.intensity, values(8)[:, None])
    assert track.estimator == "openface-csv/FaceLandmarkImg"
    assert track.fps is None


def test_folder_in_the_order_of_the_numbers(tmp_path: Path) -> None:
    for i in range(12):
        saved(tmp_path, image_csv([[0, 0.975]], values(12)[i : i + 1]), f"reg_img{i + 1}.csv")
    (tmp_path / "notes.txt").write_text("not a table")
    track = read_openface(tmp_path).track
    assert np.allclose(track.intensity, values(12)[:, None])


def test_two_faces(tmp_path: Path) -> None:
    x = values(10)
    merged = saved(tmp_path, image_csv([[i % 2, 0.9] for i in range(10)], x), "img.csv")
    video = saved(
        tmp_path,
        video_csv(x, frames=[i // 2 + 1 for i in range(10)], faces=[0, 1] * 5),
        "video.csv",
    )
    for path in (merged, video):
        with pytest.raises(TrackError, match=r"2 faces \(face 0 in 5 frames, face 1 .*--face N"):
            read_openface(path)
        with pytest.raises(TrackError, match="face 7 is not among them"):
            read_openface(path, face=7)
        for face in (0, 1):
            assert np.allclose(read_openface(path, face=face).track.intensity[:, 0], x[face::2])


def test_a_face_that_is_away_for_a_frame_is_missing_there(tmp_path: Path) -> None:
    rows = [[0, 0.9], [1, 0.9], [0, 0.9], [0, 0.9], [1, 0.9]]
    track = read_openface(saved(tmp_path, image_csv(rows, values(5))), face=1).track
    assert track.missing.tolist() == [False, True, False]
    assert np.allclose(track.intensity[2, 0], values(5)[4])


def test_low_confidence_and_failed_frames_are_missing(tmp_path: Path) -> None:
    confidence = [0.98] * 6
    confidence[2] = 0.4
    success = [1] * 6
    success[4] = 0
    path = saved(tmp_path, video_csv(values(6), confidence=confidence, success=success))
    track = read_openface(path).track
    assert np.flatnonzero(track.missing).tolist() == [2, 4]
    assert not track.confidence[[2, 4]].any()
    assert np.flatnonzero(read_openface(path, min_confidence=0.3).track.missing).tolist() == [4]
    with pytest.raises(TrackError, match=r"none of 6 rows succeeded .*best 0\.98"):
        read_openface(path, min_confidence=0.99)


def test_order_gaps_and_doubles(tmp_path: Path) -> None:
    frames = [3, 4, 6, 1]
    with pytest.warns(TableWarning, match="out of order"):
        track = read_openface(saved(tmp_path, video_csv(values(4), frames=frames))).track
    assert np.flatnonzero(track.missing).tolist() == [1, 4]
    assert np.allclose(track.intensity[[2, 3, 5, 0], 0], values(4))
    with pytest.raises(TrackError, match="frame 3 is there twice"):
        read_openface(saved(tmp_path, video_csv(values(4), frames=[1, 3, 3, 4])))


def test_an_empty_or_nan_cell_is_missing(tmp_path: Path) -> None:
    content = video_csv(values(5)).splitlines()
    cells = content[3].split(", ")
    cells[7 + AU_INDEX[12]], cells[7 + AU_INDEX[4]] = "nan", ""
    content[3] = ", ".join(cells)
    track = read_openface(saved(tmp_path, "\n".join(content))).track
    missing = np.isnan(track.intensity)
    assert missing.sum() == 4
    assert missing[2, :, [AU_INDEX[12], AU_INDEX[4]]].all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.replace("_r", "_x"), r"intensities \(_r\) with -aus"),
        (lambda s: s.replace("\r\n2, ", "\r\ntwo, "), r"row 3: frame must be .* 'two'"),
        (lambda s: s.replace("0.98, 1,", "0.98, so,"), "success: 'so' is no number"),
        (lambda s: s.replace("0.98", "98"), "confidence: '98' is no number from 0 to 1"),
        (lambda s: s.split("\r\n")[0], "holds no rows"),
        (lambda s: s.replace("\r\n2, 0, ", "\r\n2, me, "), "row 3, face: 'me' is no number"),
    ],
)
def test_bad_tables(tmp_path: Path, change: object, message: str) -> None:
    with pytest.raises(TrackError, match=message):
        read_openface(saved(tmp_path, change(video_csv(values(4)))))  # type: ignore[operator]


def test_bad_folders(tmp_path: Path) -> None:
    with pytest.raises(TrackError, match="holds 0 CSV files"):
        read_openface(tmp_path)
    with pytest.raises(TrackError, match="cannot read"):
        read_openface(tmp_path / "none.csv")
    saved(tmp_path, video_csv(values(3)))
    with pytest.raises(TrackError, match="a video's table"):
        read_openface(tmp_path)


PROGRAM = """#!{python}
import pathlib, sys, time
args = sys.argv[1:]
args.remove("-aus")
a = dict(zip(args[::2], args[1::2]))
pictures = sorted(pathlib.Path(a["-fdir"]).iterdir())
print("found", len(pictures))
mode = pathlib.Path(__file__).with_name("mode").read_text()
if mode == "fail":
    print("no GPU", file=sys.stderr); sys.exit(3)
if mode == "slow":
    time.sleep(60)
if mode == "silent":
    sys.exit(0)
out = pathlib.Path(a["-out_dir"]); out.mkdir()
lines = pathlib.Path(__file__).with_name("rows.csv").read_text().splitlines()
keep = len(pictures) - (mode == "short")
(out / (a["-of"] + ".csv")).write_text("\\n".join(lines[: keep + 1]))
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A real process with FeatureExtraction's command line that writes its layout."""
    path = tmp_path / "bin" / "FeatureExtraction"
    path.parent.mkdir()
    path.write_text(PROGRAM.replace("{python}", sys.executable))
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    (path.parent / "rows.csv").write_text(video_csv(values(20)))
    (path.parent / "mode").write_text("fine")
    return path


def test_the_binary_measures_a_clip_in_one_call(program: Path) -> None:
    frames = np.zeros((6, 32, 32, 3), np.uint8)
    for path in (program, program.parent, program.parent.parent):
        openface = OpenFaceBinary(path)
        track = measure(openface, frames, fps=100)
        assert np.allclose(track.intensity, values(20)[:6, None])
        assert track.fps == 100
    assert track.estimator == f"openface-binary/{openface.version}"
    assert len(openface.version) == 12


@pytest.mark.parametrize(
    ("mode", "message"),
    [
        ("fail", r"exit code 3: found 2\nno GPU"),
        ("silent", "wrote no table; it said: found 2"),
        ("slow", "more than 1 s"),
        ("short", "gave 1 frames for 2"),
    ],
)
def test_the_binary_goes_wrong(program: Path, mode: str, message: str) -> None:
    program.with_name("mode").write_text(mode)
    with pytest.raises(InputError, match=message):
        measure(
            OpenFaceBinary(program, timeout_s=1 if mode == "slow" else 60),
            np.zeros((2, 32, 32, 3), np.uint8),
        )


def test_no_binary(tmp_path: Path) -> None:
    with pytest.raises(MissingPackageError, match="no OpenFace at"):
        OpenFaceBinary(tmp_path)


def test_made_tables_are_read(tmp_path: Path) -> None:
    """The three layouts of one clip, as the programs write them."""
    merged, folder, video = (
        read_openface(make_openface(tmp_path / name, layout=layout, frames=30, seed=2))
        for name, layout in (("m.csv", "merged"), ("each", "images"), ("v.csv", "video"))
    )
    assert len(merged.track) == 30
    assert np.isfinite(merged.track.intensity).all()
    assert 0.2 < merged.track.intensity[0].mean() < 0.75
    for other in (folder, video):
        assert np.array_equal(merged.track.intensity, other.track.intensity)
        assert np.array_equal(merged.presence, other.presence)
    assert merged.track.estimator == folder.track.estimator == "openface-csv/FaceLandmarkImg"
    assert video.track.estimator == "openface-csv/FeatureExtraction"
    assert (video.track.fps, merged.track.fps) == (100, None)
