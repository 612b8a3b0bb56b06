"""The driver page: a clip, what is measured in it, what the modulation leaves, on three faces."""

from __future__ import annotations

from typing import Any

from famaug import samples
from famaug.clip_options import ASSUMED_FPS
from famaug.pipeline.inputs import Driver
from famaug.studio import layout
from famaug.studio.desk import Desk, FoundFace, Measured
from famaug.studio.incoming import clip_of, frames_of
from famaug.studio.moving import address, webp
from famaug.studio.playground import FILMS
from famaug.studio.server import Studio
from famaug.studio.stages import Stages, stages_of
from famaug.studio.toolkit import ui
from famaug.studio.wish import Wish

FACES = ("woman_31", "man_55_glasses", "woman_62")
SIZE, WIDEST = 192, 384
AVERAGED = (-24, 0, 24)
"""Shifts of the picture's size that the second measurement is averaged over (Eq. 1)."""


class DriverPage:
    """One visitor's page."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self.films: list[Any] = []

    def build(self) -> None:
        with layout.page("/driver"):
            self.said = layout.Said()
            with ui.element("div").classes("card w-full"):
                ui.html("<h2>A driver through the modulation</h2>", sanitize=False)
                ui.label(
                    "A video of a face, from its neutral face (onset) on. Its AUs are measured at "
                    "one size and averaged over three, filtered, taken relative to the onset, and "
                    "what stays below the threshold is cut. Measuring takes seconds."
                ).classes("muted")
                clips = {"": "the sample clip (a smile)"}
                clips |= {name: name for name in self.studio.library.clips}
                self.clips = ui.select(
                    clips, value=None, label="a clip that is here", on_change=self._pick
                )
                self.clips.classes("w-full").props('data-mark="clips"')
                layout.uploads(
                    "or a video of your own", FILMS, "clip-upload", self._take, layout.MOST_FILM_MB
                )
            self.busy = ui.linear_progress(show_value=False).props("indeterminate")
            self.busy.set_visibility(False)
            self.films_row = ui.element("div").classes("films")
            with self.films_row:
                for name in ("the driver", *FACES):
                    with ui.element("div").classes("card"):
                        self.films.append(layout.picture(name))
                        ui.label(name).classes("muted")
            self.result = ui.element("div").classes("card two")
            with self.result:
                self.figure = ui.element("img").props('alt="stages"').style("max-width: 100%")
                self.told = ui.column().classes("w-full gap-1")
            for part in (self.films_row, self.result):
                part.set_visibility(False)

    async def _pick(self, event: Any) -> None:
        if event.value is not None:
            path = self.studio.library.clips.get(event.value)
            await self._work(path or self.studio.sample_clip, "")

    async def _take(self, event: Any) -> None:
        found = await self.said.around(lambda: layout.taken(event, layout.MOST_FILM_MB))
        event.sender.reset()
        if found:
            await self._work(*found)

    async def _work(self, what: Any, name: str) -> None:
        self.busy.set_visibility(True)
        try:
            await self.said.around(lambda: self._through(what, name))
        finally:
            self.busy.set_visibility(False)

    async def _through(self, what: Any, name: str) -> None:
        slow = self.studio.slow
        driver = await slow.do(clip_of, what, name)
        frames = frames_of(driver)
        step = max(1, -(-max(frames.shape[1:3]) // WIDEST))
        small = frames[:, ::step, ::step]
        measured = await slow.do(slow.measure, driver)
        fps = float(measured.track.fps or ASSUMED_FPS)
        self.films_row.set_visibility(True)
        layout.show(
            self.films[0], address(await slow.do(webp, small, fps, slow=True), "image/webp")
        )
        await self._tell(driver, measured)
        for film, face in zip(self.films[1:], FACES, strict=True):
            await self._on_face(slow, film, face, measured)

    async def _tell(self, driver: Driver, measured: Measured) -> None:
        slow = self.studio.slow
        averaged = await slow.do(slow.measure, driver, sizes=AVERAGED)
        found: Stages = await slow.do(stages_of, measured.track, averaged.track)
        self.result.set_visibility(True)
        layout.show(self.figure, address(found.picture, "image/png"))
        self.told.clear()
        with self.told:
            for note in found.notes:
                ui.label(f"Note: {note}").classes("muted")
            rows = [
                {"au": k.name, "rise": f"{k.rise:.2f}", "shown": f"{k.shown:.2f}", "v": k.verdict}
                for k in found.kept
            ]
            heads = {"au": "AU", "rise": "rises by", "shown": "shown", "v": "what became of it"}
            columns = [
                {"name": n, "label": label, "field": n, "align": "left"}
                for n, label in heads.items()
            ]
            table = ui.table(columns=columns, rows=rows, row_key="au").classes("w-full")
            table.props('flat dense wrap-cells data-mark="kept"')

    async def _on_face(self, slow: Desk, film: Any, name: str, measured: Measured) -> None:
        wish = Wish(identity=name, driver=measured.name, fps=None, size=SIZE)
        data = samples.face(name).read_bytes()
        face: FoundFace = await slow.do(slow.find_face, data, name)
        plan = await slow.do(slow.plan, wish, face, measured)
        frames = await slow.draw_all(wish, face, plan)
        layout.show(film, address(await slow.do(webp, frames, plan.fps, slow=True), "image/webp"))
