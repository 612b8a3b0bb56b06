"""Scores of weights that somebody trained: one state dict a fold, no training.

Files are named by subject (`sub01.pth`, `sub01.safetensors`).
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import torch

from famaug.errors import InputError, WeightsError
from famaug.files.folders import visible
from famaug.people.persons import canonical, parse_person, same
from famaug.recognition.problem import Problem
from famaug.recognition.start import read_state_dict
from famaug.recognition.training import FoldResult, predicted

SUFFIXES = (".pth", ".pt", ".safetensors")


def find_weights(folder: str | os.PathLike[str], names: list[str]) -> dict[str, Path]:
    """File of each fold "dataset/subject": `subject.safetensors` or `dataset_subject.safetensors`,
    the subject in any spelling ("sub01", "1"). Where people of several data sets have one number,
    the spelling of the data set's folders tells them apart ("sub01" of CASME II, "s1" of SMIC).

    Raises:
        InputError: files are missing or left over; all are named.
    """
    root = Path(folder)
    if not root.is_dir():
        raise InputError(f"{root}: asked for a folder of weights, one file a fold; there is none")
    there = {p.stem: p for p in visible(root) if p.suffix in SUFFIXES}
    levels = {(n, s): _meaning(s, n) for n in names for s in there}
    # a file is of those folds that its name fits best
    best = {s: max((levels[n, s] for n in names), default=0) for s in there}
    found: dict[str, Path] = {}
    for name in names:
        fits = [s for s in there if levels[name, s] and levels[name, s] == best[s]]
        if fits:
            found[name] = there[max(fits, key=lambda s: levels[name, s])]
    missing = [n for n in names if n not in found]
    extra = sorted(p.name for p in set(there.values()) - set(found.values()))
    shared = sorted({p.name for p in found.values() if [*found.values()].count(p) > 1})
    problems = [
        f"{what}: {', '.join(items)}"
        for what, items in (
            ("no weights for folds", missing),
            ("weights of no fold", extra),
            ("one file for several folds", shared),
        )
        if items
    ]
    if problems:
        raise InputError(
            f"{root}: {'; '.join(problems)}; files are named subject.pth or subject.safetensors"
        )
    return found


def _meaning(stem: str, name: str) -> int:
    """How surely a file's name means a fold: 0 not at all, 3 data set and subject."""
    own = parse_person(name)
    if canonical(stem) == name or stem.casefold() == f"{own.dataset}_{own.subject}".casefold():
        return 3
    # "sub01", "s01" and "006" are of CASME II, SMIC and SAMM in the challenge's lists
    if name in (canonical(f"megc2019/{stem}"), f"{own.dataset}/{stem}"):
        return 2
    return int(same(parse_person(stem), own))


def evaluate_weights(problem: Problem, folder: str | os.PathLike[str]) -> list[FoldResult]:
    """Predictions of each fold's held-out clips by that fold's weights.

    Raises:
        InputError: files are missing or left over.
        WeightsError: a file is no state dict, or does not fit the network.
    """
    files = find_weights(folder, [s.name for s in problem.splits])
    inputs = torch.from_numpy(problem.samples.inputs)
    results = []
    for fold, split in enumerate(problem.splits):
        net, spec = problem.build(fold)
        state = read_state_dict(files[split.name])
        try:
            net.load_state_dict(state)
        except RuntimeError as error:
            raise WeightsError(
                f"{files[split.name]} does not fit {problem.network}: {error}"
            ) from (error)
        test = np.flatnonzero(split.test)
        logits = predicted(problem, net, inputs[test], spec)
        results.append(FoldResult(split.name, test, logits, net.state_dict(), 0))
    return results
