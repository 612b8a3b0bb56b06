"""How far long work is, told to whoever wants to know.

    with told_to(lambda stage, done, total: print(stage, done, total)):
        measure_aus(frames)

Without a listener nothing is told and nothing is spent. A listener hears what is done in its own
thread; worker processes have other ways (`famaug.generation.generate(progress=)`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

T = TypeVar("T")
Listener = Callable[[str, int, int], None]
"""Gets a stage ("measuring AUs"), how much of it is done, and of how much."""

_listener: ContextVar[Listener | None] = ContextVar("famaug_progress", default=None)


@contextmanager
def told_to(listener: Listener) -> Iterator[None]:
    """Within, `listener` is told of every stage."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def ticked(items: Sequence[T], stage: str) -> Iterator[T]:
    """The items, one by one; each is done when the next is asked for."""
    listener = _listener.get()
    if listener is None:
        yield from items
        return
    listener(stage, 0, len(items))
    for done, item in enumerate(items, 1):
        yield item
        listener(stage, done, len(items))
