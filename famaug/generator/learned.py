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

from famaug.errors import InputError, WeightsError
from famaug.faces.align import crop_face
from famaug.generator.face_motion import checked
from famaug.generator.networks.au_maps import au_maps, left_share
from famaug.generator.networks.compact import CompactGenerator
from famaug.generator.networks.compose import Halves, warp
from famaug.generator.networks.ganimation import GanimationGenerator, Outputs
from famaug.generator.networks.saved import load_generator
from famaug.generator.prior import KnownFace
from famaug.generator.warp import WarpRenderer
from famaug.limits import check_finite
from famaug.processes import one_torch_thread
from famaug.progress import ticked
from famaug.seeding import digest
from famaug.types import Floats, Frames, Picture
from famaug.weights.load import fill, load_safetensors, make_net
from famaug.weights.shipped import SHIPPED, sha256_of, shipped_path
from famaug.weights.tensor_files import load_tensors, subjects_of

SIZE = 128
"""Side of the picture that a network sees, unless its file says another."""
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
        subjects: "dataset/subject" of everybody whom its file names as trained on.
    """

    kind: str
    network: CompactGenerator | GanimationGenerator
    size: int
    weights: str
    subjects: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Kind and version of the way its outputs are used, with what they are added to."""
        return f"compact/2+{WarpRenderer.name}" if self.kind == "compact" else f"{self.kind}/2"


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
    if type(size) is not int or not 32 <= size <= 1024 or size % 8:
        raise WeightsError(f"{path}: its note says size {size!r}; 32 to 1024 by 8 are possible")
    weights = _digest(sha256_of(path))
    if note.get("kind") != "compact":
        return LearnedGenerator(
            "ganimation", load_generator(path)[0], size, weights, subjects_of(path)
        )
    settings = note.get("settings")
    width = settings.get("width") if isinstance(settings, dict) else None
    if type(width) is not int or not 4 <= width <= 512:
        raise WeightsError(f"{path}: its note says width {width!r}; 4 to 512 are possible")
    network = make_net(lambda: CompactGenerator(width=width), tensors, str(path))
    return LearnedGenerator("compact", network, size, weights, subjects_of(path))


def _digest(sha256: str) -> str:
    return digest([sha256, SHIPPED["au_basis"].sha256])


class LearnedRenderer:
    """Renders one face's AUs with a network.

    A compact generator goes on from the warp renderer's picture (`KnownFace`); GANimation begins
    with the neutral one. The network sees the face in a small crop; its motion and what it changes
    in colour are applied at the picture's own resolution, so the picture's own detail stays. Where
    no AU moves anything, nothing changes.

    Args:
        picture: uint8 `H W 3`, the neutral face.
        mesh: `478 3`, its mesh in pixels of the picture.
        generator: which; None is the shipped one.
        skin: strength of furrows and shade of a compact generator's known picture, as of the warp;
            0 draws none. GANimation paints its own.
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
        self.generator = generator or shipped_generator()
        self.skin = skin if self.generator.kind == "compact" else 0.0
        self.halves, self.feather = halves, feather
        self._warp = WarpRenderer(picture, mesh, skin=skin, plain_mouth=True, device=device)
        self.picture, self.mesh, self.motion = (
            self._warp.picture,
            self._warp.mesh,
            self._warp.motion,
        )
        self.device = self._warp.device
        crop, local, transform = crop_face(self.picture, self.mesh, self.generator.size)
        self._face = KnownFace(self._warp, crop, local, transform)
        self._network = _on(self.generator, self.device)
        y, x = (torch.arange(s.stop - s.start, device=self.device) for s in self._face.box)
        self._x, self._y = x.float()[None, None], y.float()[None, :, None]
        self._rest = torch.from_numpy(self.motion.box).permute(2, 0, 1)[None].to(self._x)
        if halves == "paper":
            share = left_share(self._face.midline, self.generator.size, ramp=feather)
            whole = self._face.up(share)
            self._share = whole.clamp(0, 1) if feather else (whole > 0.5).to(whole)

    @property
    def changed(self) -> NDArray[np.bool_]:
        """bool `H W`: pixels that may differ from the picture; all others never do."""
        return self._warp.changed

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
        rows, columns = self._face.box
        with torch.inference_mode(), one_torch_thread():
            for i in ticked(range(0, len(track), size), "rendering"):
                frames = self._warp.rounded(self._render(track[i : i + size]))
                out[i : i + size, rows, columns] = frames.cpu().numpy()
        return out

    def fold_over(self, intensity: Floats) -> NDArray[np.float32]:
        """`T`: share of the face's triangles (openings left out) that turn over."""
        return self.motion.fold_over(intensity)

    def _render(self, track: Floats) -> Tensor:
        """0-255 `B 3 h w`, the box."""
        painted = self._painted if isinstance(self._network, CompactGenerator) else self._repainted
        if self.halves == "maps":
            return painted(track)
        sides = [painted(np.repeat(track[:, k : k + 1], 2, 1)) for k in (0, 1)]
        return self._share * sides[0] + (1 - self._share) * sides[1]

    def _painted(self, track: Floats) -> Tensor:
        """A compact generator's: the known picture moved, and what it changes added."""
        face = self._face
        shown = self._warp.show(track)
        small, inside = face.known(shown)
        count = len(track)
        picture = face.small.expand(count, -1, -1, -1)
        maps = face.maps(torch.from_numpy(track).to(self.device))
        support = face.support.expand(count, -1, -1, -1)
        outputs: Outputs = self._network(picture, small, inside, maps, support)
        flow = outputs.flow
        if flow is None:
            raise InputError("a compact generator's outputs hold a motion")
        change = (1 - outputs.attention) * (outputs.colour - warp(small, flow))
        planes = face.up(torch.cat([flow * face.pixels, change * 127.5], 1))
        check_finite(planes)
        return self._moved(shown.colour, planes[:, :2]) + planes[:, 2:]

    def _repainted(self, track: Floats) -> Tensor:
        """GANimation's: the picture moved where it has a motion, and what it changes added; what
        is painted over takes its detail with it."""
        face = self._face
        count = len(track)
        picture = face.small.expand(count, -1, -1, -1)
        intensity = torch.from_numpy(track).to(self.device)
        maps = au_maps(intensity, face.midline.expand(count, -1, -1), face.size)
        outputs = self._network(picture, maps)
        flow = outputs.flow
        flow = picture.new_zeros((count, 2, face.size, face.size)) if flow is None else flow
        flow = flow * face.support
        attention = 1 - face.support * (1 - outputs.attention)
        small = warp(picture, flow)
        kept = ((attention - _PAINTED) / _PAINTED).clamp(0, 1)
        change = (1 - attention) * (outputs.colour - small)
        planes = face.up(torch.cat([flow * face.pixels, change, small, kept], 1))
        check_finite(planes)
        moved = self._moved(self._rest.expand(count, -1, -1, -1), planes[:, :2])
        share = planes[:, 8:].clamp(0, 1)
        moved = share * moved + (1 - share) * (planes[:, 5:8] + 1) * 127.5
        return moved + planes[:, 2:5] * 127.5

    def _moved(self, colour: Tensor, flow: Tensor) -> Tensor:
        """Colours `B 3 h w` of the box, each pixel from where `flow` (`B 2 h w`, pixels) points."""
        h, w = colour.shape[2:]
        x = (self._x + flow[:, 0]) * (2 / (w - 1)) - 1
        y = (self._y + flow[:, 1]) * (2 / (h - 1)) - 1
        grid = torch.stack([x, y], -1)
        return F.grid_sample(
            colour, grid, mode="bicubic", padding_mode="border", align_corners=True
        )


def _on(
    generator: LearnedGenerator, device: torch.device
) -> CompactGenerator | GanimationGenerator:
    """The network on a device; a copy where that is not the CPU."""
    if device.type == "cpu":
        return generator.network
    return copy.deepcopy(generator.network).to(device)
