"""The values that flow through famaug, and the layout of every array.

Layouts used everywhere:
    frames   uint8    T H W 3   RGB
    picture  uint8    H W 3     RGB
    track    float32  T 2 17    side (left, right) x AU, intensity 0-5 as FACS letters A-E
    mesh     float32  478 3     x, y in pixels of the picture, z in pixels, smaller is nearer
    network  float32  B C H W   in [-1, 1] (the generator) or [0, 1] (the face nets)

Left and right are the person's own, as FACS codes them: the left cheek is seen on the right of an
unmirrored picture.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from famaug import __version__
from famaug.errors import InputError, TrackError, UnusableClipError
from famaug.files.limits import wrong_fields
from famaug.files.plans import wrong_plan
from famaug.people.datasets import dataset_name
from famaug.people.persons import person, spelt, subject_of
from famaug.seeding import digest, plain
from famaug.shown.lines import told

AUS: tuple[int, ...] = (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 25, 26, 45)
"""The 17 units with an intensity, in OpenFace's order."""
AU_NAMES: tuple[str, ...] = tuple(f"AU{au:02d}" for au in AUS)
AU_INDEX: dict[int, int] = {au: i for i, au in enumerate(AUS)}
SIDES: tuple[str, str] = ("left", "right")
LEFT, RIGHT = 0, 1

Frames = NDArray[np.uint8]
Picture = NDArray[np.uint8]
Floats = NDArray[np.float32]
LabelSource = Literal["driver", "rule", "none"]


@told
@dataclass(frozen=True)
class ClipRef:
    """Where a clip is and what is known of it. Holds no pixels.

    Attributes:
        dataset: name of the data set, or "" for loose media. Public ones have one name, however
            they are written ("CASME II" is "casme2", see `famaug.people.datasets`).
        subject: subject id as text. Those of public data sets are spelt as their folders spell
            them ("1" of CASME II is "sub01"); others stay as given.
        clip: clip id as text, unique within the subject.
        frames: paths of the frames in order; empty when `video` is given.
        video: path of a video file, or None.
        fps: frames per second, or None when unknown.
        onset, apex, offset: frame positions counted from 0 within `frames`, or None.
        emotion: label as annotated, or None.
        action_units: annotated AU string as published ("4+L7"), or None.
    """

    dataset: str
    subject: str
    clip: str
    frames: tuple[str, ...] = ()
    video: str | None = None
    fps: float | None = None
    onset: int | None = None
    apex: int | None = None
    offset: int | None = None
    emotion: str | None = None
    action_units: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "subject", subject_of(spelt(self.dataset), self.subject))
        object.__setattr__(self, "dataset", dataset_name(spelt(self.dataset)))

    @property
    def key(self) -> str:
        """dataset/subject/clip, the clip's name in messages and seeds."""
        return f"{self.dataset}/{self.subject}/{self.clip}"

    @property
    def person(self) -> str:
        """ "dataset/subject" in one spelling, or "" where it shows no person of a data set."""
        return person(self.dataset, self.subject)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def from_json(value: dict[str, Any]) -> ClipRef:
        return ClipRef(**{**value, "frames": tuple(value.get("frames", ()))})


@told
@dataclass(frozen=True, eq=False)
class Clip:
    """A clip with its pixels: uint8 RGB `T H W 3`."""

    ref: ClipRef
    frames: Frames

    def __post_init__(self) -> None:
        shape = self.frames.shape
        if self.frames.dtype != np.uint8 or len(shape) != 4 or shape[3] != 3 or 0 in shape:
            raise TrackError(
                f"clip {self.ref.key}: frames must be uint8 T H W 3, all at least 1; "
                f"got {self.frames.dtype} {shape}"
            )

    @property
    def onset(self) -> int:
        """Frame of the face at rest: the onset, or the first frame where it is not known.

        Raises:
            InputError: the onset is none of the clip's frames.
        """
        at = self.ref.onset or 0
        if not 0 <= at < len(self.frames):
            raise InputError(
                f"clip {self.ref.key}: its onset is frame {at} (from 0), but it has "
                f"{len(self.frames)} frames, so there is no neutral face; correct the table"
            )
        return at

    @property
    def neutral(self) -> Clip:
        """The onset frame as a clip of one frame. Raises InputError as `onset`."""
        at = self.onset
        one = replace(
            self.ref, frames=self.ref.frames[at : at + 1], onset=0, apex=None, offset=None
        )
        return Clip(one, self.frames[at : at + 1])


def key_frames(clip: Clip) -> tuple[int, int, int]:
    """Onset, apex and offset of a clip, counted from 0: onset < apex <= offset.

    Onset and offset default to the first and last frame; an apex that is unknown, on the onset or
    outside the expression is the frame that differs most from the onset, the first where several
    do.

    Raises:
        UnusableClipError: one frame only, or onset < offset does not hold within the clip.
    """
    count, ref = len(clip.frames), clip.ref
    if count < 2:
        raise UnusableClipError(f"clip {ref.key}: one frame shows no motion; two are needed")
    onset = 0 if ref.onset is None else ref.onset
    offset = count - 1 if ref.offset is None else ref.offset
    if not 0 <= onset < offset < count:
        raise UnusableClipError(
            f"clip {ref.key}: onset {onset} and offset {offset} do not fit its {count} frames; "
            "positions are counted from 0 within the frames given"
        )
    if ref.apex is not None and onset < ref.apex <= offset:
        return onset, ref.apex, offset
    start = clip.frames[onset].astype(np.int16)
    rest = clip.frames[onset + 1 : offset + 1]
    far = [int(np.abs(frame.astype(np.int16) - start).sum()) for frame in rest]
    return onset, onset + 1 + int(np.argmax(far)), offset


@told
@dataclass(frozen=True, eq=False)
class AUTrack:
    """AU intensities over time, left and right apart.

    Attributes:
        intensity: float32 `T 2 17`, 0-5; NaN where missing.
        confidence: float32 `T 2 17`, 0-1; 0 where missing.
        estimator: who measured it, with version ("mesh-flow/2", "openface-csv", "rule/1").
        sided: False when the source knows no sides and both are filled alike.
        scale: whose intensity scale it is ("famaug", "openface", "facs"). Never mixed silently.
        fps: frames per second, or None when unknown.
        modulated: True when it says what a face shall show (modulated, or drawn from a rule or a
            pool), so that it is shown as written; False for what was measured.
        subjects: everybody whose measurements went into it, "dataset/subject", where its source
            says so (an expression pool); the leakage guard must know them.
    """

    intensity: Floats
    confidence: Floats
    estimator: str
    sided: bool = True
    scale: str = "famaug"
    fps: float | None = None
    modulated: bool = False
    subjects: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        want = (2, len(AUS))
        for name, a in (("intensity", self.intensity), ("confidence", self.confidence)):
            if a.dtype != np.float32 or a.ndim != 3 or a.shape[1:] != want or len(a) == 0:
                raise TrackError(
                    f"{name} must be float32 T x 2 x {len(AUS)} with T >= 1; "
                    f"got {a.dtype} {a.shape}"
                )
        if self.intensity.shape != self.confidence.shape:
            raise TrackError(
                f"intensity {self.intensity.shape} and confidence {self.confidence.shape} differ"
            )

    def __len__(self) -> int:
        return len(self.intensity)

    @staticmethod
    def of(
        intensity: NDArray[np.floating[Any]],
        *,
        estimator: str,
        confidence: NDArray[np.floating[Any]] | None = None,
        sided: bool = True,
        scale: str = "famaug",
        fps: float | None = None,
        modulated: bool = False,
        subjects: Iterable[str] = (),
    ) -> AUTrack:
        """From any float array; confidence defaults to 1, and 0 where the intensity is NaN."""
        x = np.asarray(intensity, np.float32)
        sure = np.asarray(np.isfinite(x) if confidence is None else confidence, np.float32)
        return AUTrack(x, sure, estimator, sided, scale, fps, modulated, tuple(subjects))

    def with_intensity(self, intensity: NDArray[np.floating[Any]], **changes: Any) -> AUTrack:
        """The same track with other intensities of the same length (and other fields)."""
        return replace(self, intensity=np.asarray(intensity, np.float32), **changes)

    @property
    def missing(self) -> NDArray[np.bool_]:
        """bool `T`: frames without a single measured value."""
        return np.asarray(~np.isfinite(self.intensity).any(axis=(1, 2)), np.bool_)


def key_frames_of(intensity: Floats) -> tuple[int, int, int]:
    """`Plan.key_frames` of intensities `T 2 17`."""
    total = np.delete(intensity, AU_INDEX[45], 2).sum((1, 2))
    moving = np.flatnonzero(total > 0)
    first, last = moving[[0, -1]] if len(moving) else (0, len(total) - 1)
    return max(int(first) - 1, 0), int(total.argmax()), min(int(last) + 1, len(total) - 1)


@told
@dataclass(frozen=True)
class Plan:
    """Everything random and every choice behind one synthetic clip, JSON-able.

    The same plan renders the same pixels. `key` is a digest of the plan, so a cache keyed by it
    can never hand out the wrong clip. Paths are not part of it: sources are named by the digest
    of their content.

    Attributes:
        driver: the clip, track or rule whose expression is shown: `{"kind": "clip" | "track" |
            "rule", "name": ..., "subject": ..., "dataset": ..., "digest": ..., "label": ...}`, and
            `subjects`, "dataset/subject" of everybody else whose measurements went into it.
        identity: whose face is shown: `{"name": ..., "subject": ..., "dataset": ...,
            "digest": ..., "source": {"path": ..., "frame": ...} or None, "mesh": ...}`; `source`
            and `mesh` (a function of the picture) are left out of the key.
        track: intensities `T 2 17` as nested lists, rounded to 1e-4: what is rendered.
        generator: name and version of the renderer ("warp/1").
        weights: sha256 of the renderer's weights file.
        size: side of the square output in pixels, or None for the identity picture's own size.
        fps: frames per second of the clip.
        superres: name of the sharpener, or None.
        look: parameters of the data-set look, or None.
        seed: the seed it was drawn with.
        params: further settings of the stages. "modulation": `Modulation.to_json()`, or "as
            written" where the driver says itself what is shown (a rule, a modulated table).
            "trained_on": everybody whom the networks' files name as trained on.
    """

    driver: dict[str, Any]
    identity: dict[str, Any]
    track: list[list[list[float]]]
    generator: str
    weights: str
    size: int | None
    fps: float
    superres: str | None = None
    look: dict[str, Any] | None = None
    seed: int = 0
    params: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain values; numbers in one form, however they were given."""
        return {f.name: plain(getattr(self, f.name)) for f in fields(self)}

    @staticmethod
    def from_json(value: dict[str, Any]) -> Plan:
        """A plan that was stored, perhaps by a stranger.

        Raises:
            InputError: it is none: keys missing or unknown, values of another kind, or numbers
                that nothing is rendered with.
        """
        if wrong := wrong_plan(Plan, value, units=len(AUS)):
            raise InputError(f"not a plan: {wrong}")
        return Plan(**value)

    @property
    def key(self) -> str:
        """64 hex digits; changes with every choice, not with paths, the order of keys or the way
        a number is written."""
        value = dict(vars(self))
        value["driver"] = {k: v for k, v in self.driver.items() if k != "source"}
        value["identity"] = {k: v for k, v in self.identity.items() if k not in ("source", "mesh")}
        return digest(["plan/1", value])

    @property
    def intensity(self) -> Floats:
        """float32 `T 2 17`."""
        return np.asarray(self.track, np.float32)

    @property
    def asked(self) -> AUTrack:
        """What the clip shall show, as a track."""
        return AUTrack.of(self.intensity, estimator="asked", fps=self.fps)

    @property
    def key_frames(self) -> tuple[int, int, int]:
        """Onset, apex and offset: the last frame at rest before anything moves, the frame with the
        most expression, the first frame at rest again. A blink is no expression."""
        return key_frames_of(self.intensity)


@told
@dataclass(frozen=True)
class Provenance:
    """What a synthetic clip carries for ever.

    Attributes:
        plan: the plan it was rendered from.
        driver_subject, identity_subject: "dataset/subject" of the person whose expression and
            whose face it shows, or "" where there is no person of a data set (a rule, a loose
            picture). The leakage guard reads these two.
        label: class label that goes with the clip, or None.
        label_source: where the label comes from.
        quality: scores by name.
        version: famaug version that rendered it.
        licence: terms of the data it comes from, in words, or "" where nobody said.
        engine: what computed the pixels, in words ("cpu, openvino f32"), or "" where nobody said:
            the pixels of one plan differ by rounding between engines. Part of no key.
    """

    plan: Plan
    driver_subject: str
    identity_subject: str
    label: str | int | None
    label_source: LabelSource
    quality: dict[str, float] = field(default_factory=dict)
    version: str = ""
    licence: str = ""
    engine: str = ""

    @staticmethod
    def of(
        plan: Plan, driver: str, identity: str, label: str | int | None, *, licence: str = ""
    ) -> Provenance:
        """Of a clip that this version renders; who renders it adds the engine.

        Args:
            driver: "dataset/subject" whose expression it shows, or "".
            identity: "dataset/subject" whose face it shows, or "".
            label: class label that goes with the driver's expression, or None.
        """
        drawn = plan.driver.get("kind") in ("rule", "stats")
        source: LabelSource = "none" if label is None else "rule" if drawn else "driver"
        return Provenance(
            plan, driver, identity, label, source, version=__version__, licence=licence
        )

    def to_json(self) -> dict[str, Any]:
        mine = {f.name: plain(getattr(self, f.name)) for f in fields(self) if f.name != "plan"}
        return {"plan": self.plan.to_json(), **mine}

    @staticmethod
    def from_json(value: dict[str, Any]) -> Provenance:
        """Raises InputError where it is none, as `Plan.from_json`."""
        if not isinstance(value, dict) or "plan" not in value:
            raise InputError(f"not a provenance: {type(value).__name__}, or without a plan")
        found = {**value, "plan": Plan.from_json(value["plan"])}
        if wrong := wrong_fields(Provenance, found):
            raise InputError(f"not a provenance: {wrong}")
        return Provenance(**found)
