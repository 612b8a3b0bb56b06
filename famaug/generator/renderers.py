"""Which generators there are, and from a plan's words to one of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np

from famaug.clip_options import check_generator
from famaug.errors import RenderError
from famaug.generator.face_motion import room_needed
from famaug.generator.learned import (
    LearnedGenerator,
    LearnedRenderer,
    open_generator,
)
from famaug.generator.warp import WarpRenderer
from famaug.types import Floats, Frames, Picture
from famaug.weights.shipped import SHIPPED

"""By name; a generator's own file does as well."""


Room = tuple[int, int, int, int]


class Renderer(Protocol):
    """One face, ready to show AUs."""

    picture: Picture
    mesh: Floats

    def render(self, intensity: Floats) -> Frames:
        """Frames uint8 `T H W 3` for intensities `T 2 17`."""
        ...


class Widened:
    """A face that its picture cuts too tightly to be moved: the border is repeated outwards, the
    face is rendered there, and the frames are cut back to the picture."""

    def __init__(
        self, setting: RenderSetting, picture: Picture, mesh: Floats, device: str, room: Room
    ) -> None:
        top, _, left, _ = room
        wide = cv2.copyMakeBorder(picture, *room, cv2.BORDER_REPLICATE)
        moved = np.array(mesh, np.float32) + np.array([left, top, 0], np.float32)
        self.inner = setting.renderer(np.asarray(wide, np.uint8), moved, device)
        self.picture, self.mesh = picture, mesh
        height, width = picture.shape[:2]
        self._cut = np.s_[top : top + height, left : left + width]

    @property
    def changed(self) -> Any:
        """bool `H W`: what any AU can change."""
        return getattr(self.inner, "changed")[self._cut]  # noqa: B009  not of every renderer

    def render(self, intensity: Floats) -> Frames:
        frames = self.inner.render(intensity)
        return np.ascontiguousarray(frames[:, self._cut[0], self._cut[1]])


@dataclass(frozen=True, eq=False)
class RenderSetting:
    """A generator with its options, as a plan says it.

    Attributes:
        name: generator and version.
        weights: digest of its weights.
        options: JSON-able: skin, and halves and feather of networks.
        learned: the network, or None for the warp.
    """

    name: str
    weights: str
    options: Mapping[str, Any]
    learned: LearnedGenerator | None

    def renderer(self, picture: Picture, mesh: Floats, device: str) -> Renderer:
        """For one face.

        Raises:
            InputError, FaceError: the picture or the mesh will not do.
        """
        room = room_needed(mesh, picture.shape[:2])
        if any(room):
            return Widened(self, picture, mesh, device, room)
        if self.learned is None:
            return WarpRenderer(picture, mesh, device=device, **self.options)
        return LearnedRenderer(picture, mesh, generator=self.learned, device=device, **self.options)

    def check(self, name: str, weights: str, options: Mapping[str, Any]) -> None:
        """Raises:
        RenderError: a plan says another generator, other weights or other options.
        """
        if (name, weights) != (self.name, self.weights):
            raise RenderError(
                f"the plan asks for {name} with weights {weights[:12]}; this is {self.name} with "
                f"{self.weights[:12]}: use the generator (and famaug version) that made the plan, "
                "or plan again"
            )
        if dict(options) != dict(self.options):
            raise RenderError(
                f"the plan was made with {dict(options)}, and this is {dict(self.options)}: make "
                "the Synthesizer with the plan's options, or plan again"
            )


def find_setting(
    generator: str, *, skin: float = 1.0, halves: str = "maps", feather: float = 0.0
) -> RenderSetting:
    """The generator of that name.

    Args:
        generator: "warp", or the path of a generator's file (`.safetensors`).
        skin: see `WarpRenderer`.
        halves, feather: of networks, see `LearnedRenderer`.

    Raises:
        InputError: unknown name, or an option out of range.
        WeightsError: the file is no generator.
    """
    check_generator(generator, skin=skin, halves=halves, feather=feather)
    if generator == "warp":
        return RenderSetting(
            WarpRenderer.name, SHIPPED["au_basis"].sha256, {"skin": float(skin)}, None
        )
    learned = open_generator(Path(generator))
    options = {"halves": halves, "feather": float(feather)}
    return RenderSetting(LearnedRenderer.name, learned.weights, options, learned)
