"""A face's own folds: whose they are, how deep on which skin, and what light makes of them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from famaug.faces.align import crop_face
from famaug.faces.mesher import FaceMesher
from famaug.generator.motion.face_motion import FaceMotion
from famaug.generator.skin.creases import CREASES
from famaug.generator.skin.learnt import Learnt
from famaug.generator.skin.own import EVERYBODY, Form, Own
from famaug.generator.skin.relief import WIDTH, Side, shade
from famaug.generator.skin.shade import SkinShade, _Face
from famaug.types import AU_INDEX, AUS, Floats, Picture

Face = tuple[Picture, Floats]
EVERY = [crease for creases in CREASES.values() for crease in creases]
LINES = [k for k, crease in enumerate(EVERY) if crease.fine]


class Drawn(Own):
    """Folds as they are described, or as a test wants them."""

    def __init__(self, form: Form = EVERYBODY) -> None:
        self.form = form

    def of(self, number: int, side: int) -> Form:
        return self.form

    def both(self, number: int) -> Form:
        return self.form


def own_of(picture: Picture, mesh: Floats) -> Own:
    motion = FaceMotion(picture, mesh)
    return _Face(
        motion.pixels,
        motion.local.astype(np.float64),
        motion.motion,
        motion.field.numpy(),
        motion.scale,
    ).own


def maps_of(picture: Picture, mesh: Floats) -> np.ndarray:
    return SkinShade(FaceMotion(picture, mesh), learnt=Learnt.nothing()).maps.numpy()


def strengths(own: Own) -> np.ndarray:
    return np.array([[own.of(k, side).strength for side in (0, 1)] for k in LINES])


@pytest.fixture(scope="module")
def people(photos: list[Picture], mesher: FaceMesher) -> list[Face]:
    return [crop_face(p, mesher.find(p), 256, margin=1.5)[:2] for p in photos[:4]]


def test_the_same_picture_has_the_same_folds_and_another_others(people: list[Face]) -> None:
    assert np.array_equal(maps_of(*people[0]), maps_of(*people[0]))
    drawn = [strengths(own_of(*face)) for face in people]
    for i, one in enumerate(drawn):
        for other in drawn[:i]:
            # relative to what each has on average: not only deeper or shallower alike
            a, b = one / one.mean(), other / other.mean()
            assert np.median(np.abs(a - b)) > 0.1
            assert (np.minimum(one, other) == 0).any()  # lines that one has and the other has not


def test_a_smaller_copy_keeps_the_folds(people: list[Face]) -> None:
    for picture, mesh in people[:2]:
        small = cv2.resize(picture, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA)
        moved = ((mesh + 0.5) * 0.6 - 0.5).astype(np.float32)
        apart = np.abs(strengths(own_of(picture, mesh)) - strengths(own_of(small, moved)))
        assert np.median(apart) < 0.05
        assert (apart > 0.3).mean() < 0.06


def test_a_mirrored_face_has_mirrored_folds(people: list[Face], mesher: FaceMesher) -> None:
    picture, mesh = people[1]
    flipped = np.ascontiguousarray(picture[:, ::-1])
    there, here = own_of(flipped, mesher.find(flipped)), own_of(picture, mesh)
    assert np.median(np.abs(strengths(there)[:, ::-1] - strengths(here))) < 0.08


def test_dark_and_light_copies_have_the_same_shade(people: list[Face]) -> None:
    picture, mesh = people[1]
    light = (picture * 0.65).round().astype(np.uint8)
    dark = (picture * 0.25).round().astype(np.uint8)
    one, other = maps_of(light, mesh), maps_of(dark, mesh)
    for au in (4, 9, 14, 17):
        a, b = one[AU_INDEX[au]], other[AU_INDEX[au]]
        assert np.abs(a - b).max() < 0.15 * np.abs(a).max()
        assert np.linalg.norm(a - b) < 0.05 * np.linalg.norm(a)


def test_smoother_skin_has_shallower_and_softer_lines(astronaut: Face) -> None:
    picture, mesh = astronaut
    soft = cv2.bilateralFilter(cv2.GaussianBlur(picture, (0, 0), 2.5), 9, 40, 5)
    lined = np.clip(picture.astype(int) * 3 - 2 * soft.astype(int), 0, 255).astype(np.uint8)
    owns = [own_of(p, mesh) for p in (soft, picture, lined)]
    assert owns[0].lined < owns[1].lined < owns[2].lined
    shallow, deep = owns[0], owns[2]
    has = (strengths(shallow) > 0.05) & (strengths(deep) > 0.05)
    assert has.sum() > 20
    ratio = (strengths(shallow) / np.maximum(strengths(deep), 1e-6))[has]
    assert np.median(ratio) < 0.8
    assert shallow.of(LINES[0], 0).width > deep.of(LINES[0], 0).width


def test_in_even_light_a_fold_has_no_bright_side() -> None:
    flat = shade(Drawn(), Side(0, 0), 0.0)
    for au, creases in CREASES.items():
        bulging = any(c.height > 0 for c in creases)
        assert flat[AU_INDEX[au]].min() < -0.02
        if not bulging:
            assert flat[AU_INDEX[au]].max() <= 0
        assert flat[AU_INDEX[au]].max() < 0.6 * -flat[AU_INDEX[au]].min()


def test_the_bright_side_of_a_fold_turns_with_the_light() -> None:
    k = AU_INDEX[5]  # a line over the lid and nothing else
    above, below = (shade(Drawn(), Side(0, y), 0.0)[k] for y in (0.6, -0.6))
    rows = np.arange(above.shape[0])
    columns = slice(int(0.6 * above.shape[1]), None)  # the left lid

    def bright(lit: np.ndarray) -> float:
        weight = np.clip(lit[:, columns], 0, None).sum(1)
        return float((rows * weight).sum() / weight.sum())

    assert above.max() > 0.005 < below.max()
    # light from above falls on a furrow's lower flank, and rows count downwards
    assert bright(above) > bright(below) + 1


def test_lines_run_out_at_their_ends() -> None:
    """Neither deep nor wide there, so that no end is a stroke's."""
    k = AU_INDEX[5]
    flat = -shade(Drawn(), Side(0, 0), 0.0)[k][:, WIDTH // 4 :]
    depth = flat.max(0)
    seen = np.flatnonzero(depth > 0.02 * depth.max())
    middle = depth[(seen[0] + seen[-1]) // 2]
    for end, inner in ((seen[0], 4), (seen[-1], -4)):
        assert depth[end] < 0.1 * middle
        assert depth[end] < depth[end + inner // 2] < depth[end + inner]
    wide = (flat > 0.5 * np.maximum(depth, 1e-6)).sum(0)
    assert wide[seen[0]] <= wide[(seen[0] + seen[-1]) // 2]


def test_every_form_is_usable(people: list[Face]) -> None:
    own = own_of(*people[2])
    for number in range(len(EVERY)):
        for form in (own.of(number, 0), own.of(number, 1), own.both(number)):
            assert 0 <= form.strength < 2
            assert 0.9 < form.width < 1.7
            assert abs(form.offset) + abs(form.bend) < 0.2
            assert 0 <= form.start < form.end - 0.5 < 0.6
        assert own.both(number).offset == 0
    assert len(EVERY) > len(AUS)
