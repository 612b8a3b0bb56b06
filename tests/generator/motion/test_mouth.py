"""The inside of a mouth: what stands still, what goes with the jaw, and how light gets in."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from famaug.aus.fit import fit_person
from famaug.faces.landmarks import INNER_LIPS
from famaug.generator.motion.inside import BACK, FRONT, light_behind
from famaug.generator.motion.mouth import mouth_rims
from famaug.generator.motion.mouth_colours import LUMA, find_colours
from famaug.generator.motion.opening import MOUTH, find_rims
from famaug.generator.motion.teeth import sharpness
from famaug.generator.motion.visible import visible_motion
from famaug.generator.warp import WarpRenderer
from famaug.types import AU_INDEX

CHIN, LOWER_RIM, UPPER_RIM = 199, 14, 13


def track(**units):
    out = np.zeros((1, 2, 17), np.float32)
    for name, value in units.items():
        out[0, :, AU_INDEX[int(name[2:])]] = value
    return out


@pytest.fixture(scope="module")
def closed(closed_mouth):
    return WarpRenderer(*closed_mouth)


def mouth(renderer):
    return next(p for p in renderer._patches if p.inside is not None)


def lips_of(renderer, asked):
    """bool `H W`: between the moved rims of the lips."""
    moved = renderer.motion.moved_mesh(asked)[0][list(INNER_LIPS), :2]
    out = np.zeros(renderer.picture.shape[:2], np.uint8)
    cv2.fillPoly(out, [np.round(moved).astype(np.int32)], 1)
    return out > 0


def test_upper_teeth_stand_still_and_lower_ones_go_with_the_jaw(closed):
    inside = mouth(closed).inside
    wide = torch.ones_like(inside.opening)
    rest, dropped = (
        inside.show(wide, torch.from_numpy(track(au26=v).reshape(1, -1))) for v in (0, 4)
    )
    upper = inside.upper[0, 3] > 0.999
    assert upper.sum() > 50
    assert (rest - dropped)[0].abs()[:, upper].max() < 0.3
    assert (rest - dropped)[0].abs().max() > 20
    # nothing but AU26 moves the jaw
    others = track(**{f"au{au}": 3 for au in AU_INDEX if au != 26})
    assert (inside.show(wide, torch.from_numpy(others.reshape(1, -1))) == rest).all()
    assert inside.jaw[:, 1].sum() * 5 > 0.6 * closed.motion.scale


def test_teeth_of_the_photograph_stay_and_have_no_copy_below(renderer):
    """The astronaut shows upper teeth: with a dropped jaw they are where they were, and once."""
    picture = renderer.picture.astype(int)
    out = renderer.render(track(au26=4))[0].astype(int)
    top, low = renderer.mesh[[UPPER_RIM, LOWER_RIM], 1]
    x = int(renderer.mesh[[UPPER_RIM, LOWER_RIM], 0].mean())
    columns = slice(x - 6, x + 7)
    rows = slice(int(top + 0.4 * (low - top)), int(low - 0.4 * (low - top)) + 1)
    assert np.abs(out[rows, columns] - picture[rows, columns]).max() <= 3
    drop = float(mouth(renderer).inside.jaw[:, 1].sum()) * 4
    below = slice(int(rows.start + drop), int(rows.stop + drop))
    assert out[below, columns].mean() < 0.6 * picture[rows, columns].mean()


def test_slits_are_darker_than_wide_openings_and_depth_than_teeth(closed):
    slit, wide = torch.zeros(1, 1, 40, 60), torch.zeros(1, 1, 40, 60)
    slit[:, :, 19:21], wide[:, :, 12:28] = 1, 1
    for spread in (FRONT, BACK):
        narrow, open_ = (light_behind(m, spread, 10.0)[0, 0, 20, 30] for m in (slit, wide))
        assert 0 < narrow < 0.6 * open_
    front = light_behind(wide, FRONT, 10.0)[0, 0]
    assert front[13, 30] < front[20, 30]  # in the upper lip's shadow
    assert front[:, 20].max() <= 1
    inside = mouth(closed).inside
    seen = inside.show(torch.ones_like(inside.opening), torch.zeros(1, 34))[0]
    brightness = (seen * torch.tensor(LUMA, dtype=torch.float32)[:, None, None]).sum(0)
    teeth, nothing = inside.upper[0, 3] > 0.9, (inside.upper + inside.lower)[0, 3] < 0.02
    assert brightness[teeth].mean() > 2 * brightness[nothing].mean()


def test_parted_lips_show_teeth_no_brighter_than_the_picture(closed):
    asked = track(au25=5)
    out = closed.render(asked)[0].astype(float)
    between = cv2.erode(lips_of(closed, asked).astype(np.uint8), np.ones((3, 3))) > 0
    brightness = out @ LUMA
    skin = np.quantile(closed.picture @ LUMA, 0.99)
    assert 40 < np.quantile(brightness[between], 0.9) < skin
    redness = out[..., 0] - out[..., 1]
    lips = closed.picture[lips_around(closed)].astype(float)
    assert np.median(redness[between]) < 0.7 * np.median(lips[:, 0] - lips[:, 1])


def lips_around(renderer):
    x, y = np.round(renderer.mesh[[0, 17, 37, 267, 84, 314], :2]).astype(int).T
    return y, x


def test_what_lies_behind_changes_nothing_outside_the_lips(closed):
    other = WarpRenderer(closed.picture, closed.mesh)
    for i, patch in enumerate(other._patches):
        if patch.inside is not None:
            white = torch.full_like(patch.inside.upper, 255.0)
            white[:, 3:] = 1
            other._patches[i] = replace(patch, inside=replace(patch.inside, upper=white))
    for asked in (track(au25=3), track(au26=4), track(au10=4)):
        one, two = (r.render(asked)[0].astype(int) for r in (closed, other))
        changed = np.abs(one - two).max(-1) > 3  # splines ring by less
        # the lips' seam is looked for in the picture, up to 0.22 cm from the mesh's
        reach = cv2.dilate(lips_of(closed, asked).astype(np.uint8), np.ones((9, 9))) > 0
        assert changed.any()
        assert not changed[~reach].any()


def test_colours_follow_the_picture(closed_mouth):
    picture, mesh = closed_mouth
    local = picture.astype(np.float32)
    rims = find_rims(mesh, *MOUTH)

    def tooth(values):
        return find_colours(values, mesh, rims, 11.0).tooth

    plain = tooth(local)
    assert plain @ LUMA <= np.quantile(local @ LUMA, 0.99)
    np.testing.assert_allclose(tooth(0.4 * local), 0.4 * plain, rtol=0.05)
    warm = tooth(local * np.array([1.0, 0.9, 0.7], np.float32))
    assert warm[2] / warm[0] < 0.9 * plain[2] / plain[0]


def test_a_grey_picture_stays_grey(closed_mouth):
    picture, mesh = closed_mouth
    grey = np.repeat((picture @ LUMA).round().astype(np.uint8)[..., None], 3, -1)
    out = WarpRenderer(grey, mesh).render(np.concatenate([track(au25=4), track(au26=4)]))
    assert np.ptp(out.astype(int), axis=-1).max() <= 1


def test_teeth_are_no_sharper_than_the_picture(closed_mouth):
    picture, mesh = closed_mouth
    soft = cv2.GaussianBlur(picture, (0, 0), 3.0)
    assert sharpness(soft) > 1.5 * sharpness(picture)
    steepest = []
    for values in (picture, soft):
        cover = mouth(WarpRenderer(values, mesh)).inside.upper[0, 3].numpy()
        steepest.append(np.abs(np.diff(cover, axis=0)).max())
    assert steepest[1] < 0.7 * steepest[0]


def test_lips_part_without_the_chin_and_a_jaw_takes_it_along(closed_mouth):
    shown = visible_motion(fit_person(closed_mouth[1]))
    lips, jaw = (shown[AU_INDEX[au]].sum(0)[:, 1] for au in (25, 26))
    gap = lips[UPPER_RIM] - lips[LOWER_RIM]
    assert gap > 0.5
    assert abs(lips[CHIN]) < 0.05 * gap
    assert jaw[CHIN] < -0.8
    assert 0.85 < jaw[LOWER_RIM] / jaw[CHIN] < 1.2
    assert jaw[UPPER_RIM] - jaw[LOWER_RIM] > 2 * gap


def test_a_tooth_between_nearly_closed_lips_is_found_and_belongs_to_no_lip(closed_mouth):
    picture, mesh = closed_mouth
    rims, closed = mouth_rims(picture.astype(np.float32), mesh, 11.0)
    assert closed
    assert rims.height == 0
    x, y = np.round(mesh[[UPPER_RIM, LOWER_RIM], :2].mean(0)).astype(int)
    shown = picture.astype(np.float32)
    shown[y : y + 2, x - 6 : x + 7] = 215, 208, 196
    rims, closed = mouth_rims(shown, mesh, 11.0)
    assert not closed
    upper, lower = (v[0] for v in rims.curves(np.zeros(1)))
    top, low = (rims.to_frame(float(x), v)[1] for v in (y, y + 1))
    assert upper < top + 1
    assert lower > low - 1
    out = WarpRenderer(shown.astype(np.uint8), mesh).render(track(au26=3))[0].astype(int)
    columns = slice(x - 2, x + 3)
    assert np.abs(out[y : y + 2, columns] - shown[y : y + 2, columns]).max() < 20
    # of the way down to the lower lip nothing of it is left
    drop = int(mouth(WarpRenderer(*closed_mouth)).inside.jaw[:, 1].sum() * 3)
    assert (out[y + 4 : y + drop, columns] @ LUMA).max() < 110
