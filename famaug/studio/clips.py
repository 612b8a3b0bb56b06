"""The browser of a cache: thousands of clips, filtered and sorted, accepted and rejected."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from famaug.quality.judge import MEANING
from famaug.store.decisions import Verdict
from famaug.studio import layout
from famaug.studio.media import place
from famaug.studio.server import Studio
from famaug.studio.shelf import ClipRow, Filter, Shelf, pages
from famaug.studio.toolkit import ui

ON_A_PAGE = 48
VIEWS = {"onset": "onset.jpg", "apex": "apex.jpg", "real speed": "real.webp", "slow": "slow.webp"}
NAMES = {
    "label": "class",
    "driver": "driver",
    "identity": "identity",
    "gate": "gate",
}
DECISIONS = ["any", "undecided", "accept", "reject"]
HELP = (
    "Keys: A accept, R reject, U take back, arrows to the next and the one before; "
    "1 onset, 2 apex, 3 real speed, 4 slow"
)


class Clips:
    """One visitor's page."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self.shelf: Shelf | None = None
        self.name = ""
        self.rows: list[ClipRow] = []
        self.at, self.page, self.view = 0, 0, "apex"
        self.filters: dict[str, Any] = {}

    def build(self) -> None:
        with layout.page("/clips"):
            self.said = layout.Said()
            caches = [*self.studio.library.caches]
            if not caches:
                ui.label(
                    "There is no cache: start with famaug studio CACHE, a folder that "
                    "famaug pregenerate made."
                )
                return
            with ui.row().classes("w-full items-center"):
                self.choice = ui.select(caches, value=None, label="cache", on_change=self._open)
                self.choice.classes("w-60").props('data-mark="cache"')
                self.count = ui.label().classes("muted").props('data-mark="count"')
            with ui.element("div").classes("two clips"):
                with ui.element("div").classes("stack"):
                    self.filter_row = ui.element("div").classes("card filters")
                    self.tiles = ui.element("div").classes("tiles")
                    with ui.row().classes("items-center"):
                        ui.button("previous", on_click=lambda: self._turn(-1)).props("flat no-caps")
                        self.numbered = ui.label().classes("muted")
                        ui.button("next", on_click=lambda: self._turn(1)).props("flat no-caps")
                with ui.element("div").classes("stack sticky right"):
                    self._detail_card()
        ui.keyboard(on_key=self._key, ignore=[*layout.TYPED_IN])
        ui.timer(0.05, lambda: self.choice.set_value(caches[0]), once=True)

    def _detail_card(self) -> None:
        with ui.element("div").classes("card pinned"):
            self.large = layout.picture("clip")
            with ui.row().classes("gap-1 q-mt-sm"):
                for name in VIEWS:
                    button = ui.button(name, on_click=lambda n=name: self._look(n))
                    button.props(f'no-caps dense flat padding="2px 8px" data-mark="view-{name}"')
            with ui.row().classes("gap-2 q-mt-sm"):
                for verdict, colour in (("accept", "green-8"), ("reject", "red-9")):
                    button = ui.button(verdict, on_click=lambda v=verdict: self._decide(v))
                    button.props(f'no-caps unelevated color={colour} data-mark="{verdict}"')
                ui.button("take back", on_click=lambda: self._decide(None)).props("no-caps flat")
        with ui.element("div").classes("card"):
            self.facts = ui.column().classes("gap-0 w-full")
            ui.label(HELP).classes("muted q-mt-sm")

    # -- WHAT IS SHOWN --------------------------------------------------------------------------

    async def _open(self, event: Any) -> None:
        async def work() -> None:
            self.count.set_text("reading ...")
            self.name = str(event.value)
            self.shelf = await self.studio.slow.do(self.studio.shelf, self.name)
            self._make_filters(self.shelf)
            self._filter()

        if await self.said.around(work) is None and self.shelf is None:
            self.count.set_text("")

    def _make_filters(self, shelf: Shelf) -> None:
        self.filter_row.clear()
        with self.filter_row:
            for field, name in NAMES.items():
                self.filters[field] = ui.select(
                    shelf.values(field), value="any", label=name, on_change=self._filter
                )
            self.filters["decision"] = ui.select(
                DECISIONS, value="any", label="decision", on_change=self._filter
            )
            orders = {"key": "key"} | {name: f"{name}, worst first" for name in shelf.scored}
            self.filters["order"] = ui.select(
                orders, value="key", label="order", on_change=self._filter
            )
        for name, select in self.filters.items():
            select.props(f'dense options-dense data-mark="filter-{name}"').classes("w-full")

    def _filter(self) -> None:
        if self.shelf is None:
            return
        by = Filter(**{name: str(select.value) for name, select in self.filters.items()})
        self.rows, self.page, self.at = self.shelf.shown(by), 0, 0
        self._draw()

    def _draw(self) -> None:
        shelf = self.shelf
        if shelf is None:
            return
        every = [*pages(self.rows, ON_A_PAGE)]
        self.page = min(self.page, len(every) - 1)
        decided = len(shelf.decisions.rejected & {row.key for row in shelf.rows})
        self.count.set_text(
            f"{len(self.rows)} of {len(shelf.rows)} clips; {decided} rejected, in {shelf.file.name}"
        )
        self.numbered.set_text(f"page {self.page + 1} of {len(every)}")
        self.tiles.clear()
        self._tiles: dict[str, Any] = {}
        with self.tiles:
            for number, row in enumerate(every[self.page], self.page * ON_A_PAGE):
                self._tile(number, row, shelf)
        self._detail()

    def _tile(self, number: int, row: ClipRow, shelf: Shelf) -> None:
        tile = ui.element("div").classes("tile").props(f'data-key="{row.key}"')
        tile.on("click", lambda n=number: self._choose(n))
        self._tiles[row.key] = tile
        with tile:
            if row.problem:
                ui.label("damaged").classes("said")
            else:
                source = place(self.name, row.key, "apex.jpg")
                ui.element("img").classes("picture").props(f'src="{source}" loading=lazy alt=""')
            ui.label(row.label or "no class").classes("text-bold")
            ui.label(row.identity).classes("muted")
        self._colour(row, shelf)

    def _colour(self, row: ClipRow, shelf: Shelf) -> None:
        tile, verdict = self._tiles.get(row.key), shelf.decisions.of(row.key)
        if tile is not None:
            tile.classes(remove="accept reject")
            if verdict:
                tile.classes(verdict)

    def _detail(self) -> None:
        self.facts.clear()
        if not self.rows or self.shelf is None:
            return
        row = self.rows[self.at]
        for key, tile in self._tiles.items():
            tile.classes(**({"add": "chosen"} if key == row.key else {"remove": "chosen"}))
        layout.show(self.large, place(self.name, row.key, VIEWS[self.view]))
        with self.facts:
            for name, value in _facts(row, self.shelf):
                with ui.element("div").classes("fact"):
                    ui.label(name).classes("muted")
                    ui.label(value).style("overflow-wrap: anywhere")

    # -- WHAT IS DONE ---------------------------------------------------------------------------

    def _choose(self, number: int) -> None:
        self.at = number
        self._detail()

    def _look(self, view: str) -> None:
        self.view = view
        self._detail()

    def _turn(self, pages_on: int) -> None:
        last = max(len(self.rows) - 1, 0) // ON_A_PAGE
        self.page = min(max(self.page + pages_on, 0), last)
        self.at = min(self.page * ON_A_PAGE, max(len(self.rows) - 1, 0))
        self._draw()

    def _step(self, by: int) -> None:
        if self.rows:
            self.at = min(max(self.at + by, 0), len(self.rows) - 1)
            if self.at // ON_A_PAGE != self.page:
                self.page = self.at // ON_A_PAGE
                self._draw()
            else:
                self._detail()

    async def _decide(self, verdict: Verdict | None) -> None:
        shelf = self.shelf
        if shelf is None or not self.rows:
            return
        row = self.rows[self.at]
        if verdict is not None:
            self._step(1)  # before it is written, or a second key would decide this one again

        async def work() -> bool:
            await self.studio.slow.do(shelf.decide, row.key, verdict)
            return True

        if await self.said.around(work):
            self._colour(row, shelf)
            rejected = len(shelf.decisions.rejected & {r.key for r in shelf.rows})
            self.count.set_text(
                f"{len(self.rows)} of {len(shelf.rows)} clips; {rejected} rejected, "
                f"in {shelf.file.name}"
            )
            if self.rows[self.at] is row:
                self._detail()

    async def _key(self, event: Any) -> None:
        if not event.action.keydown or event.modifiers.ctrl or event.modifiers.meta:
            return
        if event.action.repeat and not (event.key.arrow_left or event.key.arrow_right):
            return  # a key that is held down decides one clip
        key = str(event.key).lower()
        verdicts: dict[str, Verdict | None] = {"a": "accept", "r": "reject", "u": None}
        if key in verdicts:
            await self._decide(verdicts[key])
        elif event.key.arrow_right:
            self._step(1)
        elif event.key.arrow_left:
            self._step(-1)
        elif key in ("1", "2", "3", "4"):
            self._look([*VIEWS][int(key) - 1])


def _facts(row: ClipRow, shelf: Shelf) -> Sequence[tuple[str, str]]:
    """What is told of a clip."""
    if row.problem:
        return [("damaged", row.problem), ("key", row.key)]
    told = [
        ("decision", shelf.decisions.of(row.key) or "undecided"),
        ("class", row.label or "none"),
        ("driver", row.driver),
        ("identity", row.identity),
        ("made by", row.system),
        ("gate", row.gate if not row.why else "; ".join(row.why)),
    ]
    told += [(f"{n} ({MEANING.get(n, '')})", f"{v:.3g}") for n, v in sorted(row.scores.items())]
    return [*told, ("key", row.key)]
