"""Pictures and tables as papers share them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from famaug.errors import InputError
from famaug.recognition.flow_folder import read_flow_folder
from tests.recognition.training_samples import CLASSES

CLIPS = [("casme2", "sub01", "EP02_01f", "0"), ("casme2", "sub02", "EP01", "positive"),
         ("smic", "s1", "s1_ne_01", "2")]  # fmt: skip


def share(root: Path, clips: list[tuple[str, str, str, str]] = CLIPS) -> tuple[Path, Path]:
    folder = root / "flow"
    folder.mkdir()
    lines = ["dataset,subject,clip,label"]
    for i, (dataset, subject, clip, label) in enumerate(clips):
        picture = np.zeros((28, 28, 3), np.uint8)
        picture[..., 0], picture[..., 1], picture[..., 2] = 10 + i, 20 + i, 30 + i  # u, v, strain
        cv2.imwrite(str(folder / f"{subject}_{clip} .png"), picture[..., ::-1])
        lines.append(f"{dataset},{subject},{clip},{label}")
    table = root / "table.csv"
    table.write_text("\n".join(lines))
    return folder, table


def test_odd_space_and_channels(tmp_path: Path) -> None:
    folder, table = share(tmp_path)
    found = read_flow_folder(folder, table, classes=CLASSES)
    assert found.inputs.shape == (3, 3, 28, 28)
    assert found.inputs[1, :, 0, 0].tolist() == [11, 21, 31]
    assert found.labels.tolist() == [0, 1, 2]
    assert found.subjects == ("casme2/sub01", "casme2/sub02", "smic/s1")
    turned = read_flow_folder(folder, table, classes=CLASSES, channels="bgr")
    seen = cv2.imread(str(folder / "sub02_EP01 .png"))
    assert np.array_equal(turned.inputs[1].transpose(1, 2, 0), seen)
    assert (found.u, turned.u) == (0, 2)  # where u lies, which a mirrored picture turns


def test_any_pattern(tmp_path: Path) -> None:
    folder, table = share(tmp_path)
    (folder / "casme2").mkdir()
    (folder / "smic").mkdir()
    for dataset, subject, clip, _ in CLIPS:
        (folder / f"{subject}_{clip} .png").rename(folder / dataset / f"{clip}.png")
    found = read_flow_folder(folder, table, classes=CLASSES, pattern="{dataset}/{clip}.png")
    assert len(found) == 3
    with pytest.raises(InputError, match=r"only \{dataset\}, \{subject\} and \{clip\}"):
        read_flow_folder(folder, table, classes=CLASSES, pattern="{person}.png")


def test_all_missing_and_extra_files_are_named(tmp_path: Path) -> None:
    folder, table = share(tmp_path)
    (folder / "sub01_EP02_01f .png").rename(folder / "sub01_EP02_01f.png")
    (folder / "s1_s1_ne_01 .png").unlink()
    with pytest.raises(InputError) as told:
        read_flow_folder(folder, table, classes=CLASSES)
    text = str(told.value)
    assert "2 missing: 's1_s1_ne_01 .png', 'sub01_EP02_01f .png'" in text
    assert "1 not in the table: 'sub01_EP02_01f.png'" in text


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("label", "emotion"), "columns missing: label; it has dataset"),
        (("positive", "happy"), "no clip has the label 'positive'.*'happy' is not one of"),
        (("positive", "3"), "label 3 is not one of the classes"),
        (("positive", ""), r"empty cells in lines \[3\]"),
        (("sub02,EP01", "sub01,EP02_01f"), "1 listed twice"),
        (("sub02,EP01", "..,x"), "missing"),
    ],
)
def test_bad_tables(tmp_path: Path, change: tuple[str, str], words: str) -> None:
    folder, table = share(tmp_path)
    table.write_text(table.read_text().replace(*change))
    with pytest.raises(InputError, match=words):
        read_flow_folder(folder, table, classes=CLASSES)


def test_other_size(tmp_path: Path) -> None:
    folder, table = share(tmp_path)
    with pytest.raises(InputError, match="the network wants 32 x 32"):
        read_flow_folder(folder, table, classes=CLASSES, size=32)
