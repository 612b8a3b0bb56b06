"""Data sets as MEB holds them: a data frame of clips, and their pixels in `.data`.

`meb` is the public Micro-Expression Benchmark; nothing of it is needed here.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from torch.utils.data import Dataset

from famaug.data.contents import dataset_parts
from famaug.data.protocols import Label
from famaug.data.readers.tables import is_nothing
from famaug.errors import InputError, LeftOutWarning
from famaug.people.datasets import dataset_named
from famaug.people.persons import spelt
from famaug.shown.lines import in_notebooks, one_line
from famaug.types import Clip, ClipRef, Frames

COLUMNS = ("subject", "material", "emotion")


@in_notebooks
class MebClips(Dataset[tuple[Clip, Label]]):
    """An MEB data set as clips with references, so that folds, guard and mixing work on it.

        clips = MebClips(meb.datasets.Casme2(color=True, cropped=True))

    Args:
        meb: an object with `data_frame` (columns subject, material, emotion; onset, apex, offset,
            dataset, AU where there are) and `data`, indexed alike, `T H W` or `T H W 3`.
        dataset: name of the data set; by default its column, attribute `dataset_name`, or class.
        label: column of the labels.
        fps: frames per second, which MEB does not say.

    Empty emotions (NaN, or 0 where MEB filled them) are the label None; positions before the onset
    are unknown.

    Raises:
        InputError: columns are missing, frame and data differ in length, or `data` is optical flow
            (`optical_flow=True`) instead of frames.
    Warns:
        LeftOutWarning: clips without an emotion, which no training can use.
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
        if getattr(meb, "optical_flow", False) is True or _is_flow(self.data):
            raise InputError(
                f"{name}: data is optical flow, not frames: make the MEB data set without "
                "optical_flow=True; pictures of flow are read by "
                "famaug.recognition.flow_folder.read_flow_folder"
            )
        self.refs = [_ref(row, name, fps) for row in rows]
        filled = any(isinstance(row[label], str) for row in rows)  # so a number is no label
        self.labels: list[Label] = [_label(row[label], filled) for row in rows]
        unknown = [r.key for r, x in zip(self.refs, self.labels, strict=True) if x is None]
        if unknown:
            warnings.warn(
                f"{len(unknown)} of {len(rows)} clips have no {label} ({', '.join(unknown[:3])}): "
                "their label is None",
                LeftOutWarning,
                stacklevel=2,
            )

    def __len__(self) -> int:
        return len(self.refs)

    def __repr__(self) -> str:
        return one_line(self, *dataset_parts(self))

    def __getitem__(self, index: int) -> tuple[Clip, Label]:
        ref = self.refs[index]
        return Clip(ref, _rgb(self.data[int(index)], ref.key)), self.labels[index]


def _ref(row: dict[str, Any], name: str, fps: float | None) -> ClipRef:
    onset, apex, offset = (_whole(row.get(c)) for c in ("onset", "apex", "offset"))
    units, emotion = row.get("AU"), _label(row["emotion"], filled=True)
    return ClipRef(
        spelt(row.get("dataset")) or name,
        spelt(row["subject"]),
        str(row["material"]),
        fps=fps,
        onset=0,  # MEB's clips begin at the onset
        apex=_after(onset, apex, 0),
        offset=_after(onset, offset, 1),
        emotion=None if emotion is None else str(emotion),
        action_units=units if isinstance(units, str) and not is_nothing(units) else None,
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


def _after(onset: int | None, position: int | None, least: int) -> int | None:
    """A position counted from the onset; None where it is unknown or lies before."""
    if onset is None or position is None or position - onset < least:
        return None
    return position - onset


def _label(value: Any, filled: bool) -> Label:
    """A label as Python's own text or number; None for an empty cell, and for the 0 that MEB's
    joined data sets fill into empty cells of a column of names."""
    plain: Label = value.item() if isinstance(value, np.generic) else value
    if plain is None or plain != plain or (isinstance(plain, str) and is_nothing(plain)):
        return None
    return None if filled and plain == 0 else plain


def _is_flow(data: Any) -> bool:
    """MEB's flow is one array, clips x (u, v and perhaps strain) x height x width."""
    shape: tuple[int, ...] = getattr(data, "shape", ())
    kind = getattr(getattr(data, "dtype", None), "kind", "")
    return len(shape) == 4 and shape[1] in (2, 3) and kind == "f"


def _rgb(pixels: Any, name: str) -> Frames:
    frames = np.asarray(pixels)
    if frames.ndim == 3:
        frames = np.repeat(frames[..., None], 3, 3)
    if frames.ndim != 4 or frames.shape[3] != 3:
        raise InputError(f"{name}: a clip is T H W or T H W 3; got {frames.shape}")
    if not np.isfinite(frames).all() or frames.min(initial=0) < 0:
        raise InputError(f"{name}: pixels below 0, or that are no numbers: these are no frames")
    if frames.dtype == np.uint8 and frames.max(initial=0) <= 1 and frames.size:
        raise InputError(
            f"{name}: all pixels are 0 or 1: MEB reads PNG frames as 0-1 and keeps whole numbers; "
            "pass resize= to MEB, or save the frames as JPEG"
        )
    if frames.dtype != np.uint8:
        # PNGs come as 0-1, the rest as 0-255
        scale = 255.0 if frames.size and float(frames.max()) <= 1.0 else 1.0
        frames = np.clip(np.rint(frames * scale), 0, 255).astype(np.uint8)
    return np.ascontiguousarray(frames)
