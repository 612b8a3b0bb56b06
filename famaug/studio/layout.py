"""What all pages share: their head, their style, and how an error is told."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from famaug.errors import FamaugError, InputError
from famaug.studio.toolkit import ui

log = logging.getLogger("famaug.studio")

PAGES = {
    "/": "Playground",
    "/clips": "Clips of a cache",
    "/rating": "Rating",
    "/driver": "Driver",
}
TYPED_IN = ("input", "select", "textarea")
"""Where keys are text; elsewhere, on a button too, they are commands."""
STYLE = """
body { background: #f6f7f9; color: #1c2026; }
.studio { max-width: 1240px; margin: 0 auto; width: 100%; padding: 14px; gap: 14px; }
.studio h2 { font-size: 1.05rem; font-weight: 600; line-height: 1.4; margin: 0; }
.card { background: #fff; border: 1px solid #e1e4e8; border-radius: 8px; padding: 14px; }
.muted { color: #5d6673; font-size: .85rem; }
.two { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); gap: 14px;
  width: 100%; }
.stack { display: flex; flex-direction: column; gap: 14px; min-width: 0; }
.sticky { position: sticky; top: 10px; align-self: start; z-index: 2; }
img:not([src]) { visibility: hidden; }
.q-uploader__list, .q-uploader__subtitle { display: none; }
.q-uploader { width: 100%; max-height: none; }
.q-uploader__header { background: #eceff2; color: #1c2026; }
.q-uploader__title { font-size: .88rem; font-weight: 500; }
.picture { width: 100%; aspect-ratio: 1; object-fit: contain; background: #eceff2;
  border-radius: 6px; display: block; }
.au { display: grid; grid-template-columns: 11.5rem minmax(0, 1fr); align-items: center;
  column-gap: 12px; min-height: 34px; width: 100%; }
.au .name { font-size: .88rem; line-height: 1.15; }
.au + .au { border-top: 1px solid #eef0f2; }
.code pre { white-space: pre-wrap; overflow-wrap: anywhere; padding-right: 2.2rem; }
.nicegui-code-copy { color: #1565c0 !important; opacity: 1 !important; }
.sides { display: grid; grid-template-columns: 2.6rem minmax(0, 1fr) 2.2rem; align-items: center;
  column-gap: 8px; }
.sides .muted { font-variant-numeric: tabular-nums; }
.said { border-left: 4px solid #b3261e; background: #fdeceb; padding: 8px 12px;
  border-radius: 4px; overflow-wrap: anywhere; }
.code { width: 100%; font-size: .8rem; overflow-x: auto; }
.top { background: #24313f; color: #fff; padding: 8px 16px; width: 100%; display: flex;
  flex-wrap: wrap; gap: 4px 18px; align-items: center; }
.nav { display: flex; flex-wrap: wrap; gap: 4px; }
.nav a { color: #dfe6ee; text-decoration: none; padding: 4px 8px; border-radius: 4px; }
.nav a.here { background: #ffffff26; color: #fff; }
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(116px, 1fr)); gap: 10px; }
.tile { border: 3px solid transparent; border-radius: 8px; background: #fff; cursor: pointer;
  padding: 4px; font-size: .74rem; line-height: 1.25; overflow-wrap: anywhere; }
.tile.reject { border-color: #b3261e; }
.tile.accept { border-color: #2e7d32; }
.tile.chosen { outline: 3px solid #1565c0; }
.clips { grid-template-columns: minmax(0, 2fr) minmax(0, 1fr); }
.filters { display: grid; grid-template-columns: repeat(auto-fill, minmax(130px, 1fr)); gap: 8px; }
.fact { display: grid; grid-template-columns: 9.5rem minmax(0, 1fr); gap: 8px; font-size: .82rem;
  width: 100%; padding: 2px 0; border-bottom: 1px solid #f0f1f3; }
.answers { display: grid; grid-template-columns: repeat(auto-fit, minmax(120px, 1fr)); gap: 6px; }
.rating .picture { aspect-ratio: auto; max-height: 60vh; min-height: 120px; }
.films { display: grid; grid-template-columns: repeat(auto-fit, minmax(170px, 1fr)); gap: 14px;
  width: 100%; }
kbd { border: 1px solid #c4cad1; border-radius: 3px; padding: 0 4px; font-size: .8rem; }
@media (max-width: 820px) {
  .two { grid-template-columns: minmax(0, 1fr); }
  .right { display: contents; }
  .right > .card { order: 2; }
  .right > .pinned { order: -1; position: sticky; top: 0; z-index: 2; padding: 8px; }
  .pinned .picture { max-height: 40vw; }
  .au { grid-template-columns: minmax(0, 1fr); padding-bottom: 6px; }
  .studio { padding: 8px; }
}
"""


@contextmanager
def page(at: str) -> Iterator[None]:
    """A page's frame around its content."""
    ui.add_css(STYLE)
    ui.page_title(f"{PAGES[at]} - famaug studio")
    ui.query(".nicegui-content").classes("p-0 gap-0")
    with ui.element("header").classes("top"):
        ui.label("famaug studio").classes("text-bold")
        with ui.element("nav").classes("nav"):
            for path, name in PAGES.items():
                link = ui.link(name, path)
                if path == at:
                    link.classes("here")
    with ui.column().classes("studio"):
        yield


class Said:
    """The place of a page where errors are told; a name in them is shown as text."""

    def __init__(self) -> None:
        self._box = ui.label().classes("said w-full").props('data-mark="said"')
        self._box.props('role="alert"')
        self.clear()

    def clear(self) -> None:
        self._box.set_visibility(False)

    def tell(self, text: str) -> None:
        self._box.set_text(text)
        self._box.set_visibility(True)

    async def around(self, work: Callable[[], Awaitable[Any]]) -> Any:
        """Does a piece of work; what goes wrong is told, and None is given."""
        try:
            self.clear()
            return await work()
        except FamaugError as error:
            self.tell(str(error))
        except Exception as error:
            log.exception("a page's work failed")
            self.tell(f"Unexpected {type(error).__name__}: {str(error)[:300]}")
        return None


def picture(mark: str) -> Any:
    """A picture that is changed often; `show` puts one in."""
    return ui.element("img").classes("picture").props(f'alt="{mark}"')


def show(element: Any, address: str) -> None:
    """Put a picture into a place of `picture`."""
    element.props["src"] = address
    element.update()


def slider(name: str, low: float, high: float, step: float, value: float) -> Any:
    """A slider that a hand moves at once: it does not wait for the server to echo its value, which
    on a busy machine would pull it back."""
    found = ui.slider(min=low, max=high, step=step, value=value)
    found.LOOPBACK = False
    found.props["loopback"] = False
    return found.props(f'dense aria-label="{name}"')


MOST_FILM_MB = 512


async def taken(event: Any, most_mb: int) -> tuple[bytes, str]:
    """Bytes and name of a file that was given to `uploads`: its limit is the browser's, and not
    everything that talks to a server is one.

    Raises:
        InputError: a larger file.
    """
    if event.file.size() > most_mb << 20:
        raise InputError(f"{event.file.name}: a file of up to {most_mb} MB is asked for")
    return await event.file.read(), str(event.file.name)


def uploads(label: str, kinds: str, mark: str, take: Callable[[Any], Any], most_mb: int) -> Any:
    """A place for files, one at a time, each taken at once."""
    found = ui.upload(
        label=label,
        auto_upload=True,
        max_file_size=most_mb << 20,
        on_upload=take,
        on_rejected=lambda: ui.notify(
            f"A file of that kind up to {most_mb} MB is asked for", type="negative"
        ),
    )
    return found.props(f'accept="{kinds}" data-mark="{mark}" flat bordered').classes("w-full")
