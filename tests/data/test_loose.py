"""A frame of a held-out person is that person's wherever it lies."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from famaug.data import Casme2, ClipFolder, MicroExpressionSynth, Smic, leave_one_subject_out
from famaug.data.loose import Whose, refs_below
from famaug.errors import LeakageError
from famaug.media.clips import read_picture
from famaug.people.persons import person_of_path
from famaug.pipeline.inputs import Driver, Identity
from famaug.types import Clip, ClipRef
from tests.store.store_builders import ToySynthesizer

Replica = Callable[..., Path]


@pytest.mark.parametrize(
    ("path", "who"),
    [
        ("/data/CASME2/Cropped/Cropped/sub01/EP02_01f/reg_img46.jpg", "casme2/sub01"),
        ("CASME2_RAW_selected/sub12/EP01/img1.jpg", "casme2/sub12"),
        ("x/SAMM/006/006_1_2/006_05562.jpg", "samm/006"),
        ("SAMM_CROP/006_1_2_05562.jpg", "samm/006"),
        ("SMIC/SMIC_all_raw/HS/s1/micro/negative/s1_ne_01/image5.bmp", "smic/s1"),
        ("CAS(ME)^3/part_A/spNO.12/b/color/175.jpg", "casme3/spNO.12"),
        ("MMEW/Micro_Expression/anger/S01-01-001/1.jpg", "mmew/1"),
        ("faces/casme2_sub01_neutral.png", "casme2/sub01"),
        ("MEGC2019/s01/img.png", "smic/s1"),
        ("casme2/aus/sub03_EP02.csv", "casme2/sub03"),
        ("faces/male_05.jpg", ""),
        ("samm/faces/anna.png", ""),
        ("CASME2/expert.png", ""),
        ("faces/s1.png", ""),
    ],
)
def test_whose_by_the_path(path: str, who: str) -> None:
    assert person_of_path(path) == who


def test_drivers_and_identities_of_a_data_sets_files(replica: Replica, tmp_path: Path) -> None:
    root = tmp_path / "CASME2"
    shutil.copytree(replica("casme2", clips=6, subjects=3), root)
    frame = Casme2(root).refs[0].frames[0]
    face = Identity.of(frame)
    assert (face.dataset, face.subject) == ("casme2", "sub01")
    assert Identity.of(tmp_path / "CASME2" / Path(frame).relative_to(root)).subject == "sub01"
    clip = Driver.of(Path(frame).parent)
    assert (clip.dataset, clip.subject) == ("casme2", "sub01")


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of one's own, whose path says nothing: three people with two clips each."""
    root = tmp_path_factory.mktemp("mine")
    rng = np.random.default_rng(0)
    for who in ("anna", "bob", "cleo"):
        for clip in ("a", "b"):
            folder = root / who / clip
            folder.mkdir(parents=True)
            for k in range(3):
                picture = rng.integers(0, 255, (24, 20, 3), np.uint8)
                Image.fromarray(picture).save(folder / f"{k}.bmp")
    return root


def test_whose_by_place_bytes_and_pixels(people: Path, tmp_path: Path) -> None:
    whose = Whose(ClipFolder(people).refs)
    frame = people / "bob" / "b" / "1.bmp"
    assert whose(frame) == "folder/bob"
    assert whose(people / "bob" / "portrait.png") == "folder/bob"  # beside the clips
    assert whose(people / "sheet.png") == ""
    (tmp_path / "link.bmp").symlink_to(frame)
    assert whose(tmp_path / "link.bmp") == "folder/bob"
    shutil.copy(frame, tmp_path / "0001.bmp")  # all frames have one size in bytes
    assert whose(tmp_path / "0001.bmp") == "folder/bob"
    onset = people / "cleo" / "a" / "0.bmp"
    Image.open(onset).save(tmp_path / "saved.png")
    assert whose(tmp_path / "saved.png") == "folder/cleo"
    assert whose.of_picture(read_picture(onset)) == "folder/cleo"
    Image.open(onset).rotate(180).save(tmp_path / "other.png")
    assert whose(tmp_path / "other.png") == ""
    assert whose(tmp_path / "gone.png") == ""


def test_several_people_in_one_folder(tmp_path: Path) -> None:
    for n in range(4):
        Image.new("RGB", (9, 9), (n, 0, 0)).save(tmp_path / f"{n}.png")
    refs = [
        ClipRef("flat", "ab"[n // 2], str(n), frames=(str(tmp_path / f"{n}.png"),)) for n in (0, 2)
    ]
    whose = Whose(refs)
    assert [whose(tmp_path / f"{n}.png") for n in range(4)] == ["flat/a", "", "flat/b", ""]


def test_a_held_out_face_is_no_identity(people: Path, tmp_path: Path) -> None:
    fold = leave_one_subject_out(ClipFolder(people))[0]
    assert fold.held_out == {"folder/anna"}
    assert len(refs_below(fold.train)) == 6

    def wrapped(folder: object) -> MicroExpressionSynth:
        return MicroExpressionSynth(
            fold.train, ratio=4, mode="online", synthesizer=ToySynthesizer(), identities=folder,
            as_clip=lambda item: (item[0], "any"),
        )  # fmt: skip

    faces = tmp_path / "faces"
    faces.mkdir()
    shutil.copy(people / "bob" / "a" / "2.bmp", faces / "x.bmp")
    train = wrapped(faces)
    stories = [json.loads(train[i]["provenance"]) for i in range(4, 20)]
    assert {s["identity_subject"] for s in stories} == {"folder/bob"}
    with pytest.raises(LeakageError, match=r"folder/anna.*held-out"):
        wrapped(people / "anna" / "a")
    shutil.copy(people / "anna" / "b" / "1.bmp", faces / "y.bmp")
    with pytest.raises(LeakageError, match=r"y\.bmp"):
        wrapped(faces)
    pixels = read_picture(people / "anna" / "a" / "0.bmp")[None]
    with pytest.raises(LeakageError, match="held-out"):
        wrapped([Clip(ClipRef("", "", "loose"), pixels)])


def test_a_frame_of_another_reader(replica: Replica, tmp_path: Path) -> None:
    root = replica("smic", clips=6, subjects=3)
    data = Smic(root)
    copied = tmp_path / "face.bmp"
    shutil.copy(data.refs[-1].frames[1], copied)
    assert Whose(data.refs)(copied) == f"smic/{data.refs[-1].subject}"
