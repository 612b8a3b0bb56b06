"""What a dataset says of its people when it is wrapped: followed down to the fold it came from.

Subset, random_split, ConcatDataset and wrappers of one's own keep what they wrap in an attribute.
Whatever its name is, it is followed. A list of clips, or a Subset of the whole data set, leads to
no fold: then nobody knows who is held out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset

from famaug.data.guard import Guard
from famaug.data.protocols import refs_of
from famaug.errors import InputError, LeakageError
from famaug.people.persons import canonical
from famaug.types import ClipRef

MOST = 4096
"""Objects looked at."""
LONGEST = 64
"""Members of a list or dict that are looked at."""
_PLAIN = (str, bytes, int, float, complex, bool, np.ndarray, np.generic, torch.Tensor, type)


@dataclass(frozen=True)
class Followed:
    """What following a dataset found.

    Attributes:
        held_out: people whom a fold on the way holds out; None where no fold was met.
        people: everybody whom the datasets on the way name.
        left: people of a fold's training part of whom the dataset has no clip: an inner
            validation split has them. Only where the dataset's own references are known.
        tested: name of the fold whose test part was met, or None.
    """

    held_out: frozenset[str] | None
    people: frozenset[str]
    left: frozenset[str]
    tested: str | None


def follow(dataset: Any) -> Followed:
    """Follows a dataset to everything it wraps."""
    held_out: set[str] = set()
    people: set[str] = set()
    trained: set[str] = set()
    known, tested = False, None
    for part, below_test in _walk(dataset):
        own = _names_in(part)
        people |= own
        given, test = _held_out(part), _tested(part)
        if test is not None:
            tested = tested or test
        elif given is not None and not below_test:
            known = True
            held_out |= given
            trained |= own
    here = {ref.person for ref in refs_of(dataset) or () if ref.person}
    left = trained - here - held_out if here else set()
    return Followed(
        frozenset(held_out) if known else None,
        frozenset(people | held_out),
        frozenset(left),
        None if known else tested,
    )


def held_out_of(dataset: Any) -> frozenset[str] | None:
    """People whom a dataset, or any that it wraps, holds out; None where nobody says."""
    return follow(dataset).held_out


def guard_for(
    dataset: Any, held_out: Iterable[str] | None, *, mixing: bool, others: Iterable[str] = ()
) -> Guard:
    """The guard of a training set.

    Args:
        dataset: what is wrapped.
        held_out: people held out beside those of the fold; an empty set says "nobody"; None takes
            those of the fold, and of an inner split (`Followed.left`).
        mixing: whether synthetic clips come in: then somebody must have said who is held out.
        others: as `Guard`: those of a cache.

    Raises:
        LeakageError: mixing, and nobody says who is held out, or the dataset is a fold's test part.
        InputError: a held-out name is nobody; the message lists who is there.
    """
    found = follow(dataset)
    if mixing and found.tested is not None:
        raise LeakageError(
            f"this is the test part of fold {found.tested}: synthetic clips are for training; wrap "
            "fold.train, and test on fold.test as it is"
        )
    if mixing and held_out is None and found.held_out is None:
        raise LeakageError(
            f"{type(dataset).__name__}: nobody says whose clips are tested, so synthetic clips of "
            "those people could be trained on; wrap the training part of a fold "
            "(leave_one_subject_out(dataset)[0].train; a Subset, ConcatDataset or wrapper of it is "
            'followed), or say it: held_out={"casme2/sub01"}, or held_out=() where nobody is held '
            "out"
        )
    others = frozenset(others)
    if held_out is None:
        return Guard((found.held_out or frozenset()) | found.left, found.people, others)
    return Guard([*(found.held_out or ()), *_listed(held_out)], found.people, others)


def _listed(held_out: Iterable[str]) -> list[str]:
    if isinstance(held_out, str):
        raise InputError(f"held_out is a set of people; got the text {held_out!r}")
    return [*held_out]


def parts_of(dataset: Any) -> Iterator[Any]:
    """The dataset and every dataset it wraps, each once, the outermost first."""
    return (part for part, _ in _walk(dataset))


def _walk(dataset: Any) -> Iterator[tuple[Any, bool]]:
    """The parts, and whether each was reached through a fold's test part."""
    seen: set[int] = set()
    todo = [(dataset, False)]
    while todo and len(seen) < MOST:
        part, below = todo.pop(0)
        if id(part) in seen:
            continue
        seen.add(id(part))
        yield part, below
        below = below or _tested(part) is not None
        todo.extend((v, below) for v in _inside(part) if _may_wrap(v))


def _inside(part: Any) -> Iterable[Any]:
    if isinstance(part, list | tuple):
        return part[:LONGEST]
    if isinstance(part, dict):
        return list(part.values())[:LONGEST]
    found = [*vars(part).values()] if hasattr(part, "__dict__") else []
    for kind in type(part).__mro__:
        slots = kind.__dict__.get("__slots__", ())
        names = (slots,) if isinstance(slots, str) else slots
        found += [getattr(part, n) for n in names if hasattr(part, n)]
    return found


def _may_wrap(value: Any) -> bool:
    """Whether there may be a dataset in it: plain values, pixels and functions hold none."""
    if value is None or isinstance(value, _PLAIN):
        return False
    if isinstance(value, list | tuple | dict):
        inside = value.values() if isinstance(value, dict) else value
        return any(_is_dataset(v) for v in list(inside)[:LONGEST])
    return _is_dataset(value)


def _is_dataset(value: Any) -> bool:
    if value is None or isinstance(value, (*_PLAIN, list, tuple, dict)):
        return False
    known = hasattr(type(value), "__getitem__") or hasattr(value, "held_out")
    return known or isinstance(value, Dataset)


def _held_out(part: Any) -> frozenset[str] | None:
    """A part's own `held_out`, where it is a collection of names."""
    given = getattr(part, "held_out", None)
    if not isinstance(given, set | frozenset | list | tuple):
        return None
    return frozenset(canonical(s) for s in given) - {""}


def _tested(part: Any) -> str | None:
    """The fold that a `SubjectSubset` tests."""
    name = getattr(part, "tested", None)
    return name if isinstance(name, str) and hasattr(part, "indices") else None


def _names_in(part: Any) -> set[str]:
    """People that a part names itself: `people` where it has them, else those of its clips."""
    given = getattr(part, "people", None)
    if isinstance(given, set | frozenset | list | tuple):
        return {canonical(s) for s in given} - {""}
    refs = refs_of(part) if isinstance(part, list | tuple) else getattr(part, "refs", None)
    if not isinstance(refs, list | tuple):
        return set()
    return {n for r in refs if isinstance(r, ClipRef) and (n := r.person)}
