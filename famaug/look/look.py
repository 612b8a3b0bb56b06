"""How a data set's clips look, as numbers; what one clip gets of them is drawn here.

A profile is fitted on a fold's real training clips (`famaug.data.look_fit.fit_look`) and kept in a
file (`famaug.look.files`). What is drawn from it for one clip goes into the plan, and so into the
clip's key; applying it (`famaug.look.applying`) draws nothing.
"""

from __future__ import annotations

from dataclasses import MISSING, asdict, dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from famaug.errors import InputError
from famaug.look.curves import BLINK_SECONDS, bounded, half_blink, pulse, slow
from famaug.modulation.retime import resample
from famaug.shown.lines import counted, one_line, rate, short
from famaug.types import AU_INDEX, AUTrack, key_frames_of

VERSION = "look/2"
READ = ("look/1", VERSION)
"""Versions that are read and rendered; what look/1 had no number for is 0."""
BLINK_INTENSITY = 4.0
DIGITS = 5
LIMITS: dict[str, tuple[float, ...]] = {
    "turns": (15, 15),
    "drift": (0.5, 20, 0.3),
    "misalign": (0.2, 20, 0.3),
    "flicker": (0.5, 0.5),
}
"""Standard deviations beyond which a number is a slip of the unit and no look."""


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
        clips: how many clips were measured; 0 for a profile that was measured on nobody.
        turns: standard deviations in degrees of how far the head has turned in depth between the
            first and the last frame: yaw, pitch.
        drift: the same of the head's motion in the picture, where there are no `paths`: shift (x
            and y each) as a share of the distance from brows to mouth, roll in degrees, growth as
            logarithm.
        misalign: standard deviations of how far the crop of every frame after the onset lies off
            the onset's: shift (x and y each) as a share of the frame's width, roll in degrees,
            growth as logarithm. One draw a clip.
        flicker: standard deviations of what the light has become by the last frame: its gain as
            a fraction, its offset as a fraction of the full range (255).
        half_blinks: a second, times that the lids close by 30 to 60 % and go back or stay.
        source: where the numbers come from, in words, where nobody was measured.

    Raises:
        InputError: a number of the last six that is below 0, not finite or beyond `LIMITS`.
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
    turns: tuple[float, float] = (0.0, 0.0)
    drift: tuple[float, float, float] = (0.0, 0.0, 0.0)
    misalign: tuple[float, float, float] = (0.0, 0.0, 0.0)
    flicker: tuple[float, float] = (0.0, 0.0)
    half_blinks: float = 0.0
    source: str = ""

    def __post_init__(self) -> None:
        for name, most in LIMITS.items():
            values = np.asarray(getattr(self, name), np.float64)
            if values.shape != (len(most),) or not ((values >= 0) & (values <= most)).all():
                raise InputError(
                    f"a look's {name} are {len(most)} numbers from 0 to "
                    f"{', '.join(f'{m:g}' for m in most)}; got {getattr(self, name)}"
                )
        if not 0 <= float(self.half_blinks) <= 10:
            raise InputError(f"half_blinks a second must be 0 to 10; got {self.half_blinks}")

    def __repr__(self) -> str:
        people = f"{self.clips} clips of {counted(len(self.subjects), 'subject')}"
        return one_line(
            self,
            f"{self.size[1]} x {self.size[0]} {'grey' if self.grey else 'colour'}",
            rate(self.fps),
            f"JPEG {self.jpeg}" if self.jpeg else "no JPEG",
            f"blur {self.blur:.2f} px",
            f"noise {self.noise[0][1]:.2f}" if self.noise else "no noise",
            f"from {people if self.clips else short(self.source, 48) or 'nobody'}",
        )

    def to_json(self) -> dict[str, Any]:
        """JSON-able; `from_json` gives an equal one back."""
        return {"version": VERSION, **asdict(self)}

    @staticmethod
    def from_json(value: dict[str, Any]) -> Look:
        """Of this version or look/1; numbers that are not there are 0.

        Raises:
            InputError: of another version, or fields missing or unknown.
        """
        if value.get("version") not in READ:
            raise InputError(
                f"not a profile of {' or '.join(READ)}: its version is {value.get('version')!r}; "
                "fit it again"
            )
        given = {k: v for k, v in value.items() if k != "version"}
        known = {f.name: f.default is MISSING for f in fields(Look)}
        lost = [name for name, needed in known.items() if needed and name not in given]
        odd = sorted(set(given) - set(known))
        if lost or odd:
            raise InputError(
                f"not a profile: fields missing: {', '.join(lost) or 'none'}; unknown: "
                f"{', '.join(odd) or 'none'}; fit it again"
            )
        return Look(**{k: _frozen(v) for k, v in given.items()})

    def one(self, rng: np.random.Generator) -> Look:
        """The profile of one clip: itself; of a mixture one of its own. Nothing is drawn."""
        return self

    def lines(self) -> list[str]:
        """For people."""
        wide, low = (100 * np.sqrt(self.spread[k][k]) for k in (1, 3))
        (shift, roll, growth), (gain, offset) = self.misalign, self.flicker
        jump = f"{100 * shift:.2f} % of width, {roll:.2f} degrees, growth {growth:.4f}"
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
            self._motion(),
            f"turns     yaw {self.turns[0]:.2f} and pitch {self.turns[1]:.2f} degrees (deviation)",
            f"crop      {jump} off the onset's (deviation)",
            f"light     gain {100 * gain:.2f} %, offset {100 * offset:.2f} % (deviation)",
            f"blinks    {60 * self.blinks:.1f} a minute, half blinks {60 * self.half_blinks:.1f}",
            f"measured  {self.clips} clips of {len(self.subjects)} subjects"
            if self.subjects
            else "measured  on nobody",
            *([f"source    {self.source}"] if self.source else []),
        ]

    def _motion(self) -> str:
        """The head's motion in the picture: of its paths, or else its drift."""
        face = (self.framing[3] - self.framing[1]) * self.size[0]
        if not self.paths:
            shift, roll, growth = self.drift
            return (
                f"motion    {shift * face:.1f} pixels, {roll:.2f} degrees and {100 * growth:.2f} % "
                "of size over a clip (deviation)"
            )
        moves = [np.abs(np.asarray(p)).max(0) for _, p in self.paths]
        far = float(np.median([np.hypot(m[0], m[1]) for m in moves])) * face
        roll = float(np.degrees(np.median([m[2] for m in moves])))
        return f"motion    {far:.1f} pixels and {roll:.2f} degrees within a clip (median)"

    # -- PLAN -----------------------------------------------------------------------------------

    def timed(self, track: AUTrack, rng: np.random.Generator) -> AUTrack:
        """A track at the data set's frame rate, with a blink or half a blink as often as real
        clips have one."""
        if self.fps is not None and track.fps is not None and track.fps != self.fps:
            track = resample(track, fps=self.fps)
        fps, length = track.fps or self.fps, len(track)
        blinks, at = rng.random(), rng.random()
        if fps is None:
            return track
        lids = np.zeros(length)
        if blinks < _chance(self.blinks, length / fps):
            t = (np.arange(length) - at * length) / fps / BLINK_SECONDS
            lids = BLINK_INTENSITY * pulse(t)
        if self.half_blinks and rng.random() < _chance(self.half_blinks, length / fps):
            lids = np.maximum(lids, half_blink(rng, length, fps))
        if not lids.any():
            return track
        shown = track.intensity.copy()
        au = AU_INDEX[45]
        shown[:, :, au] = np.maximum(shown[:, :, au], lids[:, None])
        return track.with_intensity(shown)

    def planned(
        self, track: AUTrack, rng: np.random.Generator, fps: float
    ) -> tuple[AUTrack, dict[str, Any]]:
        """`timed`, and `draw` for what comes of it; `fps` of a track that does not say its own."""
        track = self.timed(track, rng)
        onset, rate = key_frames_of(track.intensity)[0], float(track.fps or fps)
        return track, self.draw(rng, length=len(track), fps=rate, onset=onset)

    def draw(
        self, rng: np.random.Generator, *, length: int, fps: float, onset: int = 0
    ) -> dict[str, Any]:
        """What one clip of `length` frames gets: JSON-able, for the plan.

        Args:
            rng: what is drawn from.
            length: frames of the clip.
            fps: its frame rate.
            onset: its frame at rest, which the crop of those after it lies off.
        """
        # by axes: few clips give a covariance that is not of full rank
        size, axes = np.linalg.eigh(np.asarray(self.spread, np.float64))
        off = axes @ (np.sqrt(np.maximum(size, 0)) * bounded(rng, 4))
        place = np.asarray(self.framing) + off
        path = self._path(rng, length, fps)
        more: dict[str, Any] = {}
        if any(self.turns):
            more["turn"] = _told(slow(rng, length, 2) * self.turns)
        if any(self.flicker):
            gain, offset = (slow(rng, length, 2) * self.flicker).T
            more["light"] = _told(np.stack([np.exp(gain), 255 * offset], 1))
        if any(self.misalign):
            shift, roll, growth = self.misalign
            jump = bounded(rng, 1, 4) * [shift, shift, np.radians(roll), growth]
            more |= {"jump": _told(jump), "onset": int(onset)}
        return {
            "version": VERSION,
            "size": list(self.size),
            "grey": self.grey,
            "framing": [round(float(v), DIGITS) for v in place],
            "path": _told(path),
            "blur": self.blur,
            "noise": [list(p) for p in self.noise],
            "chroma": self.chroma,
            "jpeg": self.jpeg,
            "seed": int(rng.integers(2**53)),
            "subjects": list(self.subjects),
            **more,
        }

    def _path(self, rng: np.random.Generator, length: int, fps: float) -> NDArray[np.float64]:
        """`T 4`: the motion of a real clip, mirrored or not, run to and fro where it is short; or
        drawn, where none was measured."""
        pick, mirror = rng.random(), rng.random()
        if not self.paths:
            if not any(self.drift):
                return np.zeros((length, 4))
            shift, roll, growth = self.drift
            drawn: NDArray[np.float64] = slow(rng, length, 4) * [
                shift, shift, np.radians(roll), growth
            ]  # fmt: skip
            return drawn
        seconds, path = self.paths[int(pick * len(self.paths))]
        values = np.asarray(path, np.float64)
        if mirror < 0.5:
            values = values * [-1, 1, -1, 1]
        t = np.arange(length) / fps / max(seconds, 1 / fps)
        t = np.abs((t + 1) % 2 - 1)  # there and back again
        at = t * (len(values) - 1)
        knots = np.arange(len(values))
        return np.stack([np.interp(at, knots, values[:, k]) for k in range(4)], 1)


def _chance(rate: float, seconds: float) -> float:
    """That something of so many a second happens within so many seconds."""
    return float(1 - np.exp(-rate * seconds))


def _told(rows: NDArray[np.float64]) -> list[list[float]]:
    return [[round(float(v), DIGITS) for v in row] for row in rows]


def _frozen(value: Any) -> Any:
    return tuple(_frozen(v) for v in value) if isinstance(value, list | tuple) else value
