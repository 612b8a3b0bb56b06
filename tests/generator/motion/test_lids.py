"""Lids that come down: on two faces of samples, and on small, grey and turned pictures."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d

from famaug import samples
from famaug.faces.align import crop_face
from famaug.faces.landmarks import LEFT_IRIS, LEFT_LIDS, RIGHT_LIDS
from famaug.generator.motion.layers import look_up
from famaug.generator.warp import WarpRenderer
from famaug.media.clips import read_picture
from famaug.types import AU_INDEX

LUMA = np.array([0.3, 0.59, 0.11])


def blink(level, side=slice(None), au=45):
    out = np.zeros((1, 2, 17), np.float32)
    out[0, side, AU_INDEX[au]] = level
    return out


@pytest.fixture(scope="module")
def rest(closed_mouth):
    return WarpRenderer(*closed_mouth)


@pytest.fixture(scope="module", params=["woman_31", "woman_32", "man_30"])
def face(request, mesher):
    picture = read_picture(samples.face(request.param))
    crop, mesh, _ = crop_face(picture, mesher.find(picture), 256, margin=1.5)
    return WarpRenderer(crop, mesh)


def columns(renderer, frame, side, reach):
    """Brightness along lines across the left (0) or right eye: `S T`, with t in centimetres below
    the lower rim."""
    motion = renderer.motion
    rims, g = motion.rims[side], motion.grid
    s = np.linspace(-0.6, 0.6, 25) * rims.half_width
    _, lower = rims.curves(s)
    t = lower[:, None] + reach * motion.scale
    x, y = rims.to_picture(np.repeat(s[:, None], len(reach), 1), t)
    box = frame[g.y0 : g.y1 + 1, g.x0 : g.x1 + 1].astype(np.float32)
    return look_up(box, x, y) @ LUMA


def height(renderer, side):
    return renderer.motion.rims[side].height / renderer.motion.scale


@pytest.mark.parametrize("side", [0, 1])
def test_a_closed_eye_is_skin_and_one_line(face, side):
    open_eye, shut = face.picture, face.render(blink(5))[0]
    up = np.linspace(-0.95 * height(face, side), -0.18, 24)
    cheek = columns(face, open_eye, side, np.linspace(0.25, 0.6, 12))
    lid = columns(face, shut, side, up)
    # neither white nor iris: the skin's own range, a shade darker under the fold
    assert lid.max() < 1.3 * np.quantile(cheek, 0.95)
    assert np.quantile(lid, 0.02) > 0.5 * np.median(cheek)
    was = columns(face, open_eye, side, up)
    assert was.min() < 0.4 * np.median(cheek)  # the iris was there

    reach = np.linspace(-0.8 * height(face, side), 0.35, 60)
    across = gaussian_filter1d(columns(face, shut, side, reach), 1.5, axis=1)
    dark = across < np.median(across, 1, keepdims=True) - 0.15 * np.median(cheek)
    starts = (dark[:, 1:] & ~dark[:, :-1]).sum(1)
    assert np.median(starts) == 1
    assert (starts == 1).mean() > 0.8
    assert abs(np.median(reach[across.argmin(1)])) < 0.15  # along the lower rim


@pytest.mark.parametrize("side", [0, 1])
def test_a_closed_lid_is_smooth(face, side):
    """No lashes drawn out into streaks."""
    shut = face.render(blink(5))[0]
    cheek = np.median(columns(face, face.picture, side, np.linspace(0.25, 0.6, 12)))
    lid = columns(face, shut, side, np.linspace(-0.7 * height(face, side), -0.25, 24))
    assert np.abs(np.diff(lid, 2, axis=0)).mean() < 0.012 * cheek


@pytest.mark.parametrize("level", [1, 2, 2.5])
def test_the_eyeball_stays_during_half_a_blink(face, level):
    frame = face.render(blink(level))[0].astype(int)
    # below the middle of the opening, and above the lower lashes
    reach = np.linspace(-0.3, -0.15, 5) * height(face, 0)
    before = columns(face, face.picture, 0, reach)
    after = columns(face, frame, 0, reach)
    middle = slice(8, 17)
    assert np.abs(after - before)[middle].mean() < 4
    x, y = np.round(face.mesh[LEFT_IRIS[0], :2]).astype(int)
    gone = np.abs(frame[y - 3, x] - face.picture[y - 3, x]).max()
    if level == 2.5:
        assert gone > 10


def test_half_a_blink_covers_about_half(face):
    shares = []
    for level in (1.0, 2.5, 4.0):
        moved = face._patches[0].lid.travel(_weights(level))[0].numpy()
        shares.append(moved.sum() / face._patches[0].lid.furthest.numpy().sum())
    assert shares == pytest.approx([0.2, 0.5, 0.8], abs=1e-5)


def _weights(level):
    import torch

    return torch.from_numpy(blink(level).reshape(1, -1))


def test_little_by_little(face):
    """No jump where the lid starts to move, and none on the way down."""
    levels = [0.0, 0.01, 0.02, *np.arange(0.1, 5.05, 0.1)]
    frames = face.render(np.concatenate([blink(v) for v in levels])).astype(int)
    assert np.abs(frames[1] - frames[0]).max() <= 3
    steps = np.abs(np.diff(frames[3:], axis=0)).mean((1, 2, 3))
    assert steps.max() < 4 * np.median(steps)


def test_no_seam_round_the_eye(face):
    shut = face.render(blink(5))[0].astype(float)
    change = (shut - face.picture).mean(-1)
    g = face.motion.grid
    for patch in face._patches[:2]:
        box = patch.box
        y0, y1 = box.y0 + g.y0, box.y1 + g.y0
        x0, x1 = box.x0 + g.x0, box.x1 + g.x0
        for out, inside in (
            (change[y0 - 1, x0:x1], change[y0, x0:x1]),
            (change[y1, x0:x1], change[y1 - 1, x0:x1]),
            (change[y0:y1, x0 - 1], change[y0:y1, x0]),
            (change[y0:y1, x1], change[y0:y1, x1 - 1]),
        ):
            assert np.abs(out - inside).mean() < 1.5


def test_the_wide_eye_shows_more_of_the_eyeball(face):
    lids = face.render(np.concatenate([blink(0), blink(3, au=5)]))
    reach = np.linspace(-1.6, -0.6, 40) * height(face, 0)
    before, after = (columns(face, f, 0, reach)[10:15] for f in lids)
    cheek = np.median(columns(face, lids[0], 0, np.linspace(0.25, 0.6, 12)))
    # rows that were lid skin are iris or white now
    assert np.abs(after - before).mean() > 0.08 * cheek


def test_the_upper_lid_sinks_a_little_as_the_lower_one_rises(face):
    before, after = face.mesh, face.motion.moved_mesh(blink(5, au=7))[0]
    for upper, lower in (([385, 386, 387], [380, 374, 373]), ([158, 159, 160], [153, 145, 144])):
        gap = (before[lower, 1] - before[upper, 1]).mean()
        assert 0.06 * gap < (after[upper, 1] - before[upper, 1]).mean() < 0.2 * gap
        assert (after[lower, 1] - before[lower, 1]).mean() < -0.1 * gap


def test_grey_pictures_stay_grey(closed_mouth):
    picture, mesh = closed_mouth
    grey = np.repeat(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[..., None], 3, -1)
    out = WarpRenderer(grey, mesh).render(blink(4))[0]
    assert np.ptp(out.astype(int), axis=-1).max() <= 1
    assert (out != grey).any()


@pytest.mark.parametrize("across", [24, 40, 500])
def test_small_and_large_faces_close_their_eyes(closed_mouth, across):
    picture, mesh = closed_mouth
    k = across / float(np.ptp(mesh[:468, :2], axis=0).max()) * 1.02
    size = (round(picture.shape[1] * k), round(picture.shape[0] * k))
    resized = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    k = size[0] / picture.shape[1]
    r = WarpRenderer(resized, (mesh * k).astype(np.float32))
    out = r.render(blink(5))[0]
    x, y = np.round(r.mesh[LEFT_IRIS[0], :2]).astype(int)
    cheek = r.picture[np.clip(y + round(1.2 * r.motion.scale), 0, size[1] - 1), x] @ LUMA
    assert r.picture[y, x] @ LUMA < 0.5 * cheek
    assert out[y, x] @ LUMA > 0.6 * cheek


def test_an_eye_without_clean_skin_round_it_is_closed_all_the_same(closed_mouth):
    """A picture of one dark colour but for the eyes."""
    picture, mesh = closed_mouth
    flat, eyes = np.full_like(picture, 12), np.zeros(picture.shape[:2], np.uint8)
    for lids in (LEFT_LIDS, RIGHT_LIDS):
        cv2.fillPoly(eyes, [np.round(mesh[list(lids), :2]).astype(np.int32)], 1)
    flat[eyes > 0] = picture[eyes > 0]
    out = WarpRenderer(flat, mesh).render(blink(5))[0]
    assert flat[eyes > 0].max() > 120
    assert np.percentile(out[eyes > 0], 90) < 40


def test_one_eye_closes_while_the_other_does_not_change(rest):
    out = rest.render(blink(5, side=0))[0].astype(int)
    right = rest.mesh[[33, 133], 0]
    change = np.abs(out - rest.picture).max(-1)
    assert change[:, int(right.min()) - 5 : int(right.max()) + 2].max() == 0
