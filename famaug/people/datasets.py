"""The public data sets by name: one table for readers, folds, guard, labels and replicas.

People write "CASME II", "casme2", "CASME2_RAW_selected" or "CAS(ME)^3"; toolkits write
"Casme3A" and "Fourd". `dataset_named` knows them all. Who is who within a data set is told by
`famaug.people.persons`.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from famaug.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Release:
    """A folder that a reader of `famaug.data.readers` opens.

    Attributes:
        name: on the command line and in YAML.
        module, reader, options: of `famaug.data.readers`, the class, and its arguments.
        aliases: other names, as `_plain` writes them.
    """

    name: str
    module: str
    reader: str
    options: Mapping[str, Any] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class DataSet:
    """A data set: one group of people, numbered once.

    Attributes:
        name: famaug's name, used in references, plans and folds. title: for people to read.
        aliases: other names, as `_plain` writes them.
        subject: how its folders spell subject n; for data sets whose folders are not by subject,
            how its table does.
        releases: what readers there are, the usual one first.
    """

    name: str
    title: str
    aliases: tuple[str, ...]
    subject: str
    releases: tuple[Release, ...] = ()


DATASETS: tuple[DataSet, ...] = (
    DataSet(
        name="casme2",
        title="CASME II",
        aliases=("casme2", "casmeii"),
        subject="sub{:02d}",
        releases=(Release(name="casme2", module="casme2", reader="Casme2"),),
    ),
    DataSet(
        name="samm",
        title="SAMM",
        # the long videos show the same people under the same numbers
        aliases=("samm", "sammlv", "sammlong", "sammlongvideo", "sammlongvideos"),
        subject="{:03d}",
        releases=(Release(name="samm", module="samm", reader="Samm"),),
    ),
    DataSet(
        name="smic",
        title="SMIC",
        # three cameras and the long clips show the same people
        aliases=("smic", "smichs", "smicsubhs", "smicvis", "smicnir", "smice", "smichse",
                 "smicehs", "smicvise", "smicnire", "smiclong"),
        subject="s{}",
        releases=(
            Release(name="smic", module="smic", reader="Smic", aliases=("smichs", "smicsubhs")),
            Release(name="smic-vis", module="smic", reader="Smic", options={"camera": "VIS"}),
            Release(name="smic-nir", module="smic", reader="Smic", options={"camera": "NIR"}),
            Release(name="smic-long", module="smic", reader="SmicLong",
                    aliases=("smice", "smichse", "smicehs")),
        ),
    ),
    DataSet(
        name="casme",
        title="CASME",
        aliases=("casme", "casme1", "casmei"),
        subject="sub{:02d}",
        releases=(Release(name="casme", module="casme", reader="Casme"),),
    ),
    DataSet(
        name="casme3",
        title="CAS(ME)^3",
        # parts A and B count their people in one row of numbers
        aliases=("casme3", "casmeiii", "cassqme3", "casme3a", "casme3b", "casme3parta",
                 "casme3partb", "cassqme3a", "cassqme3b", "cassqme3parta", "cassqme3partb"),
        subject="spNO.{}",
        releases=(Release(name="casme3", module="casme3", reader="CasMe3"),),
    ),
    DataSet(
        name="casme3c",
        title="CAS(ME)^3 part C",
        aliases=("casme3c", "casme3partc", "cassqme3c", "cassqme3partc"),
        subject="{}",
    ),
    DataSet(
        name="cas(me)2",
        title="CAS(ME)^2",  # macro- and micro-expressions of other people than CASME II
        aliases=("cassqme2", "casmesquared", "casmesquare"),
        subject="s{}",
    ),
    DataSet(
        name="mmew",
        title="MMEW",
        aliases=("mmew", "mmewfinal"),
        subject="{}",
        releases=(Release(name="mmew", module="mmew", reader="Mmew"),),
    ),
    DataSet(
        name="4dme",
        title="4DME",
        aliases=("4dme", "fourdme", "fourd"),
        subject="{:03d}",
        releases=(Release(name="4dme", module="fourdme", reader="FourDme"),),
    ),
    DataSet(
        name="dfme",
        title="DFME",
        aliases=("dfme", "dfmea", "dfmeb", "dfmec"),
        subject="{}",
        releases=(Release(name="dfme", module="dfme", reader="Dfme"),),
    ),
)  # fmt: skip
COMPOSITE = ("megc", "megc2019", "megc19", "composite", "mecomposite", "3db", "3dbcombined")
"""Names of the MEGC2019 composite, whose people are those of SMIC, CASME II and SAMM."""

_NOISE = re.compile(
    r"raw|crop|cropped|selected|all|micro|updated|original|dataset|database|db|v\d+|release"
)
_BY_ALIAS = {a: d for d in DATASETS for a in d.aliases}
RELEASES: dict[str, Release] = {r.name: r for d in DATASETS for r in d.releases}
"""Every release by its name."""


def _plain(text: str) -> str:
    """Letters and digits only, without words such as "raw" or "cropped"."""
    low = unicodedata.normalize("NFKC", text).strip().casefold()
    # CAS(ME)^2 is not CASME II: the brackets must not be lost
    low = low.replace("(me)", "sqme")
    words = [w for w in re.split(r"[^a-z0-9]+", low.replace("^", "")) if w]
    kept = [w for w in words if not _NOISE.fullmatch(w)]
    return "".join(kept or words)


@lru_cache(maxsize=4096)
def dataset_named(text: str) -> DataSet | None:
    """The public data set that a name means, or None."""
    return _BY_ALIAS.get(_plain(text))


@lru_cache(maxsize=4096)
def dataset_name(text: str) -> str:
    """One name for every spelling of a data set's name; names of other data sets stay as they are,
    without outer spaces."""
    known = dataset_named(text)
    return known.name if known is not None else text.strip()


def is_composite(text: str) -> bool:
    """Whether the name means the MEGC2019 composite."""
    return _plain(text) in COMPOSITE


def find_release(text: str) -> Release | None:
    """A release by any name: "casme2", "CASME II", "Casme2", "SMIC-VIS", "SmicLong"; or None."""
    plain = _plain(text)
    for release in RELEASES.values():
        if plain in (_plain(release.name), *release.aliases):
            return release
    known = _BY_ALIAS.get(plain)
    return known.releases[0] if known is not None and known.releases else None


def release_named(text: str) -> Release:
    """`find_release`.

    Raises:
        InputError: no such release; the message lists them, the nearest first.
    """
    found = find_release(text)
    if found is None:
        raise InputError(f"no data set {text!r}; there are: {', '.join(nearest(text, RELEASES))}")
    return found


def nearest(text: str, names: Iterable[str]) -> list[str]:
    """The names, those most like `text` first."""
    every = list(names)
    close = difflib.get_close_matches(text.casefold(), every, 3, 0.4)
    return [*close, *(n for n in every if n not in close)]
