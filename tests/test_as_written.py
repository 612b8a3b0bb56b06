"""What a driver says of itself: already modulated, or not; its frame rate, or none."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from famaug.aus.facs import facs_track
from famaug.aus.read import read_aus
from famaug.aus.table import read_table, write_table
from famaug.errors import AssumedRateWarning, InputError, TrackError
from famaug.modulation.modulate import Modulation, modulate
from famaug.modulation.rules import parse_expression
from famaug.pipeline import Synthesizer
from famaug.pipeline.inputs import Driver
from famaug.seeding import keyed_generator
from famaug.types import AU_INDEX, AU_NAMES, AUTrack, Plan

FACE: dict[str, Any] = {"name": "f", "digest": "0", "mesh": "", "source": None}


def measured(fps: float | None = 200) -> AUTrack:
    """A noisy clip over a resting level."""
    x = parse_expression("aus:4=1.5,12L=1.2").draw(keyed_generator(0)).intensity
    x = x + 0.4 + 0.05 * keyed_generator(1).standard_normal(x.shape)
    return AUTrack.of(np.clip(x, 0, 5), estimator="t/1", fps=fps)


def plan(source: Any, **settings: Any) -> Plan:
    driver = Driver.of(source)
    maker = Synthesizer(**settings)
    track = maker.measure(driver)
    return maker.plan_measured(driver.to_json(), track, FACE, keyed_generator(0))


def test_a_modulated_table_is_shown_as_written(tmp_path: Path) -> None:
    shown = modulate(measured())
    path = write_table(shown, tmp_path / "shown.csv")
    assert list(pd.read_csv(path).columns)[-1] == "modulated"  # any reader reads it by name
    assert read_table(path).modulated
    made = plan(str(path))
    assert np.abs(made.intensity - shown.intensity).max() <= 1e-4
    assert made.params["modulation"] == "as written"
    assert plan(path, peak=1.0).intensity.max() == pytest.approx(1.0, abs=1e-4)
    raw = write_table(measured(), tmp_path / "raw.csv")
    assert "modulated" not in pd.read_csv(raw).columns
    assert plan(raw).params["modulation"] == Modulation().to_json()
    assert np.abs(plan(raw).intensity - shown.intensity).max() <= 1e-3


def test_any_table_can_be_shown_as_written(tmp_path: Path) -> None:
    track = measured()
    holed = track.intensity.copy()
    holed[5] = np.nan
    holed[:, :, AU_INDEX[20]] = np.nan
    path = write_table(AUTrack.of(holed, estimator="t/1", fps=200), tmp_path / "raw.csv")
    made = plan(Driver.of(path).as_written())
    other = np.delete(np.delete(made.intensity - track.intensity, 5, 0), AU_INDEX[20], 2)
    assert np.abs(other).max() <= 2e-4
    assert not made.intensity[:, :, AU_INDEX[20]].any()
    assert made.params["modulation"] == "as written"
    assert made.key != plan(path).key
    with pytest.raises(InputError, match=r"is a rule; only an AU table"):
        Driver.of("rule:positive").as_written()


def test_an_openface_table_that_says_it_is_modulated(tmp_path: Path) -> None:
    columns = {"frame": range(1, 21), "confidence": [0.9] * 20, "success": [1] * 20}
    columns |= {f"{name}_r": np.linspace(0.3, 1, 20).round(2) for name in AU_NAMES}
    table = pd.DataFrame(columns)
    table.to_csv(tmp_path / "raw.csv", index=False)
    table.assign(modulated=1).to_csv(tmp_path / "shown.csv", index=False)
    assert not read_aus(tmp_path / "raw.csv")[0].modulated
    assert read_aus(tmp_path / "shown.csv")[0].modulated
    table.assign(modulated=[1] * 19 + [0]).to_csv(tmp_path / "half.csv", index=False)
    with pytest.raises(TrackError, match=r"modulated must be 1 in every row"):
        read_aus(tmp_path / "half.csv")


def test_drawn_expressions_are_shown_as_written() -> None:
    rule = parse_expression("aus:4=1.5,12L=1.2")
    track = rule.draw(keyed_generator(0), fps=100)
    assert np.abs(plan(track).intensity - track.intensity).max() <= 1e-4
    annotated = plan(facs_track("4B+L12", length=21, apex=10, fps=200), peak=None)
    assert annotated.intensity[10, :, AU_INDEX[4]].tolist() == [2.0, 2.0]
    assert annotated.intensity[10, :, AU_INDEX[12]].tolist() == [1.0, 0.0]
    assert plan("rule:positive").params["modulation"] == "as written"


def test_the_rate_of_a_driver_that_does_not_say(tmp_path: Path) -> None:
    path = write_table(measured(fps=None), tmp_path / "a.csv")
    with pytest.warns(AssumedRateWarning, match=r"100 frames per second are assumed.*--fps"):
        assert plan(path).fps == 100
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert plan(path, fps=200).fps == 200
        assert plan(measured(fps=25), fps=200).fps == 25
        assert plan("rule:positive").fps == 100
    with pytest.raises(InputError, match="fps must be above 0"):
        Synthesizer(fps=0)


def test_the_told_rate_counts_for_gaps() -> None:
    """At 200 frames per second 60 ms are 12 frames; nobody knows it of a track without a rate."""
    x = measured(fps=None)
    holed = x.intensity.copy()
    holed[10:20] = np.nan
    track = replace(x, intensity=holed)
    assert len(plan(track, fps=200).track) == len(x)
    with pytest.warns(AssumedRateWarning), pytest.raises(TrackError, match="10 frames, more than"):
        plan(track)


def test_a_folder_of_openface_tables_drives(tmp_path: Path) -> None:
    for i in range(12):
        row = {"face": 0, "confidence": 0.9} | {f"{n}_r": 0.1 + i / 20 for n in AU_NAMES}
        pd.DataFrame([row]).to_csv(tmp_path / f"img{i}.csv", index=False)
    made = plan(tmp_path, fps=200, modulation=Modulation(n=0))
    assert (len(made.track), made.fps, made.driver["kind"]) == (12, 200, "track")
