"""What the blendshape net reads is set beside what was asked, and misses are said."""

from __future__ import annotations

import numpy as np

from famaug.aus.flow_and_points import Measurement
from famaug.demo.outside import Reading, outside_table, readings
from famaug.faces.landmarks import BLENDSHAPES
from famaug.faces.mesher import FaceTrack
from famaug.types import AU_INDEX, AUS, AUTrack


def measured(shapes: dict[str, float]) -> Measurement:
    """Two frames: everything at 0.1, then the named blendshapes as given."""
    at = np.full((2, len(BLENDSHAPES)), 0.1)
    for name, value in shapes.items():
        at[1, BLENDSHAPES.index(name)] = value
    logits = np.log(at / (1 - at)).astype(np.float32)
    none = np.zeros(2, np.float32)
    faces = FaceTrack(np.zeros((2, 478, 3), np.float32), none, logits, none, 1)
    track = AUTrack.of(np.zeros((2, 2, len(AUS)), np.float32), estimator="test")
    return Measurement(track, faces, np.zeros((2, 3), np.float32), ())


def asked(units: dict[int, tuple[float, float]]) -> AUTrack:
    x = np.zeros((2, 2, len(AUS)), np.float32)
    for au, sides in units.items():
        x[1, :, AU_INDEX[au]] = sides
    return AUTrack.of(x, estimator="asked")


def test_units_are_seen_on_the_sides_that_were_asked() -> None:
    seen = measured({"mouthSmileLeft": 0.5, "browInnerUp": 0.12, "mouthFrownLeft": 0.9})
    want = asked({12: (1.5, 0), 1: (1, 1), 4: (0.3, 0.3), 15: (0.8, 0.8)})
    smile, brow, frown = readings(want, seen, 0, 1)
    assert (smile.au, brow.au, frown.au) == (12, 1, 15)  # AU04 was asked too faintly
    assert smile.seen
    assert not brow.seen
    assert not frown.seen  # the right side stays where it is
    assert np.allclose(smile.rest + smile.apex, (0.1, 0.1, 0.5, 0.1))


def test_misses_are_said_in_words() -> None:
    good = Reading(12, (1.5, 1.5), (0.1, 0.1), (0.6, 0.6))
    bad = Reading(9, (1.5, 1.5), (0.0, 0.0), (0.0, 0.01))
    table = outside_table([("one", [good]), ("two", [bad])])
    assert [row[-1] for row in table.rows] == ["rises", "does not rise"]
    (words,) = table.notes
    assert "AU09 nose wrinkler (noseSneerLeft)" in words
    assert not outside_table([("one", [good])]).notes
