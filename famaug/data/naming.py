"""What an item is called where it fails in a loader."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from famaug.errors import name_in


@contextmanager
def named(at: int, real: int, dataset: Any, drawn: Callable[[], str]) -> Iterator[None]:
    """Whatever is raised within names the item and its clip.

    Args:
        at: the item; those from `real` on are synthetic.
        real: how many real clips there are.
        dataset: of the real ones.
        drawn: gives the key of a synthetic clip.
    """
    try:
        yield
    except Exception as error:
        name_in(error, f"item {at}{_clip(at, real, dataset, drawn)}")
        raise


def _clip(at: int, real: int, dataset: Any, drawn: Callable[[], str]) -> str:
    with suppress(Exception):  # the first error is the one that counts
        if at >= real:
            return f", synthetic clip {drawn()}"
        return f", clip {dataset.refs[at].key}"
    return ", a synthetic clip" if at >= real else ""
