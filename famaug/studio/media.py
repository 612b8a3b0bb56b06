"""Pictures and animations of a cache's clips, for the pages that show many of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from famaug.errors import FamaugError
from famaug.studio.moving import jpeg, webp
from famaug.studio.server import Studio

PATH = "/media/{cache:path}/{key}/{what}"
FRAMES = {"onset.jpg": 0, "apex.jpg": 1, "offset.jpg": 2}
ANIMATIONS = ("real.webp", "slow.webp")


def place(cache: str, key: str, what: str) -> str:
    """Where a page finds it: "onset.jpg", "apex.jpg", "offset.jpg", "real.webp" or "slow.webp"."""
    from urllib.parse import quote

    return f"/media/{quote(cache, safe='')}/{key}/{what}"


def answer_of(studio: Studio) -> Callable[..., Any]:
    """What answers requests for `PATH`; it runs in a thread of the server's."""
    from starlette.responses import PlainTextResponse, Response

    def answer(cache: str, key: str, what: str) -> Response:
        try:
            shelf = studio.shelf(cache)
            row = shelf.row(key)
            if what in FRAMES:
                at = min(row.key_frames[FRAMES[what]], shelf.cache.shape(key)[0] - 1)
                data = jpeg(shelf.frames(key, [at])[0])
                return Response(data, media_type="image/jpeg")
            if what in ANIMATIONS:
                data = webp(shelf.frames(key), row.fps, slow=what == "slow.webp")
                return Response(data, media_type="image/webp")
        except (FamaugError, KeyError) as error:
            return PlainTextResponse(str(error), 404)
        return PlainTextResponse("no such picture", 404)

    return answer
