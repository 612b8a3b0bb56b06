"""The shade that AUs make on one face: furrows, bulges, turned cheeks, own lines deepened, and what
was learnt from real frames.

Moving a picture does not fold its skin. Where the skin is compressed it buckles, and what an
observer sees is shade. For each AU and side a map of log brightness is made once, for this face
and the light in its picture; maps add up by intensity and travel with the skin.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from famaug.aus.basis import COLUMNS, FULL, load_basis
from famaug.faces.landmarks import (
    INNER_LIPS,
    LEFT_BROW,
    LEFT_LIDS,
    OUTER_LIPS,
    OVAL,
    RIGHT_BROW,
    RIGHT_LIDS,
)
from famaug.faces.raster import Raster, rasterize
from famaug.generator.motion.face_motion import FaceMotion
from famaug.generator.motion.inverse import at_nodes
from famaug.generator.skin.learnt import Learnt
from famaug.generator.skin.learnt import learnt as shipped
from famaug.generator.skin.light import GAMMA, Light, find_light, vertex_normals
from famaug.generator.skin.own import Own
from famaug.generator.skin.relief import COARSE, Side, shade, side_share, to_map

Maps = NDArray[np.float32]
_LARGEST = 448
"""Longest side of the maps in their own pixels; shade is smooth enough for that."""
_TRIAL = 2.0
"""Intensity at which the turning of the skin is measured."""
_TURNED_BLUR, _TURNED_FINEST = 0.25, 0.15
"""Centimetres over which turning is smoothed, and between the places where it is worked out."""
_FINEST = 0.5
"""Pixels: folds are drawn no finer."""
_OWN_LINES = 2.0
"""Growth of a line the face already has, per share of area lost to compression; twice that on
lined skin."""
_ROOM_BLUR = 0.2
"""Centimetres over which the brightness that limits brightening is smoothed."""
_OUTER_CORNERS, _TOP_AND_CHIN = (263, 33), (10, 152)
_DARKEST, _BRIGHTEST = 0.6, 0.16
"""Bounds of log brightness; sums approach them softly."""
_FULL_LIGHT, _HEADROOM = 248.0, 70.0
"""Value of a channel that can't get brighter, and how far under it brightening begins to give way:
a bulge on skin that is nearly white already would burn out."""
_TINT = (0.72, 1.11, 1.3)
"""Shade on skin is red: light comes out of the skin beside it. By channel."""


class SkinShade:
    """Maps of log brightness for one face.

    The maps span the box of the motion's grid.

    Args:
        motion: of the face in its picture.
        learnt: what was learnt; None takes what ships.

    Attributes:
        maps: float32 `34 h w`, log of brightness of a pixel per unit of intensity.
    """

    def __init__(self, motion: FaceMotion, *, learnt: Learnt | None = None) -> None:
        picture, device = motion.pixels, motion.device
        h, w = picture.shape[:2]
        reduction = max(1.0, max(h, w) / _LARGEST)
        small = (max(2, round(h / reduction)), max(2, round(w / reduction)))
        ratio = np.array([(small[1] - 1) / (w - 1), (small[0] - 1) / (h - 1)])
        grey = np.ptp(picture, axis=2).max() == 0
        tint = (1.0, 1.0, 1.0) if grey else _TINT
        self._tint = torch.tensor(tint, device=device).view(1, 3, 1, 1)
        points = motion.local.astype(np.float64)
        points[:, :2] *= ratio
        points[:, 2] *= ratio.mean()
        moved = motion.motion * [*ratio, ratio.mean()]
        pixels = cv2.resize(picture, small[::-1], interpolation=cv2.INTER_AREA)
        field = motion.field.cpu().numpy()
        face = _Face(pixels, points, moved, field, motion.scale * float(ratio.mean()))
        made = face.maps(shipped() if learnt is None else learnt)
        self.maps = torch.from_numpy(made).to(device)
        room = cv2.GaussianBlur(pixels.max(2), (0, 0), max(_ROOM_BLUR * face.scale, 0.3))
        most = _BRIGHTEST * np.clip((_FULL_LIGHT - room) / _HEADROOM, 0, 1)
        self._most = torch.from_numpy(most).to(device)
        self._kinds = frozenset(torch.nonzero(self.maps.flatten(1).any(1))[:, 0].tolist())

    def factor(self, weights: Tensor, active: list[int], places: Tensor) -> Tensor | None:
        """What each pixel's colour is multiplied by.

        Args:
            weights: `B 34`, intensities.
            active: columns that are not zero in all of them.
            places: `B h w 2`, where each pixel comes from in the neutral picture, -1..1 over
                the box.

        Returns:
            `B 3 h w`; None where none of the active AUs shades anything.
        """
        here = [k for k in active if k in self._kinds]
        if not here:
            return None
        log = self.maps.new_zeros((len(weights), 1, *self.maps.shape[1:]))
        for k in here:
            log += weights[:, k].view(-1, 1, 1, 1) * self.maps[k]
        log = torch.where(
            log < 0,
            _DARKEST * torch.tanh(log / _DARKEST),
            self._most * torch.tanh(log / _BRIGHTEST),
        )
        return torch.exp(at_nodes(log, places) * self._tint)


class _Face:
    """One face at the resolution of the maps."""

    def __init__(
        self,
        pixels: NDArray[np.float32],
        mesh: NDArray[np.float64],
        motion: NDArray[np.float64],
        field: NDArray[np.float32],
        scale: float,
    ) -> None:
        basis = load_basis()
        self.mesh, self.motion, self.field = mesh, motion, field
        self.scale, self.triangles = scale, basis.triangles
        self.shape = (pixels.shape[0], pixels.shape[1])
        self.raster: Raster = rasterize(mesh[:, :2], -mesh[:, 2], self.triangles, self.shape)
        self.normals = vertex_normals(mesh, self.triangles)
        self.light: Light = find_light(pixels, mesh, self.normals, scale)
        self.place = self._interpolate(basis.neutral[:, :2])
        self.brightness = self._brightness(pixels)
        self.own = Own(self.brightness, self.place, self.raster.mask, scale)

    def maps(self, learnt: Learnt) -> Maps:
        """`34 h w`: log of brightness per unit of intensity."""
        weight = self._weight() / (GAMMA * FULL)
        folds, turned, lines = self._folds(learnt), self._turned(), self._own_lines()
        left = side_share(self.place[..., 0]).astype(np.float32)
        units = COLUMNS // 2
        out = turned
        for k in range(COLUMNS):
            share = left if k < units else 1 - left
            out[k] += folds[k % units] * share
            out[k] += lines[k]
            out[k] *= weight
        return out

    def _brightness(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Log of brightness. What is added against noise in the dark goes with the face's own
        brightness, so that a darker copy is the same but for a constant."""
        grey = pixels @ np.array([0.3, 0.59, 0.11], np.float32)
        face = grey[self.raster.mask]
        typical = float(np.median(face)) if len(face) else 128.0
        out: NDArray[np.float32] = np.log(grey + np.float32(max(0.05 * typical, 0.5)))
        return out

    def _interpolate(self, values: NDArray[Any]) -> NDArray[np.float32]:
        return self.raster.interpolate(values, self.triangles)

    def _blur(self, values: NDArray[Any], centimetres: float) -> NDArray[np.float32]:
        out: NDArray[np.float32] = cv2.GaussianBlur(
            np.asarray(values, np.float32), (0, 0), max(centimetres * self.scale, 0.3)
        )
        return out

    def _folds(self, learnt: Learnt) -> Maps:
        """`17 h w`: shade of the creases, drawn and learnt, at intensity 5."""
        at = to_map(self.place) / COARSE
        drawn = shade(self.own, self._light_from_head(), _FINEST / self.scale)
        out = np.zeros((COLUMNS // 2, *self.shape), np.float32)
        for k, folds in enumerate(drawn):
            made = learnt.creases[k] * folds + learnt.maps[k, ::COARSE, ::COARSE]
            if made.any():
                out[k] = cv2.remap(made, at[..., 0], at[..., 1], cv2.INTER_LINEAR)
                out[k] *= self.raster.mask
        return out

    def _light_from_head(self) -> Side:
        """The directed light along the face's own axes, seen in the picture."""
        across = self.mesh[_OUTER_CORNERS[0], :2] - self.mesh[_OUTER_CORNERS[1], :2]
        up = self.mesh[_TOP_AND_CHIN[0], :2] - self.mesh[_TOP_AND_CHIN[1], :2]
        x, y = (
            float(self.light.directed[:2] @ axis) / max(float(np.linalg.norm(axis)), 1e-9)
            for axis in (across, up)
        )
        return Side(x, y)

    def _turned(self) -> Maps:
        """`34 h w`: shade of skin that turns towards or away from the light, at intensity 5."""
        moved = self.mesh + self.motion * (_TRIAL / FULL)
        change = vertex_normals(moved, self.triangles) - self.normals
        gain = change @ self.light.directed / self.light.on(self.normals) * (FULL / _TRIAL)
        every = max(1, int(_TURNED_FINEST * self.scale))
        few = slice(every // 2, None, every)
        sparse = Raster(self.raster.triangle[few, few], self.raster.weights[few, few])
        seen = sparse.interpolate(np.clip(gain, -0.5, 0.5).T, self.triangles)
        smooth = cv2.GaussianBlur(seen, (0, 0), max(_TURNED_BLUR * self.scale / every, 0.3))
        return np.stack(
            [
                cv2.resize(np.ascontiguousarray(smooth[..., k]), self.shape[::-1])
                for k in range(COLUMNS)
            ]
        )

    def _own_lines(self) -> Maps:
        """`34 h w`: lines the face has, deepened where the skin is compressed, at intensity 5."""
        detail = GAMMA * np.clip(self.brightness - self._blur(self.brightness, 0.2), -0.2, 0)
        detail *= _OWN_LINES * (1 + self.own.lined)
        out = np.empty((COLUMNS, *self.shape), np.float32)
        for k, (fx, fy) in enumerate(self.field):
            squeeze = -FULL * (np.gradient(fx, axis=1) + np.gradient(fy, axis=0))
            full = cv2.resize(np.clip(squeeze, 0, 0.6), self.shape[::-1])
            np.multiply(full, detail, out=out[k])
        return out

    def _weight(self) -> NDArray[np.float32]:
        """`h w`: 1 on skin, little on lips and brows, 0 in openings and on the outline."""
        inside = _polygon(self.mesh, OVAL, self.shape)
        holes = np.zeros(self.shape, np.uint8)
        for ring in (LEFT_LIDS, RIGHT_LIDS, INNER_LIPS):
            holes |= _polygon(self.mesh, ring, self.shape)
        soft = np.zeros(self.shape, np.uint8)
        for area in (LEFT_BROW, RIGHT_BROW, OUTER_LIPS):
            soft |= _polygon(self.mesh, area, self.shape)
        # where the frame cuts the face, its border is still
        framed = cv2.copyMakeBorder(inside, 1, 1, 1, 1, cv2.BORDER_CONSTANT)
        depth = cv2.distanceTransform(framed, cv2.DIST_L2, 5)[1:-1, 1:-1] - 1
        depth = np.maximum(depth - 1, 0) / self.scale
        away = cv2.distanceTransform(1 - np.minimum(holes, 1), cv2.DIST_L2, 5) / self.scale
        weight = np.clip(depth / 0.6, 0, 1) * np.clip((away - 0.05) / 0.12, 0, 1)
        hair = self._blur(soft.astype(np.float32), 0.12)
        out: NDArray[np.float32] = (weight * (1 - 0.8 * hair)).astype(np.float32)
        return out * self.raster.mask


def _polygon(
    mesh: NDArray[Any], ring: tuple[int, ...], shape: tuple[int, int]
) -> NDArray[np.uint8]:
    out = np.zeros(shape, np.uint8)
    points = np.round(np.asarray(mesh)[list(ring), :2] * 16).astype(np.int32)
    cv2.fillPoly(out, [points], 1, shift=4)
    return out
