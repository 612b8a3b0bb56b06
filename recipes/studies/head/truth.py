"""Pictures and clips of the test head together with what is true of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from famaug.errors import InputError
from famaug.seeding import keyed_generator
from famaug.types import AUS, Clip, ClipRef, Frames, Picture
from head.head import Identity, MakeHumanHead, check_intensity
from head.light import Light, draw_light
from head.rays import Camera, Pose, RayScene
from head.render import render_picture

Floats = NDArray[np.float32]

_HIDDEN = 1e-3


@dataclass(frozen=True, eq=False)
class Truth:
    """One picture and its truth.

    Attributes:
        picture: uint8 `H W 3` RGB.
        landmarks: float32 `478 3`, pixels, in the face mesh's order; z smaller is nearer. The
            centre of the first pixel is (0, 0).
        aus: float32 `2 17`, the intensities shown, left first.
        flow: float32 `H W 2`: where a pixel of the neutral picture (no AUs, the reference pose)
            goes, (dx, dy) in pixels; NaN off the head and where the point is hidden in `picture`.
        pose: how the head is held.
    """

    picture: Picture
    landmarks: Floats
    aus: Floats
    flow: Floats
    pose: Pose


@dataclass(frozen=True, eq=False)
class TruthClip:
    """A clip and its truth: frames uint8 `T H W 3`, landmarks `T 478 3`, aus `T 2 17`, flow
    `T H W 2` from the first frame's pose without AUs (None if not asked for), poses."""

    frames: Frames
    landmarks: Floats
    aus: Floats
    flow: Floats | None
    poses: tuple[Pose, ...]
    identity: Identity

    def clip(self, *, fps: float = 100.0) -> Clip:
        """The frames as a `Clip` of the data set "makehuman"."""
        name = f"id{self.identity.seed}"
        return Clip(ClipRef(dataset="makehuman", subject=name, clip="clip", fps=fps), self.frames)


@lru_cache(maxsize=1)
def default_head() -> MakeHumanHead:
    """The head made from the fetched archive, once a process."""
    return MakeHumanHead()


def render_truth(
    identity: Identity,
    aus: NDArray[np.floating[Any]] | None = None,
    *,
    pose: Pose | None = None,
    reference_pose: Pose | None = None,
    size: int = 400,
    light: Light | None = None,
    noise: float = 0.0,
    zoom: float = 0.42,
    samples: int = 2,
    head: MakeHumanHead | None = None,
) -> Truth:
    """Render a person with these AUs.

    Args:
        identity: from `MakeHumanHead.identity` or `mean_identity`.
        aus: float `2 17`, 0-5, the person's left first; none for neutral.
        pose: how the head is held; straight ahead if not given.
        reference_pose: pose of the neutral picture that `flow` starts from; `pose` if not given.
        size: side of the square picture, 32-4096 pixels.
        light: drawn from the identity's seed if not given.
        noise: standard deviation of sensor noise, grey levels.
        zoom: pixels a decimetre at the eyes, as a share of `size`.
        samples: rays a pixel, each way.
        head: `default_head()` if not given.

    Raises:
        InputError: AUs of another shape or outside 0-5; impossible camera.
        FetchError: the MakeHuman archive is not stored and cannot be fetched.
    """
    head = head or default_head()
    pose = pose or Pose()
    asked = check_intensity(np.zeros((2, len(AUS))) if aus is None else aus)
    camera = Camera(size, zoom)
    surface = head.surface(identity, asked)
    picture = render_picture(
        head,
        identity,
        surface,
        pose=pose,
        camera=camera,
        light=light or draw_light(identity.seed or 0),
        samples=samples,
    )
    return Truth(
        picture=_with_noise(picture, noise, identity.seed or 0, 0),
        landmarks=_landmarks(head, identity, surface.vertices, pose, camera),
        aus=asked.astype(np.float32),
        flow=_Reference(head, identity, reference_pose or pose, camera).flow(
            pose.apply(surface.vertices)
        ),
        pose=pose,
    )


def truth_clip(
    identity_seed: int | None,
    aus: NDArray[np.floating[Any]],
    poses: NDArray[np.floating[Any]] | None = None,
    *,
    size: int = 400,
    light: Light | None = None,
    noise: float = 1.0,
    zoom: float = 0.42,
    samples: int = 2,
    with_flow: bool = False,
    head: MakeHumanHead | None = None,
) -> TruthClip:
    """Render a clip.

    Args:
        identity_seed: whose face; None is the mean head.
        aus: float `T 2 17`, 0-5, the person's left first.
        poses: float `T 3`, yaw, pitch, roll in degrees (see `Pose`); all 0 if not given.
        with_flow: also the dense flow of every frame (see `Truth`).
        The rest as in `render_truth`; noise differs from frame to frame, repeatably.
    """
    head = head or default_head()
    track = np.asarray(aus, np.float64)
    if track.ndim != 3 or len(track) == 0:
        raise InputError(f"aus must be T x 2 x {len(AUS)} with T >= 1; got {track.shape}")
    angles = np.zeros((len(track), 3)) if poses is None else np.asarray(poses, np.float64)
    if angles.shape != (len(track), 3):
        raise InputError(f"poses must be {len(track)} x 3 (degrees); got {angles.shape}")
    identity = head.mean_identity() if identity_seed is None else head.identity(identity_seed)
    light = light or draw_light(identity_seed or 0)
    camera = Camera(size, zoom)
    held = tuple(Pose(float(y), float(p), float(r)) for y, p, r in angles)
    reference = _Reference(head, identity, held[0], camera) if with_flow else None
    frames, landmarks, flow = [], [], []
    for t, pose in enumerate(held):
        surface = head.surface(identity, track[t])
        picture = render_picture(
            head, identity, surface, pose=pose, camera=camera, light=light, samples=samples
        )
        frames.append(_with_noise(picture, noise, identity_seed or 0, t))
        landmarks.append(_landmarks(head, identity, surface.vertices, pose, camera))
        if reference is not None:
            flow.append(reference.flow(pose.apply(surface.vertices)))
    return TruthClip(
        frames=np.stack(frames),
        landmarks=np.stack(landmarks),
        aus=track.astype(np.float32),
        flow=np.stack(flow) if flow else None,
        poses=held,
        identity=identity,
    )


def _landmarks(
    head: MakeHumanHead, identity: Identity, vertices: Floats, pose: Pose, camera: Camera
) -> Floats:
    points = head.landmarks(identity, vertices)
    return camera.project(pose.apply(points)).astype(np.float32)


def _with_noise(picture: Picture, sigma: float, seed: int, frame: int) -> Picture:
    if sigma == 0:
        return picture
    draw = keyed_generator(seed, "makehuman", "noise", frame)
    noisy = picture + draw.normal(0, sigma, picture.shape)
    return np.clip(np.round(noisy), 0, 255).astype(np.uint8)


class _Reference:
    """The neutral picture's rays: which point of the head each pixel sees."""

    def __init__(self, head: MakeHumanHead, identity: Identity, pose: Pose, camera: Camera) -> None:
        neutral = head.surface(identity, np.zeros((2, len(AUS))))
        scene = RayScene(pose.apply(neutral.vertices), head.triangles)
        hits = scene.first_hits(*camera.rays(1))
        self._camera, self._triangles = camera, head.triangles
        self._pixels = np.flatnonzero(hits.triangle >= 0)
        self._corners = head.triangles[hits.triangle[self._pixels]]
        self._weights = hits.weights[self._pixels].astype(np.float64)

    def flow(self, posed: NDArray[np.floating[Any]]) -> Floats:
        """float32 `H W 2` to a surface whose vertices are at `posed` (camera frame)."""
        size = self._camera.size
        points = (posed[self._corners] * self._weights[:, :, None]).sum(axis=1)
        seen = self._camera.project(points)[:, :2]
        y, x = np.divmod(self._pixels, size)
        flow = np.full((size * size, 2), np.nan, np.float32)
        flow[self._pixels] = seen - np.stack([x, y], axis=1)
        flow[self._pixels[self._hidden(posed, points)]] = np.nan
        return flow.reshape(size, size, 2)

    def _hidden(
        self, posed: NDArray[np.floating[Any]], points: NDArray[np.floating[Any]]
    ) -> NDArray[np.bool_]:
        origin = np.zeros_like(points, dtype=np.float32)
        origin[:, 2] = self._camera.distance
        way = points.astype(np.float32) - origin
        hits = RayScene(posed, self._triangles).first_hits(origin, way)
        result: NDArray[np.bool_] = hits.depth < 1 - _HIDDEN
        return result
