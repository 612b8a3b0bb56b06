"""Faces from pictures with tables, from videos and from readers; what is left out is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from famaug.aus.table import write_table
from famaug.errors import InputError, MediaError, TrackError, TrainingError
from famaug.faces.align import crop_face, crop_with
from famaug.faces.mesher import FaceMesher
from famaug.seeding import keyed_generator
from famaug.training.ganimation.au_table import read_picture_table
from famaug.training.ganimation.face_batches import FaceBatches
from famaug.training.ganimation.faces import FaceSet, prepare_faces
from famaug.training.ganimation.sources import (
    CropOptions,
    faces_of_clips,
    faces_of_pictures,
    faces_of_videos,
    picture_files,
    video_files,
)
from famaug.types import AU_NAMES, AUTrack, Clip, ClipRef, Frames, Picture
from tests.training.ganimation.ganimation_builders import made_faces

COLUMNS = [f"{n}_r" for n in AU_NAMES]
SMALL = CropOptions(size=64, window=8)


def row(seed: int) -> dict[str, float]:
    values = keyed_generator(seed, "table").uniform(0, 5, 17).round(2)
    return dict(zip(COLUMNS, map(float, values), strict=True))


def write_picture(path: Path, picture: Picture) -> None:
    cv2.imwrite(str(path), picture[:, :, ::-1])


@pytest.fixture
def pictures(tmp_path: Path, astronaut_picture: Picture) -> Path:
    """Two faces, one of them mirrored; a wall, a broken file, and a face far too small."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    write_picture(folder / "ada.png", astronaut_picture)
    write_picture(folder / "bea.jpg", np.ascontiguousarray(astronaut_picture[:, ::-1]))
    write_picture(folder / "wall.png", np.full((200, 200, 3), 120, np.uint8))
    (folder / "broken.png").write_bytes(b"no picture at all")
    write_picture(folder / "tiny.png", cv2.resize(astronaut_picture, (160, 160)))
    write_picture(folder / "unlisted.png", astronaut_picture)
    return folder


def table_of(path: Path, names: list[str], **changes: object) -> Path:
    frame = pd.DataFrame([{"picture": n, **row(i)} for i, n in enumerate(names)])
    frame.assign(**changes).to_csv(path, index=False)
    return path


def prepared(folder: Path, pictures: Path, table: Path | None) -> FaceSet:
    files = picture_files(pictures)
    aus = None if table is None else read_picture_table(table)
    found = faces_of_pictures(files, aus, SMALL)
    return prepare_faces(folder, found, size=64, scale="openface", setting={"n": 1})


NAMES = ["ada.png", "bea.jpg", "wall.png", "broken.png", "tiny.png"]


def test_pictures_with_a_table(tmp_path: Path, pictures: Path) -> None:
    table = table_of(tmp_path / "aus.csv", NAMES)
    faces = prepared(tmp_path / "faces", pictures, table)
    assert faces.names == ("ada", "bea")
    assert faces.pictures.shape == (2, 64, 64, 3)
    for i, name in enumerate(("ada", "bea")):
        want = [row(i)[c] for c in COLUMNS]
        assert np.allclose(faces.intensity[i], [want, want], atol=1e-6), name
    assert not faces.sided
    assert abs(faces.midline[0, :, 0].mean() + faces.midline[1, :, 0].mean() - 63) < 2
    assert faces.skipped == {
        "no face found": ["wall.png"],
        "not a readable picture": ["broken.png"],
        "the face is under 64 pixels": ["tiny.png"],
        "not in the AU table": ["unlisted.png"],
    }
    told = faces.summary()
    assert "2 faces of 64 pixels" in told
    assert "1 left out: no face found (wall.png)" in told
    many = replace(faces, skipped={"why": ["a", "a", "b", "c", "d"]})
    assert many.summary().endswith("5 left out: why (a, b, c, ...)")


def test_prepared_faces_are_opened_again_and_not_mistaken(tmp_path: Path, pictures: Path) -> None:
    table = table_of(tmp_path / "aus.csv", NAMES)
    first = prepared(tmp_path / "faces", pictures, table)
    again = prepare_faces(tmp_path / "faces", iter(()), size=64, scale="openface", setting={"n": 1})
    assert np.array_equal(first.pictures, again.pictures)
    assert again.skipped == first.skipped
    with pytest.raises(TrainingError, match="no face to train on: no input"):
        prepare_faces(tmp_path / "faces", iter(()), size=64, scale="openface", setting={"n": 2})
    assert prepared(tmp_path / "faces", pictures, table).names == first.names
    before = np.array(first.pictures)
    del first, again  # they map the file
    (tmp_path / "faces" / "pictures.u8").write_bytes(b"cut short")  # is made anew
    assert np.array_equal(prepared(tmp_path / "faces", pictures, table).pictures, before)


def test_flipped_bits_of_prepared_faces_are_found_out(tmp_path: Path, pictures: Path) -> None:
    table = table_of(tmp_path / "aus.csv", NAMES)
    first = np.array(prepared(tmp_path / "faces", pictures, table).pictures)
    for name in ("pictures.u8", "faces.safetensors"):
        path = tmp_path / "faces" / name
        data = bytearray(path.read_bytes())
        data[-100] ^= 4
        path.unlink()
        path.write_bytes(data)
        again = prepared(tmp_path / "faces", pictures, table)
        assert np.array_equal(again.pictures, first)
        assert again.names == ("ada", "bea")


def test_other_orders_of_columns(tmp_path: Path) -> None:
    path = table_of(tmp_path / "a.csv", ["x.png", "y.png"])
    shuffled = pd.read_csv(path)[["picture", *reversed(COLUMNS)]]
    shuffled.insert(1, "extra", 7)
    shuffled.to_csv(tmp_path / "b.csv", index=False)
    one, other = (read_picture_table(tmp_path / n).intensity for n in ("a.csv", "b.csv"))
    assert np.array_equal(one["x"], other["x"])
    assert one["y"][0, AU_NAMES.index("AU12")] == pytest.approx(row(1)["AU12_r"])


def test_other_scales(tmp_path: Path) -> None:
    names = [f"p{i}.png" for i in range(30)]
    whole = pd.read_csv(table_of(tmp_path / "a.csv", names))
    divided = whole.assign(**{c: whole[c] / 5 for c in COLUMNS})
    divided.to_csv(tmp_path / "d.csv", index=False)
    with pytest.raises(InputError, match=r"no value of 30 rows is above 1.*full_scale: 1"):
        read_picture_table(tmp_path / "d.csv")
    found = read_picture_table(tmp_path / "d.csv", full_scale=1).intensity["p7"]
    assert np.allclose(found, read_picture_table(tmp_path / "a.csv").intensity["p7"], atol=1e-5)
    assert float(read_picture_table(tmp_path / "d.csv", full_scale=5).intensity["p7"].max()) <= 1
    with pytest.raises(TrackError, match="is no number from 0 to 1"):
        read_picture_table(tmp_path / "a.csv", full_scale=1)


def test_openface_files_of_pictures(tmp_path: Path) -> None:
    folder = tmp_path / "of"
    folder.mkdir()
    columns = ["face", "confidence", *COLUMNS]

    def write(name: str, rows: list[tuple[int, float]]) -> None:
        lines = [[face, sure, *row(3).values()] for face, sure in rows]
        frame = pd.DataFrame(lines, columns=columns)
        (folder / name).write_text(frame.to_csv(index=False).replace(",", ", "))

    write("one.csv", [(0, 0.98)])
    write("two.csv", [(0, 0.98), (1, 0.97)])
    write("bad.csv", [(0, 0.2)])
    table = read_picture_table(folder)
    assert [*table.intensity] == ["one"]
    assert np.allclose(table.intensity["one"][1], [*row(3).values()])
    assert table.refused == {"two": "several faces", "bad": "OpenFace failed"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t.drop(columns="picture"), "which picture a row is of"),
        (lambda t: t.drop(columns="AU12_r"), "lacks the columns AU12_r"),
        (lambda t: t.assign(AU12_r="much"), "AU12_r: 'much' is no number"),
        (lambda t: pd.concat([t, t]), "rows of one picture: x"),
    ],
)
def test_tables_that_are_not_one(tmp_path: Path, change, words: str) -> None:
    path = table_of(tmp_path / "a.csv", ["x.png"])
    change(pd.read_csv(path)).to_csv(path, index=False)
    with pytest.raises(InputError, match=words):
        read_picture_table(path)


def test_nothing_to_train_on(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="no pictures"):
        picture_files(tmp_path)
    with pytest.raises(MediaError, match="no videos"):
        video_files(tmp_path)
    write_picture(tmp_path / "wall.png", np.zeros((90, 90, 3), np.uint8))
    with pytest.raises(TrainingError, match=r"1 no face found \(wall.png"):
        prepared(tmp_path / "faces", tmp_path, None)


def test_a_clip_gives_measured_faces_in_one_crop(
    smile_video: tuple[Frames, float], mesher: FaceMesher
) -> None:
    frames = smile_video[0][:48:3]
    clip = Clip(ClipRef("films", "man", "smile"), frames)
    found = list(faces_of_clips([(clip, "happy")], SMALL, mesher=mesher))
    assert [f.name for f in found] == [f"films/man/smile#{i}" for i in range(16)]
    assert [f.clip for f in found] == ["films/man/smile@0"] * 8 + ["films/man/smile@8"] * 8
    assert not found[0].intensity.any()  # the onset is the neutral face
    assert found[-1].intensity[:, AU_NAMES.index("AU12")].min() > 0.3
    mean = mesher.track(frames).mesh[:8].mean(0)
    _, _, transform = crop_face(frames[0], mean, 64)
    assert np.array_equal(found[5].picture, crop_with(frames[5], transform))
    with pytest.raises(InputError, match="a reader gives clips"):
        list(faces_of_clips([7], SMALL, mesher=mesher))


def test_frame_folders_with_tables(
    tmp_path: Path, astronaut_picture: Picture, mesher: FaceMesher
) -> None:
    for name, count in (("a", 4), ("b", 3), ("c", 2), ("d", 1)):
        (tmp_path / "v" / name).mkdir(parents=True)
        for i in range(count):
            picture = (
                np.zeros_like(astronaut_picture) if (name, i) == ("b", 1) else (astronaut_picture)
            )
            write_picture(tmp_path / "v" / name / f"{i}.png", picture)
    values = keyed_generator(0, "tracks").uniform(0, 2, (4, 2, 17))
    for name, length in (("a", 4), ("b", 3), ("d", 4)):
        track = AUTrack.of(values[:length], estimator="hand")
        write_table(track, tmp_path / "t" / f"{name}.csv")
    files = video_files(tmp_path / "v")
    found = faces_of_videos(files, SMALL, tables=tmp_path / "t", mesher=mesher)
    faces = prepare_faces(tmp_path / "f", found, size=64, scale="famaug", setting={})
    assert faces.names == ("a#0", "a#1", "a#2", "a#3", "b#0", "b#2")
    assert np.allclose(faces.intensity[5], values[2], atol=1e-4)
    assert faces.skipped == {
        "frames without a face or without AUs": ["b"],
        "no AU table of its name": ["c"],
        "the AU table has another number of frames": ["d"],
    }
    assert faces.sided


def test_holding_out() -> None:
    faces = made_faces(24, clips=3)
    train, held = faces.rows_of(["clip1", "clip0#2"])
    assert held.tolist() == [2, *range(8, 16)]
    assert len(train) == 15
    with pytest.raises(InputError, match="held_out names 'clip'"):
        faces.rows_of(["clip"])
    with pytest.raises(InputError, match="every face is held out"):
        faces.rows_of(["clip0", "clip1", "clip2"])


def test_a_batch_does_not_depend_on_how_it_is_divided() -> None:
    source = FaceBatches(made_faces(), batch_size=8, clip_length=4)
    whole = source.batch(5, range(8))
    parts = [FaceBatches(made_faces(), batch_size=8, clip_length=4).batch(5, rows)
             for rows in (range(4), range(4, 8))]  # fmt: skip
    for name, value in whole.items():
        together = np.concatenate([p[name].numpy() for p in parts])
        assert np.array_equal(value.numpy(), together), name
    assert whole["picture"].shape == (8, 3, 32, 32)
    assert whole["clip"].shape == (8, 3, 4, 32, 32)
    assert whole["curve"].shape == (8, 4, 2, 17)
    assert float(whole["picture"].min()) >= -1


def test_an_epoch_shows_every_face_once_in_an_order_of_its_own() -> None:
    faces = made_faces(26, clips=2)
    source = FaceBatches(faces, batch_size=8, mirror=False)
    assert source.steps_per_epoch == 3

    def shown(epoch: int) -> list[int]:
        found = []
        for number in range(epoch * 3, epoch * 3 + 3):
            batch = source.batch(number, range(8))["intensity"].numpy()
            found += [int(np.flatnonzero((faces.intensity == x).all((1, 2)))[0]) for x in batch]
        return found

    first, second = shown(0), shown(1)
    assert len(set(first)) == 24
    assert set(first) <= set(range(26))
    assert first != second


def test_mirrored_faces_have_their_sides_exchanged() -> None:
    faces = made_faces()
    plain = FaceBatches(faces, batch_size=24, mirror=False).batch(0, range(24))
    both = FaceBatches(faces, batch_size=24).batch(0, range(24))
    turned = [i for i in range(24)
              if not np.array_equal(both["picture"][i], plain["picture"][i])]  # fmt: skip
    assert 4 < len(turned) < 20
    for i in turned:
        assert np.array_equal(both["picture"][i], plain["picture"][i].flip(-1))
        assert np.array_equal(both["intensity"][i], plain["intensity"][i].flip(0))
        x = plain["midline"][i][:, 0].numpy()
        assert np.allclose(both["midline"][i][:, 0].numpy(), 31 - x)


def test_targets_are_other_faces_with_noise() -> None:
    faces = made_faces(sided=False)
    batch = FaceBatches(faces, batch_size=24, noise=0.5).batch(0, range(24))
    target = batch["target"].numpy()
    assert np.array_equal(target[:, 0], target[:, 1])  # equal sides stay equal
    nearest = [np.abs(faces.intensity[:, 0] - t[0]).max(1).min() for t in target]
    assert max(nearest) <= 0.5
    assert min(nearest) > 0.2
    exact = FaceBatches(faces, batch_size=24, noise=0).batch(0, range(24))["target"].numpy()
    assert all((faces.intensity == t).all((1, 2)).any() for t in exact)


def test_runs_stay_within_clips_and_within_the_training_rows() -> None:
    faces = made_faces(24, clips=3)
    rows = np.asarray([*range(8), *range(10, 24)])
    source = FaceBatches(faces, rows=rows, batch_size=4, clip_length=6)
    assert source.runs.tolist() == [0, 1, 2, 10, 16, 17, 18]
    faces.frame[:] = np.arange(24)  # crops change between clips, though the film goes on
    assert FaceBatches(faces, batch_size=4, clip_length=8).runs.tolist() == [0, 8, 16]
    with pytest.raises(InputError, match="runs of 9 frames"):
        FaceBatches(faces, batch_size=4, clip_length=9)
    with pytest.raises(InputError, match="fewer than a batch"):
        FaceBatches(faces, batch_size=25)
    faces.intensity[0] = np.nan
    with pytest.raises(InputError, match="needs the AUs of every face"):
        FaceBatches(faces, batch_size=4)
