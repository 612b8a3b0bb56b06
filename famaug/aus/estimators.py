"""Estimators of AUs: what one must be, the list of them, and the one way to use one.

An estimator is asked for by a name of `ESTIMATORS`, or by `module:Class` of your own: a class that
is called without arguments (or with `device=` and `sizes=`, where it takes them) and gives an
`Estimator`. Behind a colon a name takes what its class needs ("openface-binary:/opt/OpenFace");
"halves:" before any makes it two-sided.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np

from famaug.aus.multisize import OverSizes
from famaug.errors import FamaugError, InputError, TrackError
from famaug.named import import_named
from famaug.types import AUTrack, Frames, Picture

ESTIMATORS: dict[str, str] = {
    # famaug's own, two-sided, from landmarks and optical flow; needs nothing else
    "flow": "famaug.aus.flow_and_points:Flow",
    # its landmarks alone: fast, without AU06 and AU09
    "points": "famaug.aus.flow_and_points:Points",
    # your own OpenFace 2 (academic use only): FeatureExtraction on PATH, or named behind a colon
    "openface-binary": "famaug.aus.openface_binary:OpenFaceBinary",
    # CC BY-NC, with OpenFace's models; pip install "famaug[pyfaceau]", pyfaceau-download-models
    "pyfaceau": "famaug.aus.pyfaceau:PyFaceAU",
    # MIT, probabilities and not intensities; pip install "famaug[estimators]"
    "pyfeat": "famaug.aus.pyfeat:PyFeat",
}
HALVES = "halves:"


class Estimator(Protocol):
    """Measures the AUs of clips.

    Attributes:
        name, version: together "name/version", which its tracks carry and under which they are
            kept: another version is measured anew.
        licence: its terms, in words.
        scale: of its intensities. "famaug": 5 is a unit's full excursion, 0 the person's own
            neutral face. "openface": as OpenFace reads. Tracks of two scales are never mixed.
    """

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def licence(self) -> str: ...
    @property
    def scale(self) -> str: ...

    def measure(self, frames: Frames, neutral: int) -> AUTrack:
        """A track of T frames (`AUTrack.of`) of a clip, uint8 RGB `T H W 3`, T at least 2.

        Args:
            neutral: number of the frame in which the face is at rest. An estimator of absolute
                values needs none: the modulation takes differences.
        """
        ...


def find_estimator(
    estimator: str | Estimator, *, sizes: Sequence[int] = (0,), device: str = "cpu"
) -> Estimator:
    """The estimator of a name; what it needs is looked for now, before anything is measured.

    Args:
        estimator: as the module says; one that is made already is taken as it is.
        sizes: shifts of the pictures' height and width to average over (Eq. 1), by the estimator
            itself where it takes `sizes=`.
        device: for those that take `device=`.

    Raises:
        InputError: no such name, or not an `Estimator`.
        MissingPackageError: what it needs is not installed.
    """
    if isinstance(estimator, str) and estimator.startswith(HALVES):
        from famaug.aus.halves import BothHalves  # loads the face nets

        inner = find_estimator(estimator.removeprefix(HALVES), sizes=sizes, device=device)
        return BothHalves(inner, device=device)
    options = {"sizes": tuple(sizes), "device": device}
    own: list[str] = []
    if isinstance(estimator, str):
        name, _, rest = estimator.partition(":")
        make = import_named(name if name in ESTIMATORS else estimator, "estimator", ESTIMATORS)
        takes = inspect.signature(make).parameters
        own = [option for option in options if option in takes]
        given = [rest] if rest and name in ESTIMATORS else []
        if given and "program" not in takes:
            raise InputError(
                f"the estimator {name} takes nothing behind a colon; got {estimator!r}"
            )
        found: Any = make(*given, **{option: options[option] for option in own})
    else:
        found = estimator
    lacks = [n for n in ("name", "version", "licence", "scale") if not _is_text(found, n)]
    lacks += [] if callable(getattr(found, "measure", None)) else ["measure(frames, neutral)"]
    if lacks:
        raise InputError(
            f"{estimator!r} is no estimator: it lacks {', '.join(lacks)} "
            "(famaug.aus.estimators.Estimator says what one has)"
        )
    plain = "sizes" in own or tuple(sizes) == (0,)
    made: Estimator = found if plain else OverSizes(found, sizes)
    return made


def check_estimator(text: str) -> None:
    """Raises InputError for a name that is none, without loading one that ships."""
    bare = text.removeprefix(HALVES)
    if bare.partition(":")[0] not in ESTIMATORS:
        import_named(bare, "estimator", ESTIMATORS)


def measure(
    estimator: Estimator,
    frames: Frames,
    neutral: int = 0,
    *,
    picture: Picture | None = None,
    fps: float | None = None,
) -> AUTrack:
    """What an estimator says of a clip, under its name and version.

    Args:
        frames: uint8 RGB `T H W 3`.
        neutral: number of the neutral frame.
        picture: a picture `H W 3` of the same face at rest, in the frames' size, instead.
        fps: frames per second of the clip, for the track.

    Raises:
        InputError: no such frame, a picture of another size, or the estimator failed.
        TrackError: it gave no track, or one of another length or scale than it should.
    """
    if picture is not None:
        if picture.shape != frames.shape[1:]:
            raise InputError(
                f"the neutral picture is {picture.shape}, the frames are {frames.shape[1:]}"
            )
        frames, neutral = np.concatenate([picture[None], frames]), 0
    if not 0 <= neutral < len(frames):
        raise InputError(f"neutral frame {neutral} is not within the clip's {len(frames)} frames")
    try:
        track = estimator.measure(frames, neutral)
    except FamaugError:
        raise
    except Exception as error:  # whatever foreign code raises, the user gets one kind
        raise InputError(
            f"the estimator {estimator.name} failed ({type(error).__name__}: {error})"
        ) from error
    if not isinstance(track, AUTrack) or len(track) != len(frames):
        seen = f"{len(track)} frames" if isinstance(track, AUTrack) else type(track).__name__
        raise TrackError(f"the estimator {estimator.name} gave {seen} for {len(frames)} frames")
    if track.scale != estimator.scale:
        raise TrackError(
            f"the estimator {estimator.name} says its scale is {estimator.scale!r}, and gave a "
            f"track on {track.scale!r}"
        )
    shown = slice(0 if picture is None else 1, None)
    return replace(
        track,
        intensity=track.intensity[shown],
        confidence=track.confidence[shown],
        estimator=f"{estimator.name}/{estimator.version}",
        fps=fps,
    )


def _is_text(thing: Any, name: str) -> bool:
    return isinstance(getattr(thing, name, None), str)
