"""Human FACS annotations: "4+L7", "R12 or R14", "ref(7B)", "10A/B", "12BL", "4+7+AD38", as AUs and
as tracks.

Data sets write them with letters for intensity (A trace ... E maximum), L and R for one side, T
and B for one lip or both sides, U for a side that is not told, A before the number for an uneven
expression, "or", a slash, brackets and question marks for doubt, in any order of letter and side.
Several are joined by +, a comma, a semicolon, "and" or a space. Beside AUs stand action descriptors
(AD), movements (M), positions of head and eyes and gross behaviour (GB): they are read, and left
out of tracks.
"""

from __future__ import annotations

import re
import unicodedata
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from famaug.aus.curves import Shape, onset_apex_offset
from famaug.errors import InputError, LeftOutWarning, TrackError
from famaug.types import AU_INDEX, AUS, AUTrack

Side = Literal["left", "right", "both"]

LETTERS = "ABCDE"
"""A = 1 ... E = 5 on the 0-5 scale."""
UNCERTAIN_CONFIDENCE = 0.5
ESTIMATOR = "facs/1"
MAX_TEXT = 500

NOTHING = ("", "/", "-", "0", "au0", "none", "neutral", "n/a", "nan", "no", "no au", "unscorable")
"""Annotations that tell of no AU."""
OLD_LETTERS = {"X": "A/B", "Y": "C", "Z": "D/E", "TRACE": "A", "TR": "A"}
"""FACS of 1978 told weak, medium and strong by X, Y and Z."""

_BEFORE = re.compile(
    r"""(?P<trace>TRACE|TR)
    |(?P<kind>AUS?|AD|GB|M)
    |(?P<side>LEFT|RIGHT|UNILATERAL|BILATERAL|BOTH|TOP|BOTTOM|[LRUTBA](?:\s*/\s*[LR])?)
    |(?P<doubt>\?+)""",
    re.VERBOSE,
)
_NUMBER = re.compile(r"0*(\d{1,2})(?!\d)")
_AFTER = re.compile(
    r"""(?P<gap>[\s_:]*)(?:
    (?P<word>LEFT|RIGHT|UNILATERAL|BILATERAL|BOTH|TOP|BOTTOM)
    |(?P<letter>(?!AND\b)[A-E](?:\s*[/-]\s*[A-E](?![A-Z\d]))?|TRACE|TR|[XYZ])
    |(?P<side>[LRUT])
    |(?P<doubt>\?+)
    )""",
    re.VERBOSE,
)
_NEXT = re.compile(r"[\s_:]*(?:AUS?|AD|GB|M)[\s_.:#-]*(?:[LRTBUA](?:\s*/\s*[LR])?\s*)*\d")
"""The next code begins here: "AU2" is no A."""
_JOIN = re.compile(r"\s*(?:(?P<either>\bOR\b|/)|[+,;&]|\bAND\b|(?=\s))\s*")
_ODD_SIGNS = {0x3001: ",", 0x200B: None, 0xFEFF: None, 0xAD: None}
_BRACKET = re.compile(r"\(([^()]*)\)")
_SIDES: dict[str, Side] = {"L": "left", "R": "right", "LEFT": "left", "RIGHT": "right"}
Kind = Literal["AU", "AD", "M", "GB"]


@dataclass(frozen=True)
class FacsUnit:
    """One annotated AU.

    Attributes:
        au: number, of any FACS unit (famaug can show 17 of them).
        side: the person's own side.
        letter: "A"-"E", "A/B" for between two, or None where none was given.
        uncertain: one of several ("or"), in brackets of doubt, with "?", of a side that is not
            told (U), or between two letters.
        kind: "AU", or what was written before the number: "AD", "M" or "GB", none of them an AU.
    """

    au: int
    side: Side = "both"
    letter: str | None = None
    uncertain: bool = False
    kind: Kind = "AU"

    @property
    def name(self) -> str:
        """As it is written: "24", "AD38"."""
        return f"{'' if self.kind == 'AU' else self.kind}{self.au}"

    @property
    def shown(self) -> bool:
        """Whether famaug can show it."""
        return self.kind == "AU" and self.au in AU_INDEX

    def intensity(self, default: float) -> float:
        """0-5: the letter's, the mean of two letters', or `default` without one."""
        if self.letter is None:
            return default
        marks = [LETTERS.index(mark) + 1 for mark in self.letter.split("/")]
        return sum(marks) / len(marks)


def parse_facs(text: str) -> tuple[FacsUnit, ...]:
    """An annotation as units, in the order written; "", "/" and "neutral" are none.

    >>> parse_facs("4+L7")
    (FacsUnit(au=4, side='both', letter=None, uncertain=False, kind='AU'), ...

    Raises:
        InputError: a part that is no code of FACS; the message quotes it.
    """
    if len(text) > MAX_TEXT:
        raise InputError(f"an AU annotation of {len(text)} characters: this is something else")
    plain = unicodedata.normalize("NFKC", text).translate(_ODD_SIGNS).strip()
    if plain.casefold() in NOTHING:
        return ()
    rest = _without_brackets(plain.upper())
    units: list[FacsUnit] = []
    either = False
    while True:
        unit, rest = _unit(rest, text)
        join = _JOIN.match(rest) if rest else None
        follows = join is not None and join["either"] is not None
        if either or follows:
            unit = replace(unit, uncertain=True)
        units.append(unit)
        if not rest:
            return tuple(dict.fromkeys(u for u in units if u.au))
        if join is None and not _NUMBER.match(_start(rest)):
            raise _unreadable(rest, text)
        either, rest = follows, rest[join.end() :] if join else rest


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
    subjects: Iterable[str] = (),
) -> AUTrack:
    """An annotated expression as a track: every AU rises from onset to apex and falls to offset.
    It counts from the neutral face, so it is shown as written.

    Args:
        length, onset, apex, offset: frames; as `onset_apex_offset`.
        default: intensity of AUs without a letter (1, a trace: micro-expressions are weak).
        uncertain: doubtful AUs are kept with confidence 0.5, or left out.
        subjects: whose expression was annotated, "dataset/subject", for the leakage guard.

    AUs that famaug cannot show (18, 24, ...) and codes that are no AUs (AD38, M59, ...) are left
    out with a warning; `not_shown` names them. Confidence is 1 for the rest: AUs that were not
    annotated were judged absent.

    Raises:
        InputError: text or positions that make no sense.
        TrackError: no AU is left that famaug can show.
    Warns:
        LeftOutWarning: codes that cannot be shown.
    """
    if uncertain not in ("keep", "drop") or not 0 < default <= 5:
        raise InputError(
            f"uncertain is 'keep' or 'drop', default above 0 and at most 5; got {uncertain!r} "
            f"and {default}"
        )
    units = parse_facs(text)
    shown = [u for u in units if u.shown and (uncertain == "keep" or not u.uncertain)]
    if not shown:
        raise TrackError(f"no AU of {text!r} can be shown: famaug has {', '.join(map(str, AUS))}")
    left_out = not_shown(text)
    if left_out:
        warnings.warn(
            f"{', '.join(left_out)} of {text!r} cannot be shown and is left out",
            LeftOutWarning,
            stacklevel=2,
        )
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
        modulated=True,
        subjects=subjects,
    )


def not_shown(text: str) -> tuple[str, ...]:
    """Codes of an annotation that famaug cannot show, as written: ("24", "AD38")."""
    return tuple(dict.fromkeys(u.name for u in parse_facs(text) if not u.shown))


def _without_brackets(text: str) -> str:
    """ "(R6 OR R12)+R15" as "R6 OR R12 +R15"; "REF(7B)" as "7B?": doubt survives as "OR" and "?".
    What has a number of its own never runs into the number before it: "8(25)" is "8 25"."""
    text = re.sub(r"\bREF\s*\(([^()]*)\)", r" \1? ", text)
    text = re.sub(r"\(K\)", "?", text)
    text = re.sub(r"\(([^()]*)\)\s*\?", lambda m: f" {_doubted(m[1])} ", text)
    return _BRACKET.sub(lambda m: f" {m[1]} " if re.search(r"\d", m[1]) else m[1], text).strip()


def _doubted(inside: str) -> str:
    """Every part of a doubted bracket with its own question mark."""
    return re.sub(r"\s*([+,;&]|$)", r"?\1", inside.strip()) if inside.strip() else "?"


def _start(text: str) -> str:
    """What follows the marks before a number."""
    while (match := _BEFORE.match(text)) and match.end():
        text = text[match.end() :].lstrip(" _.:#-")
    return text


def _unit(rest: str, text: str) -> tuple[FacsUnit, str]:
    """The unit at the start of an annotation, and what follows it."""
    sides: list[str] = []
    kind, letter, doubt, begin = "AU", "", False, rest
    while match := _BEFORE.match(rest):
        kind = (match["kind"] or kind).removesuffix("S")
        sides += re.split(r"\s*/\s*", match["side"]) if match["side"] else []
        letter = match["trace"] or letter
        doubt |= match["doubt"] is not None
        rest = rest[match.end() :].lstrip(" _.:#-")
    number = _NUMBER.match(rest)
    if number is None:
        raise _unreadable(begin, text)
    rest = rest[number.end() :]
    while (match := _AFTER.match(rest)) and not _NEXT.match(rest):
        beyond = rest[match.end() :]
        next_is = re.match(r"(\s*)\d", beyond)
        mark = match["side"] or match["word"]
        if next_is and (mark or (match["letter"] and match["gap"] and not next_is[1])):
            break  # it belongs to the next number
        if match["letter"] and letter:
            break
        letter = match["letter"] or letter
        sides += [mark] if mark else []
        doubt |= match["doubt"] is not None
        rest = beyond
    letter = re.sub(r"\s", "", OLD_LETTERS.get(letter, letter)).replace("-", "/")
    one = {_SIDES[s] for s in sides if s in _SIDES}
    unsure = doubt or "/" in letter or bool({"U", "UNILATERAL"} & {*sides} and not one)
    side = one.pop() if len(one) == 1 else "both"
    return FacsUnit(int(number[1]), side, letter or None, unsure, kind), rest  # type: ignore[arg-type]


def _unreadable(part: str, text: str) -> InputError:
    shown = re.split(r"[+,;&]", part.strip())[0] if part.strip() else "+"
    return InputError(
        f"cannot read {shown!r} in the AU annotation {text!r}: write AUs as 4+L7, 12B, R12 or R14, "
        "10A/B, and other codes as AD38, M59, GB80"
    )
