"""No held-out person enters training: not by their expression, not by their face."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from famaug.errors import InputError, LeakageError
from famaug.people.persons import (
    Person,
    alike,
    canonical,
    find_people,
    in_order,
    named_in,
    parse_person,
    person,
    spelt,
    who_is,
)
from famaug.people.persons import same as same_person
from famaug.shown.lines import one_line, some
from famaug.types import ClipRef, Provenance

NO_PROVENANCE = "no provenance"
DRIVER = "driver subject held out"
UNNAMED = "driver of no named subject"
SEEN = ("clip", "track", "annotation")
"""Kinds of drivers that show what was seen of somebody, whoever that was."""
IDENTITY = "identity subject held out"
LOOK = "look fitted on a held-out subject"
WEIGHTS = "network trained on a held-out subject"
Contributors = tuple[tuple[str, tuple[str, ...]], ...]
"""People in one spelling, sorted, by the reason for which a clip stays out when one is held out."""


@dataclass(frozen=True)
class Guard:
    """Says which synthetic clips may be trained on.

    Where somebody is held out, an expression that was seen of nobody in particular stays out too:
    it could be theirs. Whoever knows better names a subject ("none" will do).

    Args:
        held_out: people as "dataset/subject" in any spelling; a subject alone is held out of every
            data set.
        people: everybody there is, where that is known. Every held-out name must then be one of
            them, and a name that is none of them ("mine/1" where "mine/s01" is held out) is taken
            for the held-out person it could mean.
        others: people named beside them, as in a cache's clips: they can be held out by name, and
            one who is none of `people` is taken for whom it could mean.

    Attributes:
        held_out: in one spelling.

    Raises:
        InputError: a name is malformed, or is nobody of `people` and `others`; the message lists
            who is there.
    """

    held_out: Collection[str]
    people: Collection[str] = ()
    others: Collection[str] = ()
    _out: tuple[Person, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if isinstance(self.held_out, str):
            raise InputError(f"held_out is a set of people; got the text {self.held_out!r}")
        people = frozenset(n for n in map(canonical, self.people) if n)
        others = frozenset(n for n in map(canonical, self.others) if n) - people
        names = frozenset(map(canonical, self.held_out))
        if "" in names:
            wrong = [s for s in self.held_out if not canonical(s)]
            raise InputError(f"held-out people are written 'dataset/subject'; got {wrong[:3]}")
        if people or others:
            meant = frozenset().union(*find_people(self.held_out, people | others).values())
            for group in (people, others):  # "mine/1" in a cache is "mine/s01" among the people too
                meant = meant.union(*(who_is(name, group) for name in self.held_out))
            # a cache's "/01" could be the person held out, but holds out nobody else of that name
            names |= {n for n in meant if not n.startswith("/")}
        object.__setattr__(self, "people", people)
        object.__setattr__(self, "others", others)
        object.__setattr__(self, "held_out", names)
        object.__setattr__(self, "_out", tuple(map(parse_person, sorted(names))))

    def __repr__(self) -> str:
        people = f"of {len(self.people)} people" if self.people else ""
        return one_line(self, f"held out {some(in_order(self.held_out)) or 'nobody'}", people)

    def holds_out(self, subject: str) -> bool:
        """Whether a person ("dataset/subject" in any spelling, or "" for nobody) is held out."""
        who = parse_person(str(subject))
        if not who.subject or not self._out:
            return False
        if who.name in self.held_out:
            return True
        if self.people and not who.public and who.name not in self.people:
            return any(alike(who, p) or same_person(who, p) for p in self._out)
        # with a data set on both sides the names have told
        return any(same_person(who, p) for p in self._out if not (who.dataset and p.dataset))

    def among(self, people: Iterable[str]) -> list[str]:
        """Those of them who are held out, in one spelling, in order."""
        return in_order({canonical(n) for n in people if self.holds_out(n)})

    def reason(self, provenance: Provenance | None) -> str | None:
        """Why a clip must stay out, or None when it may enter."""
        return self.reason_for(None if provenance is None else people_of(provenance))

    def reason_for(self, people: Contributors | None) -> str | None:
        """`reason` from everybody who went into a clip, None where that is not known."""
        if people is None:
            return NO_PROVENANCE
        for why, names in people:
            if any(map(self.holds_out, names)) or (why == UNNAMED and self.held_out):
                return why
        return None

    def check(self, provenance: Provenance | None, clip: str) -> None:
        """Raises LeakageError when the clip must stay out."""
        why = self.reason(provenance)
        if why is None:
            return
        who = ""
        if provenance is not None:
            held = self.among(n for _, names in people_of(provenance) for n in names)
            who = f" ({', '.join(map(repr, held))}; held out: {in_order(self.held_out)[:5]})"
        raise LeakageError(
            f"synthetic clip {clip}: {why}{who}; build the dataset again, so that its clips are "
            "chosen anew"
        )

    def check_people(self, people: Iterable[str], what: str) -> None:
        """Raises LeakageError when one of them is held out; `what` begins the message."""
        held = self.among(people)
        if held:
            raise LeakageError(
                f"{what} {', '.join(held[:5])}, who {'are' if len(held) > 1 else 'is'} held out; "
                "fit it on the training part, as fit_look(fold.train)"
            )

    def check_real(self, refs: Iterable[ClipRef]) -> None:
        """Raises LeakageError when a real training clip shows a held-out subject."""
        for ref in refs:
            if self.holds_out(ref.person):
                raise LeakageError(
                    f"the training data hold clip {ref.key}, whose subject is held out; wrap "
                    "fold.train, not the whole data set"
                )


def people_of(provenance: Provenance) -> Contributors:
    """Everybody who went into a synthetic clip."""
    plan = provenance.plan
    groups: tuple[tuple[str, Iterable[Any]], ...] = (
        (DRIVER, [provenance.driver_subject, *_of_side(plan.driver)]),
        (IDENTITY, [provenance.identity_subject, *_of_side(plan.identity)]),
        (LOOK, _listed((plan.look or {}).get("subjects"))),
        (WEIGHTS, _listed(plan.params.get("trained_on"))),
    )
    found = tuple(
        (why, tuple(sorted({n for n in map(canonical, names) if n}))) for why, names in groups
    )
    if plan.driver.get("kind") in SEEN and not found[0][1]:
        return (*found, (UNNAMED, ()))
    return found


def _of_side(side: dict[str, Any]) -> list[Any]:
    """The subject of a plan's driver or identity, those named beside it, and whom the path of its
    picture names."""
    found = [
        person(spelt(side.get("dataset")), side.get("subject")),
        *_listed(side.get("subjects")),
    ]
    source = side.get("source")
    if isinstance(source, dict) and isinstance(source.get("path"), str):
        found.append(named_in(source["path"]))  # of plans made before loose files were known again
    return found


def _listed(value: Any) -> list[Any]:
    """Names in a plan, which may be anybody's work: one name alone is a list of one."""
    return list(value) if isinstance(value, list | tuple) else [value]
