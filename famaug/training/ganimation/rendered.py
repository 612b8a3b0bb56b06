"""Faces to train on without end: neutral ones rendered by the warp, so that their AUs are known.

A scene is one person's picture under one light, blur, noise and pose. Its pictures differ by their
AUs alone, so that the true answer to "this picture, with those AUs" is there for any two of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from famaug.errors import FaceError, InputError, MediaError, RenderError
from famaug.faces.align import CropTransform, crop_transform, crop_with
from famaug.faces.mesher import FaceMesher
from famaug.generator.motion.face_motion import FaceMotion
from famaug.generator.motion.inverse import at_nodes, to_grid
from famaug.generator.warp import WarpRenderer
from famaug.media.clips import read_picture
from famaug.seeding import digest, keyed_generator
from famaug.training.ganimation.faces import Face, Skipped
from famaug.training.ganimation.sources import CropOptions, midline_in, why
from famaug.types import AUS, Floats, Picture

FINER = 2
"""Pictures are rendered so many times finer than they are kept."""
TRIES = 8
"""Draws of an expression before a face that folds every time is left at rest."""
ONE_SIDED, AT_REST = 0.35, 0.1
"""Shares of AUs that are weaker on one side, and of further pictures at rest."""


@dataclass(frozen=True, kw_only=True)
class SceneOptions:
    """What is rendered of each face.

    Attributes:
        scenes: lights, blurs, noises and poses a face.
        expressions: pictures a scene; the first is at rest.
        most_units: AUs at once.
        strongest: intensity up to which each is drawn, 0-5.
        variation: how much scenes differ; 0 leaves the photograph as it is, 1 turns it by up to 8
            degrees, moves and scales it by up to 5 and 8 %, halves or doubles its light on a side
            at most, and adds blur and noise as cheap cameras have them.
    """

    scenes: int = 4
    expressions: int = 16
    most_units: int = 4
    strongest: float = 4.0
    variation: float = 1.0

    def __post_init__(self) -> None:
        if self.scenes < 1 or self.expressions < 2 or not 1 <= self.most_units <= len(AUS):
            raise InputError(
                f"scenes 1 or more, expressions 2 or more, most_units 1-{len(AUS)}; got {self}"
            )
        if not 0 < self.strongest <= 5 or not 0 <= self.variation <= 2:
            raise InputError(f"strongest is above 0 and up to 5, variation 0-2; got {self}")


class Scene(NamedTuple):
    """A neutral picture `S S 3` as one camera saw it, and its mesh there."""

    picture: Picture
    mesh: Floats


def faces_of_renders(
    files: Iterable[Path],
    options: CropOptions,
    scenes: SceneOptions,
    *,
    seed: int = 0,
    mesher: FaceMesher | None = None,
) -> Iterator[Face | Skipped]:
    """Rendered faces of neutral pictures, named PICTURE#NUMBER; a function of pictures and seed.

    Args:
        files: neutral faces; what they show is taken for rest.
        options: of the crops.
        scenes: what is rendered of each.
        seed: of all that is drawn.
        mesher: to use again.
    """
    mesher = mesher or FaceMesher()
    for file in files:
        try:
            picture = read_picture(file)
            mesh = mesher.find(picture)
            for number in range(scenes.scenes):
                scene = scene_of(picture, mesh, options, scenes, (seed, file.stem, number))
                yield from _rendered(file.stem, number, scene, options, scenes, seed)
        except MediaError:
            yield Skipped(file.name, "not a readable picture")
        except FaceError as error:
            yield Skipped(file.name, why(error))


def renderer_key() -> str:
    """Of all that pixels depend on beside the pictures and what is drawn."""
    return digest([WarpRenderer.name, WarpRenderer.weights, "scenes/1"])


def scene_of(
    picture: Picture,
    mesh: Floats,
    options: CropOptions,
    scenes: SceneOptions,
    key: tuple[int, str, int],
) -> Scene:
    """One drawn scene of a face, `FINER` times as fine as its pictures are kept."""
    draw, much = keyed_generator(key[0], "scene", *key[1:]), scenes.variation
    size = options.size * FINER
    transform = _turned(crop_transform(mesh, size, margin=options.margin), draw, much)
    shown = crop_with(picture, transform).astype(np.float32)
    moved = transform.to_crop(mesh)
    shown = _seen_by_a_camera(_lit(shown, draw, much), draw, much)
    return Scene(np.clip(np.rint(shown), 0, 255).astype(np.uint8), moved)


def draw_expression(draw: np.random.Generator, scenes: SceneOptions) -> Floats:
    """`2 17`: one to `most_units` AUs up to `strongest`, some of them weaker on one side."""
    out = np.zeros((2, len(AUS)), np.float32)
    for unit in draw.choice(len(AUS), draw.integers(1, scenes.most_units + 1), replace=False):
        out[:, unit] = draw.uniform(0.2, scenes.strongest)
        if draw.random() < ONE_SIDED:
            out[draw.integers(2), unit] *= draw.uniform(0, 0.5)
    return out


def _rendered(
    name: str,
    number: int,
    scene: Scene,
    options: CropOptions,
    scenes: SceneOptions,
    seed: int,
) -> Iterator[Face]:
    """A scene's pictures, the first one at rest."""
    renderer = WarpRenderer(scene.picture, scene.mesh)
    midline = midline_in(np.asarray(scene.mesh / FINER - (FINER - 1) / (2 * FINER), np.float32))
    still = np.zeros((2, len(AUS)), np.float32)
    for k in range(scenes.expressions):
        draw = keyed_generator(seed, "expression", name, number, k)
        asked, shown = still, scene.picture
        if k and draw.random() >= AT_REST:
            for _ in range(TRIES):
                drawn = draw_expression(draw, scenes)
                try:
                    shown = renderer.render(drawn[None])[0]
                except RenderError:  # it folds on this face
                    continue
                asked = drawn
                break
        crop = np.asarray(
            cv2.resize(shown, (options.size, options.size), interpolation=cv2.INTER_AREA), np.uint8
        )
        place, motion = number * scenes.expressions + k, motion_of(renderer.motion, asked)
        yield Face(f"{name}#{place}", crop, midline, asked, scene=f"{name}@{number}", motion=motion)


def motion_of(motion: FaceMotion, intensity: Floats) -> NDArray[np.float16]:
    """Where each place of a scene's picture comes from for intensities `2 17` (see `Face`)."""
    side, g = len(motion.picture), motion.grid
    cell = 2 * FINER
    centres = (np.arange(side // cell) + 0.5) * cell - 0.5
    nodes = [(centres - low) / each for low, each in zip((g.x0, g.y0), g.step, strict=True)]
    at = torch.from_numpy(np.stack(np.meshgrid(*nodes), -1)[None].astype(np.float32))
    weights = torch.from_numpy(intensity.reshape(1, -1))
    with torch.inference_mode():
        inverse = motion.backward(weights, np.flatnonzero(intensity).tolist())
        grid = to_grid(at, g.lines, g.columns)
        inside = (grid.abs() <= 1).all(-1)[:, None]
        pixels = at_nodes(inverse, grid) * inside * at.new_tensor(g.step)[None, :, None, None]
    return np.asarray(pixels[0].numpy() / (side / 2), np.float16)


def _turned(crop: CropTransform, draw: np.random.Generator, much: float) -> CropTransform:
    """The crop turned, moved and scaled a little about its own centre."""
    angle = np.deg2rad(8 * much) * draw.uniform(-1, 1)
    times = 1 + 0.08 * much * draw.uniform(-1, 1)
    c, s = times * np.cos(angle), times * np.sin(angle)
    a, b = float(crop.a * c - crop.b * s), float(crop.a * s + crop.b * c)
    half = (crop.size - 1) / 2
    centre = crop.to_picture(half + 0.05 * much * crop.size * draw.uniform(-1, 1, 2))
    return replace(
        crop, a=a, b=b,
        cx=float(centre[0] - (a - b) * half), cy=float(centre[1] - (a + b) * half),
    )  # fmt: skip


def _lit(picture: Floats, draw: np.random.Generator, much: float) -> Floats:
    """Another light: its colour and strength, from a side, and the camera's curve."""
    n = len(picture)
    colour = np.exp(0.06 * much * draw.standard_normal(3) + 0.2 * much * draw.uniform(-1, 1))
    angle, fall = draw.uniform(0, 2 * np.pi), np.log(2) / 2 * much * draw.uniform(-1, 1)
    steps = np.linspace(-1, 1, n)
    side = np.exp(fall * (np.cos(angle) * steps[None] + np.sin(angle) * steps[:, None]))
    values = (np.clip(picture, 0, 255) / 255) ** np.exp(0.25 * much * draw.uniform(-1, 1))
    grey = values.mean(2, keepdims=True)
    values = grey + (values - grey) * (1 - 0.6 * min(much, 1.0) * draw.random())
    return np.asarray(255 * values * colour * side[:, :, None], np.float32)


def _seen_by_a_camera(picture: Floats, draw: np.random.Generator, much: float) -> Floats:
    """Blur of up to one kept pixel, and noise of up to 4 grey levels."""
    width, noise = 1.0 * FINER * much * draw.random() ** 2, 4 * much * draw.random()
    if width > 0.2:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), width), np.float32)
    grain = draw.standard_normal(picture.shape, dtype=np.float32)
    return np.asarray(picture + np.float32(noise) * grain, np.float32)
