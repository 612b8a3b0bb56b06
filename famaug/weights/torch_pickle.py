"""What a pickle of torch.save says, read as data: names, numbers and where tensors lie.

No object of the pickle is made and nothing in it is called. Its opcodes are walked with a budget;
tensors and the few classes that a state dict needs become plain values, anything else is refused.
"""

from __future__ import annotations

import io
import pickletools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

MAX_BYTES = 4 << 20
"""Of one pickle."""
MAX_OPERATIONS = 200_000

KINDS: dict[str, torch.dtype] = {
    "FloatStorage": torch.float32,
    "DoubleStorage": torch.float64,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}


@dataclass(frozen=True)
class Storage:
    """A run of numbers that the file holds under a key."""

    key: str
    dtype: torch.dtype
    length: int


@dataclass(frozen=True)
class Stored:
    """A tensor as the file describes it; not yet checked against its storage."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]


class Refused(ValueError):
    """The pickle holds something that no state dict holds."""


@dataclass(frozen=True)
class _Name:
    """A class or function that was named; nothing was imported."""

    text: str


_MARK = object()
_MOST_AXES = 16


def parse(data: io.BytesIO) -> Any:
    """The value of the pickle that starts at the place where `data` is; `data` stands behind it
    afterwards. Tensors are `Stored`.

    Raises:
        Refused: too long, or holding classes or calls that are not those of a state dict.
        ValueError, IndexError, TypeError, KeyError: damaged.
    """
    machine = _Machine()
    for count, (opcode, argument, _) in enumerate(pickletools.genops(data)):
        if count > MAX_OPERATIONS:
            raise Refused(f"its pickle has more than {MAX_OPERATIONS} steps")
        if opcode.name == "STOP":
            break
        machine.step(opcode.name, argument)
    return machine.stack.pop()


class _Machine:
    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def step(self, name: str, argument: Any) -> None:
        if name in _CONSTANTS:
            self.stack.append(_CONSTANTS[name])
        elif name in _PLAIN:
            self.stack.append(argument)
        elif name in _IGNORED:
            pass
        elif name in _STEPS:
            _STEPS[name](self, argument)
        else:
            raise Refused(f"its pickle holds {name}, which no state dict needs")

    def above_mark(self) -> list[Any]:
        at = len(self.stack) - 1
        while self.stack[at] is not _MARK:
            at -= 1
            if at < 0:
                raise ValueError("a mark is missing")
        items = self.stack[at + 1 :]
        del self.stack[at:]
        return items

    def top(self, count: int) -> None:
        """The last `count` values become a tuple."""
        items = tuple(self.stack[len(self.stack) - count :])
        if len(items) != count:
            raise ValueError("too few values for a tuple")
        del self.stack[len(self.stack) - count :]
        self.stack.append(items)

    def put(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if not isinstance(target, dict) or len(items) % 2:
            raise Refused("it sets items of something that is no dictionary")
        _check_names(items[::2])
        target.update(zip(items[::2], items[1::2], strict=True))

    def add(self, items: list[Any]) -> None:
        if not isinstance(self.stack[-1], list):
            raise Refused("it appends to something that is no list")
        self.stack[-1].extend(items)

    def name(self, text: str) -> None:
        self.stack.append(_Name(text))

    def stored(self) -> None:
        """A persistent id: ("storage", class, key, device, length[, a view, always None])."""
        mark, kind, key, _, length, *view = self.stack.pop()
        known = isinstance(kind, _Name) and KINDS.get(kind.text.removeprefix("torch "))
        plain = type(mark) is str and type(key) is str and all(v is None for v in view)
        if not plain or mark != "storage" or not known:
            raise Refused("it holds something else than storages of numbers")
        self.stack.append(Storage(key, known, _whole(length)))

    def call(self) -> None:
        arguments, called = self.stack.pop(), self.stack.pop()
        if not isinstance(called, _Name) or called.text not in _CALLS:
            what = called.text if isinstance(called, _Name) else type(called).__name__
            raise Refused(f"it calls {what!r}")
        self.stack.append(_CALLS[called.text](*arguments))

    def build(self) -> None:
        """Attributes of an ordered dictionary (`_metadata`), which nobody needs."""
        self.stack.pop()
        if not isinstance(self.stack[-1], dict):
            raise Refused("it sets attributes of something that is no dictionary")

    def named(self) -> None:
        name, module = self.stack.pop(), self.stack.pop()
        _check_names([name, module])
        self.stack.append(_Name(f"{module} {name}"))

    def remember(self, index: int | None) -> None:
        self.memo[len(self.memo) if index is None else index] = self.stack[-1]

    def recall(self, index: int) -> None:
        self.stack.append(self.memo[index])

    def push_mark(self) -> None:
        self.stack.append(_MARK)

    def pop_pair(self) -> list[Any]:
        pair = self.stack[-2:]
        del self.stack[-2:]
        return pair


def _whole(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 1 << 48:
        raise Refused("a size or offset is no whole number from 0 to 2^48")
    return value


def _tensor(storage: Any, offset: Any, shape: Any, stride: Any, *_: Any) -> Stored:
    if not isinstance(storage, Storage) or not len(shape) == len(stride) <= _MOST_AXES:
        raise Refused("a tensor without storage, shape or strides, or of too many axes")
    return Stored(storage, _whole(offset), tuple(map(_whole, shape)), tuple(map(_whole, stride)))


def _parameter(tensor: Any, *_: Any) -> Stored:
    if not isinstance(tensor, Stored):
        raise Refused("a parameter that is no tensor")
    return tensor


def _ordered(items: Any = ()) -> dict[Any, Any]:
    _check_names([name for name, _ in items])
    return dict(items)


def _check_names(names: list[Any]) -> None:
    """A tuple within a tuple, a hundred deep, takes for ever to be hashed or shown."""
    if any(type(name) not in (str, int) for name in names):
        raise Refused("a name is neither text nor a number")


_CALLS: dict[str, Callable[..., Any]] = {
    "torch._utils _rebuild_tensor_v2": _tensor,
    "torch._utils _rebuild_tensor": _tensor,
    "torch._utils _rebuild_parameter": _parameter,
    "collections OrderedDict": _ordered,
    "torch Size": tuple,
}
_CONSTANTS: dict[str, Any] = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
_PLAIN = frozenset(
    (
        *("BINUNICODE", "SHORT_BINUNICODE", "BININT", "BININT1", "BININT2", "BINFLOAT", "LONG1"),
        *("BINSTRING", "SHORT_BINSTRING", "UNICODE", "INT", "LONG"),
    )
)
_IGNORED = frozenset(("PROTO", "FRAME"))
_STEPS: dict[str, Callable[[_Machine, Any], None]] = {
    "EMPTY_DICT": lambda m, _: m.stack.append({}),
    "EMPTY_LIST": lambda m, _: m.stack.append([]),
    "MARK": lambda m, _: m.push_mark(),
    "GLOBAL": lambda m, a: m.name(a),
    "STACK_GLOBAL": lambda m, _: m.named(),
    "BINPUT": lambda m, a: m.remember(a),
    "LONG_BINPUT": lambda m, a: m.remember(a),
    "MEMOIZE": lambda m, _: m.remember(None),
    "BINGET": lambda m, a: m.recall(a),
    "LONG_BINGET": lambda m, a: m.recall(a),
    "BINPERSID": lambda m, _: m.stored(),
    "TUPLE": lambda m, _: m.stack.append(tuple(m.above_mark())),
    "TUPLE1": lambda m, _: m.top(1),
    "TUPLE2": lambda m, _: m.top(2),
    "TUPLE3": lambda m, _: m.top(3),
    "REDUCE": lambda m, _: m.call(),
    "BUILD": lambda m, _: m.build(),
    "SETITEM": lambda m, _: m.put(m.pop_pair()),
    "SETITEMS": lambda m, _: m.put(m.above_mark()),
    "APPEND": lambda m, _: m.add([m.stack.pop()]),
    "APPENDS": lambda m, _: m.add(m.above_mark()),
}
