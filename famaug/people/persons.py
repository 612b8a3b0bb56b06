"""One person is one person, whatever a table, folder, config or toolkit calls them.

"casme2/sub01", "CASME II/1", "casme2/S01", "CASME2_RAW/01.0" are one; so are "megc2019/sub01" and
"casme2/1". People of data sets that are not public ones keep their names, apart from letter case,
outer spaces and zeros before a number. Taking two people for one costs a few clips; taking one for
two would be leakage.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from famaug.errors import InputError
from famaug.people.datasets import DataSet, dataset_named, is_composite, nearest

SHOWN = 12
"""People that a message lists."""
_PADDING = re.compile(r"(?<!\d)0+(?=\d)")
_WHOLE = re.compile(r"0*(\d+)[.,]0+")
_NUMBERED = re.compile(
    r"(?:subjects?|subj|sub|spno|sp|participant|person|part|no|nr|id|s|p)?[\s._#:\-]*"
    r"0*(\d+)(?:[.,]0+)?"
)
_SPELT = re.compile(r"(?:subject|subj|sub|spno|s)\.?\d+", re.IGNORECASE)
_FOLDER = re.compile(r"sub\d+")
_OF_COMPOSITE = ((_FOLDER, "casme2"), (re.compile(r"s\d+"), "smic"), (re.compile(r"\d{3}"), "samm"))


@dataclass(frozen=True)
class Person:
    """Somebody of a data set.

    Attributes:
        dataset: famaug's name of it (`famaug.people.datasets`), "" where any is meant.
        subject: one spelling for all; "" for nobody.
        number: where the subject is a number with or without a usual prefix ("sub01", "S1").
        public: whether the data set is a public one, whose subjects are numbers.
    """

    dataset: str
    subject: str
    number: int | None
    public: bool

    @property
    def name(self) -> str:
        """ "dataset/subject", "" for nobody."""
        return f"{self.dataset}/{self.subject}" if self.subject else ""


@lru_cache(maxsize=65536)
def parse_person(name: str) -> Person:
    """From "dataset/subject" in any spelling, a subject alone, or a clip's name in a public data
    set."""
    parts = [p.strip() for p in name.strip().rstrip("/").split("/")]
    dataset, subject = "/".join(parts[:-1]), parts[-1]
    if name.strip().endswith("/") and len(parts) < 2:
        return Person(_dataset(dataset or subject), "", None, False)
    for i in range(len(parts) - 2):  # a clip's or a frame's name: "casme2/sub01/EP02_01f"
        if dataset_named(parts[i]):
            inside = [p for p in parts[i + 1 : -1] if _NUMBERED.fullmatch(_text(p))]
            dataset, subject = (parts[i], inside[0]) if inside else (dataset, subject)
    known = dataset_named(dataset) or (dataset_named(parts[-2]) if len(parts) > 2 else None)
    if known is None and is_composite(dataset):
        own = _text(subject)
        member = next((d for spelt, d in _OF_COMPOSITE if spelt.fullmatch(own)), "")
        known = dataset_named(member)
    known, subject = _without_dataset(known, subject, dataset)
    text = _text(subject)
    match = _NUMBERED.fullmatch(text)
    number = int(match[1]) if match else None
    if known is not None and number is not None:
        return Person(known.name, known.subject.format(number), number, True)
    if known is not None:
        return Person(known.name, _unpadded(text), None, True)
    return Person(_dataset(dataset), _unpadded(text), number, False)


def person(dataset: Any, subject: Any) -> str:
    """One name, "dataset/subject", for a person in any spelling; "" for nobody.

    Args:
        dataset: a data set's name, "" for none.
        subject: text, or a number of any kind (1, numpy's, 1.0 as tables give it).
    """
    text = spelt(subject)
    return parse_person(f"{dataset}/{text}").name if text else ""


def canonical(name: Any) -> str:
    """One spelling of "dataset/subject": "CASME2/sub1" and "casme2/01" are "casme2/sub01"."""
    return parse_person(spelt(name)).name


def subject_of(dataset: str, subject: Any) -> str:
    """How references spell a subject: as the folders of a public data set do; others as they are.

    Anything that says "nobody" (None, NaN, "") is "".
    """
    text = spelt(subject)
    if not text or (dataset_named(dataset) is None and not is_composite(dataset)):
        return text
    found = parse_person(f"{dataset}/{text}")
    return found.subject if found.public else text


def spelt(value: Any) -> str:
    """A name as text: 1, 1.0 and numpy's are "1"; None and NaN are ""."""
    if value is None or value != value:
        return ""
    if isinstance(value, str):
        return value.strip()
    try:
        whole = float(value).is_integer()
    except (TypeError, ValueError):
        return str(value).strip()
    return str(int(value)) if whole else str(value).strip()


def find_people(
    asked: Iterable[Any], among: Collection[str], *, what: str = "held_out"
) -> dict[str, frozenset[str]]:
    """For each name asked for, the people it means, in one spelling.

    A name without a data set means everybody of that name or number. Where nobody is called so
    exactly, usual prefixes are looked through: "1" finds "mine/s01".

    Args:
        among: everybody there is, "dataset/subject".
        what: the argument, named in the message.

    Raises:
        InputError: a name is nobody; the message lists who is there, the nearest first.
    """
    found = {}
    for name in asked:
        text = spelt(name)
        wanted = parse_person(text)
        if not wanted.subject:
            raise InputError(f"{what}: people are written 'dataset/subject'; got {name!r}")
        hits = who_is(text, among)
        if not hits:
            raise InputError(f"{what}: {text!r} is nobody here; {_told(text, among)}")
        found[text] = hits
    return found


def who_is(name: Any, among: Collection[str]) -> frozenset[str]:
    """The people of `among` whom a name means, in one spelling; as `find_people`, or nobody."""
    wanted = parse_person(spelt(name))
    people = [p for p in map(parse_person, map(spelt, among)) if p.subject]
    exact = frozenset(p.name for p in people if same(wanted, p))
    return exact or frozenset(p.name for p in people if alike(wanted, p))


def same(a: Person, b: Person) -> bool:
    """Whether two names mean one person; a name without a data set fits any."""
    if a.dataset and b.dataset:
        return a.dataset == b.dataset and a.subject == b.subject
    if (a.public or b.public) and a.number is not None:
        return a.number == b.number
    return a.subject == b.subject


def alike(a: Person, b: Person) -> bool:
    """Whether two names could mean one person, usual prefixes left out."""
    there = not a.dataset or not b.dataset or a.dataset == b.dataset
    return there and a.number is not None and a.number == b.number


def person_of_path(path: str | os.PathLike[str]) -> str:
    """Whom a file of a public data set shows, by its folders and name; "" where they do not say.

    Known are "CASME2/Cropped/sub01/...", "SAMM/006/...", "SMIC_all_raw/HS/s1/...", the same behind
    a link, and names such as "casme2_sub01_neutral.png".
    """
    return next(
        (who for p in (os.path.realpath(path), os.path.abspath(path)) if (who := named_in(p))),  # noqa: PTH100
        "",
    )


def named_in(path: str) -> str:
    """`person_of_path` by the text alone: nothing is looked at on disk."""
    names = [_words(n) for n in path.replace(os.sep, "/").strip("/").split("/")]
    for i in range(len(names) - 1, -1, -1):
        whole, first = "_".join(names[i]), names[i][0]
        below = [n[0] for n in names[i + 1 :]]
        for dataset, candidates in ((whole, below), (first, names[i][1:2])):
            found = next((who for c in candidates if (who := _named_by(dataset, c))), "")
            if found:
                return found
    return ""


def _words(name: str) -> list[str]:
    """Of a folder's or file's name, without its ending; "spNO.1" is one word."""
    return re.split(r"[_\- ]+", re.sub(r"\.[A-Za-z][A-Za-z0-9]{1,4}$", "", name))


def _named_by(dataset: str, word: str) -> str:
    """Whom "sub01", "s1" or "006" means, said below a folder of a data set."""
    known = dataset_named(dataset)
    if known is None and not is_composite(dataset):
        return ""
    bare = known is None or known.subject == "{:03d}"
    if not (_SPELT.fullmatch(word) or (bare and re.fullmatch(r"\d{3}", word))):
        return ""
    who = parse_person(f"{dataset}/{word}")
    return who.name if who.public and who.number is not None else ""


def in_order(names: Iterable[str]) -> list[str]:
    """Names of people by data set and number."""

    def key(name: str) -> tuple[str, int, str]:
        p = parse_person(name)
        return p.dataset, -1 if p.number is None else p.number, p.subject

    return sorted(names, key=key)


def _told(text: str, people: Collection[str]) -> str:
    if not people:
        return "the data name nobody"
    names = nearest(parse_person(text).name, in_order({n for n in map(canonical, people) if n}))
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"there are: {', '.join(names[:SHOWN])}{more}"


def _without_dataset(
    known: DataSet | None, subject: str, dataset: str
) -> tuple[DataSet | None, str]:
    """ "casme2_sub01" without the data set that stands before the subject."""
    for mark in ("_", "-", " ", ":"):
        before, found, rest = subject.partition(mark)
        if found and rest:
            named = dataset_named(before)
            if named is not None and (named is known or (known is None and not dataset)):
                return named, rest
    return known, subject


def _dataset(text: str) -> str:
    """A data set that is not a public one: letter case, spaces, "_" and "-" do not count."""
    known = dataset_named(text)
    if known is not None:
        return known.name
    return re.sub(r"[\s_\-]+", "", unicodedata.normalize("NFKC", text).casefold())


def _text(subject: str) -> str:
    return unicodedata.normalize("NFKC", subject).strip().casefold()


def _unpadded(text: str) -> str:
    whole = _WHOLE.fullmatch(text)
    return whole[1] if whole else _PADDING.sub("", text)
