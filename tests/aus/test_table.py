from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from famaug.aus.table import COLUMNS, read_table, write_table
from famaug.errors import TableWarning, TrackError
from famaug.seeding import keyed_generator
from famaug.types import AU_NAMES, AUTrack


def track() -> AUTrack:
    rng = keyed_generator(0, "table")
    x = rng.uniform(0, 5, (12, 2, 17)).round(4)
    x[3] = np.nan
    x[5, 1, 2] = np.nan
    c = np.where(np.isfinite(x), rng.uniform(0, 1, x.shape).round(4), 0)
    return AUTrack.of(x, confidence=c, estimator="mesh-flow/1", scale="famaug", fps=200)


def test_round_trip(tmp_path: Path) -> None:
    path = write_table(track(), tmp_path / "deep" / "a.csv")
    back = read_table(path)
    assert np.array_equal(back.intensity, track().intensity, equal_nan=True)
    assert np.array_equal(back.confidence, track().confidence)
    for name in ("estimator", "scale", "sided", "fps"):
        assert getattr(back, name) == getattr(track(), name)
    assert sorted(p.name for p in path.parent.iterdir()) == ["a.csv", "a.csv.json"]


def test_layout_that_others_rely_on(tmp_path: Path) -> None:
    lines = write_table(track(), tmp_path / "a.csv").read_text().splitlines()
    assert lines[0].split(",") == COLUMNS
    assert COLUMNS[:4] == ["frame", "side", "AU01_r", "AU02_r"]
    assert COLUMNS[-1] == "AU45_conf"
    assert lines[1].startswith("0,left,")
    assert lines[2].startswith("0,right,")
    assert len(lines) == 1 + 24
    assert lines[7].startswith("3,left" + "," * 18)


def edited(tmp_path: Path, edit: object) -> Path:
    path = write_table(track(), tmp_path / "a.csv")
    table = pd.read_csv(path).astype(object)
    table = edit(table)  # type: ignore[operator]
    table.to_csv(path, index=False)
    return path


def put(row: int, column: str, value: object) -> object:
    def edit(table: pd.DataFrame) -> pd.DataFrame:
        table.loc[row, column] = value
        return table

    return edit


def test_frames_out_of_order_are_sorted_and_gaps_are_missing(tmp_path: Path) -> None:
    path = edited(tmp_path, lambda t: t.iloc[::-1])
    with pytest.warns(TableWarning, match="out of order"):
        back = read_table(path)
    assert np.array_equal(back.intensity, track().intensity, equal_nan=True)
    gap = read_table(edited(tmp_path, lambda t: t[t["frame"] != 7]))
    assert len(gap) == 12
    assert np.flatnonzero(gap.missing).tolist() == [3, 7]


def test_by_hand_without_confidence_and_metadata(tmp_path: Path) -> None:
    path = tmp_path / "hand.csv"
    rows = ["frame, side, " + ", ".join(f"{n}_r" for n in AU_NAMES)]
    rows += [f"{f}, {s}, " + ", ".join(["0.5"] * 17) for f in (10, 11) for s in ("Left", "right")]
    path.write_text("\n".join(rows))
    back = read_table(path, fps=25)
    assert (len(back), back.fps, back.sided, back.estimator) == (2, 25, False, "table")
    assert np.all(back.confidence == 1)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda t: t.drop(columns=["AU04_r", "AU12_r"]), "lacks the columns AU04_r, AU12_r;"),
        (lambda t: t.drop(columns=["AU04_conf"]), "lacks the columns AU04_conf;"),
        (lambda t: t.drop(columns=["side"]), "lacks the columns side;"),
        (lambda t: t.iloc[:0], "holds no rows"),
        (lambda t: t.drop(index=4), "left or right row"),
        (lambda t: pd.concat([t, t.iloc[4:5]]), "frame 2 left is there twice"),
        (put(4, "side", "both"), "row 6: side must be left or right; got 'both'"),
        (put(4, "frame", "x"), "row 6: frame must be a whole number from 0; got 'x'"),
        (put(4, "frame", -3), "frame must be"),
        (put(4, "frame", 2.5), "frame must be"),
        (put(4, "frame", 1e12), "this is not one clip"),
        (put(4, "AU12_r", "high"), r"row 6, AU12_r: 'high' is no number from 0 to 5"),
        (put(4, "AU12_r", 7), "no number from 0 to 5"),
        (put(4, "AU12_r", "inf"), "no number from 0 to 5"),
        (put(4, "AU12_r", -0.5), "no number from 0 to 5"),
        (put(4, "AU12_conf", 1.5), "no number from 0 to 1"),
    ],
)
@pytest.mark.filterwarnings("ignore::famaug.errors.TableWarning")
def test_bad_tables(tmp_path: Path, edit: object, message: str) -> None:
    with pytest.raises(TrackError, match=message):
        read_table(edited(tmp_path, edit))


def test_what_is_no_table(tmp_path: Path) -> None:
    with pytest.raises(TrackError, match="cannot read the AU table"):
        read_table(tmp_path / "none.csv")
    for name, content in {
        "empty.csv": b"",
        "noise.csv": bytes(range(256)) * 40,
        "twice.csv": b"frame,side,frame\n1,left,1\n",
    }.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(TrackError):
            read_table(tmp_path / name)
    with pytest.raises(TrackError, match="there twice"):
        read_table(tmp_path / "twice.csv")
    path = write_table(track(), tmp_path / "a.csv")
    for text in ("[1]", "{", '{"fps": "x"}', '{"sided": 3}', '{"fps": -1}'):
        path.with_name("a.csv.json").write_text(text)
        with pytest.raises(TrackError, match=r"a\.csv\.json"):
            read_table(path)


def test_a_huge_file_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "huge.csv"
    with path.open("wb") as file:
        file.truncate(600 * 2**20)  # sparse: takes no disk
    with pytest.raises(TrackError, match="600 MiB; files of this kind are read up to 256 MiB"):
        read_table(path)


def test_an_unwritable_place(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(TrackError, match="cannot write"):
        write_table(track(), tmp_path / "file" / "a.csv")
