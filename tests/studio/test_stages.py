"""What the driver page says of a measured track."""

from __future__ import annotations

import numpy as np

from famaug.studio.stages import stages_of
from famaug.types import AU_INDEX, AUTrack


def test_what_is_cut_and_what_is_shown() -> None:
    rise = np.sin(np.linspace(0, np.pi, 40)) ** 2
    x = np.zeros((40, 2, 17))
    x[:, 0, AU_INDEX[12]] = 2 * rise
    x[:, 1, AU_INDEX[4]] = 0.12 * rise
    found = stages_of(AUTrack.of(x, estimator="t/1", fps=None))
    assert [(k.au, k.side) for k in found.kept] == [(12, "left"), (4, "right")]
    smile, brow = found.kept
    assert smile.verdict == "shown"
    assert smile.shown > 1.8
    assert brow.verdict.startswith("cut")
    assert brow.shown == 0
    assert found.picture.startswith(b"\x89PNG")


def test_what_famaug_warns_of_is_told() -> None:
    x = np.zeros((40, 2, 17))
    x[:, :, AU_INDEX[12]] = np.linspace(2, 0, 40)[:, None]  # not at rest at its onset
    notes = stages_of(AUTrack.of(x, estimator="t/1", fps=100.0)).notes
    assert notes
    assert all(note for note in notes)
