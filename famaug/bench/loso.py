"""68 folds of STSTNet at once, as `famaug recognise` trains them, beside the published module.

    python -c "import json, famaug.bench.loso as b; print(json.dumps(b.run(), indent=1))"

Features are random bytes of the composite's size (442 clips of 68 subjects, 3 x 28 x 28), so no
score means anything here. The published module is trained one fold after another. Both are timed
in turns over a few steps of the same batches and told as time a step; whole trainings are these
times multiplied out.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import nn

from famaug.errors import InputError
from famaug.recognition.options import TrainingOptions
from famaug.recognition.problem import Problem
from famaug.recognition.recognisers import build_recogniser
from famaug.recognition.runs import at_once
from famaug.recognition.samples import Samples, make_splits
from famaug.recognition.schedule import Step
from famaug.seeding import keyed_generator

CLIPS, SUBJECTS, EPOCHS = 442, 68, 800


def run(
    *, rounds: int = 4, batch_size: int = 128, serial_steps: int = 6, clips: int = CLIPS
) -> dict[str, dict[str, float]]:
    """Measures both.

    Args:
        rounds: turns of each.
        batch_size: samples in a batch.
        serial_steps: steps of the published module in a turn.
        clips: of 68 subjects.

    Returns:
        ratios: batched_vs_serial, how many times faster a step of all 68 folds is at once than
            68 steps of the published module (torch modules, torch.optim.Adam), both with torch's
            default threads, each median over the rounds; batched_vs_serial_one_thread, the same
            against the module on one thread (where other work shares the processor it is the
            faster one); batched_vs_serial_cpu_time, both on one thread, lowest processor time of
            each, which other work changes least.
        figures: serial_fold_step_ms, serial_one_thread_fold_step_ms, batched_step_ms (all folds),
            batched_cpu_ms, serial_cpu_ms (68 steps), and extrapolated_minutes_68x800_batched and
            _serial.

    Raises:
        InputError: fewer clips than subjects, or no rounds.
    """
    if clips < SUBJECTS or rounds < 1 or serial_steps < 1:
        raise InputError(f"the bench needs {SUBJECTS} clips or more, and a round; got {clips}")
    problem = _problem(clips, batch_size)
    published, together = _Published(problem), at_once(problem, range(SUBJECTS))
    if together is None:
        raise InputError("the folds of STSTNet are not trained together here")
    steps = _full_steps(problem)
    threads = torch.get_num_threads()
    together.step(next(steps))
    kinds = ("serial", "batched", "serial alone", "batched alone")
    times: dict[str, list[tuple[float, float]]] = {kind: [] for kind in kinds}
    try:
        for _, step in zip(range(rounds), steps, strict=False):
            for kind in kinds:
                torch.set_num_threads(1 if kind.endswith("alone") else threads)
                one, turns = (
                    (published.step, serial_steps + 1) if "serial" in kind else (together.step, 1)
                )
                times[kind] += [_timed(one, step) for _ in range(turns)][-serial_steps:]
    finally:
        torch.set_num_threads(threads)
    wall = {kind: statistics.median(t for t, _ in times[kind]) for kind in kinds}
    cpu = {kind: min(t for _, t in times[kind]) for kind in kinds}
    minutes = problem.schedule().steps_per_epoch() * EPOCHS / 60
    figures = {
        "serial_fold_step_ms": wall["serial"] * 1e3,
        "serial_one_thread_fold_step_ms": wall["serial alone"] * 1e3,
        "batched_step_ms": wall["batched"] * 1e3,
        "serial_cpu_ms": cpu["serial alone"] * SUBJECTS * 1e3,
        "batched_cpu_ms": cpu["batched alone"] * 1e3,
        "extrapolated_minutes_68x800_batched": wall["batched"] * minutes,
        "extrapolated_minutes_68x800_serial": wall["serial"] * SUBJECTS * minutes,
    }
    ratios = {
        "batched_vs_serial": wall["serial"] * SUBJECTS / wall["batched"],
        "batched_vs_serial_one_thread": wall["serial alone"] * SUBJECTS / wall["batched"],
        "batched_vs_serial_cpu_time": cpu["serial alone"] * SUBJECTS / cpu["batched alone"],
    }
    return {"ratios": ratios, "figures": figures}


def _timed(one: Callable[[Step], object], step: Step) -> tuple[float, float]:
    """Seconds of the clock and of the processor."""
    start, began = time.perf_counter(), time.process_time()
    one(step)
    return time.perf_counter() - start, time.process_time() - began


def _problem(clips: int, batch_size: int) -> Problem:
    draw = keyed_generator(0, "bench", "loso")
    subjects = tuple(f"made/{i % SUBJECTS:02d}" for i in range(clips))
    samples = Samples(
        draw.integers(0, 256, (clips, 3, 28, 28), dtype=np.uint8),
        draw.integers(0, 3, clips),
        subjects,
        tuple(f"{s}/{i}" for i, s in enumerate(subjects)),
        ("negative", "positive", "surprise"),
        "random bytes",
    )
    return Problem(
        network="ststnet",
        network_options={},
        input_spec={},
        samples=samples,
        pool=None,
        splits=make_splits(samples),
        ratio=0.0,
        options=TrainingOptions(batch_size=batch_size),
        seed=0,
    )


def _full_steps(problem: Problem) -> Iterator[Step]:
    size = problem.options.batch_size
    return (s for s in problem.schedule().run(10_000) if len(s.items) == size)


class _Published:
    """The public training step: torch's modules and Adam, nothing else counted."""

    def __init__(self, problem: Problem) -> None:
        self.net: nn.Module
        self.net, _ = build_recogniser("ststnet", classes=3)
        self.net.train()
        self.optimizer: Any = torch.optim.Adam(self.net.parameters(), lr=5e-5)
        self.inputs, self.labels = problem.data()

    def step(self, step: Step) -> None:
        """One fold's step on this batch."""
        items = torch.from_numpy(step.items[step.member[0]])
        x, y = self.inputs[items].float(), self.labels[items]
        self.optimizer.zero_grad()
        torch.autograd.backward([nn.functional.cross_entropy(self.net(x), y)])
        self.optimizer.step()
