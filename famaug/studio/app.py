"""`famaug studio` as a server: its pages, whom it answers, and its end."""

from __future__ import annotations

import socket
import warnings
import webbrowser
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from famaug.errors import InputError
from famaug.packages import need
from famaug.studio.library import Library
from famaug.studio.server import Studio

LOOPBACK = ("127.0.0.1", "localhost", "::1")
LOST_SECONDS = 20.0
"""A page that lost its connection keeps what was shown to it so long; then it begins anew."""
KEPT_MESSAGES = 100
"""For a page that comes back; pictures are in them."""
HOSTS = ("127.0.0.1", "localhost", "[::1]")


def serve(
    library: Library,
    *,
    host: str = LOOPBACK[0],
    port: int = 8765,
    generators: Sequence[str] = (),
    ratings: Path = Path("ratings"),
    opened: bool = False,
    say: Callable[[str], None] = print,
) -> None:
    """Serves until it is stopped.

    Args:
        library: what the pages offer.
        host: address to listen on; whoever reaches it may use the pages.
        port: 0 takes a free one.
        generators: that may be chosen beside warp.
        ratings: folder where ratings are kept.
        opened: open the page in this machine's browser.
        say: gets the page's address.

    Raises:
        InputError: the address cannot be listened on.
        MissingPackageError: the extra `studio` is not installed.
    """
    need("nicegui", "famaug studio")
    import uvicorn

    # NiceGUI looks at every object there is when it starts, also at those that torch has given up
    warnings.filterwarnings("ignore", r"`torch.distributed.reduce_op`", FutureWarning)
    listening = _listen(host, port)
    studio = Studio(library, generators, ratings)
    address = f"http://{f'[{host}]' if ':' in host else host}:{listening.getsockname()[1]}/"
    say(address)
    if opened:
        webbrowser.open(address)
    config = uvicorn.Config(
        make_app(studio, host), log_level="warning", timeout_graceful_shutdown=1
    )
    try:
        uvicorn.Server(config).run(sockets=[listening])
    finally:
        listening.close()
        studio.close()


def make_app(studio: Studio, host: str) -> Any:
    """The pages as an ASGI application.

    Only requests for this machine's own names are answered where it listens on loopback: a page of
    another host that a browser has open cannot reach it under that host's name.
    """
    from fastapi import FastAPI
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    from famaug.studio.clips import Clips
    from famaug.studio.driver import DriverPage
    from famaug.studio.media import PATH, answer_of
    from famaug.studio.playground import Playground
    from famaug.studio.rating import RatingPage
    from famaug.studio.toolkit import ui

    outer = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    if host in LOOPBACK:
        outer.add_middleware(TrustedHostMiddleware, allowed_hosts=[*HOSTS])
    outer.add_api_route(PATH, answer_of(studio), methods=["GET"], response_model=None)
    ui.page("/clips")(lambda: Clips(studio).build())
    ui.page("/rating")(lambda: RatingPage(studio).build())
    ui.page("/driver")(lambda: DriverPage(studio).build())
    ui.page("/")(lambda: Playground(studio).build())
    ui.run_with(
        outer,
        title="famaug studio",
        show_welcome_message=False,
        reconnect_timeout=LOST_SECONDS,
        message_history_length=KEPT_MESSAGES,
    )
    return outer


def _listen(host: str, port: int) -> socket.socket:
    kind = socket.AF_INET6 if ":" in host else socket.AF_INET
    found = socket.socket(kind, socket.SOCK_STREAM)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((host, port))
        found.listen()
    except (OSError, OverflowError) as error:
        found.close()
        raise InputError(
            f"{host}:{port} cannot be listened on: {getattr(error, 'strerror', None) or error}; "
            "--port 0 takes a free port"
        ) from error
    return found
