"""A memory of bounded size."""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Recent(Generic[K, V]):
    """The last `most` things put in."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.held: OrderedDict[K, V] = OrderedDict()

    def get(self, key: K) -> V | None:
        if key not in self.held:
            return None
        self.held.move_to_end(key)
        return self.held[key]

    def put(self, key: K, value: V) -> None:
        self.held[key] = value
        self.held.move_to_end(key)
        while len(self.held) > self.most:
            self.held.popitem(last=False)
