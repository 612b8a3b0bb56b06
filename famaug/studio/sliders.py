"""Sliders for the 17 AUs, both sides together or apart."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np

from famaug.aus.names import FACS_NAMES
from famaug.studio import layout
from famaug.studio.halves import UPPER
from famaug.studio.toolkit import ui
from famaug.types import AU_INDEX, AUS, LEFT, RIGHT, SIDES

LOWER = tuple(au for au in AUS if au not in UPPER)
TOLD = (
    "Intensity 0 to 5 (FACS A to E); micro-expressions seldom pass 2. Left and right are the "
    "person's own: their left is on the right of the picture."
)


class Sliders:
    """One visitor's.

    Args:
        changed: is called when one was moved.

    Attributes:
        peak: intensities at the apex, float `2 17`.
    """

    def __init__(self, changed: Callable[[], Awaitable[None]]) -> None:
        self.peak = np.zeros((2, len(AUS)))
        self._changed = changed
        self._sliders: dict[tuple[int, int], Any] = {}
        self._numbers: dict[tuple[int, int], Any] = {}
        self._rows: list[Any] = []
        self._letters: list[Any] = []

    def build(self) -> None:
        with ui.row().classes("w-full items-center justify-between"):
            self.apart = ui.switch(
                "left and right apart, for one-sided expressions", on_change=self._part
            )
            self.apart.props('data-mark="apart"')
            ui.button("all to 0", on_click=self._rest).props("flat dense no-caps")
        ui.label(TOLD).classes("muted")
        for title, aus in (("Brows and eyes", UPPER), ("Nose, mouth and chin", LOWER)):
            ui.label(title).classes("text-bold q-mt-sm")
            for au in aus:
                with ui.element("div").classes("au"):
                    ui.label(f"AU{au} {FACS_NAMES[au]}").classes("name")
                    with ui.column().classes("gap-0 w-full"):
                        for side in (LEFT, RIGHT):
                            self._row(au, side)

    def _row(self, au: int, side: int) -> None:
        with ui.element("div").classes("sides w-full") as row:
            letter = ui.label("both" if side == LEFT else SIDES[side]).classes("muted")
            slider = layout.slider(f"AU{au} {SIDES[side]}", 0, 5, 0.1, 0)
            slider.on_value_change(lambda e: self._slide(AU_INDEX[au], side, float(e.value or 0)))
            number = ui.label("0").classes("muted")
        key = (side, AU_INDEX[au])
        self._sliders[key], self._numbers[key] = slider, number
        if side == LEFT:
            self._letters.append(letter)
        else:
            self._rows.append(row)
            row.set_visibility(False)

    async def _part(self) -> None:
        apart = bool(self.apart.value)
        for row in self._rows:
            row.set_visibility(apart)
        for letter in self._letters:
            letter.set_text("left" if apart else "both")
        if not apart:  # the right follows
            for (side, at), slider in self._sliders.items():
                if side == RIGHT:
                    slider.set_value(self._sliders[LEFT, at].value)

    async def _slide(self, at: int, side: int, value: float) -> None:
        self.peak[side, at] = round(value, 2)
        self._numbers[side, at].set_text(f"{value:g}")
        if side == LEFT and not self.apart.value:
            self.peak[RIGHT, at] = self.peak[LEFT, at]
            self._sliders[RIGHT, at].set_value(value)
        await self._changed()

    async def _rest(self) -> None:
        for slider in self._sliders.values():
            slider.set_value(0)
