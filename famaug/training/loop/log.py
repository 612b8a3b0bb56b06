"""The log of a training: log.jsonl, and TensorBoard beside it."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from famaug.files.whole import write_whole
from famaug.packages import need

Record = dict[str, Any]


class TrainingLog:
    """Appends records to `FOLDER/log.jsonl`; each has `step` and named values.

    Args:
        folder: of the training.
        start: steps that are done; records of later ones, left by a run that was cut off, go.
        tensorboard: write `FOLDER/tensorboard` as well.
        watch: gets each record.

    Raises:
        MissingPackageError: TensorBoard is asked for and not installed.
    """

    def __init__(
        self,
        folder: Path,
        *,
        start: int = 0,
        tensorboard: bool = True,
        watch: Callable[[Record], None] | None = None,
    ) -> None:
        self.path, self.watch = folder / "log.jsonl", watch
        kept = [r for r in read_log(folder) if r["step"] <= start]
        write_whole(self.path, "".join(_line(r) for r in kept))
        self._board: Any = None
        if tensorboard:
            need("tensorboard", "tensorboard: true")
            from torch.utils.tensorboard import SummaryWriter

            self._board = SummaryWriter(str(folder / "tensorboard"), purge_step=start + 1)

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """After `step` steps."""
        record = {"step": step, **{k: _plain(v) for k, v in values.items()}}
        with self.path.open("a", encoding="utf-8") as file:
            file.write(_line(record))
        if self._board is not None:
            for name, value in values.items():
                self._board.add_scalar(name, value, step)
        if self.watch is not None:
            self.watch(record)

    def close(self) -> None:
        if self._board is not None:
            self._board.close()


def read_log(folder: Path) -> list[Record]:
    """Records of `FOLDER/log.jsonl`; a last line that a kill cut short is left out."""
    path = folder / "log.jsonl"
    if not path.is_file():
        return []
    records = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            records.append(json.loads(line))
        except ValueError:
            continue
    return records


def _plain(value: float) -> float | None:
    """JSON knows no NaN."""
    return round(float(value), 8) if math.isfinite(value) else None


def _line(record: Record) -> str:
    return json.dumps(record, allow_nan=False) + "\n"
