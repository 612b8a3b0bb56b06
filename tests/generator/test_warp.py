from __future__ import annotations

import numpy as np
import pytest

from famaug.errors import FaceError, InputError, RenderError, TrackError
from famaug.faces.landmarks import INNER_LIPS, LEFT_IRIS, OVAL
from famaug.faces.midline import MIDLINE_POINTS
from famaug.generator.motion.face_motion import share_inside
from famaug.generator.renderers import find_generator
from famaug.generator.warp import WarpRenderer
from famaug.types import AU_INDEX, AUS, Floats

STRONG = {"au4": 3, "au12": 4, "au26": 4, "au6": 3, "au2": 2}


def track(frames: int = 1, **units: float) -> Floats:
    """Intensities `T 2 17`: `au12=1` both sides, `au12L=1` the left one."""
    out = np.zeros((frames, 2, 17), np.float32)
    for name, value in units.items():
        number = name[2:].rstrip("LR")
        sides = {"L": [0], "R": [1]}.get(name[-1], [0, 1])
        out[:, sides, AU_INDEX[int(number)]] = value
    return out


def everything(level):
    out = np.zeros((len(AUS), 2, 17), np.float32)
    out[np.arange(len(AUS)), :, np.arange(len(AUS))] = level
    return out


def test_zero_gives_the_picture_bit_for_bit(renderer, closed_mouth):
    for r in (renderer, WarpRenderer(*closed_mouth)):
        assert (r.render(np.zeros((3, 2, 17))) == r.picture).all()


def test_background_and_border_stay_bit_identical(renderer):
    frames = renderer.render(np.concatenate([everything(5), track(**STRONG)]))
    still = ~renderer.changed
    assert 0.2 < still.mean() < 0.8
    assert (frames[:, still] == renderer.picture[still]).all()
    for edge in (np.s_[:, 0], np.s_[:, -1], np.s_[:, :, 0], np.s_[:, :, -1]):
        assert (frames[edge] == renderer.picture[edge[1:]]).all()
    moved = (frames != renderer.picture).any(-1).any(0)
    assert moved.mean() > 0.2


def test_nothing_changes_beyond_the_ring(renderer):
    oval = renderer.mesh[list(OVAL), :2]
    mid, half = (oval.max(0) + oval.min(0)) / 2, np.ptp(oval, axis=0) / 2
    y, x = np.nonzero(renderer.changed)
    beyond = np.abs((np.stack([x, y], -1) - mid) / half)
    assert beyond.max() < 1.45


def test_border_is_still_where_the_face_fills_the_frame(astronaut):
    picture, mesh = astronaut
    x0, y0 = np.floor(mesh[:468, :2].min(0)).astype(int) - 2
    x1, y1 = np.ceil(mesh[:468, :2].max(0)).astype(int) + 3
    tight = np.ascontiguousarray(picture[y0:y1, x0:x1])
    r = WarpRenderer(tight, mesh - np.array([x0, y0, 0], np.float32))
    out = r.render(track(au26=5, au12=3))[0]
    assert (out[[0, -1]] == tight[[0, -1]]).all()
    assert (out[:, [0, -1]] == tight[:, [0, -1]]).all()
    assert (out != tight).mean() > 0.2


def test_frames_do_not_depend_on_the_batch(renderer):
    rng = np.random.default_rng(3)
    asked = rng.uniform(0, 1.5, (7, 2, 17)).astype(np.float32)
    whole = renderer.render(asked, batch=16)
    assert (renderer.render(asked, batch=2) == whole).all()
    assert (np.concatenate([renderer.render(a[None]) for a in asked]) == whole).all()
    assert (WarpRenderer(renderer.picture, renderer.mesh).render(asked) == whole).all()


def test_many_frames_in_one_pass_equal_single_ones(renderer):
    """The GPU's way of batching, on the CPU."""
    asked = np.random.default_rng(4).uniform(0, 1.5, (5, 2, 17)).astype(np.float32)
    single = np.concatenate([renderer.show(a[None]).numpy() for a in asked])
    together = renderer.show(asked).numpy()
    assert np.abs(single - together).max() < 1e-2


@pytest.mark.parametrize("unit", ["au4", "au12", "au26"])
def test_tiny_motions_change_the_picture_in_proportion(astronaut, unit):
    """Displacements of 0.02-0.2 pixels, read back by gradients on a strongly textured picture."""
    mesh = astronaut[1]
    rng = np.random.default_rng(0)
    noise = rng.uniform(-1, 1, (258, 258))
    smooth = sum(np.roll(noise, (i, j), (0, 1)) for i in (-1, 0, 1) for j in (-1, 0, 1))
    picture = np.repeat(np.clip(128 + 30 * smooth[1:-1, 1:-1], 0, 255)[..., None], 3, -1)
    r = WarpRenderer(picture.astype(np.uint8), mesh)
    start = r.picture[..., 0].astype(float)
    full = r.motion.displacement(track(**{unit: 5}))[0]
    gy, gx = np.gradient(start)
    expected = -(gx * full[..., 0] + gy * full[..., 1])
    largest = np.hypot(*full.transpose(2, 0, 1)).max()
    asked = np.array([0.02, 0.05, 0.1, 0.2]) / largest * 5
    frames = r.render(np.concatenate([track(**{unit: a}) for a in asked]))[..., 0].astype(float)
    read = ((frames - start) * expected).sum((1, 2)) / np.square(expected).sum() * 5
    gain = read / asked
    # 0.02 is the largest of all; most pixels then change by less than half a grey level
    assert np.ptp(gain) / gain.mean() < 0.25
    assert np.ptp(gain[1:]) / gain.mean() < 0.05
    assert 0.9 < gain.mean() < 1.4  # central differences underestimate fine texture's gradient


def test_left_smile_leaves_the_right_half_nearly_alone(renderer):
    out = renderer.render(track(au12L=1.5))[0].astype(int)
    middle = renderer.mesh[list(MIDLINE_POINTS), 0].mean()
    right, left = renderer.mesh[[61, 291], 0]
    assert right < middle < left  # the person's left is on the picture's right
    x = np.arange(out.shape[1])
    change = np.abs(out - renderer.picture).max(-1)
    assert change[:, x < right].mean() < 0.02 * change[:, x > middle].mean()
    field = np.hypot(*renderer.motion.displacement(track(au12L=1.5))[0].transpose(2, 0, 1))
    assert field[:, x < right].max() < 0.05 * field.max()


@pytest.mark.parametrize(("face", "level", "least"), [
    ("astronaut", 1.5, 0.65), ("closed_mouth", 1.5, 0.85), ("closed_mouth", 3.0, 0.85),
])  # fmt: skip
def test_the_mesh_net_sees_the_smile_that_was_asked(face, level, least, mesher, request):
    """A face that smiles already reads less: the net's prior ends there."""
    renderer = WarpRenderer(*request.getfixturevalue(face))
    asked = track(au12=level)
    before, after = mesher.track(
        np.concatenate([renderer.picture[None], renderer.render(asked)])
    ).mesh
    want = (renderer.motion.moved_mesh(asked)[0] - renderer.mesh)[[61, 291], :2]
    seen = (after - before)[[61, 291], :2]
    share = (seen * want).sum() / np.square(want).sum()
    assert least < share < 1.15


def opening(mesh, upper, lower):
    return np.linalg.norm(mesh[upper, :2] - mesh[lower, :2], axis=-1).mean()


def test_blink_closes_the_eyes(renderer, mesher):
    frames = renderer.render(np.concatenate([track(au45=v) for v in (0, 2, 5)]))
    lids = ([386, 159], [374, 145])
    gaps = [opening(m, *lids) for m in mesher.track(frames).mesh]
    assert gaps[0] > gaps[1] * 1.1
    assert gaps[2] < 0.6 * gaps[0]


def test_blink_of_one_eye_leaves_the_other(renderer):
    out = renderer.render(track(au45L=5))[0].astype(int)
    change = np.abs(out - renderer.picture).max(-1)
    right = renderer.mesh[[33, 133], 0]
    assert change[:, int(right.min()) - 5 : int(right.max()) + 2].max() == 0


def test_the_eyeball_stays_while_lids_move(renderer):
    frames = renderer.render(np.concatenate([track(au5=1.5), track(au7=1), track(au4=1)]))
    x, y = np.round(renderer.mesh[LEFT_IRIS[0], :2]).astype(int)
    part = np.s_[y - 1 : y + 2, x - 2 : x + 3]
    change = frames[(slice(None), *part)].astype(int) - renderer.picture[part]
    assert np.abs(change).max() <= 2
    assert (frames != renderer.picture).any((1, 2, 3)).all()


def test_jaw_drop_opens_the_mouth(closed_mouth, mesher):
    r = WarpRenderer(*closed_mouth)
    frames = r.render(np.concatenate([track(), track(au26=1.5), track(au26=4)]))
    gaps = [opening(m, [13], [14]) for m in mesher.track(frames).mesh]
    width = np.linalg.norm(r.mesh[291, :2] - r.mesh[61, :2])
    assert gaps[0] < 0.05 * width
    assert gaps[1] > gaps[0] + 0.035 * width
    assert gaps[2] > 0.18 * width
    x, y = r.motion.moved_mesh(track(au26=4))[0][[13, 14], :2].mean(0)
    inside = frames[2][int(y) - 2 : int(y) + 3, int(x) - 4 : int(x) + 5]
    assert inside.mean() < 60  # dark


def test_closed_lips_stay_closed_while_they_move_as_one(closed_mouth):
    picture, mesh = closed_mouth[0], closed_mouth[1].copy()
    edge = mesh[17, 1]  # a longer chin: upper and lower face then differ in scale
    mesh[:, 1] = np.where(mesh[:, 1] > edge, edge + 1.3 * (mesh[:, 1] - edge), mesh[:, 1])
    r = WarpRenderer(picture, mesh)
    pairs = [80, 81, 82, 13, 312, 311, 310], [88, 178, 87, 14, 317, 402, 318]
    width = np.linalg.norm(r.mesh[291, :2] - r.mesh[61, :2])
    for unit in (12, 14, 15, 17, 20, 23):
        moved = r.motion.moved_mesh(track(**{f"au{unit}": 5}))[0]
        gap = (moved[pairs[1], 1] - moved[pairs[0], 1]) - (
            r.mesh[pairs[1], 1] - r.mesh[pairs[0], 1]
        )
        assert np.abs(gap).max() < 0.012 * width


def test_teeth_stay_while_the_lower_lip_drops(renderer):
    out = renderer.render(track(au25=3, au26=1))[0].astype(int)
    inner = renderer.mesh[list(INNER_LIPS), :2]
    x, (top, low) = inner[:, 0].mean(), renderer.mesh[[13, 14], 1]
    part = np.s_[int(top + 0.35 * (low - top)) : int(low - 0.35 * (low - top)) + 1]
    rows = part[0] if isinstance(part, tuple) else part
    columns = slice(int(x) - 8, int(x) + 9)
    assert np.abs(out[rows, columns] - renderer.picture[rows, columns]).max() <= 2


def test_displacement_follows_the_mesh(renderer):
    for unit in ("au4", "au12", "au26"):
        asked = track(**{unit: 1.5})
        want = (renderer.motion.moved_mesh(asked)[0] - renderer.mesh)[:468, :2]
        field = renderer.motion.displacement(asked)[0]
        x, y = np.round(renderer.mesh[:468, :2]).astype(int).T
        error = np.linalg.norm(field[y, x] - want, axis=-1)
        assert np.median(error) < 0.05
        assert error.mean() < 0.15 * np.linalg.norm(want, axis=-1).max()


def test_every_place_arrives_where_it_was_sent(astronaut):
    """A picture whose colours are its coordinates, moved far: read them back at the goal."""
    import cv2

    mesh = astronaut[1]
    y, x = np.mgrid[:256, :256]
    r = WarpRenderer(np.stack([x, y, 0 * x], -1).astype(np.uint8), mesh, skin=0)
    asked = track(au12=5, au2=4)
    sent = r.motion.displacement(asked)[0]
    skin = np.r_[[50, 280, 205, 425, 101, 330, 4, 152, 65, 295, 9]]  # away from the openings
    at = np.round(mesh[skin, :2]).astype(int)
    goal = at + sent[at[:, 1], at[:, 0]]
    out = r.render(asked)[0].astype(np.float32)
    places = np.float32(goal)[None]
    got = cv2.remap(out, places[..., 0], places[..., 1], cv2.INTER_LINEAR)
    assert np.hypot(*(goal - at).T).max() > 5
    assert np.abs(got[0, :, :2] - at).max() < 0.7  # half a grey level, and linear reading


def test_full_blink_brings_the_rims_together(renderer, closed_mouth, mesher):
    for r in (renderer, WarpRenderer(*closed_mouth)):
        before, after = r.mesh, r.motion.moved_mesh(track(au45=5))[0]
        for upper, lower in (
            ([385, 386, 387], [380, 374, 373]),
            ([158, 159, 160], [153, 145, 144]),
        ):
            was = (before[lower, 1] - before[upper, 1]).mean()
            assert -0.5 * was < (after[lower, 1] - after[upper, 1]).mean() <= 0
    frames = np.concatenate([closed_mouth[0][None], r.render(track(au45=5))])
    open_eyes, shut = (opening(m, [386, 159], [374, 145]) for m in mesher.track(frames).mesh)
    assert shut < 0.25 * open_eyes


def test_a_face_cut_by_the_frame_is_rendered(astronaut):
    picture, mesh = astronaut
    low = int(mesh[17, 1])  # through the lower lip
    cut = np.ascontiguousarray(picture[:low])
    r = WarpRenderer(cut, mesh)
    assert (r.render(track()) == cut).all()
    out = r.render(track(au12=3, au4=3))[0]
    assert (out[-1] == cut[-1]).all()
    assert (out != cut).mean() > 0.1


def test_the_caller_may_reuse_the_arrays(astronaut):
    picture, mesh = (a.copy() for a in astronaut)
    r = WarpRenderer(picture, mesh)
    before = r.render(track(au12=2))
    picture[:] = 0
    mesh[:] = 0
    assert (r.render(track(au12=2)) == before).all()
    asked = track(au12=2)
    asked.flags.writeable = False
    assert (r.render(asked) == before).all()


def test_fold_over_is_seen_and_refused(renderer):
    assert renderer.motion.fold_over(np.zeros((1, 2, 17)))[0] == 0
    mild, wild = everything(1.5), np.full((1, 2, 17), 5.0)
    assert renderer.motion.fold_over(mild).max() < 0.01
    share = float(renderer.motion.fold_over(wild)[0])
    assert share > 0.04
    with pytest.raises(RenderError, match="flip"):
        renderer.render(wild)


@pytest.mark.parametrize("size", [64, 200, 640])
def test_any_size_and_aspect(astronaut, size):
    import cv2

    picture, mesh = astronaut
    k = size / 256
    resized = cv2.resize(picture, (size, size + 11), interpolation=cv2.INTER_AREA)
    r = WarpRenderer(resized, mesh * np.array([k, (size + 11) / 256, k], np.float32))
    assert (r.render(track()) == resized).all()
    assert (r.render(track(**STRONG))[0] != resized).mean() > 0.1


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        (np.zeros((2, 17)), TrackError),
        (np.zeros((0, 2, 17)), TrackError),
        (np.zeros((1, 17, 2)), TrackError),
        (np.full((1, 2, 17), np.nan), TrackError),
        (np.full((1, 2, 17), 5.1), TrackError),
        (np.full((1, 2, 17), -0.1), TrackError),
    ],
)
def test_bad_intensities(renderer, bad, error):
    motion = renderer.motion
    for method in (renderer.render, motion.displacement, motion.moved_mesh, motion.fold_over):
        with pytest.raises(error):
            method(bad)


def test_bad_pictures_and_meshes(astronaut):
    picture, mesh = astronaut
    lost = np.full_like(mesh, np.nan)
    turned = mesh.copy()
    middle = mesh[:, 0].mean()
    angle = np.radians(70)
    turned[:, 0] = middle + np.cos(angle) * (mesh[:, 0] - middle) + np.sin(angle) * mesh[:, 2]
    turned[:, 2] = np.cos(angle) * mesh[:, 2] - np.sin(angle) * (mesh[:, 0] - middle)
    small = (mesh * 0.05 + 100).astype(np.float32)
    for args, error in (
        ((picture.astype(float), mesh), InputError),
        ((picture[..., 0], mesh), InputError),
        ((picture, mesh[:468]), InputError),
        ((picture, lost), InputError),
        ((picture, mesh + 500), FaceError),
        ((picture, small), FaceError),
        ((picture, turned), FaceError),
    ):
        with pytest.raises(error):
            WarpRenderer(*args)
    with pytest.raises(InputError):
        WarpRenderer(picture, mesh).render(track(), batch=0)


def test_a_face_that_its_picture_cuts_is_moved_all_the_same(astronaut_picture, mesher):
    """As in cropped data sets: what lies in both pictures moves alike."""
    whole = np.ascontiguousarray(astronaut_picture[:260, 90:360])
    mesh = np.asarray(mesher.track(whole[None]).mesh[0], np.float32)
    low, high = mesh[:, :2].min(0), mesh[:, :2].max(0)
    width, height = high - low
    x0, x1 = (int(v) for v in (low[0] + 0.17 * width, high[0] - 0.17 * width))
    y0, y1 = (int(v) for v in (low[1] + 0.1 * height, high[1] - 0.03 * height))
    cut = np.ascontiguousarray(whole[y0:y1, x0:x1])
    moved = mesh - np.array([x0, y0, 0], np.float32)
    assert 0.5 < share_inside(moved, cut.shape[:2]) < 0.8

    smile = np.concatenate([track(), track(au12=2)])
    setting = find_generator("warp")
    renderer = setting.renderer(cut, moved, "cpu")
    frames = renderer.render(smile)
    assert frames.shape == (2, *cut.shape)
    assert np.array_equal(frames[0], cut)
    reference = setting.renderer(whole, mesh, "cpu").render(smile)[1, y0:y1, x0:x1]
    change = np.abs(reference.astype(int) - cut).mean()
    assert np.abs(frames[1].astype(int) - reference)[:, 12:-12].mean() < 0.15 * change
    far = moved + np.array([cut.shape[1] * 0.7, 0, 0], np.float32)
    with pytest.raises(FaceError, match="of the mesh lies in the picture"):
        setting.renderer(cut, far, "cpu")
