from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from famaug.errors import InputError, TrackError
from famaug.modulation.pools import (
    ExpressionPool,
    load_pool,
    macro_pool,
    pair_pool,
    save_pool,
)
from famaug.seeding import keyed_generator
from famaug.types import AU_INDEX, AUTrack

A12, A4 = AU_INDEX[12], AU_INDEX[4]


def micro(au: int, strength: float, scale: str = "famaug") -> AUTrack:
    """Onset to offset over a resting level; the left side stronger."""
    level = np.sin(np.linspace(0, np.pi, 61)) ** 2
    x = np.full((61, 2, 17), 0.3)
    x[:, 0, au] += strength * level
    x[:, 1, au] += 0.5 * strength * level
    return AUTrack.of(x, estimator="e/1", scale=scale, fps=200)


def macro(strength: float = 4.0) -> AUTrack:
    x = np.full((81, 2, 17), 0.2)
    x[:, :, A12] += strength * np.linspace(0, 1, 81)[:, None]
    return AUTrack.of(x, estimator="e/1", fps=30)


def apex_of(track: AUTrack) -> int:
    return int(track.intensity.sum(axis=(1, 2)).argmax())


def pool(**changes: object):  # type: ignore[no-untyped-def]
    settings: dict[str, object] = {
        "subjects": ["d/1", "d/2", "d/3"],
        "labels": ["positive", "negative", "positive"],
        "training": {"d/1", "d/2"},
        **changes,
    }
    return pair_pool([micro(A12, 1.2), micro(A4, 1.0), micro(A12, 2.0)], **settings)  # type: ignore[arg-type]


def test_pairs_of_training_subjects_only() -> None:
    held_out = pool()
    assert (len(held_out), held_out.excluded) == (2, 1)
    rng = keyed_generator(0, "pairs")
    drawn = [held_out.draw(rng, fps=200) for _ in range(200)]
    assert {d.subjects for d in drawn} == {("d/1",), ("d/2",)}
    assert max(d.intensity[:, 0, A12].max() for d in drawn) < 1.25


def test_a_pair_keeps_its_sides_and_loses_its_resting_level() -> None:
    drawn = pool().draw(keyed_generator(1), fps=200, label="positive")
    x = drawn.intensity
    assert np.isclose(x[apex_of(drawn), 0, A12], 1.2, atol=0.06)
    assert np.isclose(x[apex_of(drawn), 1, A12], 0.6, atol=0.03)
    assert np.count_nonzero(x[apex_of(drawn)]) == 2
    assert not x[[0, -1]].any()
    assert (drawn.estimator, drawn.fps) == ("pair(e/1)", 200)


def test_annotated_apex_is_used() -> None:
    early = pair_pool([micro(A12, 2.0)], subjects=["d/1"], training={"d/1"}, apexes=[15]).draw(
        keyed_generator(0), fps=200
    )
    assert np.isclose(early.intensity[apex_of(early), 0, A12], 1.0, atol=0.06)


def test_early_macro_frames_are_a_quarter_to_half_of_the_way() -> None:
    macros = macro_pool([macro(), macro(2)], subjects=["d/1", "d/2"], training={"d/1"})
    assert macros.excluded == 1
    rng = keyed_generator(0, "macro")
    peaks = np.array([macros.draw(rng, fps=200).intensity.max() for _ in range(200)])
    assert 0.95 < peaks.min() < 1.1
    assert 1.9 < peaks.max() < 2.05
    assert macros.draw(rng, fps=200).estimator == "early-macro(e/1)"


def smile(lead: float, held: float) -> AUTrack:
    """At 30 fps: rest with noise and a blink, a smile within 170 ms (left a frame ahead), held."""
    rise = np.linspace(0, 1, 6)
    left = np.r_[np.zeros(round(lead * 30)), rise, np.ones(round(held * 30))]
    x = np.full((len(left), 2, 17), 0.2)
    x[:, 0, A12] += 4.0 * left
    x[:, 1, A12] += 3.0 * np.r_[0, left[:-1]]
    x[:, :, AU_INDEX[25]] += left[:, None]
    noise = 0.06 * keyed_generator(0, "noise", len(left)).standard_normal(x.shape)
    x[: round(lead * 30), :, AU_INDEX[45]] += 2.0
    return AUTrack.of(np.clip(x + noise, 0, 5), estimator="e/1", fps=30)


@pytest.mark.parametrize(("lead", "held"), [(0.5, 0.2), (0.5, 1.6), (4.0, 0.3), (10.0, 3.0)])
def test_early_is_by_intensity_whatever_comes_before_or_after(lead: float, held: float) -> None:
    macros = macro_pool([smile(lead, held)], subjects=["d/1"], training={"d/1"})
    rng = keyed_generator(0, "macro")
    peaks = np.array([macros.draw(rng, fps=200).intensity.max(axis=0) for _ in range(100)])
    left, right = peaks[:, 0, A12], peaks[:, 1, A12]
    assert 0.9 < left.min() < 1.3
    assert 1.7 < left.max() < 2.2
    assert (right > 0.05 * left).all()
    assert (right < left).all()
    others = np.delete(peaks, [A12, AU_INDEX[25]], axis=2)
    assert others.max() < 0.3  # noise stays noise: nothing to scale up
    assert abs(np.corrcoef(left, peaks[:, 0, AU_INDEX[25]])[0, 1]) > 0.9


def test_a_clip_that_only_blinks_is_no_macro_expression() -> None:
    x = np.full((60, 2, 17), 0.2)
    x[:, :, AU_INDEX[45]] += np.linspace(0, 3, 60)[:, None]
    blink = AUTrack.of(x, estimator="e/1", fps=30)
    both = macro_pool([macro(), blink], subjects=["d/1", "d/1"], training={"d/1"})
    assert (len(both), both.excluded) == (1, 1)
    falling = AUTrack.of(macro().intensity[::-1].copy(), estimator="e/1", fps=30)
    with pytest.raises(InputError, match="no clip is left"):
        macro_pool([falling], subjects=["d/1"], training={"d/1"})


@pytest.mark.parametrize("kind", ["pairs", "early"])
def test_saved_and_read_again(kind: str, tmp_path: Path) -> None:
    made = (
        pool() if kind == "pairs" else macro_pool([smile(1, 1)], subjects=["d/1"], training=["d/1"])
    )
    path = save_pool(made.to_json(), tmp_path / "pool.json")
    back = load_pool(path, ExpressionPool.from_json)
    assert back.to_json() == made.to_json()
    one, same = (p.draw(keyed_generator(3), fps=100) for p in (made, back))
    assert np.allclose(one.intensity, same.intensity, atol=2e-3)
    assert one.subjects == same.subjects
    for key, value in (
        ("subjects", ["", "d/2"]),
        ("changes", [[[[9.0] * 17] * 2]] * len(made)),
        ("changes", "none"),
        ("schema", "other/1"),
        ("early", [0.5, 0.1]),
    ):
        with pytest.raises(InputError, match="pool"):
            ExpressionPool.from_json(made.to_json() | {key: value})


def test_deterministic() -> None:
    one, same = (pool().draw(keyed_generator(5), fps=100) for _ in range(2))
    assert np.array_equal(one.intensity, same.intensity)


def test_bad_input() -> None:
    with pytest.raises(InputError, match="no clip is left of 3"):
        pool(training={"d/9"})
    with pytest.raises(InputError, match="3 tracks, 2 subjects"):
        pool(subjects=["d/1", "d/2"])
    with pytest.raises(InputError, match="holds no 'surprise': it has negative, positive"):
        pool().draw(keyed_generator(0), fps=200, label="surprise")
    with pytest.raises(InputError, match="apex 61 of a clip"):
        pool(apexes=[61, None, None])
    with pytest.raises(InputError, match="early must be"):
        macro_pool([macro()], subjects=["a"], training={"a"}, early=(0.5, 0.2))
    with pytest.raises(TrackError, match="never mixed in one pool"):
        pair_pool(
            [micro(A12, 1), micro(A12, 1, "openface")], subjects=["a", "b"], training={"a", "b"}
        )
    still = AUTrack.of(np.full((40, 2, 17), 0.4), estimator="e", fps=100)
    with pytest.raises(InputError, match="no clip is left"):
        pair_pool([still], subjects=["a"], training={"a"}, apexes=[20])
