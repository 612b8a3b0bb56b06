"""Renders the head: rays, light, paint, anti-aliasing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from famaug.seeding import keyed_generator
from famaug.types import Picture
from head.head import Identity, MakeHumanHead, Surface
from head.light import Light, vertex_light, vertex_normals
from head.paint import Samples, paint
from head.rays import Camera, Hits, Pose, RayScene

Floats = NDArray[np.float32]

_SKIN_WRAP = np.array([0.30, 0.14, 0.10], np.float32)
"""How far light creeps round the terminator, by colour: red travels furthest under skin."""


def render_picture(
    head: MakeHumanHead,
    identity: Identity,
    surface: Surface,
    *,
    pose: Pose,
    camera: Camera,
    light: Light,
    samples: int = 2,
) -> Picture:
    """uint8 `H W 3` RGB."""
    posed = pose.apply(surface.vertices).astype(np.float32)
    scene = RayScene(posed, head.triangles)
    hits = scene.first_hits(*camera.rays(samples))
    found = hits.triangle >= 0
    side = camera.size * samples
    linear = background(identity, camera.size, samples).reshape(-1, 3)
    linear[found] = _shade(head, identity, posed, scene, hits, found, camera, light)
    shape = (camera.size, samples, camera.size, samples, 3)
    mean = linear.reshape(side, side, 3).reshape(shape).mean(axis=(1, 3))
    return to_srgb(mean)


def to_srgb(linear: Floats) -> Picture:
    """Linear RGB to uint8 sRGB, highlights rolled off softly."""
    x = np.where(linear > 0.8, 0.8 + 0.2 * np.tanh((linear - 0.8) / 0.2), linear)
    x = np.clip(x, 0, 1)
    encoded = np.where(x <= 0.0031308, 12.92 * x, 1.055 * x ** (1 / 2.4) - 0.055)
    result: Picture = np.round(255 * encoded).astype(np.uint8)
    return result


def background(identity: Identity, size: int, samples: int) -> Floats:
    """A still, softly mottled wall: float32 `H W 3`, linear, at the resolution of the rays."""
    draw = keyed_generator(identity.seed or 0, "makehuman", "background")
    tone = draw.uniform(0.12, 0.45) * draw.uniform(0.9, 1.1, size=3)
    rough = gaussian_filter(draw.normal(size=(64, 64)), 4, mode="wrap")
    rough = np.kron(rough / rough.std(), np.ones((8, 8)))
    rough = gaussian_filter(rough, 6, mode="wrap")
    side = size * samples
    at = (np.arange(side) * 512 / side).astype(int)
    wall = np.exp(0.12 * rough[np.ix_(at, at)])[:, :, None] * tone
    result: Floats = wall.astype(np.float32)
    return result


def _shade(
    head: MakeHumanHead,
    identity: Identity,
    posed: Floats,
    scene: RayScene,
    hits: Hits,
    found: NDArray[np.bool_],
    camera: Camera,
    light: Light,
) -> Floats:
    normals = vertex_normals(posed, head.triangles)
    corners = head.triangles[hits.triangle[found]]
    seen = np.unique(corners)
    sky, key = np.zeros((2, len(posed)), np.float32)
    sky[seen], key[seen] = vertex_light(scene, posed[seen], normals[seen], light)
    table = np.concatenate(
        [normals, head.material, head.uv, sky[:, None], key[:, None], posed], axis=1
    )
    w = hits.weights[found]
    at = table[corners[:, 0]] * w[:, :1]
    at += table[corners[:, 1]] * w[:, 1:2]
    at += table[corners[:, 2]] * w[:, 2:]
    normal = at[:, :3] / (np.linalg.norm(at[:, :3], axis=1, keepdims=True) + 1e-9)
    part = head.part[corners[:, 0]]
    colour, gloss = paint(Samples(part, at[:, 3:6], at[:, 6:8]), identity.complexion, head.features)
    to_eye = np.array([0, 0, camera.distance], np.float32) - at[:, 10:13]
    to_eye /= np.linalg.norm(to_eye, axis=1, keepdims=True)
    return _lit(colour, gloss, normal, to_eye, at[:, 8], at[:, 9], light, part)


def _lit(
    colour: Floats,
    gloss: Floats,
    normal: Floats,
    to_eye: Floats,
    sky: Floats,
    key: Floats,
    light: Light,
    part: NDArray[np.int8],
) -> Floats:
    n_l = (normal @ light.direction)[:, None]
    wrapped = np.clip((n_l + _SKIN_WRAP) / (1 + _SKIN_WRAP), 0, 1) ** 1.3
    up = 0.75 + 0.25 * normal[:, 1]
    ambient = light.sky * (up * sky)[:, None] ** np.array([0.8, 1.0, 1.1], np.float32)
    result = colour * (ambient + light.key * key[:, None] * wrapped)
    half = to_eye + light.direction
    half /= np.linalg.norm(half, axis=1, keepdims=True)
    n_h = np.clip((normal * half).sum(axis=1), 0, 1)
    is_eye = part >= 4
    lobe = np.where(is_eye, 1.6 * n_h**350, 0.10 * n_h**14 + 0.06 * n_h**45)
    edge = (1 - np.clip((normal * to_eye).sum(axis=1), 0, 1)) ** 4
    shine = gloss * (light.key * key * lobe * (n_l[:, 0] > 0) + 0.12 * light.sky * sky * edge)
    result += shine[:, None]
    lit: Floats = result.astype(np.float32)
    return lit
