from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from famaug.aus.table import read_table, write_table
from famaug.modulation.rules import parse_expression
from famaug.seeding import keyed_generator
from famaug.types import AU_INDEX, AU_NAMES, AUTrack
from tests.commands.typed import Done, famaug


def run(*arguments: object) -> Done:
    return famaug("modulate", *arguments)


def last_json(result: Done) -> dict[str, object]:
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout.splitlines()[-1])  # type: ignore[no-any-return]


@pytest.fixture
def driver(tmp_path: Path) -> Path:
    """A noisy measured clip over a resting level, in famaug's table."""
    x = parse_expression("aus:4=1.5,12L=1.2").draw(keyed_generator(0)).intensity
    x = x + 0.4 + 0.05 * keyed_generator(1).standard_normal(x.shape)
    track = AUTrack.of(np.clip(x, 0, 5), estimator="t/1", fps=200)
    return write_table(track, tmp_path / "driver.csv")


@pytest.fixture
def openface(tmp_path: Path) -> Path:
    """FaceLandmarkImg rows; AU12 is never present."""
    level = np.sin(np.linspace(0, np.pi, 50)) ** 2
    names = [f"{n}_r" for n in AU_NAMES] + [f"{n}_c" for n in AU_NAMES]
    lines = [", ".join(["face", "confidence", *names])]
    for v in level:
        r, c = np.full(17, 0.2), np.ones(17)
        r[AU_INDEX[4]] += v
        r[AU_INDEX[12]] += v
        c[AU_INDEX[12]] = 0
        lines.append(", ".join(f"{x:g}" for x in [0, 0.95, *r.round(2), *c]))
    path = tmp_path / "openface.csv"
    path.write_text("\n".join(lines))
    return path


def test_modulates_and_writes(driver: Path, tmp_path: Path) -> None:
    out, figure = tmp_path / "out.csv", tmp_path / "steps.svg"
    result = last_json(run(driver, "--out", out, "--figure", figure, "--json"))
    track = read_table(out)
    assert (track.estimator, track.fps, track.sided) == ("t/1", 200, True)
    assert not track.intensity[0].any()
    assert 1.3 < track.intensity[:, :, AU_INDEX[4]].max() < 1.6
    assert track.intensity[:, 1, AU_INDEX[12]].max() < 0.3
    assert list(result["strongest"])[:2] in (  # type: ignore[call-overload]
        ["AU04 left", "AU04 right"],
        ["AU04 right", "AU04 left"],
    )
    assert figure.read_text().startswith("<?xml")
    assert result["out"] == str(out)


def test_options_reach_the_modulation(driver: Path, tmp_path: Path) -> None:
    def peak(*options: object) -> np.ndarray:
        assert run(driver, "--out", tmp_path / "o.csv", *options).returncode == 0
        return read_table(tmp_path / "o.csv").intensity.max(axis=0)

    plain = peak()
    assert np.allclose(peak("--gain", 2)[:, 2], 2 * plain[:, 2], atol=1e-3)
    one = peak("--gain-aus", "12L=2")
    assert np.isclose(one[0, AU_INDEX[12]], 2 * plain[0, AU_INDEX[12]], atol=1e-3)
    assert np.allclose(one[:, AU_INDEX[4]], plain[:, AU_INDEX[4]], atol=1e-3)
    rest = peak("--target-aus", "aus:4=1", "--alpha", 1)
    assert np.allclose(rest[:, AU_INDEX[4]], plain[:, AU_INDEX[4]] + 1, atol=1e-3)
    assert peak("--reference", "previous")[:, 2].max() < 0.3 * plain[:, 2].max()
    assert peak("--n", "auto").shape == (2, 17)
    assert run(driver, "--out", tmp_path / "o.csv", "--to-fps", 100, "--length", 40).returncode == 0
    short = read_table(tmp_path / "o.csv")
    assert (len(short), short.fps) == (40, 100)


def test_rules(tmp_path: Path) -> None:
    out = tmp_path / "rule.csv"
    for text in ("rule:surprise", "aus:4=1.5,12L=1"):
        result = last_json(run(text, "--out", out, "--fps", 100, "--seed", 3, "--json"))
        assert (result["estimator"], result["fps"]) == ("rule/1", 100)
        first = read_table(out).intensity
        run(text, "--out", out, "--fps", 100, "--seed", 3)
        assert np.array_equal(read_table(out).intensity, first)
    assert np.allclose(first.max(axis=0)[:, AU_INDEX[4]], 1.5)


def test_presence_gate_from_openface(openface: Path, tmp_path: Path) -> None:
    out = tmp_path / "o.csv"
    last_json(run(openface, "--out", out, "--presence-gate", 0.5, "--json"))
    track = read_table(out)
    assert track.scale == "openface"
    assert track.intensity[:, :, AU_INDEX[4]].max() > 0.9
    assert not track.intensity[:, :, AU_INDEX[12]].any()


def test_table(driver: Path, openface: Path) -> None:
    result = run(driver, openface, "--table", "--json")
    lines = result.stdout.splitlines()
    assert sum(line.startswith("| driver |") for line in lines) == 8
    assert sum("auto (" in line for line in lines) == 2
    values = last_json(result)
    assert len(values["filters"]) == 12  # type: ignore[arg-type]
    assert len(values["forms"]) == 2  # type: ignore[arg-type]
    for cut in values["thresholds"]:  # type: ignore[attr-defined]
        assert cut["soft_step"] <= cut["own_step"] * 1.0001
        assert cut["soft_switches"] <= cut["hard_switches"]
        assert cut["soft_switch"] < cut["hard_switch"]
        assert cut["hard_frames"] < cut["soft_frames"] <= cut["frames"]
    assert len(values["thresholds"]) == 2  # type: ignore[arg-type]


def test_notes_and_dry_run(driver: Path, tmp_path: Path) -> None:
    out = tmp_path / "none.csv"
    result = run(driver, "--out", out, "--n", 9, "--dry-run", "--json")
    values = last_json(result)
    assert "window of 19 frames" in values["notes"][0]  # type: ignore[index]
    assert "note: the window" in result.stderr
    assert values["out"] is None
    assert f"would write {out}" in result.stdout
    assert not out.exists()
    assert last_json(run(driver, "--dry-run", "--json"))["notes"] == []
    assert "note:" not in famaug("-q", "modulate", driver, "--n", 9, "--dry-run").stderr


def test_a_modulated_table_is_modulated_again_and_it_is_said(driver: Path, tmp_path: Path) -> None:
    once = tmp_path / "once.csv"
    run(driver, "--out", once)
    values = last_json(run(once, "--dry-run", "--json"))
    assert "modulated already" in values["notes"][0]  # type: ignore[index]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.csv", "--dry-run"], "cannot read the AU table none.csv"),
        (["rule:joy", "--dry-run"], "unknown rule 'joy'"),
        (["rule:positive"], "nothing to write"),
        (["rule:positive", "rule:negative", "--dry-run"], "one at a time"),
        (["rule:positive", "--dry-run", "--n", "x"], "whole number from 0, or auto"),
        (["rule:positive", "--dry-run", "--edges", "wrap"], "unknown edges 'wrap'"),
        (["rule:positive", "--dry-run", "--reference", "x"], "unknown reference 'x'"),
        (["rule:positive", "--dry-run", "--presence-gate", "0.5"], "AU_c"),
        (["rule:positive", "--figure", "f.gif"], "a figure is .png"),
    ],
)
def test_errors_are_one_line(arguments: list[str], message: str) -> None:
    result = run(*arguments)
    assert result.returncode == (1 if arguments[0] == "none.csv" else 2)
    assert message in result.stderr
    assert "Traceback" not in result.stderr


def test_nothing_is_written_when_a_part_is_refused(driver: Path, tmp_path: Path) -> None:
    assert run(driver, "--out", tmp_path / "o.csv", "--figure", tmp_path / "f.gif").returncode == 2
    assert not (tmp_path / "o.csv").exists()


def test_usage_errors_exit_2(driver: Path) -> None:
    assert run(driver, "--colour", "red").returncode == 2
    assert run().returncode == 2
