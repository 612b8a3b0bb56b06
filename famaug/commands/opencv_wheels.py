"""OpenCV comes in four wheels that all write the folder `cv2`: two of them break each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path

OURS = "opencv-python-headless"


@dataclass(frozen=True)
class Wheel:
    """An installed distribution that brings cv2.

    Attributes:
        files: those in cv2/. lost: of these, the ones that are gone or of another size.
    """

    name: str
    version: str
    files: frozenset[str]
    lost: frozenset[str]


def opencv_wheels(path: Sequence[str] | None = None) -> list[Wheel]:
    """The installed wheels with a cv2, by name.

    Args:
        path: folders to look in instead of Python's own.
    """
    every = distributions() if path is None else distributions(path=list(path))
    named: dict[str, Distribution] = {}
    for each in every:
        if str(each.metadata["Name"] or "").lower().startswith("opencv"):
            named.setdefault(str(each.metadata["Name"]), each)  # the first is what is imported
    wheels = [_wheel(name, named[name]) for name in sorted(named)]
    return [wheel for wheel in wheels if wheel.files]


def opencv_problems(wheels: Sequence[Wheel]) -> list[str]:
    """What is wrong with them, and what to type."""
    if len(wheels) > 1:
        return [_fight(wheels)]
    return [
        f"{w.name} {w.version}: {len(w.lost)} of {len(w.files)} files of cv2 are gone or changed, "
        f"as after another wheel of OpenCV: pip install --force-reinstall --no-deps {w.name}"
        for w in wheels
        if w.lost
    ]


def _fight(wheels: Sequence[Wheel]) -> str:
    owners = Counter(file for wheel in wheels for file in wheel.files)
    shared = sum(n > 1 for n in owners.values())
    whole = [w.name for w in wheels if not w.lost]
    lies = f"those of {whole[0]} lie there" if len(whole) == 1 else "no wheel's are there whole"
    return (
        f"{len(wheels)} wheels of OpenCV fight over cv2 "
        f"({', '.join(f'{w.name} {w.version}' for w in wheels)}): {shared} files belong to more "
        f"than one, {lies}. Keep one: pip uninstall -y {' '.join(w.name for w in wheels)}, then "
        f"pip install {OURS}"
    )


def _wheel(name: str, found: Distribution) -> Wheel:
    listed = [f for f in found.files or () if f.parts[0] == "cv2" and f.suffix != ".pyc"]
    lost = []
    for file in listed:
        there = Path(str(found.locate_file(file)))
        whole = there.is_file() and file.size in (None, there.stat().st_size)
        lost += [] if whole else [str(file)]
    return Wheel(name, found.version, frozenset(map(str, listed)), frozenset(lost))
