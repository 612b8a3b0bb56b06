"""The gate: which clips are good enough, and why the others are not."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING

from famaug.errors import InputError

if TYPE_CHECKING:
    from famaug.quality.judge import Quality

AT_LEAST = ("au_r", "au_r_sides", "au_gain", "identity_mean", "identity_min", "sharpness")
FRAMES_JUDGED = 12
"""Frames of a clip in which a gate's judge measures AUs and identity."""


@dataclass(frozen=True, kw_only=True)
class Gate:
    """Limits of the scores (`famaug.quality.judge.MEANING`); None lets every value pass.

    AU correlations, identity and sharpness must reach their limit, the others must not exceed
    it. A score that could not be had lets the clip pass. The defaults let through what the warp
    renderer makes at micro-expression strength (docs/quality.md says how they were measured).
    """

    au_r: float | None = 0.6
    au_r_sides: float | None = 0.5
    au_gain: float | None = 0.3
    au_error: float | None = None
    au_false: float | None = 0.6
    identity_mean: float | None = None
    identity_min: float | None = 0.8
    flicker: float | None = 1.5
    outside: float | None = 0.5
    seam: float | None = 0.4
    sharpness: float | None = 0.8
    faces_lost: float | None = 0.0

    def __post_init__(self) -> None:
        for f in fields(self):
            limit = getattr(self, f.name)
            if limit is not None and not -1 <= limit <= 255:
                raise InputError(f"gate {f.name}: a limit is -1 to 255, or None; got {limit}")

    def check(self, quality: Quality) -> tuple[str, ...]:
        """Why a clip is rejected, a reason for each limit it breaks; empty when it passes."""
        reasons = []
        for name, limit in asdict(self).items():
            score = quality.scores.get(name)
            if limit is None or score is None:
                continue
            low = name in AT_LEAST
            if score < limit if low else score > limit:
                word = "at least" if low else "at most"
                reasons.append(f"{name} is {score:.3g}, asked is {word} {limit:g}")
        return tuple(reasons)

    def to_json(self) -> dict[str, float | None]:
        """What is kept of it."""
        return asdict(self)
