"""Moving faces for replicas: photographs moved by AUs, or tiny faces made of formulas."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from famaug.errors import FaceError, InputError, MediaError, RenderError
from famaug.media.clips import frame_paths, read_picture
from famaug.seeding import keyed_generator
from famaug.types import AU_INDEX, Floats, Frames, Picture

PUSHES: dict[int, tuple[tuple[float, float, float, float, float], ...]] = {
    1: ((0.42, 0.22, 0.10, 0, -1), (0.58, 0.22, 0.10, 0, -1)),
    2: ((0.25, 0.22, 0.10, 0, -1), (0.75, 0.22, 0.10, 0, -1)),
    4: ((0.38, 0.22, 0.12, 0.3, 1), (0.62, 0.22, 0.12, -0.3, 1)),
    5: ((0.30, 0.34, 0.08, 0, -0.8), (0.70, 0.34, 0.08, 0, -0.8)),
    6: ((0.25, 0.48, 0.12, 0, -0.8), (0.75, 0.48, 0.12, 0, -0.8)),
    7: ((0.30, 0.40, 0.08, 0, -0.6), (0.70, 0.40, 0.08, 0, -0.6)),
    9: ((0.45, 0.50, 0.08, 0, -1), (0.55, 0.50, 0.08, 0, -1)),
    10: ((0.44, 0.66, 0.09, 0, -1), (0.56, 0.66, 0.09, 0, -1)),
    12: ((0.33, 0.74, 0.11, -0.8, -1), (0.67, 0.74, 0.11, 0.8, -1)),
    14: ((0.33, 0.74, 0.08, -1, 0), (0.67, 0.74, 0.08, 1, 0)),
    15: ((0.33, 0.76, 0.10, 0, 1), (0.67, 0.76, 0.10, 0, 1)),
    17: ((0.45, 0.88, 0.10, 0, -1), (0.55, 0.88, 0.10, 0, -1)),
    20: ((0.33, 0.75, 0.10, -1, 0.2), (0.67, 0.75, 0.10, 1, 0.2)),
    23: ((0.44, 0.75, 0.08, 0.6, 0), (0.56, 0.75, 0.08, -0.6, 0)),
    25: ((0.44, 0.80, 0.09, 0, 0.8), (0.56, 0.80, 0.09, 0, 0.8)),
    26: ((0.44, 0.86, 0.14, 0, 1), (0.56, 0.86, 0.14, 0, 1)),
}
"""AU: for the right (seen left) and left side: centre x, y, width, and push x, y at full size."""
NOISE = 0.9
"""Grey values: sensor noise at middle grey."""
MARGIN = 2.2
"""Side of the crop that a photograph is rendered in, over its face: room for the framing."""
BROWS_AT, MOUTH_AT = 0.15, 0.78
"""Heights of brows and mouth in a cropped release, as measured in the public composite."""


class Media(Protocol):
    """Makes the frames of a clip."""

    def clip(
        self,
        person: int,
        track: Floats,
        rng: np.random.Generator,
        *,
        size: tuple[int, int],
        tight: bool,
    ) -> Frames:
        """uint8 `T H W 3` of person number `person` showing a track `T 2 17`."""  # fmt: skip
        ...


class Formulas:
    """Tiny coloured patterns with brows and a mouth, pushed about by AUs: fast, without files."""

    def clip(
        self, person: int, track: Floats, rng: np.random.Generator, *, size: tuple[int, int],
        tight: bool,
    ) -> Frames:  # fmt: skip
        h, w = size
        face = _pattern(person, h, w)
        y, x = np.mgrid[0:h, 0:w].astype(np.float32)
        moved = [cv2.remap(face, *_pushed(t, x, y, h, w), cv2.INTER_LINEAR,
                           borderMode=cv2.BORDER_REPLICATE) for t in track]  # fmt: skip
        return _sensed(np.stack(moved).astype(np.float32), rng)


class Photographs:
    """Faces of a folder of pictures, moved by the renderer, with small head motion.

    Raises:
        InputError: fewer usable faces than people, or no such folder.
    """

    def __init__(self, folder: Path, people: int, *, seed: int) -> None:
        from famaug.aus.basis import head_pose
        from famaug.faces.mesher import FaceMesher
        from famaug.faces.pose import angles

        if not folder.is_dir():
            raise InputError(f"identities={folder}: asked for a folder of face pictures")
        mesher = FaceMesher()
        paths = frame_paths(folder)
        order = keyed_generator(seed, "replica-people").permutation(len(paths))
        self.faces: list[tuple[Picture, Floats]] = []
        for i in order:
            if len(self.faces) == people:
                break
            try:
                picture = read_picture(paths[i])
                mesh = mesher.find(picture)
            except (FaceError, MediaError):
                continue
            yaw, pitch, _ = angles(head_pose(mesh).rotation)
            if max(abs(yaw), abs(pitch)) < 20:
                self.faces.append((picture, mesh))
        if len(self.faces) < people:
            raise InputError(
                f"{folder}: {len(self.faces)} of {len(paths)} pictures show a usable frontal "
                f"face; {people} people are needed: pass subjects={len(self.faces)} or more faces"
            )

    def clip(
        self, person: int, track: Floats, rng: np.random.Generator, *, size: tuple[int, int],
        tight: bool,
    ) -> Frames:  # fmt: skip
        from famaug.faces.align import crop_face
        from famaug.faces.framing import Framing, framed, matrix_of
        from famaug.generator.warp import WarpRenderer

        picture, mesh = self.faces[person]
        h, w = size
        side = int(np.clip(max(h, w) * 1.3, 128, 640))
        crop, crop_mesh, _ = crop_face(picture, mesh, side, margin=MARGIN)
        try:
            frames = WarpRenderer(crop, crop_mesh).render(track)
        except RenderError:
            frames = WarpRenderer(crop, crop_mesh).render(track * 0.6)
        brows, mouth = (BROWS_AT, MOUTH_AT) if tight else (0.38, 0.62)
        jitter = rng.normal(0, 0.012, 4)
        place = Framing(0.5 + jitter[0], brows + jitter[1], 0.5 + jitter[2], mouth + jitter[3])
        matrix = matrix_of(crop_mesh, place, size)
        path = _head_motion(rng, len(track), h * (mouth - brows))
        out = [framed(f, matrix, size, move) for f, move in zip(frames, path, strict=True)]
        return _sensed(np.stack(out), rng)


def media_for(identities: Path | None, people: int, *, seed: int) -> Media:
    return Formulas() if identities is None else Photographs(identities, people, seed=seed)


def _pattern(person: int, h: int, w: int) -> Picture:
    """A head on a ground, brows, eyes, nose and mouth, in the person's own colours."""
    rng = keyed_generator(person, "replica-face")
    y, x = np.mgrid[0:h, 0:w] / np.array([h, w]).reshape(2, 1, 1)
    skin = rng.uniform(120, 210, 3)
    picture = np.full((h, w, 3), 1.0) * rng.uniform(20, 80, 3)
    head = (((x - 0.5) / 0.46) ** 2 + ((y - 0.52) / 0.56) ** 2)[..., None] < 1
    grain = 10 * np.sin(x * rng.uniform(20, 40)) * np.cos(y * rng.uniform(20, 40))
    picture = np.where(head, skin + grain[..., None], picture)
    dark = skin * 0.35
    for cx in (0.3, 0.7):
        picture[(abs(x - cx) < 0.11) & (abs(y - 0.22) < 0.025)] = dark
        picture[((x - cx) / 0.08) ** 2 + ((y - 0.38) / 0.04) ** 2 < 1] = 235
        picture[(x - cx) ** 2 + (y - 0.38) ** 2 < 0.0012] = 20
    picture[(abs(x - 0.5) < 0.03) & (abs(y - 0.5) < 0.1)] = skin * 0.8
    picture[((x - 0.5) / 0.17) ** 2 + ((y - 0.75) / 0.035) ** 2 < 1] = [*dark[:1] + 40, *dark[1:]]
    soft = cv2.GaussianBlur(np.clip(picture, 0, 255).astype(np.float32), (0, 0), 0.7)
    return np.asarray(soft.astype(np.uint8))


def _pushed(intensity: Floats, x: Floats, y: Floats, h: int, w: int) -> tuple[Floats, Floats]:
    """Where each pixel comes from under intensities `2 17`."""
    dx, dy = np.zeros_like(x), np.zeros_like(y)
    for au, pushes in PUSHES.items():
        for side, (cx, cy, width, px, py) in zip((1, 0), pushes, strict=True):
            strength = float(intensity[side, AU_INDEX[au]]) * 0.012 * h
            if strength:
                r = ((x / w - cx) ** 2 + (y / h - cy) ** 2) / width**2
                dx += strength * px * np.exp(-r)
                dy += strength * py * np.exp(-r)
    return (x - dx).astype(np.float32), (y - dy).astype(np.float32)


def _head_motion(rng: np.random.Generator, length: int, scale: float) -> Floats:
    """`T 4`: shift x, y (pixels), turn (radians) and growth (log) of a head that is held still:
    a slow drift and a faint tremor."""
    t = np.arange(length) / max(length - 1, 1)
    size = np.array([0.006, 0.006, 0.004, 0.002]) * [scale, scale, 1, 1]
    drift = rng.normal(0, 1, 4) * t[:, None] ** rng.uniform(0.8, 1.6)
    tremor = 0.25 * np.sin(2 * np.pi * rng.uniform(0.5, 2.5, 4) * t[:, None] + rng.uniform(0, 6, 4))
    path: Floats = ((drift + tremor - tremor[:1]) * size).astype(np.float32)
    return path


def _sensed(frames: Floats, rng: np.random.Generator) -> Frames:
    """As a sensor sees it: noise that grows with the light, a little of it shared by colours."""
    spread = NOISE * np.sqrt(0.3 + frames / 180)
    noise = rng.standard_normal(frames.shape, np.float32)
    grey = rng.standard_normal((*frames.shape[:3], 1), np.float32)
    noisy = frames + spread * (0.7 * noise + 0.7 * grey)
    out: Frames = np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
    return out
