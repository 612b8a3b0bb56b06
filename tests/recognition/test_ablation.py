"""The ablation: what is compared, and what the verdict says."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from famaug.errors import InputError
from famaug.recognition.ablation import (
    Ablation,
    AblationRow,
    Setting,
    run_ablation,
    settings_of,
    verdict,
)
from famaug.recognition.ablation_report import write_ablation
from famaug.recognition.significance import Comparison, Interval
from tests.recognition.test_training import problem_of
from tests.recognition.training_samples import made_pool, made_samples


def test_settings() -> None:
    found = settings_of([1, 0, 0.5], ["a", "b"])
    assert [s.folder for s in found] == [
        "ratio-0", "a/ratio-0.5", "a/ratio-1", "b/ratio-0.5", "b/ratio-1",
    ]  # fmt: skip
    for ratios, sources, words in (
        ([-1], ["a"], "0 or more"),
        ([1, 1], ["a"], "differ"),
        ([1], [], "need sources"),
        ([1], ["../a"], "plain words"),
    ):
        with pytest.raises(InputError, match=words):
            settings_of(ratios, sources)


def test_run_and_report(tmp_path: Path) -> None:
    samples = replace(made_samples(6, 4), origin="made <noise>")
    base = replace(problem_of(epochs=2), samples=samples)
    pools = {"spots": made_pool(6, 3)}
    steps: dict[str, int] = {}

    def watch(setting: Setting):  # type: ignore[no-untyped-def]
        return lambda record: steps.__setitem__(setting.name, record["step"])

    how = {"seeds": [0, 1], "watch": watch}
    done = run_ablation(base, pools, [0, 1, 2], tmp_path, **how)  # type: ignore[arg-type]
    assert done is not None
    assert steps == dict.fromkeys(
        ["no synthetic clips", "spots at ratio 1", "spots at ratio 2"], done.steps
    )
    assert {r.part for r in done.rows} == {"all", "d0", "d1"}
    plain = done.rows[0]
    assert plain.comparison is None
    for row in done.rows[1:3]:
        assert row.comparison is not None
        assert row.comparison.a == pytest.approx(plain.scores["uf1"][0])
        assert row.comparison.b == pytest.approx(row.scores["uf1"][0])
    steps.clear()
    assert run_ablation(base, pools, [0, 1, 2], tmp_path, **how) == done  # type: ignore[arg-type]
    assert not steps  # nothing is trained twice

    write_ablation(done, tmp_path)
    with (tmp_path / "ablation.csv").open() as file:
        table = list(csv.DictReader(file))
    assert len(table) == 9
    assert float(table[1]["uf1"]) == pytest.approx(done.rows[1].scores["uf1"][0], abs=1e-5)
    assert all("Data: made <noise>" in row["note"] for row in table)
    html = (tmp_path / "ablation.html").read_text()
    assert "made &lt;noise&gt;" in html
    assert "<noise>" not in html
    for name in ("ablation.html", "ablation.md"):
        text = (tmp_path / name).read_text()
        assert "gain" in text
        assert "say nothing about the real data sets" in text
    assert "<svg" in (tmp_path / "ablation.svg").read_text()


def row_of(gain: float, p: float, name: str = "rules") -> AblationRow:
    test = Comparison(0.6, 0.6 + gain, Interval(gain, gain - 0.02, gain + 0.02), p)
    return AblationRow(Setting(name, 1.0), "all", 68, 442, {}, test, p)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([row_of(0.05, 0.01)], "A gain: rules at ratio 1, UF1 goes from 0.600 to 0.650 (+0.050"),
        ([row_of(0.05, 0.2)], "No gain was shown: with the best setting (rules at ratio 1)"),
        ([row_of(-0.05, 0.01), row_of(0.01, 0.8, "x")], "No gain, and a loss: rules at ratio 1"),
        ([], "Nothing was compared"),
    ],
)
def test_verdict(rows: list[AblationRow], words: str) -> None:
    made = Ablation(tuple(rows), (0, 1), 100, "ststnet", "", False, "zero")
    assert verdict(made).startswith(words)
    assert "corrected for" in verdict(made) or not rows


def test_a_ratio_that_cannot_be_filled_stops_before_training(tmp_path: Path) -> None:
    samples = made_samples(2, 4)
    with pytest.raises(InputError, match="the guard allows none"):
        run_ablation(
            replace(problem_of(epochs=1), samples=samples),
            {"own": made_pool(2, 3)},
            [1],
            tmp_path,
            seeds=[0],
        )
    assert not any(tmp_path.iterdir())
