"""Applies what was drawn of a look to a rendered clip; draws nothing but the sensor's grain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from famaug.errors import RenderError
from famaug.faces.framing import Framing, about_middle, anchors, matrix_of, moved_mesh, resampled
from famaug.files.limits import check_finite
from famaug.look.look import READ, VERSION
from famaug.look.turning import HeadTurns
from famaug.seeding import keyed_generator
from famaug.types import Floats, Frames


def apply_look(frames: Frames, mesh: Floats, drawn: dict[str, Any]) -> Frames:
    """A rendered clip as the data set would show it; deterministic.

    Args:
        frames: uint8 `T h w 3`, as rendered.
        mesh: `478 3`, the face at rest in pixels of these frames; z in the same unit.
        drawn: as `Look.draw` gave it for a clip of this length.

    Returns:
        uint8 `T H W 3` in the look's size.

    Raises:
        RenderError: drawn by another version, or for another length.
    """
    if drawn.get("version") not in READ:
        raise RenderError(
            f"the plan's look is {drawn.get('version')!r}, this is {VERSION!r}: use the famaug "
            "version that made the plan, or plan again"
        )
    size = (int(drawn["size"][0]), int(drawn["size"][1]))
    place = Framing(*drawn["framing"])
    camera = _Camera(mesh, place, size, drawn, len(frames))
    light = _rows(drawn, "light", len(frames), 2)
    rng = keyed_generator(drawn["seed"], "look")
    out, soften = [], None
    for i, frame in enumerate(frames):
        picture = camera.frame(frame, i)
        if drawn["grey"]:
            picture = np.repeat(luma(picture)[..., None], 3, 2)
        if soften is None:
            have = blur_of(luma(picture))
            soften = float(np.sqrt(max(0.0, drawn["blur"] ** 2 - have**2)))
        if soften > 0.05:
            picture = cv2.GaussianBlur(picture, (0, 0), soften)
        if light is not None:
            gain, offset = light[i].astype(np.float32)
            picture = picture * gain + offset
        out.append(sensed(picture, drawn["noise"], drawn["chroma"], drawn["jpeg"], rng))
    return np.stack(out)


def _rows(
    drawn: dict[str, Any], name: str, length: int, columns: int
) -> NDArray[np.float64] | None:
    """What was drawn for each frame, `T columns`; None for nothing.

    Raises:
        RenderError: for another length, or not finite.
    """
    given = drawn.get(name) or ()
    if not len(given):
        return None
    values = np.asarray(given, np.float64)
    if len(values) == length and values.shape[1:] != (columns,):
        raise RenderError(f"the look's {name} has rows of {columns} numbers; got {given!r:.60}")
    if len(values) != length:
        raise RenderError(
            f"the look's {name} was drawn for {len(values)} frames; the clip has {length}"
        )
    check_finite(values)
    return values


class _Camera:
    """How each frame's pixels get into the data set's framing, in one resampling: the head turned
    in depth, moved in the picture, and the crop taken a little beside the onset's."""

    def __init__(
        self,
        mesh: Floats,
        place: Framing,
        size: tuple[int, int],
        drawn: dict[str, Any],
        length: int,
    ) -> None:
        path = _rows(drawn, "path", length, 4)
        moves = np.zeros((length, 4)) if path is None else path
        face = float(np.hypot((place.mouth_x - place.brow_x) * size[1],
                              (place.mouth_y - place.brow_y) * size[0]))  # fmt: skip
        self.size = size
        self.moves = (moves * [face, face, 1, 1]).astype(np.float32)
        self.matrix = matrix_of(mesh, place, size)
        self.turn = _rows(drawn, "turn", length, 2)
        self.turns = None if self.turn is None else HeadTurns(moved_mesh(mesh, self.matrix), size)
        jump = _rows(drawn, "jump", 1, 4)
        self.onset = int(drawn.get("onset", 0))
        self.jump = None
        if jump is not None:
            self.jump = about_middle(jump[0] * [size[1], size[1], 1, 1], size)

    def frame(self, frame: NDArray[np.uint8], i: int) -> Floats:
        """Frame number i in its framing, float32 `H W 3`."""
        move = about_middle(self.moves[i], self.size)
        if self.jump is not None and i > self.onset:
            move = _after(self.jump, move)
        bend = None
        if self.turns is not None and self.turn is not None:
            yaw, pitch = self.turn[i]
            at_rest = self.turns.backward(float(yaw), float(pitch), _inverse(move))
            # from pixels of the frame at rest to those of the rendered one
            back = _inverse(self.matrix).astype(np.float32)
            x, y = at_rest[..., 0], at_rest[..., 1]
            bend = np.stack([back[0, 0] * x + back[0, 1] * y, back[1, 0] * x + back[1, 1] * y], -1)
        return resampled(frame, _after(move, self.matrix), self.size, bend)


def _after(second: NDArray[np.float64], first: NDArray[np.float64]) -> NDArray[np.float64]:
    """`2 3`: one affine map after another."""
    out: NDArray[np.float64] = second @ np.concatenate([first, [[0, 0, 1]]])
    return out


def _inverse(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """`2 3` of the way back."""
    back = np.linalg.inv(matrix[:, :2])
    return np.concatenate([back, -(back @ matrix[:, 2])[:, None]], 1)


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
