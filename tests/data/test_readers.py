"""Readers on replicas of the releases: layouts, tables and every quirk of theirs."""

from __future__ import annotations

import hashlib
import shutil
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from openpyxl import load_workbook  # type: ignore[import-untyped]

from famaug.aus.facs import parse_facs
from famaug.data.readers import open_dataset
from famaug.data.readers.casme2 import Casme2
from famaug.data.readers.casme3 import CasMe3
from famaug.data.readers.fourdme import FourDme
from famaug.data.readers.mmew import Mmew
from famaug.data.readers.samm import Samm
from famaug.data.readers.smic import Smic, SmicLong
from famaug.errors import InputError, MediaError
from famaug.people.datasets import RELEASES

Replica = Callable[..., Path]


def digest_of(root: Path) -> str:
    files = sorted(p for p in root.rglob("*") if p.is_file())
    return hashlib.sha256(
        "\n".join(f"{p} {p.stat().st_size} {p.stat().st_mtime_ns}" for p in files).encode()
    ).hexdigest()


def edited(root: Path, to: Path, change: Callable[..., None]) -> Path:
    """A copy of a replica with its xlsx changed."""
    shutil.copytree(root, to)
    (table,) = to.glob("*.xlsx")
    book = load_workbook(table)
    change(book.active)
    book.save(table)
    return to


@pytest.mark.parametrize("name", RELEASES)
def test_every_reader_opens_its_release(replica: Replica, name: str) -> None:
    root = replica(name, clips=18)
    before = digest_of(root)
    data = open_dataset(name, root)
    assert data.findings.missing_clips == []
    assert len(data) >= 18
    assert len({(r.subject, r.clip) for r in data.refs}) == len(data)
    for ref in data.refs:
        assert ref.onset is not None
        assert ref.apex is not None
        assert ref.offset is not None
        assert 0 <= ref.onset <= ref.apex <= ref.offset < len(ref.frames)
        assert ref.fps
        parse_facs(ref.action_units or "")
    clip, label = data[0]
    assert len(clip.frames) == len(data.refs[0].frames)
    assert label == data.refs[0].emotion == data.labels[0]
    assert digest_of(root) == before  # nothing is written into a user's folder


def test_casme2_as_published(replica: Replica) -> None:
    data = Casme2(replica("casme2"))
    assert len(data) == 255
    assert {r.subject for r in data.refs} == {f"sub{i:02d}" for i in range(1, 27)}
    assert Counter(data.labels) == dict(Casme2.published.emotions)
    names = {r.clip for r in data.refs}
    assert {"EP01_2", "EP08_1", "EP09f", "EP06_02_01", "EP06_02_02"} <= names
    # EP01_2 is no EP01_02: both are there
    assert {r.key for r in data.refs} >= {"casme2/sub03/EP01_2", "casme2/sub12/EP01_02"}
    sided = sum("L" in (r.action_units or "") or "R" in (r.action_units or "") for r in data.refs)
    assert 30 < sided < 80


def test_opening_casme2_takes_no_second(replica: Replica) -> None:
    root = replica("casme2")
    Casme2(root)  # imports openpyxl
    took = []
    for _ in range(3):
        began = time.process_time()
        Casme2(root)
        took.append(time.process_time() - began)
    assert min(took) < 1


def test_casme2_without_apex(replica: Replica) -> None:
    root = replica("casme2")
    right, published = Casme2(root), Casme2(root, corrections=False)
    apexes = {r.clip + r.subject: number(r.frames[r.apex or 0]) for r in right.refs}
    assert len(published.findings.middle_apex) == 21
    assert right.findings.middle_apex == []
    told = [line for line in right.findings.corrected if "apex None -> 279" in line]
    assert len(told) == 1
    name = told[0].split(" ")[0]
    assert apexes[name.split("/")[1] + name.split("/")[0]] == 279
    middle = next(r for r in published.refs if f"{r.subject}/{r.clip}" == name)
    assert middle.apex == ((middle.onset or 0) + (middle.offset or 0)) // 2


def number(path: str) -> int:
    return int("".join(c for c in Path(path).stem.split("img")[-1] if c.isdecimal()))


def test_casme2_wrong_offset(replica: Replica) -> None:
    root = replica("casme2")
    ref = next(r for r in Casme2(root).refs if r.key == "casme2/sub07/EP06_01")
    assert number(ref.frames[ref.offset or 0]) == 91
    published = Casme2(root, corrections=False)
    assert len(published.findings.missing_frames["sub07/EP06_01"]) > 90


def test_an_incomplete_clip_goes_on_or_stops(replica: Replica) -> None:
    root = replica("casme2")
    data = Casme2(root)
    assert set(data.findings.missing_frames) == {"sub16/EP01_08"}
    ref = next(r for r in data.refs if r.key == "casme2/sub16/EP01_08")
    assert ref.offset == len(ref.frames) - 1
    with pytest.raises(MediaError, match="famaug doctor"):
        Casme2(root, missing="stop")


def test_raw_and_cropped_are_not_mixed_up(replica: Replica) -> None:
    raw = replica("casme2", clips=6, kind="raw")
    assert Path(Casme2(raw, clip="raw").refs[0].frames[0]).name.startswith("img")
    with pytest.raises(MediaError, match=r"(?s)cropped.*CASME2_RAW_selected"):
        Casme2(raw)
    with pytest.raises(InputError, match="cropped, raw"):
        Casme2(raw, clip="cut")


def test_a_wrong_root_says_what_was_looked_for(tmp_path: Path) -> None:
    (tmp_path / "holiday").mkdir()
    with pytest.raises(MediaError, match=r"Cropped/Cropped.*sub.*holiday"):
        Casme2(tmp_path)
    with pytest.raises(MediaError, match="no such folder"):
        Samm(tmp_path / "nowhere")


def test_a_table_of_another_version(replica: Replica, tmp_path: Path) -> None:
    def change(page: object) -> None:
        page["E1"] = "Summit"  # type: ignore[index]

    root = edited(replica("casme2", clips=6), tmp_path / "r", change)
    with pytest.raises(InputError, match=r"missing: ApexFrame; it has .*Summit"):
        Casme2(root)
    (root / "CASME2-coding-20140508.xlsx").unlink()
    with pytest.raises(InputError, match="no label table of CASME II"):
        Casme2(root)
    (root / "CASME2-coding-20140508.xlsx").write_bytes(b"PK no table")
    with pytest.raises(InputError, match="not a readable"):
        Casme2(root)


def test_a_frame_number_that_is_none(replica: Replica, tmp_path: Path) -> None:
    def change(page: object) -> None:
        page["D3"] = "soon"  # type: ignore[index]

    root = edited(replica("casme2", clips=6), tmp_path / "r", change)
    data = Casme2(root)
    assert len(data) == 5
    assert len(data.findings.unread) == 1
    assert "row 3: a frame number" in data.findings.unread[0]
    with pytest.raises(MediaError, match=r"1 rows not readable.*'soon'"):
        Casme2(root, missing="stop")


def test_rows_and_folders_that_lack_each_other(replica: Replica, tmp_path: Path) -> None:
    root = tmp_path / "r"
    shutil.copytree(replica("casme2", clips=12), root)
    first, second = Casme2(root).refs[:2]
    shutil.rmtree(Path(first.frames[0]).parent)
    for path in second.frames:
        Path(path).unlink()
    data = Casme2(root)
    assert len(data) == 10
    assert data.findings.missing_clips == [f"{first.subject}/{first.clip}"]
    assert f"{second.subject}/{second.clip}" in data.findings.empty_clips[0]


def test_samm(replica: Replica) -> None:
    data = Samm(replica("samm"))
    assert len(data) == 159
    assert len({r.subject for r in data.refs}) == 29
    emotions = Counter((x or "").lower().replace("others", "other") for x in data.labels)  # type: ignore[union-attr]
    assert emotions == dict(Samm.published.emotions)
    assert {"Other", "Others"} <= set(data.labels)
    widths = {len(Path(p).stem.split("_")[-1]) for r in data.refs for p in r.frames}
    assert widths == {4, 5}
    by_clip = {r.clip: r for r in data.refs}
    for clip, apex in (("028_4_1", 1105), ("032_3_1", 4945), ("032_3_2", 5130)):
        ref = by_clip[clip]
        assert int(Path(ref.frames[ref.apex or 0]).stem.split("_")[-1]) == apex
    assert {r.action_units for r in data.refs} >= {"R12 + R15", "L14", "R14", "R14A", "ref(7B)"}
    published = Samm(replica("samm"), corrections=False)
    assert len(published.findings.bad_rows) == 3
    assert "R12 or R15" in {r.action_units for r in published.refs}


def test_smic(replica: Replica) -> None:
    data = Smic(replica("smic"))
    assert len(data) == 163
    assert data.findings.empty_clips == ["s18/s18_sur_03"]
    assert Counter(r.emotion for r in data.refs) == {
        "negative": 70,
        "positive": 51,
        "surprise": 42,
    }
    ref = data.refs[0]
    assert (ref.onset, ref.apex, ref.offset) == (
        0,
        (len(ref.frames) - 1) // 2,
        len(ref.frames) - 1,
    )
    assert ref.fps == 100
    with pytest.raises(InputError, match="cameras"):
        Smic(replica("smic"), camera="UV")  # type: ignore[arg-type]


def test_smic_cameras_show_the_same_people(replica: Replica) -> None:
    vis = Smic(replica("smic-vis", clips=18), camera="VIS")
    assert vis.refs[0].fps == 25
    assert vis.refs[0].dataset == "smic"
    assert vis.refs[0].clip.startswith("VIS-s")
    with pytest.raises(MediaError, match="SMIC_all_cropped/HS"):
        Smic(replica("smic-vis", clips=18))


def test_smic_long_clips(replica: Replica) -> None:
    data = SmicLong(replica("smic-long"))
    seconds = [r for r in data.refs if r.clip.endswith("#2")]
    assert len(data) == 164 + len(seconds)
    assert seconds
    whole = SmicLong(replica("smic-long"), span="all")
    assert len(whole.refs[0].frames) > len(data.refs[0].frames)
    assert (whole.refs[0].onset or 0) > 0


def test_several_expressions_of_a_video(replica: Replica) -> None:
    data = CasMe3(replica("casme3", subjects=2))
    names = [r.clip for r in data.refs if r.subject == "spNO.1"]
    assert {"b", "b#2", "b#3"} <= set(names)
    assert len(set(names)) == len(names) == 20
    assert all(r.clip == r.clip.lower() for r in data.refs)
    assert data.fps == 30


def test_mmew_clips_in_other_folders(replica: Replica, tmp_path: Path) -> None:
    root = tmp_path / "r"
    shutil.copytree(replica("mmew", clips=12), root)
    places = root / "Micro_Expression"
    (places / "others").rename(places / "repression")
    data = Mmew(root)
    assert len(data) == 12
    assert any("repression" in r.frames[0] for r in data.refs if r.emotion == "others")
    full = Mmew(replica("mmew", size=(16, 16)))
    assert not full.findings.bad_rows


def test_4dme_doubted_units(replica: Replica) -> None:
    root = replica("4dme", clips=18)
    published = FourDme(root, corrections=False)
    assert any("(k)" in (r.action_units or "") for r in published.refs)
    assert not any("(k)" in (r.action_units or "") for r in FourDme(root).refs)
    assert all(r.action_units for r in FourDme(root).refs)


def test_labels_of_classes(replica: Replica) -> None:
    root = replica("casme2")
    three = Casme2(root, label="three")
    assert three.classes == ("negative", "positive", "surprise")
    assert Counter(three.labels) == {"negative": 90, "positive": 32, "surprise": 25}
    five = Casme2(root, label="five", numbered=True)
    assert len(five) == 246
    assert set(five.labels) == set(range(5))
    assert five.label_of is not None
    assert five.label_of["disgust"] == five.classes.index("disgust")
    samm = Samm(replica("samm"), label="five")
    assert Counter(samm.labels)["other"] == 26
    with pytest.raises(InputError, match="no labels 'five' for 'smic'; there are: emotion, three"):
        Smic(replica("smic"), label="five")
    with pytest.raises(InputError, match="numbered"):
        Casme2(root, numbered=True)


def test_keep_and_nothing_left(replica: Replica) -> None:
    root = replica("casme2", clips=12)
    kept = Casme2(root, keep=lambda r: r.emotion == "disgust")
    assert set(kept.labels) == {"disgust"}
    with pytest.raises(MediaError, match="no clip of CASME II is left"):
        Casme2(root, keep=lambda r: False)
    with pytest.raises(InputError, match="span"):
        Casme2(root, span="half")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        Casme2(root, clips="cropped")  # type: ignore[call-arg]


def test_csv_tables(replica: Replica, tmp_path: Path) -> None:
    import csv

    root = tmp_path / "r"
    shutil.copytree(replica("samm", clips=8), root)
    (table,) = root.glob("*.xlsx")
    rows = list(load_workbook(table).active.iter_rows(values_only=True))
    with table.with_suffix(".csv").open("w", newline="") as file:
        csv.writer(file).writerows([["" if c is None else c for c in r] for r in rows])
    table.unlink()
    assert [r.key for r in Samm(root).refs] == [r.key for r in Samm(replica("samm", clips=8)).refs]


def test_letter_case_of_folders(replica: Replica, tmp_path: Path) -> None:
    root = tmp_path / "r"
    shutil.copytree(replica("casme2", clips=6), root)
    folder = Path(Casme2(root).refs[0].frames[0]).parent
    folder.rename(folder.with_name(folder.name.swapcase()))
    data = Casme2(root)
    assert len(data) == 6
    assert data.refs[0].clip == folder.name  # named as in the table, read from where it lies
    assert folder.name.swapcase() in data.refs[0].frames[0]
