"""The upper lid: a layer of skin that comes down over the eyeball as the eye closes.

A lid that closes is not stretched: skin comes out of the fold above it. So the rim's own strip
(lashes, and the shadow on the eyeball) travels down as it is, what opens between it and the fold is
painted in the colour of the clean skin round the eye, and the fold opens out. The further the lid
comes down, the more its lashes, which pointed up, give way to one soft line at its lower edge.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from famaug.aus.basis import COLUMNS, FULL
from famaug.faces.ring import smooth_step
from famaug.faces.sampling import sample_spline
from famaug.generator.motion.layers import Box, Image, Place
from famaug.generator.motion.lid_skin import Lashes, find_lashes, lid_skin
from famaug.generator.motion.opening import Rims
from famaug.types import AU_INDEX

Array = NDArray[np.float64]
_BLINK = AU_INDEX[45]
"""The AU by which the lid comes down."""
_OVERLAP = 0.1
"""Centimetres by which a closed lid's edge passes the lower rim."""
_TIPS = 0.25
"""Centimetres above the strip over which what is left of its lashes is painted over."""
_FOLD = 0.4
"""Centimetres above the strip over which the fold opens out."""
_EDGE_SHADE = (0.16, 0.16)
"""The lid turns away towards its edge: share of light lost there, and over how many centimetres."""
_ROUND = 0.1
"""Share by which the middle of the lid, round the eyeball, is brighter."""
_FRINGE = 0.1
"""Centimetres that lashes reach below a closed lid's edge."""
_THIN = 0.3
"""Cover of the fringe, as a share of the line's."""
_LASHES_GO, _LATE = (0.1, 0.6), (0.55, 0.95)
"""How far the eye is shut (0-1) while lashes give way to the line, and the lower lashes vanish."""
_CALM = (0.2, 0.85)
"""Centimetres above the rim up to which skin does not follow the lid, and from which on it does as
the basis says."""
_BESIDE = 0.4
"""Centimetres beyond the corners over which it grows to what the basis says."""


@dataclass(frozen=True, eq=False)
class Closed:
    """A closing eye.

    Attributes:
        upper, lower: skin, `B 4 h w`.
        behind: skin in place of what the lids do not quite cover, `B 3 h w`, and the share of it,
            `B 1 1 1`; None while the eye is open.
        line: cover of the lash line, `B 1 h w`; None while lashes are as they were.
    """

    upper: Tensor
    lower: Tensor
    behind: tuple[Tensor, Tensor] | None
    line: Tensor | None


class _Rim(NamedTuple):
    """The upper lid at every pixel, `B h w`: t of its edge and of the fold, how far the edge came
    down, one over the strip's height, share of the gap above the strip that is painted, and how
    much of the line there is (0 at the corners)."""

    edge: Tensor
    top: Tensor
    down: Tensor
    per_strip: Tensor
    gap: Tensor
    taper: Tensor


@dataclass(frozen=True, eq=False)
class Lid:
    """An upper lid, ready to be closed.

    Attributes:
        down: `34 K`, pixels that each unit of intensity moves the rim down, at the rims' knots.
        furthest: `K`, pixels that the rim comes down in all.
        upper, strip, taper: `K`, t of the rim, height of the strip, strength of the line.
        frame: `2 3`, from x, y, 1 (pixels of the skin layers) to s and t.
        half_width: of the opening.
        skin: `1 7 h w` over the box of the skin layers: colours of a closed eye; where the fold
            opens out; where lashes are painted over; lower skin that is painted over, and its
            cover.
        lashes: the line at the rim.
        scale: pixels per centimetre.
        thin: width of a layer's edge in pixels.
    """

    down: Tensor
    furthest: Tensor
    upper: Tensor
    strip: Tensor
    taper: Tensor
    frame: Tensor
    half_width: float
    skin: Tensor
    lashes: Lashes
    scale: float
    thin: float

    def moves(self, weights: Tensor) -> bool:
        """Whether intensities `B 34` bring it down at all."""
        return bool((self.travel(weights) > 0).any())

    def travel(self, weights: Tensor) -> Tensor:
        """How far the rim comes down, `B K` pixels, for intensities `B 34`."""
        asked = (weights[:, :, None] * self.down).sum(1)
        return torch.minimum(asked, self.furthest)

    def layers(self, sources: Tensor, x: Tensor, y: Tensor, weights: Tensor) -> Closed:
        """The skin layers as the lid comes down.

        Args:
            sources: `2B 4 h w`, spline sources of the upper and the lower skin, in turn.
            x, y: `2B h w`, where each pixel comes from if the lid is left out, in turn.
            weights: `B 34`.
        """
        travel = self.travel(weights)
        shut = (travel.sum(1) / self.furthest.sum()).clamp(0, 1).view(-1, 1, 1)
        s, t = (a * x[0::2] + b * y[0::2] + c for a, b, c in self.frame)
        rim = self._rim(travel, s)
        # above the strip skin stays; between the fold and the strip one line of it is drawn out
        back = (t - rim.top).clamp(min=0).minimum(rim.down)
        from_x, from_y = x.clone(), y.clone()
        from_x[0::2] -= back * self.frame[1, 0]
        from_y[0::2] -= back * self.frame[1, 1]
        moved = sample_spline(sources, from_x, from_y)
        inside = rim.edge - t
        changed = _step((shut - _LASHES_GO[0]) / (_LASHES_GO[1] - _LASHES_GO[0]))
        skin = self._painted(x[0::2], y[0::2], 5)
        above = self._upper(moved[0::2], skin, rim, t, inside, shut, changed)
        line = self._line(rim, inside, shut, changed) if bool((changed > 0).any()) else None
        below, behind = moved[1::2], None
        late = _step((shut - _LATE[0]) / (_LATE[1] - _LATE[0]))
        if bool((late > 0).any()):
            skin = self._painted(x[1::2], y[1::2], 7)
            below = _mixed(below, skin[:, :3], late * skin[:, 5], skin[:, 6])
            behind = skin[:, :3], _step(2 * late - 1)[:, None]
        return Closed(above, below, behind, line)

    def _rim(self, travel: Tensor, s: Tensor) -> _Rim:
        still = torch.stack([self.upper - self.strip, 1 / self.strip, self.taper])
        still = still.expand(len(travel), -1, -1)
        moving = torch.stack([self.upper + travel, travel, _step(2.5 * travel / self.strip)], 1)
        at = torch.stack([s / self.half_width, torch.zeros_like(s)], -1)
        table = torch.cat([moving, still], 1)[:, :, None]
        edge, down, gap, top, per_strip, taper = F.grid_sample(
            table, at, padding_mode="border", align_corners=True
        ).unbind(1)
        return _Rim(edge, top, down, per_strip, gap, taper)

    def _painted(self, x: Tensor, y: Tensor, channels: int) -> Tensor:
        h, w = self.skin.shape[-2:]
        grid = torch.stack([x * (2 / (w - 1)) - 1, y * (2 / (h - 1)) - 1], -1)
        skin = self.skin[:, :channels].expand(len(x), -1, -1, -1)
        return F.grid_sample(skin, grid, padding_mode="border", align_corners=True)

    def _upper(
        self, own: Tensor, skin: Tensor, rim: _Rim, t: Tensor, inside: Tensor, shut: Tensor,
        changed: Tensor,
    ) -> Tensor:  # fmt: skip
        """The upper skin: its own, and painted where the lid came out of the fold."""
        gap = _step(2 * inside * rim.per_strip - 1) * rim.gap
        share = torch.maximum(shut * skin[:, 3], torch.maximum(gap, changed) * skin[:, 4])
        loss, width = _EDGE_SHADE
        shade = 1 - loss * torch.exp(inside.clamp(min=0) * (-1 / (width * self.scale)))
        along = ((t - rim.top) / (rim.edge - rim.top).clamp(min=1)).clamp(0, 1)
        shade = shade * (1 + 4 * _ROUND * along * (1 - along))
        cover = _step(inside / self.thin + 0.5)
        return _mixed(own, skin[:, :3] * shade[:, None], share, cover)

    def _line(self, rim: _Rim, inside: Tensor, shut: Tensor, changed: Tensor) -> Tensor:
        """Cover of the lash line, `B 1 h w`: soft at the lid, with a fringe below it."""
        width = self.lashes.width * (1 + 0.7 * shut) * (0.4 + 0.6 * rim.taper)
        core = torch.exp(-0.5 * (inside / width - 0.5).square())
        fringe = torch.exp(inside / (_FRINGE * self.scale * shut + 1e-3)).clamp(max=1)
        line = torch.where(inside > 0.5 * width, core, torch.maximum(core, _THIN * fringe))
        return (self.lashes.strength * changed * line * rim.taper)[:, None]


def make_lid(
    picture: Image,
    mesh: NDArray[Any],
    side: int,
    rims: Rims,
    around: Box,
    scale: float,
    thin: float,
    device: torch.device,
) -> Lid:
    """The lid of an eye (0 the person's left).

    Args:
        picture: `H W 3`.
        mesh: `478 3`, in pixels of the picture.
        side: which eye.
        rims: the eye's.
        around: box of the skin layers.
        scale: pixels per centimetre.
        thin: width of a layer's edge in pixels.
        device: where it is rendered.
    """
    place = Place.of(rims, around)
    skin, free, strip = lid_skin(picture, around, mesh, side, rims, place, scale)
    (ax, ay), (bx, by) = rims.axes
    off = np.array([around.x0, around.y0]) - rims.centre
    frame = [[ax, ay, off @ rims.axes[0]], [bx, by, off @ rims.axes[1]]]
    shares = _shares(place, rims, strip, free, scale, thin)
    layers = np.concatenate([skin.transpose(2, 0, 1), shares])[None]
    taper = np.sqrt(np.clip(1 - np.square(rims.knots / rims.half_width), 0, 1))
    return Lid(
        down=_tensor(_down(side, rims, scale), device),
        furthest=_tensor(_closing(rims, scale), device),
        upper=_tensor(rims.upper, device),
        strip=_tensor(strip, device),
        taper=_tensor(taper, device),
        frame=_tensor(np.array(frame), device),
        half_width=rims.half_width,
        skin=_tensor(layers, device),
        lashes=find_lashes(picture, skin, rims, around, scale).on(device),
        scale=scale,
        thin=thin,
    )


def _shares(
    place: Place, rims: Rims, strip: Array, free: NDArray[Any], scale: float, thin: float
) -> Array:
    """`4 h w`: where the fold opens out, where lashes are painted over, where lower skin is, and
    the lower skin's cover."""
    high = place.t - place.upper + np.interp(place.s, rims.knots, strip)
    aside = np.abs(place.s) / rims.half_width
    opened = smooth_step(1.5 + high / (_FOLD * scale)) * free * smooth_step((1.05 - aside) / 0.25)
    over = smooth_step(high / (_TIPS * scale) + 1) * smooth_step((1.08 - aside) / 0.16)
    off = np.abs(place.t - place.lower) / scale
    lower = smooth_step((0.3 - off) / 0.2) * smooth_step((1.05 - aside) / 0.15)
    cover = smooth_step((place.t - place.lower) / thin + 0.5)
    return np.stack([0.95 * opened, over, lower, cover])


def calmed(side: int, rims: Rims, x: Array, y: Array, scale: float) -> Array:
    """What of the upper and the lower fields is left to the skin round a lid, which itself comes
    down as a layer: factors `34 2 1 lines columns`. Beyond the corners both are alike.

    Args:
        side: which eye.
        rims: the eye's.
        x, y: places of the nodes, `lines columns`.
        scale: pixels per centimetre.
    """
    s, t = rims.to_frame(x, y)
    upper, _ = rims.curves(s)
    low, high = _CALM
    aside = (np.abs(s) - rims.half_width) / scale
    near = smooth_step((high - np.abs(upper - t) / scale) / (high - low))
    near = near * smooth_step((_BESIDE - aside) / _BESIDE)
    out = np.ones((COLUMNS, 2, 1, *x.shape))
    lids = side * (COLUMNS // 2) + _BLINK
    out[lids, 0] -= np.where((aside < 0) & (t > upper), 1, near)
    out[lids, 1] -= near * smooth_step(aside / 0.1 + 1)
    return out


def _down(side: int, rims: Rims, scale: float) -> Array:
    """`34 K`: pixels by unit of intensity that the rim comes down at the knots. AU45 = 5 closes the
    eye, whatever the face."""
    out = np.zeros((COLUMNS, len(rims.knots)))
    out[side * (COLUMNS // 2) + _BLINK] = _closing(rims, scale) / FULL
    return out


def _closing(rims: Rims, scale: float) -> Array:
    """Pixels from the upper rim to the line of the closed eye at the knots: a smooth curve from
    corner to corner along the lower rim."""
    along = rims.knots / rims.half_width
    bow = 1 - along**2
    ways = np.stack([bow, bow * along, bow * along**2], 1)
    ends = rims.lower[0] + (rims.lower[-1] - rims.lower[0]) * (along + 1) / 2
    depth, *_ = np.linalg.lstsq(ways, rims.lower - ends, rcond=None)
    line = ends + ways @ depth + _OVERLAP * scale * np.sqrt(bow)
    out: Array = np.maximum(line - rims.upper, 0)
    return out


def _mixed(own: Tensor, skin: Tensor, share: Tensor, cover: Tensor) -> Tensor:
    """A layer `B 4 h w` with a share of painted skin `B 3 h w` in it."""
    cover = cover[:, None]
    painted = torch.cat([skin * cover, cover], 1)
    return own + share[:, None] * (painted - own)


def _step(x: Tensor) -> Tensor:
    t = x.clamp(0, 1)
    return t * t * (3 - 2 * t)


def _tensor(values: NDArray[Any], device: torch.device) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, np.float32)).to(device)
