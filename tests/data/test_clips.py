from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from famaug.data import ClipFolder, leave_one_subject_out
from famaug.errors import InputError, MediaError
from tests.store.store_builders import moving_clip


def save_frames(folder: Path, number: int) -> None:
    folder.mkdir(parents=True)
    for i, frame in enumerate(moving_clip(number)):
        cv2.imwrite(str(folder / f"img{i + 8}.png"), frame[..., ::-1])


def save_video(path: Path, number: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as file:
        stream = file.add_stream("ffv1", rate=50)
        stream.width, stream.height, stream.pix_fmt = 36, 40, "bgr0"
        for frame in moving_clip(number):
            file.mux(stream.encode(av.VideoFrame.from_ndarray(frame, "rgb24")))
        file.mux(stream.encode())


@pytest.fixture
def root(tmp_path: Path) -> Path:
    save_frames(tmp_path / "s1" / "EP01_2", 1)
    save_frames(tmp_path / "s10" / "EP01", 2)
    save_video(tmp_path / "s2" / "smile.mkv", 3)
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "s2" / "empty").mkdir()
    return tmp_path


def test_tree(root: Path) -> None:
    data = ClipFolder(root, dataset="mine")
    assert [r.key for r in data.refs] == ["mine/s1/EP01_2", "mine/s2/smile", "mine/s10/EP01"]
    for i, number in enumerate((1, 3, 2)):
        clip, label = data[i]
        assert np.array_equal(clip.frames, moving_clip(number))
        assert label is None
    assert len(leave_one_subject_out(data)) == 3


def test_table(root: Path) -> None:
    (root / "t.csv").write_text(
        "subject,clip,path,emotion,onset,apex,fps\n01,a,s1/EP01_2,happy,1,4,200\ns2,smile,,sad,,,\n"
    )
    data = ClipFolder(root, table=root / "t.csv")
    assert data.labels == ["happy", "sad"]
    assert (data.refs[0].subject, data.refs[0].apex, data.refs[0].fps) == ("01", 4, 200.0)
    (root / "t.csv").write_text("subject,clip,path\n1,a,s1/EP01_2\n2,b,\n")
    with pytest.raises(MediaError, match="row 3"):
        ClipFolder(root, table=root / "t.csv")
    (root / "t.csv").write_text("subject,clip\ns2,smile\n")
    assert len(ClipFolder(root, table=root / "t.csv")) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("subject,name\n1,2\n", "missing: clip; it has subject, name"),
        ("subject,clip,path,onset\n1,a,s1/EP01_2,on\n", "row 2, onset: a frame number is"),
        ("subject,clip,path,onset\n1,a,s1/EP01_2,-4\n", "row 2: onset is counted from 0"),
        ("subject,clip,path,fps\n1,a,s1/EP01_2,0\n", "row 2: fps must be a number above 0"),
        ("subject,clip,note\n1,a,b\n", "columns unknown: .'note'"),
        ("", "missing"),
    ],
)
def test_wrong_tables(root: Path, text: str, message: str) -> None:
    (root / "t.csv").write_text(text)
    with pytest.raises(InputError, match=message):
        ClipFolder(root, table=root / "t.csv")


def test_nothing_there(tmp_path: Path, root: Path) -> None:
    with pytest.raises(MediaError, match="there is none"):
        ClipFolder(tmp_path / "none")
    with pytest.raises(MediaError, match="no clips"):
        ClipFolder(root / "s1" / "EP01_2")
    with pytest.raises(MediaError, match="no clips"):
        ClipFolder(root, keep=lambda ref: ref.subject == "s7")
    (root / "s1" / "EP01_2" / "img8.png").write_bytes(b"no picture")
    with pytest.raises(MediaError):
        ClipFolder(root)[0]
