from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from famaug.aus.read import read_aus
from famaug.aus.table import write_table
from famaug.errors import InputError
from famaug.modulation.measure import filter_effects, reference_effect, threshold_effect
from famaug.modulation.rules import parse_expression
from famaug.seeding import keyed_generator
from famaug.testing import make_openface
from famaug.types import AUTrack

CLIPS = {
    "surprise": ({5: 0.8, 1: 0.5}, 91),
    "positive": ({12: 0.7, 6: 0.3}, 100),
    "negative": ({7: 1.3, 4: 0.7}, 96),
    "short": ({7: 1.2}, 30),
}
"""Rises and lengths as in clips of CASME II, SAMM and SMIC."""


def noisy() -> AUTrack:
    x = parse_expression("aus:4=1.5,7=0.8").draw(keyed_generator(0)).intensity
    return AUTrack.of(
        np.clip(x + 0.4 + 0.1 * keyed_generator(1).standard_normal(x.shape), 0, 5), estimator="t"
    )


def test_filter_effects() -> None:
    raw, one, two, *_, auto = filter_effects(noisy())
    assert (raw.n, raw.range_kept, raw.rise_kept) == (0, 1, 1)
    assert 0.3 < one.jitter / raw.jitter < 0.4  # 1/3 for independent noise
    assert 0.17 < two.jitter / raw.jitter < 0.25
    assert raw.range_kept > one.range_kept > two.range_kept
    assert auto.asked == "auto"
    assert auto.rise_kept >= 0.9
    short = AUTrack.of(noisy().intensity[:6], estimator="t")
    assert [e.asked for e in filter_effects(short)] == [0, 1, 2, "auto"]


def test_the_printed_form_shows_only_steps() -> None:
    effect = reference_effect(noisy())
    assert effect.au == "AU04"
    assert np.isclose(effect.onset_peak, effect.rise)
    assert effect.onset_match > 0.99
    assert effect.printed_peak < 0.3 * effect.onset_peak
    assert effect.printed_match < 0.5


@pytest.mark.parametrize("name", CLIPS)
def test_openfaces_sequences(name: str, tmp_path: Path) -> None:
    units, frames = CLIPS[name]
    table = make_openface(
        tmp_path / "a.csv", layout="merged", frames=frames, units=units, seed=len(name)
    )
    track, presence = read_aus(table)
    assert presence is not None
    effects = {e.asked: e for e in filter_effects(track)}
    assert 0.05 < effects[0].jitter < 0.1
    assert 0.25 < effects[1].jitter / effects[0].jitter < 0.45
    assert 0.65 < effects[1].range_kept < 0.88
    assert effects["auto"].n >= 1
    assert effects["auto"].rise_kept >= 0.9
    reference = reference_effect(track)
    assert reference.onset_match > 0.95
    assert reference.printed_match < 0.6
    assert reference.printed_peak < 0.5 * reference.onset_peak


def test_read_aus_tells_tables_apart(tmp_path: Path) -> None:
    path = write_table(noisy(), tmp_path / "a.csv")
    track, presence = read_aus(path, fps=50)
    assert (track.estimator, track.fps, presence) == ("t", 50, None)
    with pytest.raises(InputError, match="fps must be above 0"):
        read_aus(path, fps=0)


def test_no_threshold_effect_without_an_expression() -> None:
    still = AUTrack.of(np.full((20, 2, 17), 0.4), estimator="t")
    assert threshold_effect(still) is None
