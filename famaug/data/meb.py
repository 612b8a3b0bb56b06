"""Data sets as MEB holds them: a data frame of clips, and their pixels in `.data`.

`meb` is the public Micro-Expression Benchmark; nothing of it is needed here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from torch.utils.data import Dataset

from famaug.data.protocols import Label
from famaug.datasets import dataset_named
from famaug.errors import InputError
from famaug.people import spelt
from famaug.types import Clip, ClipRef, Frames

COLUMNS = ("subject", "material", "emotion")


class MebClips(Dataset[tuple[Clip, Label]]):
    """An MEB data set as clips with references, so that folds, guard and mixing work on it.

        clips = MebClips(meb.datasets.Casme2(color=True, cropped=True))

    Args:
        meb: an object with `data_frame` (columns subject, material, emotion; onset, apex, offset,
            dataset, AU where there are) and `data`, indexed alike, `T H W` or `T H W 3`.
        dataset: name of the data set; by default its column, attribute `dataset_name`, or class.
        label: column of the labels.
        fps: frames per second, which MEB does not say.

    Raises:
        InputError: columns are missing, or frame and data differ in length.
    """

    def __init__(
        self, meb: Any, *, dataset: str | None = None, label: str = "emotion",
        fps: float | None = None,
    ) -> None:  # fmt: skip
        frame, self.data = meb.data_frame, meb.data
        missing = [c for c in (*COLUMNS, label) if c not in frame.columns]
        if missing:
            raise InputError(
                f"a data frame as MEB's lacks the columns {', '.join(missing)}; it has "
                f"{', '.join(map(str, list(frame.columns)[:12]))}"
            )
        if len(frame) != len(self.data):
            raise InputError(f"the data frame has {len(frame)} rows, data {len(self.data)} clips")
        name = dataset or getattr(meb, "dataset_name", "") or _class_name(meb)
        rows = frame.to_dict("records")
        self.refs = [_ref(row, name, fps) for row in rows]
        self.labels: list[Label] = [_plain(row[label]) for row in rows]

    def __len__(self) -> int:
        return len(self.refs)

    def __getitem__(self, index: int) -> tuple[Clip, Label]:
        return Clip(self.refs[index], _rgb(self.data[int(index)])), self.labels[index]


def _ref(row: dict[str, Any], name: str, fps: float | None) -> ClipRef:
    onset, apex, offset = (_whole(row.get(c)) for c in ("onset", "apex", "offset"))
    units = row.get("AU")
    return ClipRef(
        spelt(row.get("dataset")) or name,
        spelt(row["subject"]),
        str(row["material"]),
        fps=fps,
        onset=0,  # MEB's clips begin at the onset
        apex=None if onset is None or apex is None else apex - onset,
        offset=None if onset is None or offset is None else offset - onset,
        emotion=str(row["emotion"]),
        action_units=units if isinstance(units, str) else None,
    )


def _class_name(meb: Any) -> str:
    """MEB names its classes after the data sets."""
    known = dataset_named(type(meb).__name__)
    return "meb" if known is None else known.name


def _whole(value: Any) -> int | None:
    try:
        return None if value is None or value != value else int(value)
    except (TypeError, ValueError):
        return None


def _plain(value: Any) -> Label:
    """A label as Python's own text or number."""
    plain: Label = value.item() if isinstance(value, np.generic) else value
    return plain


def _rgb(pixels: Any) -> Frames:
    frames = np.asarray(pixels)
    if frames.ndim == 3:
        frames = np.repeat(frames[..., None], 3, 3)
    if frames.ndim != 4 or frames.shape[3] != 3:
        raise InputError(f"a clip is T H W or T H W 3; got {frames.shape}")
    if frames.dtype != np.uint8:
        # PNGs come as 0-1, the rest as 0-255
        scale = 255.0 if frames.size and float(frames.max()) <= 1.0 else 1.0
        frames = np.clip(np.rint(frames * scale), 0, 255).astype(np.uint8)
    return np.ascontiguousarray(frames)
