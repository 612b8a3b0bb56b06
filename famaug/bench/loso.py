"""68 folds of STSTNet at once, beside the published module trained one fold after another.

    python -c "import json, famaug.bench.loso as b; print(json.dumps(b.run(), indent=1))"

Features are random bytes of the composite's size (442 clips of 68 subjects, 3 x 28 x 28), so no
score means anything here. Both are timed in turns over a few steps of the same batches and told as
time a step; whole trainings are these times multiplied out.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import nn

from famaug.errors import InputError
from famaug.recognition.options import TrainingOptions
from famaug.recognition.recognisers import build_recogniser
from famaug.recognition.samples import Samples, make_splits
from famaug.recognition.schedule import Step
from famaug.recognition.stacked_conv import workers
from famaug.recognition.stacked_ststnet import StackedSTSTNet, default_threads
from famaug.recognition.training import Problem
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
            68 steps of the published module (torch modules, torch.optim.Adam, torch's default
            threads), each median over the rounds; batched_vs_serial_one_thread, the same against
            the module on one thread (where other work shares the processor it is the faster one);
            batched_vs_serial_cpu_time, the latter in processor time of all threads, which other
            work changes little.
        figures: serial_fold_step_ms, serial_one_thread_fold_step_ms, batched_step_ms (all folds),
            batched_gflops (of the three products
            that bound it) and gflops_of_the_machine (what torch's own product of such a shape
            reaches, all threads), and extrapolated_minutes_68x800_batched and _serial.

    Raises:
        InputError: fewer clips than subjects, or no rounds.
    """
    if clips < SUBJECTS or rounds < 1 or serial_steps < 1:
        raise InputError(f"the bench needs {SUBJECTS} clips or more, and a round; got {clips}")
    problem = _problem(clips, batch_size)
    published = _Published(problem)
    serial: list[float] = []
    one: list[float] = []
    batched: list[float] = []
    one_cpu: list[float] = []
    batched_cpu: list[float] = []
    threads = torch.get_num_threads()
    with workers(default_threads()) as pool:
        stacked = StackedSTSTNet(problem, range(SUBJECTS), pool)
        steps = iter(_full_steps(problem))
        stacked.step(next(steps))
        for number in range(rounds):
            step = next(steps)
            torch.set_num_threads(threads)
            serial += [published.timed_step(step) for _ in range(serial_steps + 1)][1:]
            torch.set_num_threads(1)
            began = time.process_time()
            one += [published.timed_step(step) for _ in range(serial_steps)]
            one_cpu.append((time.process_time() - began) / serial_steps)
            start, began = time.perf_counter(), time.process_time()
            stacked.step(step)
            batched.append(time.perf_counter() - start)
            batched_cpu.append(time.process_time() - began)
            if number == 0:
                peak = _product_rate(default_threads(), threads)
    each, alone, all_at_once = (statistics.median(t) for t in (serial, one, batched))
    per_epoch = problem.schedule().steps_per_epoch()
    figures = {
        "serial_fold_step_ms": each * 1e3,
        "serial_one_thread_fold_step_ms": alone * 1e3,
        "batched_step_ms": all_at_once * 1e3,
        "batched_gflops": 3 * 2 * 28 * 16 * 959 * SUBJECTS * batch_size / all_at_once / 1e9,
        "gflops_of_the_machine": peak,
        "extrapolated_minutes_68x800_batched": all_at_once * per_epoch * EPOCHS / 60,
        "extrapolated_minutes_68x800_serial": each * SUBJECTS * per_epoch * EPOCHS / 60,
    }
    cpu = statistics.median(one_cpu) * SUBJECTS / statistics.median(batched_cpu)
    ratios = {
        "batched_vs_serial": each * SUBJECTS / all_at_once,
        "batched_vs_serial_one_thread": alone * SUBJECTS / all_at_once,
        "batched_vs_serial_cpu_time": cpu,
    }
    return {"ratios": ratios, "figures": figures}


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

    def timed_step(self, step: Step) -> float:
        """Seconds of one fold's step on this batch."""
        items = torch.from_numpy(step.items[step.member[0]])
        x, y = self.inputs[items].float(), self.labels[items]
        start = time.perf_counter()
        self.optimizer.zero_grad()
        torch.autograd.backward([nn.functional.cross_entropy(self.net(x), y)])
        self.optimizer.step()
        return time.perf_counter() - start


def _product_rate(threads: int, before: int) -> float:
    """GFLOP/s of torch's product 1088 x 28 by 28 x 1918, all threads in one product."""
    a, b = torch.rand(1088, 28), torch.rand(28, 1918)
    out = torch.empty(1088, 1918)
    torch.set_num_threads(max(threads, before))
    times = []
    for _ in range(20):
        start = time.perf_counter()
        torch.mm(a, b, out=out)
        times.append(time.perf_counter() - start)
    torch.set_num_threads(1)
    return 2 * 1088 * 28 * 1918 / min(times) / 1e9
