"""All folds and seeds of one setting, into a results folder; what is finished is not done again."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from famaug.data.guard import Guard
from famaug.errors import InputError
from famaug.files.limits import read_json
from famaug.files.whole import write_whole
from famaug.people.persons import in_order
from famaug.recognition.all_folds import AllFolds, can_stack
from famaug.recognition.all_folds_ststnet import AllFoldsOfSTSTNet
from famaug.recognition.metrics import MissingClass
from famaug.recognition.networks.ststnet import STSTNet
from famaug.recognition.one_fold import SingleFold
from famaug.recognition.problem import Problem
from famaug.recognition.public_weights import evaluate_weights
from famaug.recognition.results import (
    collect,
    fold_path,
    load_fold,
    save_fold,
    summary,
    write_summary,
)
from famaug.recognition.samples import Split
from famaug.recognition.training import FoldResult, Log, to_text, train
from famaug.seeding import digest

logger = logging.getLogger(__name__)

Shard = tuple[int, int]


def run_all(
    problem: Problem,
    folder: Path,
    *,
    seeds: Sequence[int],
    shard: Shard = (0, 1),
    threads: int | None = None,
    missing: MissingClass = "zero",
    weights: Path | None = None,
    watch: Log | None = None,
) -> dict[str, Any] | None:
    """Trains (or evaluates) every fold for every seed and writes the summary.

    Args:
        problem: the first seed's problem.
        folder: results folder; finished folds in it are kept if they are of the same setting.
        seeds: which.
        shard: (k, n): this process does every n-th fold from the k-th on, so that several processes
            or machines share the work in one folder.
        threads: for the arithmetic; torch's own number by default.
        missing: rule for absent classes.
        weights: folder of one state dict a fold: evaluate, do not train.
        watch: gets the record of every epoch, beside log.jsonl.

    Returns:
        The summary; None while other shards are not finished.

    Raises:
        InputError: the folder holds results of another setting, the shard is out of range, or a
            launcher started several processes of one shard.
    """
    part, parts = shard
    if not 0 <= part < parts or not seeds or len(set(seeds)) < len(seeds):
        raise InputError(f"shard is k of n, 0 <= k < n, and seeds differ; got {shard}, {seeds}")
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise InputError(
            "a launcher started several processes, which would all train the same folds; start one "
            "for each --shard k/n instead"
        )
    folder.mkdir(parents=True, exist_ok=True)
    _check_same(folder, problem, trained=weights is None)
    mine = range(part, len(problem.splits), parts)
    people = {} if weights else {s.name: trained_on(problem, s) for s in problem.splits}
    log = _logger(folder / f"log{'' if parts == 1 else f'-{part}'}.jsonl", watch)
    for seed in seeds:
        own = replace(problem, seed=seed)
        todo = [f for f in mine if not _done(folder, own, f)]
        if len(todo) < len(mine):
            logger.info("%s, seed %d: %d folds are there", folder, seed, len(mine) - len(todo))
        if todo:
            with _threads(threads):
                for result in _results(own, folder, todo, log, weights):
                    save_fold(folder, seed, result, own.samples, people.get(result.name, ()))
    names = [s.name for s in problem.splits]
    found = collect(folder, seeds, names, problem.samples)
    if found is None:
        return None
    optimistic = problem.options.select == "best-test" and weights is None
    value = summary(
        problem.samples,
        found[0],
        seeds=seeds,
        missing=missing,
        optimistic=optimistic,
        trained_on="" if weights is not None else problem.trained_on,
    )
    write_summary(folder, problem.samples, *found, value)
    return value


def trained_on(problem: Problem, split: Split) -> list[str]:
    """Everybody who may have gone into a fold's weights, which its file names: whoever begins a
    training from them must not test one of these people."""
    samples, pool = problem.samples, problem.pool
    found = {samples.subjects[i] for i in split.train.nonzero()[0]}
    if problem.start is not None:
        found |= {*problem.start.subjects}
    if pool is not None and problem.uses_pool:
        tested = {samples.subjects[i] for i in split.test.nonzero()[0]}
        guard = Guard(tested, samples.subjects, pool.others)
        found |= {n for n in pool.others if not guard.holds_out(n)}
    return in_order(found)


def setting_key(problem: Problem) -> str:
    """Digest of everything that decides a fold's outcome but the seed."""
    pool = problem.pool if problem.uses_pool else None
    return digest(
        {
            "network": problem.network,
            "network_options": dict(problem.network_options),
            "input": dict(problem.input_spec),
            "inputs": _bytes_digest(problem.samples.inputs),
            "labels": problem.samples.labels.tolist(),
            "clips": list(problem.samples.clips),
            "subjects": list(problem.samples.subjects),
            "pool": None if pool is None else [_bytes_digest(pool.inputs), pool.labels.tolist()],
            "own": None
            if pool is None or pool.own is None
            else {name: _bytes_digest(values) for name, values in pool.own.items()},
            "people": None
            if pool is None
            else [[p.driver_subject, p.identity_subject] for p in pool.provenances],
            "folds": [[s.name, s.test.nonzero()[0].tolist()] for s in problem.splits],
            "ratio": problem.ratio,
            "only": problem.only,
            "start": None
            if problem.start is None
            else {k: _bytes_digest(v.numpy()) for k, v in problem.start.tensors.items()},
            "options": {
                k: v
                for k, v in problem.options.__dict__.items()
                if k not in ("device", "together", "checkpoint_every")
            },
        }
    )


def _bytes_digest(array: Any) -> str:
    return hashlib.sha256(array.tobytes()).hexdigest()


def _check_same(folder: Path, problem: Problem, *, trained: bool) -> None:
    file, key = folder / "setting.json", digest([setting_key(problem), trained])
    if file.is_file():
        found = read_json(file, error=InputError)
        if not isinstance(found, dict) or found.get("key") != key:
            raise InputError(
                f"{folder} holds results of other data or another config; choose another `out`, or "
                "delete it"
            )
        return
    write_whole(file, json.dumps({"key": key}))


def _done(folder: Path, problem: Problem, fold: int) -> bool:
    name = problem.splits[fold].name
    return load_fold(folder, problem.seed, name, problem.samples) is not None


@contextmanager
def _threads(count: int | None) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _results(
    problem: Problem, folder: Path, todo: Sequence[int], log: Log, weights: Path | None
) -> Iterator[FoldResult]:
    if weights is not None:
        found = evaluate_weights(problem, weights)
        yield from (r for f, r in enumerate(found) if f in set(todo))
        return
    names = [problem.splits[f].name for f in todo]
    together = at_once(problem, todo)
    if together is not None:
        name = f"state-{digest(names)[:10]}.safetensors"
        state = folder / "runs" / f"seed{problem.seed}" / name
        yield from train(problem, together, checkpoint=state, log=log)
        return
    for fold, name in zip(todo, names, strict=True):
        path = fold_path(folder, problem.seed, name)
        state = path.with_name(path.name + ".state.safetensors")
        yield from train(problem, SingleFold(problem, fold), checkpoint=state, log=log)


def at_once(problem: Problem, folds: Sequence[int]) -> AllFolds | None:
    """What trains these folds together; None where they train one after another: one fold alone,
    inputs that differ by fold, half precision, `together` "no", or a network that cannot."""
    options = problem.options
    if len(folds) < 2 or not problem.shared or options.amp or options.together != "auto":
        return None
    net, _ = problem.build(folds[0])
    if isinstance(net, STSTNet):
        return AllFoldsOfSTSTNet(problem, folds)
    return AllFolds(problem, folds) if can_stack(net) else None


def _logger(path: Path, watch: Callable[[dict[str, Any]], None] | None) -> Log:
    """A line an epoch, also over kills: what a run that was cut off had logged beyond its last
    checkpoint goes when the epochs are done again."""
    lines = _lines(path)
    known = {_of_whom(r): r["epoch"] for r in lines}

    def log(record: dict[str, Any]) -> None:
        whose, epoch = _of_whom(record), record["epoch"]
        if epoch <= known.get(whose, 0):
            kept = [r for r in _lines(path) if _of_whom(r) != whose or r["epoch"] < epoch]
            write_whole(path, "".join(to_text(r) + "\n" for r in kept))
        known[whose] = epoch
        with path.open("a", encoding="utf-8") as file:
            file.write(to_text(record) + "\n")
        if watch is not None:
            watch(record)

    if path.is_file() and not path.read_bytes().endswith(b"\n"):  # a kill cut the last line
        write_whole(path, "".join(to_text(r) + "\n" for r in lines))
    return log


def _of_whom(record: dict[str, Any]) -> str:
    return digest([record["seed"], record["ratio"], sorted(record["loss"])])


def _lines(path: Path) -> list[dict[str, Any]]:
    if not path.is_file():
        return []
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        with suppress(ValueError):
            found.append(json.loads(line))
    return found
