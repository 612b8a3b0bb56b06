"""How a data set's clips look, as numbers, and synthetic clips made to look the same.

A profile is fitted on a fold's real training clips (`famaug.data.look_fit.fit_look`) and kept in a
file. What is drawn from it for one clip goes into the plan, and so into the clip's key; applying
it draws nothing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from famaug.errors import InputError, RenderError
from famaug.faces.framing import Framing, anchors, framed, matrix_of
from famaug.files.limits import check_finite, read_json, translated
from famaug.files.whole import write_whole
from famaug.modulation.retime import resample
from famaug.people.persons import canonical
from famaug.seeding import keyed_generator
from famaug.types import AU_INDEX, AUTrack, Floats, Frames

VERSION = "look/1"
FARTHEST = 2.0
"""Standard deviations that a drawn framing stays within."""
BLINK_SECONDS = 0.2
BLINK_INTENSITY = 4.0
DIGITS = 5


@dataclass(frozen=True, kw_only=True)
class Look:
    """What real clips have and synthetic ones lack.

    Attributes:
        size: (height, width) of the frames.
        fps: frames per second.
        grey: the frames have no colour.
        framing: brow x, y, mouth x, y as shares of width and height: the mean.
        spread: `4 4`, their covariance between clips.
        blur: standard deviation in pixels of the edges' softness.
        noise: sensor noise as ((grey level, standard deviation), ...), before compression.
        chroma: standard deviation of the noise of colours, before compression.
        jpeg: quality of the frames' JPEG, or None.
        paths: head motion of real clips: (seconds, `N 4`: shift x, y in shares of the distance
            from brows to mouth, turn in radians, growth as logarithm).
        blinks: blinks a second.
        subjects: "dataset/subject" of everyone measured: the leakage guard reads it.
        clips: how many clips were measured.
    """

    size: tuple[int, int]
    fps: float | None
    grey: bool
    framing: tuple[float, float, float, float]
    spread: tuple[tuple[float, ...], ...]
    blur: float
    noise: tuple[tuple[float, float], ...]
    chroma: float
    jpeg: int | None
    paths: tuple[tuple[float, tuple[tuple[float, ...], ...]], ...]
    blinks: float
    subjects: tuple[str, ...]
    clips: int

    def to_json(self) -> dict[str, Any]:
        return {"version": VERSION, **asdict(self)}

    @staticmethod
    def from_json(value: dict[str, Any]) -> Look:
        """Raises InputError: of another version, or with other fields."""
        fields = {k: v for k, v in value.items() if k != "version"}
        if value.get("version") != VERSION or set(fields) != set(Look.__dataclass_fields__):
            raise InputError(f"not a profile of {VERSION}: {sorted(value)}; fit it again")
        return Look(**{k: _frozen(v) for k, v in fields.items()})

    def lines(self) -> list[str]:
        """For people."""
        shift, turn = self._motion()
        wide, low = (100 * np.sqrt(self.spread[k][k]) for k in (1, 3))
        return [
            f"frames    {self.size[1]} x {self.size[0]}, {'grey' if self.grey else 'colour'}, "
            + (f"JPEG {self.jpeg}" if self.jpeg else "no JPEG")
            + (f", {self.fps:g} a second" if self.fps else ""),
            f"framing   brows at {self.framing[1]:.0%}, mouth at {self.framing[3]:.0%} of height",
            f"          clips differ by {wide:.1f} and {low:.1f} points",
            f"blur      {self.blur:.2f} pixels",
            "noise     "
            + ", ".join(f"{s:.2f} at grey {g:.0f}" for g, s in self.noise)
            + f"; of colour {self.chroma:.2f}",
            f"motion    {shift:.1f} pixels and {turn:.2f} degrees within a clip (median)",
            f"blinks    {60 * self.blinks:.1f} a minute",
            f"measured  {self.clips} clips of {len(self.subjects)} subjects",
        ]

    def _motion(self) -> tuple[float, float]:
        """Median of the largest shift (pixels) and turn (degrees) within a clip."""
        if not self.paths:
            return 0.0, 0.0
        face = (self.framing[3] - self.framing[1]) * self.size[0]
        moves = [np.abs(np.asarray(p)).max(0) for _, p in self.paths]
        shift = float(np.median([np.hypot(m[0], m[1]) for m in moves])) * face
        return shift, float(np.degrees(np.median([m[2] for m in moves])))

    # -- PLAN -----------------------------------------------------------------------------------

    def timed(self, track: AUTrack, rng: np.random.Generator) -> AUTrack:
        """A track at the data set's frame rate, with a blink as often as real clips have one."""
        if self.fps is not None and track.fps is not None and track.fps != self.fps:
            track = resample(track, fps=self.fps)
        fps = track.fps or self.fps
        blinks, at = rng.random(), rng.random()
        if fps is None or blinks >= 1 - np.exp(-self.blinks * len(track) / fps):
            return track
        t = (np.arange(len(track)) - at * len(track)) / fps / BLINK_SECONDS
        lids = np.where(np.abs(t) < 1, BLINK_INTENSITY * (1 + np.cos(np.pi * t)) / 2, 0)
        shown = track.intensity.copy()
        au = AU_INDEX[45]
        shown[:, :, au] = np.maximum(shown[:, :, au], lids[:, None])
        return track.with_intensity(shown)

    def draw(self, rng: np.random.Generator, *, length: int, fps: float) -> dict[str, Any]:
        """What one clip of `length` frames gets: JSON-able, for the plan."""
        # by axes: few clips give a covariance that is not of full rank
        size, axes = np.linalg.eigh(np.asarray(self.spread, np.float64))
        draws = np.clip(rng.standard_normal(4), -FARTHEST, FARTHEST)
        off = axes @ (np.sqrt(np.maximum(size, 0)) * draws)
        place = np.asarray(self.framing) + off
        path = self._path(rng, length, fps)
        return {
            "version": VERSION,
            "size": list(self.size),
            "grey": self.grey,
            "framing": [round(float(v), DIGITS) for v in place],
            "path": [[round(float(v), DIGITS) for v in move] for move in path],
            "blur": self.blur,
            "noise": [list(p) for p in self.noise],
            "chroma": self.chroma,
            "jpeg": self.jpeg,
            "seed": int(rng.integers(2**53)),
            "subjects": list(self.subjects),
        }

    def _path(self, rng: np.random.Generator, length: int, fps: float) -> NDArray[np.float64]:
        """`T 4`: the motion of a real clip, mirrored or not, run to and fro where it is short."""
        pick, mirror = rng.random(), rng.random()
        if not self.paths:
            return np.zeros((length, 4))
        seconds, path = self.paths[int(pick * len(self.paths))]
        values = np.asarray(path, np.float64)
        if mirror < 0.5:
            values = values * [-1, 1, -1, 1]
        t = np.arange(length) / fps / max(seconds, 1 / fps)
        t = np.abs((t + 1) % 2 - 1)  # there and back again
        at = t * (len(values) - 1)
        knots = np.arange(len(values))
        return np.stack([np.interp(at, knots, values[:, k]) for k in range(4)], 1)


# -- FILES -----------------------------------------------------------------------------------------


def save_look(look: Look, path: str | os.PathLike[str]) -> None:
    """Writes a look as JSON, whole or not at all.

    Raises:
        OutputError: it cannot be written.
    """
    write_whole(Path(path), json.dumps(look.to_json(), indent=1) + "\n")


def load_look(path: str | os.PathLike[str]) -> Look:
    """Reads what `save_look` or `famaug doctor --look --out FILE` wrote.

    Raises:
        InputError: no such file, no look, of another version, or it does not say whom it was
            fitted on.
    """
    value = read_json(path, error=InputError)
    if not isinstance(value, dict) or "version" not in value:
        raise InputError(
            f"{path} is no look; `famaug doctor --dataset NAME PATH --look --out FILE` writes one"
        )
    with translated(f"{path}, a look", InputError):
        look = Look.from_json(value)
        height, width = look.size
        if not (0 < int(height) <= 8192 and 0 < int(width) <= 8192):
            raise ValueError(f"frames of {look.size}")
        if not look.subjects or not all(map(canonical, look.subjects)):
            raise ValueError(f"it was fitted on {look.subjects}, which are no people")
        look.lines()  # what a hand has written into it fails here, not at the thousandth clip
        look.draw(keyed_generator(0, "look-file"), length=2, fps=float(look.fps or 100))
    return look


# -- RENDER ---------------------------------------------------------------------------------------


def apply_look(frames: Frames, mesh: Floats, drawn: dict[str, Any]) -> Frames:
    """A rendered clip as the data set would show it; deterministic.

    Args:
        frames: uint8 `T h w 3`, as rendered.
        mesh: `478 3`, the face at rest in pixels of these frames.
        drawn: as `Look.draw` gave it for a clip of this length.

    Returns:
        uint8 `T H W 3` in the look's size.

    Raises:
        RenderError: drawn by another version, or for another length.
    """
    if drawn.get("version") != VERSION:
        raise RenderError(
            f"the plan's look is {drawn.get('version')!r}, this is {VERSION!r}: use the famaug "
            "version that made the plan, or plan again"
        )
    size = (int(drawn["size"][0]), int(drawn["size"][1]))
    place = Framing(*drawn["framing"])
    path = np.asarray(drawn["path"], np.float64)
    if len(path) != len(frames):
        raise RenderError(f"the look was drawn for {len(path)} frames; the clip has {len(frames)}")
    face = float(np.hypot((place.mouth_x - place.brow_x) * size[1],
                          (place.mouth_y - place.brow_y) * size[0]))  # fmt: skip
    matrix = matrix_of(mesh, place, size)
    moves = (path * [face, face, 1, 1]).astype(np.float32)
    rng = keyed_generator(drawn["seed"], "look")
    out, soften = [], None
    for frame, move in zip(frames, moves, strict=True):
        picture = framed(frame, matrix, size, move)
        if drawn["grey"]:
            picture = np.repeat(luma(picture)[..., None], 3, 2)
        if soften is None:
            have = blur_of(luma(picture))
            soften = float(np.sqrt(max(0.0, drawn["blur"] ** 2 - have**2)))
        if soften > 0.05:
            picture = cv2.GaussianBlur(picture, (0, 0), soften)
        out.append(sensed(picture, drawn["noise"], drawn["chroma"], drawn["jpeg"], rng))
    return np.stack(out)


def sensed(
    picture: Floats,
    noise: Sequence[Sequence[float]],
    chroma: float,
    jpeg: int | None,
    rng: np.random.Generator,
) -> NDArray[np.uint8]:
    """A float picture `H W 3` as a sensor and a file give it: noise, rounding, JPEG."""
    light = luma(picture)
    levels, spreads = zip(*noise, strict=True)
    grain = rng.standard_normal(light.shape, np.float32) * np.interp(light, levels, spreads)
    noisy = picture + grain[..., None]
    if chroma > 0 and not _is_grey(picture):
        tint = rng.standard_normal((*light.shape, 3), np.float32) * chroma
        noisy = noisy + tint - luma(tint)[..., None]
    check_finite(noisy)
    byte: NDArray[np.uint8] = np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
    if jpeg is None:
        return byte
    ok, file = cv2.imencode(".jpg", byte[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, int(jpeg)])
    if not ok:
        raise RenderError(f"a frame of {byte.shape} cannot be compressed")
    return np.ascontiguousarray(cv2.imdecode(file, cv2.IMREAD_COLOR)[..., ::-1], np.uint8)


def luma(picture: NDArray[Any]) -> Floats:
    """float32 `H W` of `H W 3`."""
    p = np.asarray(picture, np.float32)
    # a sum, not a matrix product: threads must not decide its last bits
    out: Floats = p[..., 0] * 0.299 + p[..., 1] * 0.587 + p[..., 2] * 0.114
    return out.astype(np.float32)


def blur_of(grey: Floats) -> float:
    """Softness of the strongest edges as a Gaussian's standard deviation in pixels; 0 without any.

    Source: Zhuo and Sim, "Defocus map estimation from a single image", 2011: the ratio of the
    gradients before and after blurring by 1 pixel tells the blur of an edge.
    """
    before, after = _slope(grey), _slope(cv2.GaussianBlur(grey, (0, 0), 1.0))
    edges = after > np.quantile(after, 0.97)
    if not edges.any():  # one even colour
        return 0.0
    ratio = float(np.median(before[edges] / np.maximum(after[edges], 1e-6)))
    return float(np.clip(1 / np.sqrt(max(ratio**2 - 1, 0.04)), 0, 5))


def face_height(mesh: Floats) -> float:
    """Pixels from the brows' middle to the mouth's."""
    brow, mouth = anchors(mesh)
    return float(np.hypot(*(mouth - brow)))


def _slope(grey: Floats) -> Floats:
    x = cv2.Scharr(grey, cv2.CV_32F, 1, 0)
    y = cv2.Scharr(grey, cv2.CV_32F, 0, 1)
    out: Floats = np.hypot(x, y)
    return out


def _is_grey(picture: NDArray[Any]) -> bool:
    return bool((picture[..., 0] == picture[..., 1]).all())


def _frozen(value: Any) -> Any:
    return tuple(_frozen(v) for v in value) if isinstance(value, list | tuple) else value
