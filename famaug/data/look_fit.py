"""Measures how the real training clips of a fold look."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from famaug.data.following import held_out_of
from famaug.data.guard import Guard
from famaug.data.head_motion import AT_REST, head_motion, light_change, width_of
from famaug.data.protocols import AsClip, as_clip_with_label, refs_of
from famaug.errors import FaceError, InputError
from famaug.faces.framing import Framing
from famaug.faces.landmarks import LEFT_LIDS, RIGHT_LIDS
from famaug.faces.mesher import FaceMesher
from famaug.look.applying import blur_of, face_height, luma, sensed
from famaug.look.look import Look
from famaug.media.pictures import quantization
from famaug.seeding import digest, keyed_generator
from famaug.types import Clip, Floats, Frames

T = TypeVar("T")
KNOTS = 12
"""Frames of a clip that head motion and lids are measured in."""
PAD = 0.5
"""Crops are widened by their repeated border: in tight ones the face finder misses some faces, or
takes a part for the whole."""
OUTLIER = 0.12
"""Share of the frame by which brows or mouth may lie off the median, else the mesh is wrong."""
SHUT = 0.45
"""Share of the widest opening below which an eye counts as shut."""
STANDARD_LUMA = 3688
"""Sum of the JPEG standard's luminance table, which quality 50 stands for."""
DIGITS = 5


class _Seen(NamedTuple):
    """One clip's measurements."""

    framing: tuple[float, ...]
    face: float
    blur: float
    noise: tuple[tuple[float, float], ...]
    chroma: float
    path: tuple[float, tuple[tuple[float, ...], ...]] | None
    turn: tuple[tuple[float, ...], ...]
    light: tuple[tuple[float, ...], ...]
    blinks: int
    seconds: float


class _Row(NamedTuple):
    """One clip: what was measured, whose it is, its frames' rate and size, whether they are grey,
    and their JPEG's quality."""

    seen: _Seen
    person: str
    fps: float | None
    size: tuple[int, int]
    grey: bool
    quality: int | None


def fit_look(
    dataset: Any,
    *,
    clips: int = 24,
    seed: int = 0,
    as_clip: AsClip = as_clip_with_label,
    mesher: FaceMesher | None = None,
    measured: dict[Any, Any] | None = None,
) -> Look:
    """The profile of a data set's clips; pass `fold.train`, so that no test subject enters.

    Args:
        dataset: map-style; see `famaug.data.protocols.ClipDataset`.
        clips: how many are measured, drawn evenly.
        seed: of that draw.
        as_clip: from an item to (Clip, label).
        mesher: face nets to use again.
        measured: filled with what was measured of each clip; given again for another fold of the
            same data set, no clip is measured twice.

    Raises:
        InputError: no clip shows a face.
        LeakageError: the data set holds a held-out subject.
    """
    guard, mesher = Guard(held_out_of(dataset) or ()), mesher or FaceMesher()
    order = keyed_generator(seed, "look-fit").permutation(len(dataset))[: max(1, clips)]
    refs = refs_of(dataset) if measured is not None else None
    known = {} if measured is None else measured
    rows: list[_Row] = []
    first: NDArray[np.uint8] | None = None
    for i in sorted(order):
        name = None if refs is None else digest(refs[int(i)].to_json())
        clip = None
        if name not in known:
            clip, _ = as_clip(dataset[int(i)])
        ref = refs[int(i)] if clip is None and refs is not None else cast(Clip, clip).ref
        guard.check_real([ref])
        row = known[name] if clip is None else _row(clip, mesher)
        if name is not None:
            known[name] = row
        if row is None:
            continue
        rows.append(row)
        if first is None:
            first = (clip or as_clip(dataset[int(i)])[0]).frames[0]
    middle = np.median([r.seen.framing for r in rows], axis=0) if rows else np.zeros(4)
    seen = [r.seen for r in rows if np.abs(np.asarray(r.seen.framing) - middle).max() < OUTLIER]
    if not seen or first is None:
        raise InputError(f"none of {len(order)} clips shows a face: there is no look to measure")
    return _joined(rows, seen, first)


def _joined(rows: list[_Row], seen: list[_Seen], first: NDArray[np.uint8]) -> Look:
    """The profile of all clips: means, medians, and what most of them have.

    Args:
        seen: of those of `rows` whose face was found. first: frame of one of them.
    """
    quality = _most(r.quality for r in rows)
    places = np.asarray([s.framing for s in seen])
    spread = np.cov(places.T) if len(seen) > 1 else np.zeros((4, 4))
    noise = _medians([s.noise for s in seen])
    chroma = float(np.median([s.chroma for s in seen]))
    noise, chroma = _before_compression(first, noise, chroma, quality)
    seconds = sum(s.seconds for s in seen)
    return Look(
        size=_most(r.size for r in rows),
        fps=_most([r.fps for r in rows if r.fps] or [None]),
        grey=sum(r.grey for r in rows) * 2 > len(rows),
        framing=_four(places.mean(0)),
        spread=tuple(tuple(round(float(v), 8) for v in row) for row in spread),
        blur=round(float(np.median([s.blur for s in seen])), 3),
        noise=noise,
        chroma=round(chroma, 3),
        jpeg=quality,
        paths=tuple(s.path for s in seen if s.path is not None),
        blinks=round(sum(s.blinks for s in seen) / seconds, 4) if seconds else 0.0,
        subjects=tuple(sorted({r.person for r in rows})),
        clips=len(seen),
        turns=_two(width_of([s.turn for s in seen], 2, since=AT_REST)),
        flicker=_two(width_of([s.light for s in seen], 2)),
    )


def _most(values: Iterable[T]) -> T:
    """What most have."""
    return Counter(values).most_common(1)[0][0]


def jpeg_quality(path: str) -> int | None:
    """Quality (1-100) that a JPEG's luminance table stands for; None for other files."""
    if Path(path).suffix.lower() not in (".jpg", ".jpeg"):
        return None
    tables = quantization(Path(path))
    if not tables:
        return None
    scale = 100 * sum(tables[0]) / STANDARD_LUMA
    return int(np.clip(round((200 - scale) / 2 if scale <= 100 else 5000 / scale), 1, 100))


def find_mesh(frame: NDArray[np.uint8], mesher: FaceMesher) -> Floats:
    """The mesh in a frame that may be cropped tightly round the face.

    Raises:
        FaceError: no face.
    """
    h, w = frame.shape[:2]
    y, x = int(PAD * h), int(PAD * w)
    wide = cv2.copyMakeBorder(frame, y, y, x, x, cv2.BORDER_REPLICATE)
    mesh = mesher.find(np.asarray(wide, np.uint8)).copy()
    mesh[:, :2] -= [x, y]
    return mesh


def _row(clip: Clip, mesher: FaceMesher) -> _Row | None:
    """None for a clip without a face."""
    try:
        seen = _measure(clip, mesher)
    except FaceError:
        return None
    frames = clip.frames
    return _Row(
        seen,
        clip.ref.person,
        clip.ref.fps,
        (frames.shape[1], frames.shape[2]),
        bool((frames[0, ..., 0] == frames[0, ..., 1]).all()),
        jpeg_quality(clip.ref.frames[0]) if clip.ref.frames else None,
    )


def _measure(clip: Clip, mesher: FaceMesher) -> _Seen:
    frames, ref = clip.frames, clip.ref
    onset = clip.onset
    mesh = find_mesh(frames[onset], mesher)
    size = (frames.shape[1], frames.shape[2])
    place = Framing.of(mesh, size)
    fps = ref.fps or 0.0
    seconds = (len(frames) - 1) / fps if fps else 0.0
    at = np.unique(np.linspace(onset, len(frames) - 1, KNOTS).round().astype(int))
    path = None
    moves, turn = head_motion(frames[at], mesh)
    light = light_change(frames[at], mesh, moves)
    if len(at) > 1 and fps:
        path = (round(float((at[-1] - at[0]) / fps), 4), _rows(moves))
    noise, chroma = noise_of(frames)
    return _Seen(
        (place.brow_x, place.brow_y, place.mouth_x, place.mouth_y),
        face_height(mesh),
        blur_of(luma(frames[onset])),
        noise,
        chroma,
        path,
        _rows(turn),
        _rows(np.stack([np.log(np.maximum(light[:, 0], 1e-3)), light[:, 1] / 255], 1)),
        _blinks(frames[at], mesher),
        seconds,
    )


def noise_of(frames: Frames) -> tuple[tuple[tuple[float, float], ...], float]:
    """((grey level, standard deviation), ...) in the dark and the bright half, and of colour.

    Neighbouring frames differ by noise where nothing moves: flat places, seen through a mask
    that is blind to slow changes. Source: Immerkaer, "Fast noise variance estimation", 1996.
    """
    if len(frames) < 2:
        return ((0.0, 0.0), (255.0, 0.0)), 0.0
    at = np.unique(np.linspace(0, len(frames) - 2, 4).astype(int))
    rows = []
    for i in at:
        a, b = (cv2.cvtColor(f, cv2.COLOR_RGB2YCrCb).astype(np.float32) for f in frames[[i, i + 1]])
        grain = np.abs(cv2.filter2D((b - a) / np.sqrt(2), -1, _MASK))[2:-2, 2:-2]
        light = cv2.GaussianBlur(a[..., 0], (0, 0), 2)[2:-2, 2:-2]
        slope = np.hypot(cv2.Sobel(light, cv2.CV_32F, 1, 0), cv2.Sobel(light, cv2.CV_32F, 0, 1))
        flat = slope <= np.median(slope)
        dark = light <= np.median(light[flat])
        values = []
        for part in (flat & dark, flat & ~dark):
            values += [float(light[part].mean()), _deviation(grain[..., 0][part])]
        tint = _deviation(grain[..., 1:][flat])
        rows.append([*values, tint])
    level1, noise1, level2, noise2, tint = np.median(rows, axis=0)
    return ((float(level1), float(noise1)), (float(level2), float(noise2))), float(tint)


_MASK = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32) / 6


def _deviation(grain: NDArray[np.float32]) -> float:
    return float(np.sqrt(np.pi / 2) * grain.mean()) if grain.size else 0.0


def _before_compression(
    picture: NDArray[np.uint8],
    noise: tuple[tuple[float, float], ...],
    chroma: float,
    quality: int | None,
) -> tuple[tuple[tuple[float, float], ...], float]:
    """The noise that, after rounding and JPEG, measures as what was measured."""
    clean = cv2.GaussianBlur(picture.astype(np.float32), (0, 0), 1.0)
    levels = [g for g, _ in noise]
    want = np.array([*(s for _, s in noise), chroma])
    have = want.copy()
    rng = keyed_generator(0, "look-noise")
    for _ in range(6):
        pair = [(g, float(s)) for g, s in zip(levels, have[:-1], strict=True)]
        two = np.stack([sensed(clean, pair, float(have[-1]), quality, rng) for _ in range(2)])
        made, tint = noise_of(two)
        got = np.array([*(s for _, s in made), tint])
        have = np.clip(have * np.clip(want / np.maximum(got, 1e-3), 0.5, 2), 0, 25)
        # JPEG nearly erases noise of colour: what is left tells little of it
        have[-1] = min(have[-1], have[:-1].mean())
    told = tuple((round(g, 1), round(float(s), 3)) for g, s in zip(levels, have, strict=False))
    return told, float(have[-1])


def _blinks(frames: Frames, mesher: FaceMesher) -> int:
    """Times both eyes shut."""
    gaps = []
    for frame in frames[:: max(1, len(frames) // 6)]:
        try:
            mesh = find_mesh(frame, mesher)
        except FaceError:
            continue
        gaps.append(max(_gap(mesh, LEFT_LIDS), _gap(mesh, RIGHT_LIDS)) / face_height(mesh))
    if len(gaps) < 2:
        return 0
    shut = np.asarray(gaps) < SHUT * max(gaps)
    return int((shut[1:] & ~shut[:-1]).sum() + shut[0])


def _gap(mesh: Floats, lids: tuple[int, ...]) -> float:
    """Opening of an eye: the middle of the lower lid against that of the upper."""
    return float(np.hypot(*(mesh[lids[4], :2] - mesh[lids[12], :2])))


def _medians(
    noise: list[tuple[tuple[float, float], ...]],
) -> tuple[tuple[float, float], ...]:
    values = np.median(np.asarray(noise), axis=0)
    return tuple((float(g), float(s)) for g, s in values)


def _rows(values: NDArray[np.float64]) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(round(float(v), DIGITS) for v in row) for row in values)


def _two(values: Sequence[float]) -> tuple[float, float]:
    a, b = (round(float(v), DIGITS) for v in values)
    return a, b


def _four(values: NDArray[np.float64]) -> tuple[float, float, float, float]:
    a, b, c, d = (round(float(v), DIGITS) for v in values)
    return a, b, c, d
