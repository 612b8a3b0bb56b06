"""Human FACS annotations: "4+L7", "R12 or R14", "ref(7B)", "10A/B", as AUs and as tracks.

Data sets write them with letters for intensity (A trace ... E maximum), L and R for one side, T
and B for one lip, A before the number for an uneven expression, "or", brackets and question marks
for doubt. Several annotations of one face are joined by + (or comma, semicolon).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

import numpy as np

from famaug.aus.curves import Shape, onset_apex_offset
from famaug.errors import InputError, TrackError
from famaug.types import AU_INDEX, AUS, AUTrack

Side = Literal["left", "right", "both"]

LETTERS = "ABCDE"
"""A = 1 ... E = 5 on the 0-5 scale."""
UNCERTAIN_CONFIDENCE = 0.5
ESTIMATOR = "facs/1"
MAX_TEXT = 500

_UNIT = re.compile(
    r"""(?:AU)?\s*
    (?P<where>[LRTBA])?\s*
    0*(?P<au>\d{1,2})
    (?P<letter>[A-E](?:\s*/\s*[A-E])?)?
    (?P<doubt>\?|\(k\))?""",
    re.VERBOSE | re.IGNORECASE,
)
_SPLIT = re.compile(r"\s*[+,;&]\s*")
_OR = re.compile(r"\s+or\s+|(?<=\d)/(?=[LR]?\d)", re.IGNORECASE)
_BRACKET = re.compile(r"\(([^()]*)\)")
_SIDES: dict[str, Side] = {"L": "left", "R": "right"}


@dataclass(frozen=True)
class FacsUnit:
    """One annotated AU.

    Attributes:
        au: number, of any FACS unit (famaug can show 17 of them).
        side: the person's own side.
        letter: "A"-"E", "A/B" for between two, or None where none was given.
        uncertain: one of several ("or"), in brackets of doubt, with "?", or between two letters.
    """

    au: int
    side: Side = "both"
    letter: str | None = None
    uncertain: bool = False

    def intensity(self, default: float) -> float:
        """0-5: the letter's, the mean of two letters', or `default` without one."""
        if self.letter is None:
            return default
        marks = [LETTERS.index(mark) + 1 for mark in self.letter.split("/")]
        return sum(marks) / len(marks)


def parse_facs(text: str) -> tuple[FacsUnit, ...]:
    """An annotation as units, in the order written; "" and "/" are none.

    >>> parse_facs("4+L7")
    (FacsUnit(au=4, side='both', letter=None, uncertain=False), FacsUnit(au=7, side='left', ...

    Raises:
        InputError: a part that is no AU; the message quotes it.
    """
    if len(text) > MAX_TEXT:
        raise InputError(f"an AU annotation of {len(text)} characters: this is something else")
    if text.strip() in ("", "/", "-"):
        return ()
    units: list[FacsUnit] = []
    for part in _SPLIT.split(_without_brackets(text.strip())):
        alternatives = _OR.split(part)
        units += [_unit(a, text, doubt=len(alternatives) > 1) for a in alternatives]
    return tuple(dict.fromkeys(units))


def facs_track(
    text: str,
    *,
    length: int,
    apex: float,
    onset: float = 0.0,
    offset: float | None = None,
    fps: float | None = None,
    default: float = 1.0,
    uncertain: Literal["keep", "drop"] = "keep",
    shape: Shape = "cosine",
) -> AUTrack:
    """An annotated expression as a track: every AU rises from onset to apex and falls to offset.

    Args:
        length, onset, apex, offset: frames; as `onset_apex_offset`.
        default: intensity of AUs without a letter (1, a trace: micro-expressions are weak).
        uncertain: doubtful AUs are kept with confidence 0.5, or left out.

    AUs that famaug cannot show (18, 24, ...) are left out; `not_shown` names them. Confidence is
    1 for the rest: AUs that were not annotated were judged absent.

    Raises:
        InputError: text or positions that make no sense.
        TrackError: no AU is left that famaug can show.
    """
    if uncertain not in ("keep", "drop") or not 0 < default <= 5:
        raise InputError(
            f"uncertain is 'keep' or 'drop', default above 0 and at most 5; got {uncertain!r} "
            f"and {default}"
        )
    units = parse_facs(text)
    shown = [u for u in units if u.au in AU_INDEX and (uncertain == "keep" or not u.uncertain)]
    if not shown:
        raise TrackError(f"no AU of {text!r} can be shown: famaug has {', '.join(map(str, AUS))}")
    level = onset_apex_offset(length, apex=apex, onset=onset, offset=offset, shape=shape)
    peak = np.zeros((2, len(AUS)))
    sure = np.ones((2, len(AUS)))
    for unit in shown:
        where = ({"left": [0], "right": [1], "both": [0, 1]}[unit.side], AU_INDEX[unit.au])
        peak[where] = np.maximum(peak[where], unit.intensity(default))
        sure[where] = UNCERTAIN_CONFIDENCE if unit.uncertain else sure[where]
    return AUTrack.of(
        level[:, None, None] * peak,
        confidence=np.broadcast_to(sure, (length, 2, len(AUS))),
        estimator=ESTIMATOR,
        scale="facs",
        fps=fps,
    )


def not_shown(text: str) -> tuple[int, ...]:
    """AUs of an annotation that are not among famaug's 17, in rising order."""
    return tuple(sorted({u.au for u in parse_facs(text)} - set(AUS)))


def _without_brackets(text: str) -> str:
    """ "(R6 or R12)+R15" as "R6 or R12+R15"; "ref(7B)" as "7B?": doubt survives as "or" and "?"."""
    text = re.sub(r"\bref\s*\(([^()]*)\)", r"\1?", text, flags=re.IGNORECASE)
    kept = re.sub(r"\(k\)", "?", text, flags=re.IGNORECASE)
    return _BRACKET.sub(r"\1", kept)


def _unit(part: str, text: str, *, doubt: bool) -> FacsUnit:
    match = _UNIT.fullmatch(part.strip())
    if match is None or int(match["au"]) == 0:
        raise InputError(
            f"cannot read {part.strip()!r} in the AU annotation {text!r}: "
            "write AUs as 4+L7, 12B, R12 or R14, 10A/B"
        )
    letter = re.sub(r"\s", "", match["letter"]).upper() if match["letter"] else None
    side = _SIDES.get((match["where"] or "").upper(), "both")
    between = letter is not None and "/" in letter
    return FacsUnit(int(match["au"]), side, letter, doubt or between or match["doubt"] is not None)
