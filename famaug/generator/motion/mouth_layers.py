"""One picture's mouth taken apart: teeth that it shows, and drawn ones where it shows none."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from famaug.aus.basis import COLUMNS, FULL, head_pose
from famaug.faces.ring import smooth_step
from famaug.generator.motion.inside import Inside
from famaug.generator.motion.layers import Box, Image, Place, covers, look_up
from famaug.generator.motion.mouth import cheapest_path
from famaug.generator.motion.mouth_colours import LUMA, Colours, find_colours
from famaug.generator.motion.opening import Rims
from famaug.generator.motion.teeth import LOWER, UPPER, View, blurred, draw_arch, sharpness
from famaug.types import AU_INDEX, AUS

Array = NDArray[np.float64]
_CHIN = (199, 200, 18)
"""Points of skin over the bone of the chin."""
_UPPER_EDGE, _LOWER_EDGE = -0.25, -0.17
"""Height of the teeth's edges above the seam of closed lips, centimetres: the upper ones end behind
the lower lip, the lower ones just under its rim."""
_HIDDEN = 0.02
"""How far upper teeth end above the upper rim where parted lips show none."""
_GUM = 0.45
"""Centimetres over which teeth that are seen go on under the upper lip before the gum."""
_BELOW = 0.12
"""Centimetres by which upper teeth that end behind the lower lip go on."""
_CAST, _CAST_SIZE, _CAST_DOWN = 0.7, 0.12, 0.12
"""Shadow of the upper teeth: strength, blur and length in centimetres."""
_DARK = 0.5
"""Brightness of the dark below upper teeth over theirs, at most."""
_SIDE = 0.9
"""Share of the opening's width in which the photograph's own inside is looked up."""


class _Seen(NamedTuple):
    """What the photograph shows between parted lips: its colours `H W 3` continued beyond the rims,
    how much of the upper and of the lower layer they are, `H W`, and how high above the middle of
    the rims the edges of upper and lower teeth lie, centimetres."""

    colour: Image
    upper: Array
    lower: Array
    edges: tuple[float, float]


def make_inside(
    picture: Image,
    mesh: NDArray[Any],
    motion: NDArray[Any],
    rims: Rims,
    box: Box,
    scale: float,
    edge: float,
    closed: bool,
    device: torch.device | str = "cpu",
) -> Inside:
    """The layers of a mouth over a box of the picture.

    Args:
        picture: `H W 3`.
        mesh: `478 3`, in its pixels.
        motion: `34 478 3`, pixels at intensity 5.
        rims: of the mouth.
        box: where.
        scale: pixels per centimetre.
        edge: width of the lips' edges in pixels.
        closed: whether the lips are closed.
    """
    place = Place.of(rims, box)
    colours = find_colours(picture, mesh, rims, scale)
    seen = None if closed else _photographed(picture, rims, place, colours, scale)
    edges = (_UPPER_EDGE, _LOWER_EDGE) if seen is None else seen.edges
    upper, lower = _drawn(mesh, rims, box, colours, scale, picture[box.slices], edges)
    cover_up, cover_low, _ = covers(rims, place, edge)
    opening = torch.from_numpy(((1 - cover_up) * (1 - cover_low)).astype(np.float32))[None, None]
    if seen is not None:
        upper, lower = (
            _over(seen.colour, share, drawn)
            for share, drawn in ((seen.upper, upper), (seen.lower, lower))
        )
    else:
        upper, lower = (np.pad(layer, ((0, 0), (0, 0), (0, 1))) for layer in (upper, lower))
    cast = _cast(upper[..., 3], scale)
    first, second = (_tensor(layer.transpose(2, 0, 1), device) for layer in (upper, lower))
    return Inside(
        first,
        second,
        _tensor(colours.deep[:, None, None], device),
        _tensor(cast[None], device),
        opening.to(device),
        torch.from_numpy(_jaw(motion)).to(device),
        _tensor(colours.tint[:, None, None], device),
        scale,
    )


def _jaw(motion: NDArray[Any]) -> Image:
    """`34 2`, pixels per unit: the chin's bone goes down with AU26 and with nothing else."""
    out = np.zeros((COLUMNS, 2), np.float32)
    for side in (0, 1):
        unit = side * len(AUS) + AU_INDEX[26]
        out[unit] = motion[unit][list(_CHIN), :2].mean(0) / FULL
    return out


def _tensor(values: NDArray[Any], device: torch.device | str) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(values[None], np.float32)).to(device)


def _drawn(
    mesh: NDArray[Any], rims: Rims, box: Box, colours: Colours, scale: float, patch: Image,
    edges: tuple[float, float],
) -> tuple[Image, Image]:  # fmt: skip
    """Upper teeth, and lower teeth with the tongue, `H W 4`, no sharper than the picture.

    Args:
        edges: heights of the upper and lower teeth's edges above the middle of the rims.
    """
    pose = head_pose(mesh)
    middle = np.asarray(mesh, np.float64)[[13, 14], :2].mean(0)
    s = float(rims.to_frame(*middle)[0])
    upper, lower = rims.curves(np.array([s]))
    x0, y0 = rims.to_picture(np.array([s]), (upper + lower) / 2)
    x, y = box.pixels
    view = View((x - x0) / scale, (y0 - y) / scale, pose.rotation)
    above = draw_arch(UPPER, view, edges[0], colours, 1 / scale)
    below = draw_arch(LOWER, view, edges[1], colours, 1 / scale)
    below = _with_tongue(below, view, edges[1], colours)
    sigma = float(np.sqrt(max(sharpness(patch) ** 2 - 0.3, 0)))
    return blurred(above, sigma), blurred(below, sigma)


def _with_tongue(below: Image, view: View, edge: float, colours: Colours) -> Image:
    """Lower teeth before a tongue that fades into the dark above it."""
    up = view.up - edge - 0.12
    aside = np.clip(1 - np.square(view.right / 2.1), 0, 1)
    body = smooth_step((0.95 * aside - up) / 0.85) * smooth_step(aside / 0.5)
    round_ = 0.72 + 0.28 * np.exp(-np.square((view.right - 0.35) / 0.9))
    tongue = (colours.tongue * round_[..., None]).astype(np.float32)
    share = (body * (1 - below[..., 3]))[..., None].astype(np.float32)
    return np.concatenate([below[..., :3] + share * tongue, below[..., 3:] + share], -1)


def _cast(cover: NDArray[Any], scale: float) -> Array:
    """Light that upper teeth of a cover `H W` leave to what lies behind and below them."""
    down = round(_CAST_DOWN * scale)
    moved = np.pad(cover, ((down, 0), (0, 0)), mode="edge")[: len(cover)]
    sigma = _CAST_SIZE * scale
    shade = gaussian_filter1d(gaussian_filter1d(moved.astype(np.float64), sigma, 0), sigma, 1)
    out: Array = 1 - _CAST * np.clip(shade, 0, 1)
    return out


def _over(colour: Image, share: Array, drawn: Image) -> Image:
    """Photographed colours over a drawn layer, `H W 5`: they were seen in the light they lay in."""
    a = share[..., None]
    out = [colour * a + drawn[..., :3] * (1 - a), a + drawn[..., 3:] * (1 - a), a]
    return np.concatenate(out, -1).astype(np.float32)


def _photographed(
    picture: Image, rims: Rims, place: Place, colours: Colours, scale: float
) -> _Seen:
    """What stands with the skull and what goes with the jaw of what is seen between the lips."""
    height = place.lower - place.upper
    margin = np.minimum(0.06 * scale, 0.25 * height)
    top, low = place.upper + margin, place.lower - np.minimum(0.1 * scale, 0.3 * height)
    side = _SIDE * rims.half_width
    held = np.clip(place.s, -side, side)
    seen = look_up(picture, *rims.to_picture(held, np.clip(place.t, top, low)))
    at_top = _smooth_toothness(picture, rims, colours, scale, upper=True)
    at_low = _smooth_toothness(picture, rims, colours, scale, upper=False)
    tooth_top, tooth_low = (np.interp(place.s, rims.knots, v) for v in (at_top, at_low))
    dark = _split(picture, rims, scale)
    split = np.interp(place.s, rims.knots, dark)
    wide = smooth_step(height / (0.2 * scale) - 1)
    inward = smooth_step((side + 0.1 * scale - np.abs(place.s)) / (0.2 * scale))
    reach_up = (0.06 + _GUM * np.maximum(tooth_top, wide)) * scale
    reach_low = (0.06 + _BELOW * tooth_low) * scale
    above = smooth_step(1 - (top - place.t) / reach_up)
    soft = max(0.05 * scale, 1.0)
    # upper teeth end at the split, or, where they reach the lower lip, a little behind it
    ends = place.t - split - np.where(split >= place.lower - 1.5 * margin, 1, 0) * reach_low
    shown = np.maximum(wide, np.maximum(tooth_top, tooth_low))
    upper = inward * above * shown * smooth_step(0.5 - ends / soft)
    lower = (
        inward
        * smooth_step((place.t - split) / soft + 0.5)
        * smooth_step(0.5 - (place.t - place.lower) / (0.1 * scale))
    )
    return _Seen(seen, upper, lower * wide, _edges(rims, at_top, dark, scale))


def _edges(rims: Rims, tooth: Array, dark: Array, scale: float) -> tuple[float, float]:
    """Heights above the middle of the rims at which drawn teeth end: the upper ones with those that
    are seen, or just under the upper lip; the lower ones just under the lower lip."""
    half = (rims.lower - rims.upper) / 2
    front = np.abs(rims.knots) < 0.4 * rims.half_width
    centre = float(half[front].mean())
    share = tooth * front
    if float(share.sum()) > 0.15 * front.sum():
        ends = np.where(dark >= rims.lower - 1e-6, dark + _BELOW * scale, dark)
        below = ends - (rims.upper + rims.lower) / 2
        top = -float((share * below).sum() / share.sum())
    else:
        top = centre + _HIDDEN * scale
    return top / scale, -centre / scale - 0.05


def _smooth_toothness(
    picture: Image, rims: Rims, colours: Colours, scale: float, *, upper: bool
) -> Array:
    """At the knots: whether teeth are seen at the upper (or lower) rim, 0-1."""
    height = np.minimum(0.16 * scale, 0.5 * (rims.lower - rims.upper))
    steps = np.linspace(0.35, 1, 4)
    rim, way = (rims.upper, 1) if upper else (rims.lower, -1)
    t = rim[:, None] + way * height[:, None] * steps
    s = np.repeat(
        np.clip(rims.knots, -_SIDE * rims.half_width, _SIDE * rims.half_width)[:, None], 4, 1
    )
    tooth = colours.toothness(look_up(picture, *rims.to_picture(s, t))).max(1)
    out: Array = gaussian_filter1d(tooth, 1.5)
    return out


def _split(picture: Image, rims: Rims, scale: float) -> Array:
    """t at the knots of the dark between upper and lower teeth; the lower rim where most of the
    mouth shows no dark below the upper teeth."""
    share = np.linspace(0.3, 1, 25)
    height = rims.lower - rims.upper
    t = rims.upper[:, None] + height[:, None] * share
    s = np.repeat(rims.knots[:, None], len(share), 1)
    grey = look_up(picture, *rims.to_picture(s, t)).astype(np.float64) @ LUMA
    grey = gaussian_filter1d(grey, 1.0, axis=0)
    cost = grey / (grey.max() + 1) + 0.25 * (1 - share)
    path = cheapest_path(cost, 30.0 * np.square(share[:, None] - share))
    rows = np.arange(len(path))
    dark = grey[rows, path] < _DARK * np.maximum.accumulate(grey, axis=1)[rows, path]
    end = rims.upper + height * share[path]
    dark &= rims.lower - end > 0.12 * scale  # else it is the line between teeth and lip
    front = np.abs(rims.knots) < 0.6 * rims.half_width
    if float(dark[front].mean()) < 0.6:
        return rims.lower.copy()
    out: Array = np.minimum(gaussian_filter1d(end, 1.5), rims.lower)
    return out
