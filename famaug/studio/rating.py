"""The rating by experts: halves of clips, blind and shuffled, one after the other."""

from __future__ import annotations

from collections import defaultdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from famaug.clip_options import ASSUMED_FPS
from famaug.errors import FamaugError, InputError
from famaug.media.clips import read_frames
from famaug.studio import layout
from famaug.studio.halves import AT_REST, half_of, named_aus, read_aus
from famaug.studio.moving import address, jpeg, webp
from famaug.studio.ratings import (
    HALVES,
    QUESTIONS,
    Half,
    RatingBook,
    Sheet,
    agreement,
    as_csv,
    chosen,
    in_order,
    means,
)
from famaug.studio.server import Studio
from famaug.studio.toolkit import ui
from famaug.studio.wish import Wish
from famaug.types import Frames

REAL = "real"
EACH = 12
"""Clips of a system, unless another number is asked for."""
STAYS = "Does it stay at rest?"
"""Asked where a half is to show nothing."""
PROTOCOL = (
    "Upper and lower face are judged apart, each on its own, as in the generation task of "
    "MEGC 2021: whether the AUs named are shown, whether it looks like a real face, and noise. "
    "Clips of all systems and real ones come mixed; the page does not say which is which."
)


class RatingPage:
    """One rater's page."""

    def __init__(self, studio: Studio) -> None:
        self.studio, self.book = studio, RatingBook(studio.ratings)
        self.items: list[Sheet] = []
        self.item: Sheet | None = None
        self.rater = ""
        self.answers: dict[str, int] = {}
        self.views: dict[str, str] = {}
        self.buttons: dict[tuple[str, int], Any] = {}
        self.asked: dict[str, Any] = {}

    def build(self) -> None:
        with layout.page("/rating"):
            self.said = layout.Said()
            with ui.element("div").classes("card w-full"):
                self._start_card()
            self.sheet = ui.element("div").classes("two rating")
            self.sheet.set_visibility(False)
            with self.sheet:
                self._sheet()
            with ui.element("div").classes("card w-full"):
                with ui.row().classes("items-center"):
                    for name, mark, work in (
                        ("Results", "results", self._results),
                        ("All ratings as CSV", "csv", self._csv),
                    ):
                        button = ui.button(name, on_click=work).props("no-caps flat")
                        button.props(f'data-mark="{mark}"')
                self.table = ui.column().classes("w-full")
        ui.keyboard(on_key=self._key, ignore=[*layout.TYPED_IN])

    def _start_card(self) -> None:
        ui.html("<h2>Rating by experts</h2>", sanitize=False)
        ui.label(PROTOCOL).classes("muted")
        with ui.row().classes("items-end"):
            self.name = ui.input("your name or number").props('data-mark="rater"')
            self.each = ui.number("clips of each system", value=EACH, min=1, max=1000, step=1)
            self.each.classes("w-40")
            begin = ui.button("Begin, or go on", on_click=self._begin)
            begin.props('no-caps unelevated data-mark="begin"')
        self.progress = ui.label().classes("muted").props('data-mark="progress"')

    def _sheet(self) -> None:
        with ui.element("div").classes("card pinned"):
            self.moving = layout.picture("half")
            with ui.row().classes("gap-1 q-mt-sm"):
                for view in ("slow", "real speed", "onset", "apex"):
                    button = ui.button(view, on_click=partial(self._look, view))
                    button.props('no-caps dense flat padding="2px 8px"')
        with ui.element("div").classes("card"):
            self.title = ui.label().classes("text-bold").props('data-mark="title"')
            self.aus = ui.label().classes("q-mb-sm").props('data-mark="aus"')
            for question, (text, words) in QUESTIONS.items():
                self.asked[question] = ui.label(text).classes("text-bold q-mt-sm")
                with ui.element("div").classes("answers"):
                    for value, word in enumerate(words):
                        button = ui.button(
                            f"{value} {word}", on_click=partial(self._answer, question, value)
                        )
                        button.props(f'no-caps outline data-mark="{question}-{value}"')
                        self.buttons[question, value] = button
            with ui.row().classes("items-center q-mt-md"):
                self.next = ui.button("Save and go on", on_click=self._save)
                self.next.props('no-caps unelevated data-mark="next"')
            ui.label(
                "Keys: 0 to 3 answer the next question, Backspace takes the last answer back, "
                "Enter saves. What is saved stays saved."
            ).classes("muted q-mt-sm")

    # -- WHAT IS RATED --------------------------------------------------------------------------

    def _gather(self, each: int) -> list[Sheet]:
        """What there is to rate; in the slow desk's thread."""
        library = self.studio.library
        by: dict[str, list[str]] = defaultdict(list)
        shows: dict[str, Any] = {}
        for name in library.caches:
            shelf = self.studio.shelf(name)
            for row in shelf.rows:
                if row.problem or shelf.decisions.of(row.key) == "reject" or not row.system:
                    continue
                system = row.system if len(library.caches) == 1 else f"{row.system} ({name})"
                by[system].append(f"{name}/{row.key}")
                shows[f"{name}/{row.key}"] = (shelf, row.key)
        if library.real:
            told = read_aus(next(iter(library.real.values())).parent)
            for name in library.real:
                if Path(name).stem in told:
                    by[REAL].append(f"{REAL}/{name}")
                    shows[f"{REAL}/{name}"] = told[Path(name).stem]
        systems = {clip: system for system, clips in by.items() for clip in clips}
        items = []
        for clip in chosen(by, each):
            shown = shows[clip]
            if isinstance(shown, tuple):
                provenance = shown[0].cache.provenance(shown[1])
                shown = provenance.plan.intensity
            items += [Sheet(systems[clip], clip, half, named_aus(shown, half)) for half in HALVES]
        if not items:
            raise InputError(
                "there is nothing to rate: start with famaug studio CACHE, or a folder of caches, "
                "and --real FOLDER for real clips"
            )
        return items

    def _pixels(self, clip: str, half: Half) -> tuple[Frames, float, int]:
        """Half of a clip, its rate, and the apex; in the slow desk's thread."""
        place, _, name = clip.rpartition("/")  # a cache may be "cache/casme2"
        if place == REAL and name in self.studio.library.real:
            frames, fps = read_frames(self.studio.library.real[name])
            apex = int(np.abs(frames.astype(np.int16) - frames[0]).sum((1, 2, 3)).argmax())
        else:
            shelf = self.studio.shelf(place)
            frames, row = shelf.frames(name), shelf.row(name)
            fps, apex = row.fps, min(row.key_frames[1], len(frames) - 1)
        mesher = self.studio.slow.synthesizer(Wish(identity="", driver="", fps=None)).mesher
        return half_of(frames, mesher, half), fps or ASSUMED_FPS, apex

    # -- WHAT IS DONE ---------------------------------------------------------------------------

    async def _begin(self) -> None:
        async def work() -> None:
            self.rater = str(self.name.value or "")
            self.book.file_of(self.rater)  # a name that can be
            self.progress.set_text("gathering clips ...")
            each = int(self.each.value or EACH)
            items = await self.studio.slow.do(self._gather, each)
            self.items = in_order(items, self.rater.strip())
            await self._show()

        await self.said.around(work)

    async def _show(self) -> None:
        done = self.book.of(self.rater)
        left = [item for item in self.items if item.name not in done]
        self.progress.set_text(f"{len(self.items) - len(left)} of {len(self.items)} rated")
        # until its pixels are there, answers would be given on the picture of the one before
        self.item, self.answers, self.views = None, {}, {}
        self.sheet.set_visibility(bool(left))
        self._mark()
        if not left:
            self.progress.set_text(f"All {len(self.items)} are rated. Thank you!")
            return
        item = left[0]
        work = (self._pixels, item.clip, item.half)
        try:
            frames, fps, apex = await self.studio.slow.do(*work)
        except FamaugError as error:  # damaged: the others can still be rated
            self.items.remove(item)
            await self._show()
            self.said.tell(f"Left out, as it cannot be read: {error}")
            return
        self.views = {
            "slow": address(await self.studio.slow.do(webp, frames, fps, slow=True), "image/webp"),
            "real speed": address(
                await self.studio.slow.do(webp, frames, fps, slow=False), "image/webp"
            ),
            "onset": address(jpeg(frames[0])),
            "apex": address(jpeg(frames[apex])),
        }
        self.title.set_text(f"{item.half.capitalize()} face")
        rests = item.aus == AT_REST
        self.aus.set_text(f"AUs to be shown here: {item.aus}")
        self.asked["aus"].set_text(STAYS if rests else QUESTIONS["aus"][0])
        self._look("slow")
        self.item = item

    def _look(self, view: str) -> None:
        if view in self.views:
            layout.show(self.moving, self.views[view])

    def _answer(self, question: str, value: int) -> None:
        if self.item is None:
            return
        self.answers[question] = value
        self._mark()

    def _mark(self) -> None:
        for (question, value), button in self.buttons.items():
            given = self.answers.get(question) == value
            button.props(remove="outline") if given else button.props("outline")
        self.next.set_enabled(len(self.answers) == len(QUESTIONS))

    async def _save(self) -> None:
        item, answers = self.item, dict(self.answers)
        if item is None or len(answers) < len(QUESTIONS):
            return

        async def work() -> None:
            self.item = None  # Enter twice saves once
            try:
                await self.studio.slow.do(self.book.add, self.rater, item, answers)
            except FamaugError:
                self.item = item  # the answers stand, to be saved again
                raise
            await self._show()

        await self.said.around(work)

    async def _key(self, event: Any) -> None:
        if not event.action.keydown or self.item is None:
            return
        key = str(event.key)
        if key in ("0", "1", "2", "3"):
            left = [q for q in QUESTIONS if q not in self.answers]
            if left:
                self._answer(left[0], int(key))
        elif key == "Backspace" and self.answers:
            self.answers.popitem()
            self._mark()
        elif key == "Enter":
            await self._save()

    # -- WHAT CAME OF IT ------------------------------------------------------------------------

    async def _csv(self) -> None:
        async def work() -> None:
            ui.download(as_csv(self.book.every()).encode(), "ratings.csv")

        await self.said.around(work)

    async def _results(self) -> None:
        async def work() -> None:
            ratings = self.book.every()
            if not ratings:
                raise InputError("nobody has rated anything yet")
            alphas = await self.studio.slow.do(agreement, ratings)
            self._tell(means(ratings), alphas, len({r.rater for r in ratings}))

        await self.said.around(work)

    def _tell(
        self, by: dict[str, dict[str, float]], alphas: dict[str, float | None], raters: int
    ) -> None:
        self.table.clear()
        names = [*alphas]
        with self.table:
            ui.label(
                f"{raters} rater{'s' * (raters != 1)}; means from 0 to 3, more is better. The last "
                "row is Krippendorff's alpha (interval) over what two or more rated: 1 is full "
                "agreement, 0 that of chance."
            ).classes("muted")
            rows: list[dict[str, Any]] = [
                {"system": system}
                | {n: f"{found[n]:.2f}" if n in found else "" for n in names}
                | {"clips": int(found["clips"]), "ratings": int(found["ratings"])}
                for system, found in by.items()
            ]
            told = {n: "-" if a is None else f"{a:.2f}" for n, a in alphas.items()}
            rows.append({"system": "agreement (alpha)", "clips": "", "ratings": ""} | told)
            columns = [
                {"name": n, "label": n, "field": n, "align": "left"}
                for n in ("system", "clips", "ratings", *names)
            ]
            table = ui.table(columns=columns, rows=rows, row_key="system").classes("w-full")
            table.props('flat dense wrap-cells data-mark="means"')
