"""Where pages have their work done: faces found, clips planned and drawn, one job after the other.

All pages of a server share its desks, so networks are loaded once; what a page's visitor has shown
(a face, a driver) stays with the page and goes with it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import numpy as np

from famaug.errors import FaceError, RenderError, name_in
from famaug.media.pictures import decode_picture
from famaug.modulation.sources import ExpressionSource
from famaug.pipeline.excerpt import at_frames
from famaug.pipeline.inputs import Driver, Identity
from famaug.pipeline.pictures import KnownPictures
from famaug.pipeline.recent import Recent
from famaug.pipeline.synthesizer import Synthesizer
from famaug.seeding import keyed_generator
from famaug.studio.wish import SEEDED, Wish
from famaug.types import AUTrack, Frames, Picture, Plan

T = TypeVar("T")
AT_ONCE = 8
"""Frames drawn in one job: between two, other pages get their turn."""
HELD = 8
"""Pictures and renderers in memory for each setting."""


@dataclass(frozen=True, eq=False)
class FoundFace:
    """A face that was found.

    Attributes:
        name: of its file.
        picture: uint8 `H W 3`.
        side: what `Synthesizer.find_face` gave.
    """

    name: str
    picture: Picture
    side: dict[str, Any]


@dataclass(frozen=True, eq=False)
class Measured:
    """A driver's clip that was measured: `track` as it was read, `side` as a plan names it."""

    name: str
    clip: Any
    side: dict[str, Any]
    track: AUTrack


class Desk:
    """One thread that works for all pages, and the synthesizers that it keeps."""

    def __init__(self, name: str) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix=f"studio-{name}")
        self._made: Recent[tuple[Any, ...], Synthesizer] = Recent(6)

    async def do(self, work: Callable[..., T], *given: Any, **named: Any) -> T:
        """Has a piece of work done in the desk's thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, partial(work, *given, **named))

    def close(self) -> None:
        """Waits for the job that is under way; the others are dropped."""
        self._pool.shutdown(cancel_futures=True)

    # -- in the desk's thread ---------------------------------------------------------------------

    def synthesizer(self, wish: Wish) -> Synthesizer:
        """Kept for further clips of the same settings. Raises as `Synthesizer`."""
        key = tuple(wish.options.items())
        found = self._made.get(key)
        if found is None:
            found = Synthesizer(**wish.options, keep=HELD)
            found.pictures = KnownPictures(HELD, ())
            self._made.put(key, found)
        return found

    def find_face(self, data: bytes, name: str) -> FoundFace:
        """The face of a picture's bytes.

        Raises:
            MediaError: no picture, or one that is too large.
            FaceError: no face in it.
        """
        picture = decode_picture(data, name)
        identity = Identity(picture, name)
        anyone = self.synthesizer(Wish(identity=name, driver="aus:12=1"))
        try:
            return FoundFace(name, picture, anyone.find_face(identity))
        except FaceError as error:
            name_in(error, name)
            raise

    def measure(self, driver: Driver, sizes: tuple[int, ...] = (0,)) -> Measured:
        """A clip's AUs, averaged over shifts of the picture's size.

        Raises:
            FaceError, InputError: no usable face in it.
        """
        maker = self.synthesizer(Wish(identity="", driver="", fps=None))
        if sizes != (0,):
            maker = Synthesizer(sizes=sizes)
        track = maker.measure(driver)
        if isinstance(track, ExpressionSource):
            raise TypeError(f"{driver.name} is drawn, not measured")
        return Measured(driver.name, driver.content, driver.to_json(), track)

    def plan(self, wish: Wish, face: FoundFace, measured: Measured | None = None) -> Plan:
        """The plan that `famaug generate` would make.

        Args:
            measured: the driver's clip, where the wish names one.

        Raises:
            InputError, TrackError: no expression is left to be shown.
        """
        if measured is None:
            driver = Driver.of(wish.source)
            like, source = driver.to_json(), driver.content
            assert isinstance(source, ExpressionSource)
        else:
            like, source = measured.side, measured.track
        rng = keyed_generator(wish.seed, SEEDED)
        maker = self.synthesizer(wish)
        return maker.plan_measured(like, source, face.side, rng, seed=wish.seed)

    def draw(self, wish: Wish, face: FoundFace, plan: Plan, frames: range | None = None) -> Frames:
        """Frames of a plan, all or some; uint8 `n H W 3`."""
        maker = self.synthesizer(wish)
        part = plan if frames is None else at_frames(plan, frames)
        try:
            return maker.render([part])[0]
        except RenderError:
            maker.keep_picture(face.picture)  # others' faces came between
            return maker.render([part])[0]

    def draw_one(
        self, wish: Wish, face: FoundFace, at: float | None, measured: Measured | None = None
    ) -> tuple[Plan, int, Picture]:
        """The plan, the frame at a share of its length (None: the apex), and its picture."""
        plan = self.plan(wish, face, measured)
        last = len(plan.track) - 1
        frame = plan.key_frames[1] if at is None else round(min(max(at, 0.0), 1.0) * last)
        return plan, frame, self.draw(wish, face, plan, range(frame, frame + 1))[0]

    # -- in the page's loop -----------------------------------------------------------------------

    async def draw_all(
        self,
        wish: Wish,
        face: FoundFace,
        plan: Plan,
        told: Callable[[float], None] = lambda share: None,
    ) -> Frames:
        """All frames of a plan, a few at a time; `told` gets the share that is done."""
        parts = []
        count = len(plan.track)
        for start in range(0, count, AT_ONCE):
            some = range(start, min(start + AT_ONCE, count))
            parts.append(await self.do(self.draw, wish, face, plan, some))
            told(some.stop / count)
        return np.concatenate(parts)
