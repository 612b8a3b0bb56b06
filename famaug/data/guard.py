"""No held-out person enters training: not by their expression, not by their face."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from famaug.errors import InputError, LeakageError
from famaug.types import ClipRef, Provenance

NO_PROVENANCE = "no provenance"
DRIVER = "driver subject held out"
IDENTITY = "identity subject held out"
LOOK = "look fitted on a held-out subject"

_PADDING = re.compile(r"(?<!\d)0+(?=\d)")


def subject_name(ref: ClipRef) -> str:
    """ "dataset/subject", or "" where the clip shows no person of a data set."""
    return f"{ref.dataset}/{ref.subject}" if ref.subject else ""


def canonical(subject: str) -> str:
    """One spelling for all spellings of a subject: "CASME2/sub01" and "casme2/sub1" are one.

    Data sets pad the same subject's number differently on disk and in tables. Taking two people
    for one costs a few clips; taking one for two would be leakage.
    """
    return _PADDING.sub("", subject.strip().casefold())


def held_out_of(dataset: Any) -> frozenset[str]:
    """Subjects that a dataset, or any dataset it wraps, says are held out.

    Follows `.dataset` and `.datasets`, so that torch's Subset or ConcatDataset around a fold's
    training set does not lose them.
    """
    found: set[str] = set()
    todo, seen = [dataset], set()
    while todo:
        part = todo.pop()
        if part is None or id(part) in seen:
            continue
        seen.add(id(part))
        found.update(getattr(part, "held_out", ()))
        todo.append(getattr(part, "dataset", None))
        todo.extend(getattr(part, "datasets", None) or ())
    return frozenset(found)


@dataclass(frozen=True)
class Guard:
    """Says which synthetic clips may be trained on.

    Args:
        held_out: subjects as "dataset/subject"; "/subject" holds that subject out of every data
            set.
    """

    held_out: Collection[str]
    _names: frozenset[str] = field(init=False, repr=False, compare=False)
    _bare: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if isinstance(self.held_out, str):
            raise InputError(f"held_out is a set of subjects; got the text {self.held_out!r}")
        names = frozenset(canonical(s) for s in self.held_out)
        wrong = [s for s in self.held_out if "/" not in s or not s.partition("/")[2].strip()]
        if wrong:
            raise InputError(f"held-out subjects are written 'dataset/subject'; got {wrong[:3]}")
        object.__setattr__(self, "held_out", frozenset(self.held_out))
        object.__setattr__(self, "_names", names)
        object.__setattr__(self, "_bare", frozenset(n.partition("/")[2] for n in names))

    def holds_out(self, subject: str) -> bool:
        """Whether a subject ("dataset/subject", or "" for nobody) is held out."""
        if not subject:
            return False
        name = canonical(subject)
        dataset, _, bare = name.rpartition("/")
        # a subject without a data set could be anybody of that name
        return (
            name in self._names or f"/{bare}" in self._names or (not dataset and bare in self._bare)
        )

    def reason(self, provenance: Provenance | None) -> str | None:
        """Why a clip must stay out, or None when it may enter."""
        if provenance is None:
            return NO_PROVENANCE
        plan = provenance.plan
        if any(map(self.holds_out, (provenance.driver_subject, _of_plan(plan.driver)))):
            return DRIVER
        if any(map(self.holds_out, (provenance.identity_subject, _of_plan(plan.identity)))):
            return IDENTITY
        if any(self.holds_out(str(s)) for s in (plan.look or {}).get("subjects", ())):
            return LOOK
        return None

    def check(self, provenance: Provenance | None, clip: str) -> None:
        """Raises LeakageError when the clip must stay out."""
        why = self.reason(provenance)
        if why is not None:
            who = (
                ""
                if provenance is None
                else (
                    f" (driver {provenance.driver_subject!r}, identity "
                    f"{provenance.identity_subject!r}; held out: {sorted(self.held_out)[:5]})"
                )
            )
            raise LeakageError(
                f"synthetic clip {clip}: {why}{who}; build the dataset again, so that its clips "
                "are chosen anew"
            )

    def check_real(self, refs: Iterable[ClipRef]) -> None:
        """Raises LeakageError when a real training clip shows a held-out subject."""
        for ref in refs:
            if self.holds_out(subject_name(ref)):
                raise LeakageError(
                    f"the training data hold clip {ref.key}, whose subject is held out; wrap "
                    "fold.train, not the whole data set"
                )


def _of_plan(side: dict[str, Any]) -> str:
    subject = side.get("subject")
    return f"{side.get('dataset') or ''}/{subject}" if subject else ""
