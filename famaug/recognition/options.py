"""How a recogniser is trained, in plain values that are checked before torch is loaded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from famaug.errors import InputError

Select = Literal["last", "best-test"]
RateSchedule = Literal["constant", "one-cycle"]
LARGEST_SHIFT = 64
DRAWN_SOURCES = {"rules": ("rule",), "stats": ("stats",), "drawn": ("rule", "stats")}
"""Sources of an ablation that need faces and nothing else, and what they are drawn from."""


@dataclass(frozen=True, kw_only=True)
class TrainingOptions:
    """How a fold is trained.

    Attributes:
        epochs: through the slots (real and synthetic).
        steps: in all, instead of epochs x batches; None: as many as the epochs have.
        pretrain_steps: of the steps, so many at the beginning see synthetic clips alone.
        batch_size: slots in a batch; a fold's own batch lacks its held-out clips.
        learning_rate, weight_decay: of AdamW (0 decay: Adam).
        schedule: the learning rate stays ("constant"), or rises and falls ("one-cycle", see
            `famaug.recognition.learning_rates`), `learning_rate` being its highest.
        label_smoothing: this share of the truth is spread over all classes, 0 to below 1.
        mirror: each training picture is mirrored left-right with chance 1/2, u of flow negated.
        shift: each training picture is moved by up to so many pixels each way.
        test_mirror: logits of a tested clip and of its mirrored picture are averaged.
        class_weights: weight the loss by how rare a class is among the fold's real clips.
        select: "last" step; "best-test" takes the epoch that is best on the test clips, which is
            only for reproducing papers and inflates scores.
        amp: bfloat16 autocast (for one fold after another).
        device: where.
        together: many folds at once where the network allows it ("auto"), or never ("no").
        checkpoint_every: epochs between checkpoints, 0 for none.
    """

    epochs: int = 800
    steps: int | None = None
    pretrain_steps: int = 0
    batch_size: int = 256
    learning_rate: float = 5e-5
    weight_decay: float = 0.0
    schedule: RateSchedule = "constant"
    label_smoothing: float = 0.0
    mirror: bool = False
    shift: int = 0
    test_mirror: bool = False
    class_weights: bool = False
    select: Select = "last"
    amp: bool = False
    device: str = "cpu"
    together: Literal["auto", "no"] = "auto"
    checkpoint_every: int = 50

    def __post_init__(self) -> None:
        wrong = []
        if self.epochs < 1 or (self.steps is not None and self.steps < 1):
            wrong.append(f"epochs and steps are at least 1; got {self.epochs} and {self.steps}")
        if self.pretrain_steps < 0:
            wrong.append(f"pretrain_steps is 0 (none) or more; got {self.pretrain_steps}")
        if self.batch_size < 2:
            wrong.append(f"batch_size is at least 2; got {self.batch_size}")
        if self.checkpoint_every < 0:
            wrong.append(f"checkpoint_every is 0 (never) or more; got {self.checkpoint_every}")
        if self.learning_rate <= 0 or self.weight_decay < 0:
            wrong.append(
                "learning_rate is above 0 and weight_decay not under; got "
                f"{self.learning_rate} and {self.weight_decay}"
            )
        if self.schedule not in ("constant", "one-cycle"):
            wrong.append(f"schedule is 'constant' or 'one-cycle'; got {self.schedule!r}")
        if not 0 <= self.label_smoothing < 1:
            wrong.append(f"label_smoothing is 0 to below 1; got {self.label_smoothing}")
        if not 0 <= self.shift <= LARGEST_SHIFT:
            wrong.append(f"shift is 0 to {LARGEST_SHIFT} pixels; got {self.shift}")
        if self.select not in ("last", "best-test"):
            wrong.append(f"select is 'last' or 'best-test'; got {self.select!r}")
        if self.together not in ("auto", "no"):
            wrong.append(f"together is 'auto' or 'no'; got {self.together!r}")
        if wrong:
            raise InputError("; ".join(wrong))
