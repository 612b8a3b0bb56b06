"""Learned generators at work: one face's AUs, at any resolution."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from famaug.aus.basis import COLUMNS
from famaug.errors import InputError, WeightsError
from famaug.faces.align import crop_face
from famaug.faces.mesher import one_torch_thread
from famaug.faces.sampling import as_source, sample_spline, spline_coefficients
from famaug.generator.face_motion import FaceMotion, checked
from famaug.generator.networks.au_maps import left_share
from famaug.generator.networks.compact import CompactGenerator
from famaug.generator.networks.compose import Halves, warp
from famaug.generator.networks.ganimation import GanimationGenerator, Outputs
from famaug.generator.networks.saved import load_generator
from famaug.generator.prior import MotionPrior
from famaug.generator.skin import SkinShade
from famaug.seeding import digest
from famaug.types import Floats, Frames, Picture
from famaug.weights.load import SHIPPED, fill, load_safetensors, sha256_of, shipped_path
from famaug.weights.tensor_files import load_tensors

SIZE = 128
"""Side of the picture that a network sees, unless its file says another."""
FINEST = 448
"""Side of the crop that skin is drawn on, at most."""
_PAINTED = 0.3
"""Attention up to which the picture's own detail goes; at twice of it all stays."""
WEIGHTS = "compact_generator"


@dataclass(frozen=True, eq=False)
class LearnedGenerator:
    """A trained network, frozen, on the CPU.

    Attributes:
        kind: "compact" or "ganimation".
        network: it.
        size: side of the pictures it was trained on.
        weights: digest of all that its pictures depend on.
    """

    kind: str
    network: CompactGenerator | GanimationGenerator
    size: int
    weights: str

    @property
    def name(self) -> str:
        """Kind and version of the way its outputs are used."""
        return f"{self.kind}/1"


@cache
def shipped_generator() -> LearnedGenerator:
    """The compact generator that ships with famaug.

    Raises:
        WeightsError: the installed file is not the one that was shipped.
    """
    tensors = load_safetensors(shipped_path(WEIGHTS))
    network = CompactGenerator(width=int(tensors["enter.weight"].shape[0]))
    fill(network, tensors)
    return LearnedGenerator("compact", network, SIZE, _digest(SHIPPED[WEIGHTS].sha256))


@cache
def open_generator(path: Path) -> LearnedGenerator:
    """A generator's file, as a training or `famaug weights import` wrote it.

    Raises:
        WeightsError: missing, damaged, of an unknown kind, or not fitting its own note.
    """
    tensors, note = load_tensors(path)
    size = note.get("size", SIZE)
    if not isinstance(size, int) or not 32 <= size <= 1024 or size % 8:
        raise WeightsError(f"{path}: its note says size {size!r}; 32 to 1024 by 8 are possible")
    weights = _digest(sha256_of(path))
    if note.get("kind") != "compact":
        return LearnedGenerator("ganimation", load_generator(path)[0], size, weights)
    width = note.get("settings", {}).get("width")
    if not isinstance(width, int) or not 4 <= width <= 512:
        raise WeightsError(f"{path}: its note says width {width!r}; 4 to 512 are possible")
    network = CompactGenerator(width=width)
    fill(network, tensors)
    return LearnedGenerator("compact", network, size, weights)


def _digest(sha256: str) -> str:
    return digest([sha256, SHIPPED["au_basis"].sha256])


class LearnedRenderer:
    """Renders one face's AUs with a network.

    The network sees the face in a small crop. Its motion is applied to the picture itself by cubic
    splines, and so is what it changes in colour; so the picture's own detail stays. Where no AU
    moves anything, nothing changes.

    Args:
        picture: uint8 `H W 3`, the neutral face.
        mesh: `478 3`, its mesh in pixels of the picture.
        generator: which; None is the shipped one.
        skin: strength of furrows and shade drawn on what a compact generator makes, as of the warp
            (`famaug.generator.skin`); 0 draws none. GANimation paints its own.
        halves: "maps": both sides in one pass. "paper": a pass for each side, joined at the
            midline, as FAMGAN does.
        feather: width of that joint in sides of the crop; 0 is a hard seam, as published.
        device: where the network runs.

    Raises:
        InputError: picture or mesh of the wrong shape or type, unknown halves.
        FaceError: the mesh lies outside the picture, is too small, or is turned too far away.
    """

    def __init__(
        self,
        picture: Picture,
        mesh: Floats,
        *,
        generator: LearnedGenerator | None = None,
        skin: float = 1.0,
        halves: Halves = "maps",
        feather: float = 0.0,
        device: str | torch.device = "cpu",
    ) -> None:
        if halves not in ("maps", "paper") or not 0 <= feather <= 1:
            raise InputError(
                f"halves is 'maps' or 'paper' and feather 0 to 1; got {halves!r} and {feather}"
            )
        if not 0 <= skin <= 3:
            raise InputError(f"skin must be 0 (none) to 3; got {skin}")
        self.generator = generator or shipped_generator()
        self.skin = skin if self.generator.kind == "compact" else 0.0
        self.device = torch.device(device)
        self.picture, self.mesh = np.array(picture), np.array(mesh, np.float32)
        self.halves, self.feather = halves, feather
        size = self.generator.size
        crop, local, self._transform = crop_face(self.picture, self.mesh, size)
        self.motion = FaceMotion(crop, local, device=self.device)
        self.prior = MotionPrior(self.motion)
        self._network = _on(self.generator, self.device)
        self._small = _to_range(crop).to(self.device)
        self._prepare(size)

    def _prepare(self, size: int) -> None:
        """The part of the picture that may change, and where its pixels lie in the crop."""
        h, w = self.picture.shape[:2]
        t = self._transform
        corner = t.to_picture(np.array([[-0.5, -0.5], [size - 0.5, size - 0.5]]))
        x0, y0 = np.clip(np.ceil(corner[0]), 0, [w, h]).astype(int)
        x1, y1 = np.clip(np.floor(corner[1]) + 1, 0, [w, h]).astype(int)
        self._box = slice(y0, y1), slice(x0, x1)
        gx, gy = np.meshgrid(np.arange(x0, x1), np.arange(y0, y1))
        at = t.to_crop(np.stack([gx, gy], -1).astype(np.float32))
        self._places = torch.from_numpy((at + 0.5) * (2 / size) - 1)[None].to(self.device)
        self._x, self._y = (
            torch.from_numpy(v.astype(np.float32))[None].to(self.device) for v in (gx, gy)
        )
        source = spline_coefficients(self.picture.astype(np.float32))
        self._source = as_source(source, self.device)
        if self.skin > 0:
            self._prepare_skin(gx, gy)
        reach = F.max_pool2d(self.prior.support, 5, stride=1, padding=2)
        self._mask = (self._up(reach, "bilinear") > 0)[0, 0].cpu().numpy()

    def _prepare_skin(self, gx: NDArray[np.int64], gy: NDArray[np.int64]) -> None:
        """Shade is made from a crop of the picture's own resolution, up to a size."""
        size = self.prior.size
        finer = int(np.clip(size * self._transform.scale, size, FINEST))
        crop, mesh, transform = crop_face(self.picture, self.mesh, finer)
        motion = FaceMotion(crop, mesh, device=self.device)
        self._shade = SkinShade(motion)
        g = motion.grid
        at = transform.to_crop(np.stack([gx, gy], -1).astype(np.float32))
        span = np.array([g.x1 - g.x0, g.y1 - g.y0], np.float32)
        where = (at - np.array([g.x0, g.y0], np.float32)) * (2 / span) - 1
        self._on_skin = torch.from_numpy(where)[None].to(self.device)
        self._skin_unit = torch.from_numpy(finer / span).to(self.device)  # half sides to -1..1

    @property
    def changed(self) -> NDArray[np.bool_]:
        """bool `H W`: pixels that may differ from the picture; all others never do."""
        out = np.zeros(self.picture.shape[:2], bool)
        out[self._box] = self._mask
        return out

    def render(self, intensity: Floats, *, batch: int = 16) -> Frames:
        """Frames uint8 `T H W 3` for intensities `T 2 17` (0-5; side, AU).

        Zero gives the picture. On a CPU the same intensities give the same pixels whatever the
        batch size and the number of threads: frames are rendered one by one, on one thread.

        Raises:
            TrackError: not `T 2 17`, not finite, or outside 0-5.
            RenderError: so much at once that over 4 % of the face's triangles flip.
        """
        track = checked(intensity)
        if batch < 1:
            raise InputError(f"batch must be at least 1, got {batch}")
        self.motion.refuse_folds(track)
        out = np.repeat(self.picture[None], len(track), 0)
        size = 1 if self.device.type == "cpu" else batch
        with torch.inference_mode(), one_torch_thread():
            for i in range(0, len(track), size):
                part = torch.from_numpy(track[i : i + size]).to(self.device)
                box = out[i : i + size, *self._box]
                box[:, self._mask] = self._render(part).cpu().numpy()[:, self._mask]
        return out

    def fold_over(self, intensity: Floats) -> NDArray[np.float32]:
        """`T`: share of the face's triangles (openings left out) that turn over."""
        return self.motion.fold_over(intensity)

    def outputs(self, intensity: Tensor) -> Outputs:
        """What the network says of the crop for intensities `B 2 17`, within the face."""
        small = self._small.expand(len(intensity), -1, -1, -1)
        support = self.prior.support.expand(len(intensity), -1, -1, -1)
        maps = self.prior.maps(intensity)
        if isinstance(self._network, CompactGenerator):
            found: Outputs = self._network(small, maps, self.prior.flow(intensity), support)
            return found
        found = self._network(small, maps)
        flow = None if found.flow is None else found.flow * support
        return Outputs(found.colour, 1 - support * (1 - found.attention), flow)

    def _render(self, intensity: Tensor) -> Tensor:
        """uint8 `B h w 3`, the box."""
        if self.halves == "maps":
            values = self._at_full_size(intensity)
        else:
            sides = [self._at_full_size(intensity[:, k : k + 1].expand(-1, 2, -1)) for k in (0, 1)]
            share = left_share(self.prior.midline, self.prior.size, ramp=self.feather)
            mixed = self._up(share, "bilinear" if self.feather else "nearest")
            values = mixed * sides[0] + (1 - mixed) * sides[1]
        return values.round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1)

    def _at_full_size(self, intensity: Tensor) -> Tensor:
        """0-255 `B 3 h w`: the picture moved, the colours that the network changes added, and
        shade."""
        outputs = self.outputs(intensity)
        flow = outputs.flow
        if flow is None:
            flow = outputs.colour.new_zeros((len(outputs.colour), 2, *self._small.shape[2:]))
        small = warp(self._small.expand(len(flow), -1, -1, -1), flow)
        change = (1 - outputs.attention) * (outputs.colour - small)
        planes = self._up(torch.cat([flow, change, small], 1), "bicubic")
        kept = self._up(((outputs.attention - _PAINTED) / _PAINTED).clamp(0, 1), "bilinear")
        pixels = (
            self.prior.size / 2 * self._transform.scale
        )  # a half side of the crop in the picture
        moved = sample_spline(
            self._source, self._x + planes[:, 0] * pixels, self._y + planes[:, 1] * pixels
        )
        # what is painted over takes its detail with it: teeth do not show through a dark mouth
        moved = kept * moved + (1 - kept) * (planes[:, 5:] + 1) * 127.5
        values = moved + planes[:, 2:5] * 127.5
        if self.skin > 0:
            weights = intensity.reshape(len(intensity), COLUMNS) * self.skin
            active = np.flatnonzero(weights.cpu().numpy().any(0)).tolist()
            source = self._on_skin + planes[:, :2].permute(0, 2, 3, 1) * self._skin_unit
            shade = self._shade.factor(weights, active, source)
            values = values if shade is None else values * shade
        return values

    def _up(self, planes: Tensor, mode: str) -> Tensor:
        """Planes over the crop at the pixels of the box."""
        where = self._places.expand(len(planes), -1, -1, -1)
        return F.grid_sample(planes, where, mode=mode, padding_mode="border", align_corners=False)


def _on(
    generator: LearnedGenerator, device: torch.device
) -> CompactGenerator | GanimationGenerator:
    """The network on a device; a copy where that is not the CPU."""
    if device.type == "cpu":
        return generator.network
    return copy.deepcopy(generator.network).to(device)


def _to_range(picture: Picture) -> Tensor:
    values = torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1))).float()
    return values[None] / 127.5 - 1
