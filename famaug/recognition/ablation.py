"""Does it help? The same training at several ratios of synthetic to real clips, and a fair test.

Every ratio has the same folds, seeds, first weights, options and number of steps (that of ratio 0),
so that a gain is not merely more training.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from famaug.errors import InputError
from famaug.recognition.metrics import Counts, MissingClass
from famaug.recognition.pool import SyntheticPool
from famaug.recognition.problem import Problem
from famaug.recognition.results import collect, seed_counts
from famaug.recognition.runs import Shard, run_all
from famaug.recognition.samples import (
    Samples,
    Split,
    check_classes,
    make_splits,
    splits_alone,
)
from famaug.recognition.significance import (
    Comparison,
    bootstrap_interval,
    holm,
    paired_comparison,
)
from famaug.recognition.training import Log

LEVEL = 0.05
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Setting:
    """One trained setting; source is "" for ratio 0. With `alone` no real clip is trained on."""

    source: str
    ratio: float
    alone: bool = False

    @property
    def folder(self) -> str:
        if self.alone:
            return f"{self.source}/alone"
        return f"{self.source}/ratio-{self.ratio:g}" if self.source else "ratio-0"

    @property
    def name(self) -> str:
        if self.alone:
            return f"synthetic only: {self.source}"
        return f"{self.source} at ratio {self.ratio:g}" if self.source else "no synthetic clips"


@dataclass(frozen=True)
class AblationRow:
    """A line of the table: one setting on one part ("all", or a data set).

    Intervals are 95 %, from bootstrap over subjects; `comparison` is the paired test of UF1 against
    ratio 0 (None for ratio 0 itself); `p_corrected` is after Holm over all ratios of the part, and
    over all rows without real clips by themselves.
    """

    setting: Setting
    part: str
    subjects: int
    clips: int
    scores: Mapping[str, tuple[float, float, float]]
    comparison: Comparison | None
    p_corrected: float | None


@dataclass(frozen=True)
class Ablation:
    """The finished ablation: rows, how it was trained, the data's label ("" for real), and why
    sources have no row of synthetic clips alone."""

    rows: tuple[AblationRow, ...]
    seeds: tuple[int, ...]
    steps: int
    network: str
    data: str
    optimistic: bool
    missing: MissingClass
    notes: tuple[str, ...] = ()


def settings_of(
    ratios: Sequence[float], sources: Sequence[str], alone: Sequence[str] = ()
) -> list[Setting]:
    """Ratio 0 once, then every other ratio of every source, then those `alone`.

    Raises:
        InputError: a ratio is under 0 or there twice, or ratios have no source.
    """
    if any(r < 0 for r in ratios) or len(set(ratios)) < len(ratios):
        raise InputError(f"ratios are 0 or more and differ; got {list(ratios)}")
    above = sorted(r for r in ratios if r > 0)
    if above and not sources:
        raise InputError("ratios above 0 need sources, a name and a cache folder each")
    wrong = [s for s in sources if not s or "/" in s or s.startswith((".", "ratio-"))]
    if wrong:
        raise InputError(f"names of sources are plain words; got {wrong}")
    mixed = [Setting(s, r) for s in sources for r in above]
    return [Setting("", 0.0), *mixed, *(Setting(s, 0.0, alone=True) for s in alone)]


def sources_alone(
    samples: Samples, pools: Mapping[str, SyntheticPool]
) -> tuple[dict[str, list[Split]], tuple[str, ...]]:
    """By source how it is tested alone, and a line for each that cannot be: somebody who is tested
    went into all of its clips of a class, or each fold has a look of its own."""
    found, notes = {}, []
    for name, pool in pools.items():
        splits = splits_alone(samples, pool)
        try:
            if pool.own is not None:
                raise InputError("each fold sees its clips with a look of its own")
            if not splits[0].allowed.any():
                raise InputError("somebody who is tested went into each of its clips")
            check_classes(samples, pool, splits)
            found[name] = splits
        except InputError as error:
            notes.append(f"No row of {name} alone: {error}.")
    return found, tuple(notes)


def run_ablation(
    base: Problem,
    pools: Mapping[str, SyntheticPool],
    ratios: Sequence[float],
    folder: Path,
    *,
    seeds: Sequence[int],
    folds: str = "loso",
    shard: Shard = (0, 1),
    threads: int | None = None,
    missing: MissingClass = "zero",
    alone: bool = True,
    watch: Callable[[Setting], Log] | None = None,
) -> Ablation | None:
    """Trains every setting into its folder and compares.

    Args:
        base: the problem without synthetic clips.
        pools: synthetic clips by source.
        ratios: which; 0 is always trained.
        folder: results; what is finished there is kept.
        seeds, folds, shard, threads, missing: as `run_all` and `make_splits`.
        alone: also train on each source's clips alone, where nobody who is tested went into them:
            one training a seed, of as many steps.
        watch: from a setting to what sees its epochs.

    Returns:
        The ablation, or None while other shards are not finished.

    Raises:
        InputError: ratios or sources do not fit, or a fold has no clips to fill its ratio; before
            anything is trained.
    """
    problems, notes = ablation_problems(base, pools, ratios, folds=folds, alone=alone)
    for note in notes:
        log.warning("%s", note)
    finished = []
    for setting, problem in problems.items():
        value = run_all(
            problem,
            folder / setting.folder,
            seeds=seeds,
            shard=shard,
            threads=threads,
            missing=missing,
            watch=None if watch is None else watch(setting),
        )
        finished.append(value is not None)
    if not all(finished):
        return None
    counts = {s: _counts_of(folder / s.folder, seeds, p) for s, p in problems.items()}
    return Ablation(
        tuple(_rows(base.samples, counts, missing)),
        tuple(seeds),
        problems[Setting("", 0.0)].options.steps or 0,
        base.network,
        base.samples.origin,
        base.options.select == "best-test",
        missing,
        notes,
    )


def ablation_problems(
    base: Problem,
    pools: Mapping[str, SyntheticPool],
    ratios: Sequence[float],
    *,
    folds: str = "loso",
    alone: bool = True,
) -> tuple[dict[Setting, Problem], tuple[str, ...]]:
    """What each setting trains, all with the steps of ratio 0, and why sources are not trained on
    alone. Steps that begin on synthetic clips alone are steps like any other where there are no
    synthetic clips, or no real ones.

    Raises:
        InputError, WeightsError, LeakageError: a setting cannot be trained.
    """
    unmixed = replace(base.options, pretrain_steps=0)
    splits = make_splits(base.samples, folds=folds)
    plain = replace(base, pool=None, ratio=0.0, splits=splits, options=unmixed)
    plain = replace(plain, options=replace(unmixed, steps=plain.steps))
    mixed = replace(base.options, steps=plain.steps)
    by_source = {name: make_splits(base.samples, pool, folds=folds) for name, pool in pools.items()}
    tested, notes = sources_alone(base.samples, pools) if alone else ({}, ())
    problems = {}
    for setting in settings_of(ratios, [*pools], [*tested]):
        own = plain
        if setting.source:
            own = replace(plain, pool=pools[setting.source], ratio=setting.ratio)
        if setting.alone:
            own = replace(own, splits=tested[setting.source], only=True)
        elif setting.source:
            own = replace(own, splits=by_source[setting.source], options=mixed)
        own.check()  # tells of a ratio that cannot be filled
        problems[setting] = own
    return problems, notes


def _counts_of(folder: Path, seeds: Sequence[int], problem: Problem) -> Counts:
    found = collect(folder, seeds, [s.name for s in problem.splits], problem.samples)
    if found is None:
        raise InputError(f"{folder}: folds went missing while they were read")
    return seed_counts(problem.samples, found[0])[1]


def _rows(
    samples: Samples, counts: Mapping[Setting, Counts], missing: MissingClass
) -> list[AblationRow]:
    groups = [s.rpartition("/")[0] for s in dict.fromkeys(samples.subjects)]
    parts = {"all": np.ones(len(groups), bool)}
    if len(set(groups)) > 1:
        parts |= {g: np.asarray([x == g for x in groups]) for g in dict.fromkeys(groups)}
    rows = []
    for part, mask in parts.items():
        own = [g for g, m in zip(groups, mask, strict=True) if m]
        how: dict[str, Any] = {"groups": own, "missing": missing}
        plain = counts[Setting("", 0.0)][:, mask]
        tests = {
            s: paired_comparison(plain, c[:, mask], **how) for s, c in counts.items() if s.source
        }
        corrected: dict[Setting, float] = {}
        for alone in (False, True):
            family = {s: t.p for s, t in tests.items() if s.alone == alone}
            corrected |= zip(family, holm([*family.values()]), strict=True)
        for setting, table in counts.items():
            found = {
                score: bootstrap_interval(table[:, mask], score=score, **how)
                for score in ("uf1", "uar")
            }
            rows.append(
                AblationRow(
                    setting,
                    part,
                    int(mask.sum()),
                    int(table[0, mask].sum()),
                    {k: (v.value, v.low, v.high) for k, v in found.items()},
                    tests.get(setting),
                    corrected.get(setting),
                )
            )
    return rows


def verdict(ablation: Ablation) -> str:
    """One plain sentence on all clips together: a gain, a loss, or that none was shown."""
    every = [r for r in ablation.rows if r.part == "all" and r.comparison is not None]
    tested = [r for r in every if not r.setting.alone]
    if not tested:
        return "Nothing was compared: there is no ratio above 0."
    best = max(tested, key=lambda r: _gain(r)[0])
    gain, p = _gain(best)
    words = f"{_change(best)}, p = {p:.3f} corrected for {len(tested)} comparison(s)"
    if p < LEVEL and gain > 0:
        return f"A gain: {best.setting.name}, UF1 goes {words}."
    worst = min(tested, key=lambda r: _gain(r)[0])
    loss, p_loss = _gain(worst)
    if p_loss < LEVEL and loss < 0:
        return (
            f"No gain, and a loss: {worst.setting.name}, UF1 goes {_change(worst)}, "
            f"p = {p_loss:.3f} corrected for {len(tested)} comparison(s)."
        )
    return (
        f"No gain was shown: with the best setting ({best.setting.name}) UF1 goes {words}; with "
        f"{best.subjects} subjects and {len(ablation.seeds)} seed(s) that is what chance gives."
    )


def _gain(row: AblationRow) -> tuple[float, float]:
    if row.comparison is None or row.p_corrected is None:
        return 0.0, 1.0
    return row.comparison.gain.value, row.p_corrected


def _change(row: AblationRow) -> str:
    test = row.comparison
    if test is None:
        return "nowhere"
    return (
        f"from {test.a:.3f} to {test.b:.3f} ({test.gain.value:+.3f}, 95 % interval "
        f"{test.gain.low:+.3f} to {test.gain.high:+.3f})"
    )
