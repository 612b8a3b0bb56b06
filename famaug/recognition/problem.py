"""What is trained: the data, the folds, the network and how, checked before anything begins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from famaug.errors import InputError
from famaug.recognition.augmentation import Augmentation
from famaug.recognition.inputs import InputSpec
from famaug.recognition.learning_rates import learning_rates
from famaug.recognition.options import TrainingOptions
from famaug.recognition.pool import SyntheticPool
from famaug.recognition.recognisers import build_recogniser
from famaug.recognition.samples import Samples, Split, check_classes, check_untested
from famaug.recognition.schedule import Schedule
from famaug.recognition.start import Start

SYNTHETIC_ALONE = "synthetic clips alone"
"""What is trained on, in the words of the scores."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Problem:
    """What is trained: one network, one seed, all folds.

    Attributes:
        network, network_options, input_spec: as `build_recogniser`.
        samples, pool, splits: the data; the pool may be None.
        ratio: synthetic clips for each real one.
        options: how.
        seed: of weights, orders, masks and draws.
        only: trained on the pool alone (`splits` are then those of `splits_alone`).
        start: weights that every fold begins from; its own draws if None.
    """

    network: str
    network_options: Mapping[str, Any]
    input_spec: Mapping[str, Any]
    samples: Samples
    pool: SyntheticPool | None
    splits: Sequence[Split]
    options: TrainingOptions
    seed: int
    ratio: float = 0.0
    only: bool = False
    start: Start | None = None

    def build(self, fold: int) -> tuple[nn.Module, InputSpec]:
        """The fold's network with its first weights.

        Raises:
            WeightsError: the weights it is to begin from are of another network.
        """
        net, spec = build_recogniser(
            self.network,
            classes=len(self.samples.classes),
            options=self.network_options,
            input_spec=self.input_spec,
            seed=self.seed,
            key=self.splits[fold].name,
        )
        if self.start is not None:
            self.start.fill(net, self.network)
        return net, spec

    def schedule(self) -> Schedule:
        return Schedule(
            self.splits,
            batch_size=self.options.batch_size,
            ratio=self.ratio,
            seed=self.seed,
            only=self.only,
            pretrain=0 if self.pool is None else self.options.pretrain_steps,
        )

    @property
    def uses_pool(self) -> bool:
        """Whether any synthetic clip is trained on."""
        alone = self.only or self.options.pretrain_steps > 0
        return self.pool is not None and bool(self.ratio or alone)

    @property
    def trained_on(self) -> str:
        """What is trained on, in words."""
        if self.only:
            return SYNTHETIC_ALONE
        return "real and synthetic clips" if self.uses_pool else "real clips"

    @property
    def steps(self) -> int:
        """Of the whole training."""
        return self.options.steps or self.options.epochs * self.schedule().steps_per_epoch()

    def check(self) -> None:
        """Looks at everything that can be told before training.

        Raises:
            InputError: a fold lacks synthetic clips, or some of their classes where it sees them
                alone; or the training's options do not fit its length or its pictures.
            WeightsError: the weights to begin from are of another network, or were trained on
                other classes or inputs.
            LeakageError: they were trained on somebody who is tested.
        """
        alone = self.only or self.options.pretrain_steps > 0
        if alone and self.pool is None:
            raise InputError("training on synthetic clips alone needs synthetic clips")
        self.schedule()
        if self.options.pretrain_steps >= self.steps:
            raise InputError(
                f"training.pretrain_steps is {self.options.pretrain_steps} of {self.steps} steps; "
                "real clips need some as well (synthetic.only: true goes without them)"
            )
        if self.pool is not None and alone:
            check_classes(self.samples, self.pool, self.splits)
        if self.start is not None:
            what = f"training.start {self.start.name} was trained on"
            check_untested(self.start.subjects, self.samples, what, "begin from other weights")
        _, spec = self.build(0)
        if self.start is not None:
            self.start.check_use(self.samples.classes, self.samples.u, spec)
        if 2 * self.options.shift >= spec.size:
            raise InputError(
                f"training.shift is {self.options.shift} pixels of pictures that have {spec.size}; "
                "shift by less than half a side"
            )

    def learning_rates(self) -> tuple[float, ...]:
        """Of every step."""
        return learning_rates(self.options.schedule, self.options.learning_rate, self.steps)

    def augmentation(self, spec: InputSpec) -> Augmentation:
        """What changes the training pictures."""
        options = self.options
        return Augmentation(
            self.seed, spec.kind, mirror=options.mirror, shift=options.shift, u=self.samples.u
        )

    @property
    def shared(self) -> bool:
        """Whether all folds see the same inputs: no fold has synthetic ones of its own."""
        return self.pool is None or self.pool.own is None or not self.uses_pool

    def data(self, fold: int | None = None) -> tuple[Tensor, Tensor]:
        """Inputs uint8 and labels of the real clips, then the pool's.

        Raises:
            InputError: the folds have inputs of their own, and none is named.
        """
        parts = [(self.samples.inputs, self.samples.labels)]
        if self.pool is not None and self.uses_pool:
            inputs = self.pool.inputs
            if self.pool.own is not None:
                if fold is None:
                    raise InputError("each fold has synthetic inputs of its own: train one by one")
                inputs = self.pool.own[self.splits[fold].name]
            parts.append((inputs, self.pool.labels))
        inputs, labels = (np.concatenate(x) for x in zip(*parts, strict=True))
        return torch.from_numpy(inputs), torch.from_numpy(labels)

    def class_weights(self, folds: Sequence[int]) -> Tensor:
        """float32 `folds C`: n / (C n_c) over the fold's real training clips (its synthetic ones,
        where it has no real ones), or ones."""
        count = len(self.samples.classes)
        rows = np.ones((len(folds), count), np.float32)
        if self.options.class_weights:
            for row, fold in zip(rows, folds, strict=True):
                split = self.splits[fold]
                labels = self.samples.labels[split.train]
                if self.only and self.pool is not None:
                    labels = self.pool.labels[split.allowed]
                found = np.bincount(labels, minlength=count)
                row[found > 0] = found.sum() / (count * found[found > 0])
        return torch.from_numpy(rows)
