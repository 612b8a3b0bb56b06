"""A reader that knows nothing of famaug's AUs: Google's blendshape net."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from famaug.aus.flow_and_points import Measurement
from famaug.aus.names import FACS_NAMES
from famaug.faces.landmarks import BLENDSHAPES
from famaug.report.values import Cell, ReportTable
from famaug.types import AUS, AUTrack

COUNTERPARTS: dict[int, tuple[str, ...]] = {
    1: ("browInnerUp",),
    2: ("browOuterUpLeft", "browOuterUpRight"),
    4: ("browDownLeft", "browDownRight"),
    5: ("eyeWideLeft", "eyeWideRight"),
    7: ("eyeSquintLeft", "eyeSquintRight"),
    9: ("noseSneerLeft", "noseSneerRight"),
    10: ("mouthUpperUpLeft", "mouthUpperUpRight"),
    12: ("mouthSmileLeft", "mouthSmileRight"),
    14: ("mouthDimpleLeft", "mouthDimpleRight"),
    15: ("mouthFrownLeft", "mouthFrownRight"),
    17: ("mouthShrugLower",),
    20: ("mouthStretchLeft", "mouthStretchRight"),
    26: ("jawOpen",),
    45: ("eyeBlinkLeft", "eyeBlinkRight"),
}
"""The blendshapes, left and right where there are two, that mean what an AU means."""
ASKED, SEEN = 0.5, 0.05
"""From this intensity on a unit is looked for; by this much its blendshape must rise."""


@dataclass(frozen=True)
class Reading:
    """One unit of one clip: what was asked at the apex and what the net gave, left and right.

    Blendshapes without sides have one value in `rest` and `apex`.
    """

    au: int
    asked: tuple[float, float]
    rest: tuple[float, ...]
    apex: tuple[float, ...]

    @property
    def seen(self) -> bool:
        """Whether it rises on every side that was asked."""
        rise = [b - a for a, b in zip(self.rest, self.apex, strict=True)]
        wanted = self.asked if len(rise) == 2 else (max(self.asked),)
        return all(r >= SEEN for r, w in zip(rise, wanted, strict=True) if w >= ASKED)


def readings(asked: AUTrack, measured: Measurement, onset: int, apex: int) -> list[Reading]:
    """The units of a clip that have a counterpart, the strongest first."""
    shapes = 1 / (1 + np.exp(-measured.faces.blendshapes[[onset, apex]]))
    at = asked.intensity[apex]
    found = []
    for au in sorted(COUNTERPARTS, key=lambda au: -float(at[:, AUS.index(au)].max())):
        left, right = (float(v) for v in at[:, AUS.index(au)])
        if max(left, right) < ASKED:
            continue
        columns = [BLENDSHAPES.index(name) for name in COUNTERPARTS[au]]
        rest, top = (tuple(float(v) for v in row[columns]) for row in shapes)
        found.append(Reading(au, (left, right), rest, top))
    return found


def outside_table(clips: list[tuple[str, list[Reading]]]) -> ReportTable:
    """A row for each unit of each clip."""
    rows: list[list[Cell]] = []
    missed: list[str] = []
    for title, found in clips:
        for r in found:
            name = f"AU{r.au:02d} {FACS_NAMES[r.au]}"
            sides = r.rest + r.apex if len(r.rest) == 2 else (r.rest[0], None, r.apex[0], None)
            left0, right0, left1, right1 = sides
            rows.append([title, name, *r.asked, left0, left1, right0, right1,
                         "rises" if r.seen else "does not rise"])  # fmt: skip
            if not r.seen:
                missed.append(f"{name} ({COUNTERPARTS[r.au][0]})")
    words = (
        f"Rises by less than {SEEN:.2f} on a side that was asked: {', '.join(missed)}. The net may "
        "be blind to it at this strength, or it is not to be seen."
    )
    return ReportTable(
        title="What a net that knows nothing of these AUs reads",
        columns=["clip", "unit", "asked, left", "right", "left: onset", "apex", "right: onset",
                 "apex ", "at the apex"],
        rows=rows,
        caption="Google's blendshape net (0 to 1) on the synthetic frames, for units asked at "
        f"{ASKED} or more that have a counterpart. It was trained by others on other faces and "
        "knows nothing of the AU basis; but it reads points of the same mesh that famaug measures "
        "from, so it is a second opinion about the mesh, not about the skin.",
        notes=[words] if missed else [],
    )  # fmt: skip
