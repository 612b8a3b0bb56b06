"""What was learnt from real frames: read, refused when damaged, and seen in pictures."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from famaug.errors import WeightsError
from famaug.generator.motion.face_motion import FaceMotion
from famaug.generator.skin.learnt import (
    PICTURE,
    TABLE,
    Learnt,
    learnt,
    read_learnt,
    write_learnt,
)
from famaug.generator.skin.relief import HEIGHT, LEFT, SCALE, TOP, WIDTH
from famaug.generator.skin.shade import SkinShade
from famaug.generator.warp import WarpRenderer
from famaug.types import AU_INDEX, AUS


@pytest.fixture
def made() -> Learnt:
    """Two smooth maps, alike on both sides, and weaker creases."""
    out = Learnt.nothing()
    x = LEFT + np.arange(WIDTH) / SCALE
    y = TOP - np.arange(HEIGHT) / SCALE
    spot = np.exp(-(np.square(np.abs(x)[None] - 2.4) + np.square(y[:, None] + 4.5)) / 0.8)
    out.maps[AU_INDEX[12]] = -0.7 * spot
    out.maps[AU_INDEX[6]] = 0.2 * np.exp(-np.square(y[:, None] + 1) / 0.5 - np.square(x / 4))
    out.creases[AU_INDEX[12]] = 0.25
    return out


def test_what_is_written_is_read(tmp_path: Path, made: Learnt) -> None:
    write_learnt(tmp_path, made, {"people": {"12": 4}})
    seen = read_learnt(tmp_path)
    assert np.abs(seen.maps - made.maps).max() < 0.02
    assert np.array_equal(seen.creases, made.creases)
    assert json.loads((tmp_path / TABLE).read_text())["people"] == {"12": 4}
    assert (tmp_path / PICTURE).stat().st_size < 20_000


def test_what_ships_is_small_symmetric_and_dark_in_the_fold() -> None:
    what = learnt()
    smile = what.maps[AU_INDEX[12]]
    assert np.allclose(smile[:, 1:], smile[:, 1:][:, ::-1], atol=1e-6)
    assert 0.3 < np.abs(what.maps).max() < 3
    row, column = np.unravel_index(smile.argmin(), smile.shape)
    place = np.abs(LEFT + column / SCALE), TOP - row / SCALE
    # beside the mouth, within the fold from nose to corner
    assert 1.6 < place[0] < 3.6
    assert -6.5 < place[1] < -3.0
    assert not what.maps[[AU_INDEX[au] for au in (5, 25, 26, 45)]].any()
    assert ((what.creases >= 0) & (what.creases <= 1)).all()


def test_a_face_gets_it_on_the_side_that_acts(astronaut, made: Learnt) -> None:
    picture, mesh = astronaut
    motion = FaceMotion(np.full_like(picture, 170), mesh)
    maps = SkinShade(motion, learnt=made).maps.numpy()
    drawn = SkinShade(motion, learnt=Learnt.nothing()).maps.numpy()
    k = AU_INDEX[12]
    left, right = maps[k], maps[k + len(AUS)]
    middle = left.shape[1] // 2
    assert left[:, middle + 8 :].min() < -0.03 < left[:, : middle - 40].min()
    assert right[:, : middle - 8].min() < -0.03 < right[:, middle + 40 :].min()
    other = AU_INDEX[4]
    assert np.array_equal(maps[other], drawn[other])


def test_learnt_skin_scales_with_strength(astronaut, made: Learnt) -> None:
    picture, mesh = astronaut
    asked = np.zeros((1, 2, len(AUS)), np.float32)
    asked[:, :, AU_INDEX[12]] = 2.5
    dark = []
    for strength in (0.5, 1.0, 2.0):
        renderer = WarpRenderer(np.full_like(picture, 170), mesh, skin=strength)
        dark.append(float(renderer.render(asked).mean()))
    assert dark[0] > dark[1] > dark[2]


@pytest.mark.parametrize("damage", ["no table", "no picture", "narrow", "unknown AU", "not json"])
def test_damaged_files_are_refused(tmp_path: Path, made: Learnt, damage: str) -> None:
    write_learnt(tmp_path, made, {})
    table, picture = tmp_path / TABLE, tmp_path / PICTURE
    if damage == "no table":
        table.unlink()
    elif damage == "no picture":
        picture.unlink()
    elif damage == "narrow":
        cv2.imwrite(str(picture), np.zeros((171, 70), np.uint8))
    elif damage == "unknown AU":
        table.write_text('{"maps": [6, 99], "full": 1, "creases": {}}')
    else:
        table.write_text("{")
    with pytest.raises(WeightsError, match="reinstall famaug"):
        read_learnt(tmp_path)


def test_nothing_learnt_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no AU has a map"):
        write_learnt(tmp_path, Learnt.nothing(), {})
