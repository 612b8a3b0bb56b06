"""Draws synthetic people: head shape from MakeHuman targets, colours of skin, hair and eyes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from famaug.seeding import keyed_generator
from head.makehuman import MakeHumanArchive, Target

Array = NDArray[np.float64]
Colour = tuple[float, float, float]

_RACES = ("african", "asian", "caucasian")
_SEXES = ("female", "male")
_STRENGTH = {
    "cheek": 0.5,
    "chin": 0.4,
    "ears": 0.3,
    "eyebrows": 0.4,
    "eyes": 0.35,
    "forehead": 0.4,
    "head": 0.35,
    "mouth": 0.35,
    "nose": 0.4,
}
_SHARE = 0.4
_ASYMMETRY = 0.25
_LEFT_OUT = (
    "trans-in",
    "trans-out",
    "head-trans",
    "head-age",
    "mouth-dimples",
    "laugh-lines",
    "nose-trans",  # pushes the nostrils' lining through the cheek
    "mouth-trans-backward",
    "mouth-trans-forward",
)
_OPPOSITES = (
    ("decr", "incr"),
    ("down", "up"),
    ("in", "out"),
    ("backward", "forward"),
    ("concave", "convex"),
    ("compress", "uncompress"),
)
_TONES = ("eac3a8", "e3b18f", "cf9872", "ab7350", "7d4f36", "563628")
_HAIR = ("14100e", "2a1d16", "46311f", "6b4a2b", "8a6a42", "77726e")
_IRIS = ("2c1a10", "4a2f1a", "5d5a34", "5b7688")


@dataclass(frozen=True)
class Complexion:
    """Colours as linear RGB, 0-1, and the seed of the skin's texture."""

    skin: Colour
    lips: Colour
    hair: Colour
    brow: Colour
    iris: Colour
    cloth: Colour
    beard: float
    brow_thickness: float
    mottling: float
    texture: int


def mean_shape(archive: MakeHumanArchive) -> Array:
    """float `19158 3`: the mean of the six young macro heads at average weight."""
    points = archive.vertices.copy()
    for sex in _SEXES:
        for race in _RACES:
            points += archive.target(f"macrodetails/{race}-{sex}-young").dense() / 6
        points += _weight(archive, sex, "young", "average").dense() / 2
    return points


def _weight(archive: MakeHumanArchive, sex: str, age: str, weight: str) -> Target:
    return archive.target(f"macrodetails/universal-{sex}-{age}-averagemuscle-{weight}weight")


def draw_shape(archive: MakeHumanArchive, seed: int) -> Array:
    """float `19158 3`: a person of this seed."""
    points = archive.vertices.copy()
    races, male, old, heavy = _macro(seed)
    for sex, of_sex in (("female", 1 - male), ("male", male)):
        for age, of_age in (("young", 1 - old), ("old", old)):
            share = of_sex * of_age
            for race, of_race in zip(_RACES, races, strict=True):
                target = archive.target(f"macrodetails/{race}-{sex}-{age}")
                points[target.index] += share * of_race * target.offset
            extreme = "max" if heavy > 0 else "min"
            for weight, of_weight in (("average", 1 - abs(heavy)), (extreme, abs(heavy))):
                target = _weight(archive, sex, age, weight)
                points[target.index] += share * of_weight * target.offset
    for name, amount in _details(archive.names, seed):
        target = archive.target(name)
        points[target.index] += amount * target.offset
    return points


def _macro(seed: int) -> tuple[Array, float, float, float]:
    """Shares of the races, maleness, age (0 young - 1 old), weight (-1 to 1)."""
    draw = keyed_generator(seed, "makehuman", "macro")
    races = draw.dirichlet([0.7, 0.7, 0.7])
    return races, float(draw.beta(0.5, 0.5)), 0.7 * float(draw.beta(1, 2)), draw.uniform(-0.5, 0.5)


def _details(names: tuple[str, ...], seed: int) -> list[tuple[str, float]]:
    """Detail targets and their amounts; left and right alike, plus a little asymmetry."""
    chosen = []
    for axis, ends in sorted(_axes(names).items()):
        draw = keyed_generator(seed, "makehuman", axis)
        folder = axis.split("/")[0]
        used = draw.random() < _SHARE or folder == "asym"
        strength = _ASYMMETRY if folder == "asym" else _STRENGTH[folder]
        amount = strength * draw.uniform(-1, 1)
        end = ends[1 if amount > 0 else 0]
        if used:
            chosen += [(name, abs(float(amount))) for name in end]
    return chosen


def _axes(names: tuple[str, ...]) -> dict[str, tuple[list[str], list[str]]]:
    """Axes of change: targets at its lower and at its upper end (none where there is no such)."""
    axes: dict[str, tuple[list[str], list[str]]] = {}
    for name in names:
        folder, stem = name.split("/")
        if folder not in (*_STRENGTH, "asym") or any(part in name for part in _LEFT_OUT):
            continue
        if folder == "asym":
            key, upper = stem[:-2], stem.endswith("-l")
        else:
            key, upper = _axis_of(stem.removeprefix("l-").removeprefix("r-"))
        axes.setdefault(f"{folder}/{key}", ([], []))[int(upper)].append(name)
    return axes


def _axis_of(stem: str) -> tuple[str, bool]:
    head, _, last = stem.rpartition("-")
    for low, high in _OPPOSITES:
        if last in (low, high):
            return head, last == high
    return stem, True


def draw_complexion(seed: int | None) -> Complexion:
    """Colours of this seed; None gives a middle complexion."""
    if seed is None:
        return _complexion(0.35, 0.2, 0.3, beard=0.0, brow=1.0, mottling=1.0, cloth=0.5, texture=0)
    races, male, old, _ = _macro(seed)
    draw = keyed_generator(seed, "makehuman", "complexion")
    tone = float(np.clip(races @ [0.8, 0.3, 0.12] + draw.normal(0, 0.07), 0, 1))
    fair = float(races[2])
    grey = float(old > 0.4 and draw.random() < 0.6)
    return _complexion(
        tone,
        1.0 if grey else fair * draw.uniform(0, 0.85),
        fair * draw.uniform(0, 1.0),
        beard=float((male > 0.6) * draw.uniform(0, 0.5)),
        brow=draw.uniform(0.75, 1.1) + 0.35 * male,
        mottling=draw.uniform(0.7, 1.3),
        cloth=draw.random(),
        texture=int(draw.integers(2**31)),
    )


def _complexion(
    tone: float,
    hair: float,
    iris: float,
    *,
    beard: float,
    brow: float,
    mottling: float,
    cloth: float,
    texture: int,
) -> Complexion:
    skin = _along(_TONES, tone)
    r, g, b = skin
    return Complexion(
        skin=skin,
        lips=(0.80 * r, 0.46 * g, 0.52 * b),
        hair=_along(_HAIR, hair),
        brow=_along(_HAIR, 0.5 * hair),
        iris=_along(_IRIS, iris),
        cloth=_along(("25303f", "5a6470", "7c3b36", "8f8f88"), cloth),
        beard=beard,
        brow_thickness=brow,
        mottling=mottling,
        texture=texture,
    )


def _along(palette: tuple[str, ...], place: float) -> Colour:
    """Linear RGB at `place` (0-1) along a palette of sRGB hex colours."""
    table = np.array([[int(c[i : i + 2], 16) for i in (0, 2, 4)] for c in palette]) / 255
    linear = np.where(table <= 0.04045, table / 12.92, ((table + 0.055) / 1.055) ** 2.4)
    at = place * (len(palette) - 1)
    r, g, b = (float(np.interp(at, np.arange(len(palette)), linear[:, k])) for k in range(3))
    return r, g, b
