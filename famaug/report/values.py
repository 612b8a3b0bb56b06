"""The plain values a report is made of. They check themselves, so figures need not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from famaug.errors import InputError
from famaug.report.lettering import Drawing
from famaug.types import AUTrack, Frames, Picture, Plan

Box = tuple[int, int, int, int]
Cell = str | int | float | None


def _check_frames(title: str, name: str, frames: Frames) -> None:
    shape = frames.shape
    if frames.dtype != np.uint8 or len(shape) != 4 or shape[3] != 3 or 0 in shape:
        raise InputError(
            f"clip {title!r}: {name} must be uint8 T H W 3, all at least 1; "
            f"got {frames.dtype} {shape}"
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class ReportClip:
    """One synthetic clip with all that is shown of it.

    Attributes:
        title: name of the clip, plain text.
        frames: the synthetic clip, uint8 `T H W 3`.
        fps: its frames per second.
        asked: AU intensities it was rendered with, `T 2 17`.
        measured: the same clip measured again, or None when it was not.
        onset, apex, offset: frame positions counted from 0.
        driver_frames: the real clip whose expression is shown, uint8 `T' H' W' 3` of any length
            and size (it is shown over the same time), or None for a rule.
        notes: remarks printed under the title.
        provenance: JSON-able record of where the clip comes from; its entry `key` is shown.
        face: the face without its surroundings, (x0, y0, x1, y1) in pixels of `frames`: what the
            flow is taken of, as in the crops of data sets; None takes the frame. The driver's is
            the same part of his frames.
        boxes: regions shown enlarged, name -> (x0, y0, x1, y1) in pixels of `frames`.

    Raises:
        InputError: frames, positions, boxes or the lengths of the tracks do not fit together.
    """

    title: str
    frames: Frames
    fps: float
    asked: AUTrack
    onset: int
    apex: int
    offset: int
    measured: AUTrack | None = None
    driver_frames: Frames | None = None
    notes: Sequence[str] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)
    boxes: Mapping[str, Box] = field(default_factory=dict)
    face: Box | None = None

    @classmethod
    def of(cls, title: str, frames: Frames, plan: Plan, **more: Any) -> ReportClip:
        """A clip rendered by `plan`, which says what was asked and when; `more` as the class."""
        onset, apex, offset = plan.key_frames
        return cls(
            title=title,
            frames=frames,
            fps=plan.fps,
            asked=plan.asked,
            onset=onset,
            apex=apex,
            offset=offset,
            **more,
        )

    def __post_init__(self) -> None:
        _check_frames(self.title, "frames", self.frames)
        if self.driver_frames is not None:
            _check_frames(self.title, "driver_frames", self.driver_frames)
        count, height, width = self.frames.shape[:3]
        if not 0 <= self.onset <= self.apex <= self.offset < count:
            raise InputError(
                f"clip {self.title!r}: wants 0 <= onset <= apex <= offset < {count}; "
                f"got {self.onset}, {self.apex}, {self.offset}"
            )
        if not (np.isfinite(self.fps) and self.fps > 0):
            raise InputError(f"clip {self.title!r}: fps must be above 0; got {self.fps}")
        for name, track in (("asked", self.asked), ("measured", self.measured)):
            if track is not None and len(track) != count:
                raise InputError(
                    f"clip {self.title!r}: {name} has {len(track)} frames, the clip {count}"
                )
        whole = {} if self.face is None else {"face": self.face}
        for name, (x0, y0, x1, y1) in (*self.boxes.items(), *whole.items()):
            if not (0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height):
                raise InputError(
                    f"clip {self.title!r}: box {name!r} {(x0, y0, x1, y1)} is empty or leaves the "
                    f"{width} x {height} picture; clip it to the picture first"
                )


@dataclass(frozen=True, eq=False, kw_only=True)
class ReportTable:
    """A table: numbers are printed with two decimals, None and NaN as a dash.

    Attributes:
        title, caption: above the table. columns, rows: its cells.
        legend: (column, what it says), folded away below the table.
        notes: sentences below the table: what must be read with care.
        picture: uint8 `H W 3` shown below the table, or None; picture_says: its words for those
            who do not see it.

    Raises:
        InputError: a row has another number of cells than there are columns.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    caption: str = ""
    legend: Sequence[tuple[str, str]] = ()
    notes: Sequence[str] = ()
    picture: Picture | None = None
    picture_says: str = ""

    def __post_init__(self) -> None:
        if self.picture is not None:
            _check_frames(self.title, "picture", self.picture[None])
        for i, row in enumerate(self.rows):
            if len(row) != len(self.columns):
                raise InputError(
                    f"table {self.title!r}: row {i} has {len(row)} cells, "
                    f"there are {len(self.columns)} columns"
                )


@dataclass(frozen=True, eq=False, kw_only=True)
class ReportMedia:
    """A picture or clip that went in, and the right to use it.

    Attributes:
        name: file or clip name.
        role: what it was used for ("driver", "identity").
        licence: its licence, as its source states it.
        source: where it comes from; printed as text, never loaded.
        picture: uint8 `H W 3` to show, or None.
    """

    name: str
    role: str
    licence: str
    source: str
    picture: Picture | None = None

    def __post_init__(self) -> None:
        if self.picture is not None:
            _check_frames(self.name, "picture", self.picture[None])


@dataclass(frozen=True, kw_only=True)
class ReportDrawing:
    """A vector figure with its own section.

    Attributes:
        title: heading; caption: what it shows.
        drawing: SVG text, width and height in CSS pixels.
    """

    title: str
    caption: str
    drawing: Drawing
