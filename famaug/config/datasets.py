"""Real clips as every configuration names them: `reader`, `root`, `options`, and a part of them.

A reader is a data set by any name (`famaug.people.datasets`: casme2, "CASME II", smic-vis),
`composite`, `ClipFolder`, or `module:Class` of one's own; recognisers also read `flow-folder`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from famaug.config.read import Config, Key, checked, keys_of, unknown_keys
from famaug.errors import InputError, MediaError
from famaug.people.datasets import dataset_name, is_composite
from famaug.people.persons import find_people, in_order, who_is


@dataclass(frozen=True, kw_only=True)
class RealClips:
    """The real clips; without a root there are none.

    Attributes:
        reader: see above.
        root: its folder; the composite's holds SMIC, CASME2 and SAMM.
        options: further arguments of the reader, as label: three.
    """

    reader: str = "ClipFolder"
    root: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def named(self) -> bool:
        """Whether there is a folder, or the composite, whose options name three."""
        return bool(self.root or (self.options and is_composite(self.reader)))


@dataclass(frozen=True, kw_only=True)
class SomePeople:
    """Some of the people. subjects: only these ("03", "casme2/03"). held_out: all but these."""

    subjects: Sequence[str] = ()
    held_out: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class OneFold:
    """One fold's training part instead of all subjects.

    Attributes:
        by: subject (leave one out), parts (k folds by subject), dataset (leave one out).
        name: whose fold: the subject or data set held out; for parts, "part 2 of 5".
        parts, seed: of `k_fold_by_subject`.
    """

    by: Literal["none", "subject", "dataset", "parts"] = "none"
    name: str = ""
    parts: int = 5
    seed: int = 0


def keys_of_clips(above: str) -> dict[str, Key]:
    """`reader`, `root` and `options` below a room of keys ("dataset.")."""
    return checked(keys_of(RealClips, above=above), root=exists)


def keys_of_part(above: str) -> dict[str, Key]:
    """`subjects`, `held_out` and `fold` below a room of keys."""
    return keys_of(SomePeople, above=above) | keys_of(OneFold, above=f"{above}fold.")


def exists(path: str | Path | None) -> None:
    """Raises InputError: something is named, and not there."""
    if path and not Path(path).exists():
        raise InputError(f"{path} is not there")


def idle_part(config: Config, above: str) -> list[str]:
    """Lines on keys that have no effect beside the others."""
    by = config[f"{above}fold.by"]
    out = []
    if by == "none":
        out += config.idle(f"{above}fold.by is none", f"{above}fold.name")
    if by != "parts":
        out += config.idle(
            f"{above}fold.by is not parts", f"{above}fold.parts", f"{above}fold.seed"
        )
    return out


def part_of(dataset: Any, part: SomePeople, fold: OneFold, above: str) -> tuple[Any, list[str]]:
    """The part of a data set that is asked for.

    Args:
        above: of the keys, for messages: "dataset.".

    Returns:
        also the subjects that were asked for and have no clips in it.

    Raises:
        InputError: a fold or a person that is not there. MediaError: no clip is left.
    """
    from famaug.data import folds
    from famaug.data.following import follow
    from famaug.data.protocols import refs_of

    if fold.by != "none":
        dataset = _fold(dataset, fold, f"{above}fold.name").train
    people = follow(dataset).people
    if part.held_out:
        dataset = folds.without_people(dataset, part.held_out, what=f"{above}held_out")
    if not part.subjects:
        return dataset, []
    wanted = {s: who_is(s, people) for s in part.subjects}
    every = frozenset().union(*wanted.values())
    refs = refs_of(dataset) or ()
    dataset = folds.SubjectSubset(dataset, [i for i, ref in enumerate(refs) if ref.person in every])
    if not len(dataset):
        raise MediaError(
            f"{above}subjects: none of the subjects {[*part.subjects]} has a clip left"
        )
    found = {r.person for r in refs_of(dataset) or ()}
    return dataset, [s for s, names in wanted.items() if not names & found]


def _fold(dataset: Any, fold: OneFold, key: str) -> Any:
    from famaug.data import folds

    if fold.by == "subject":
        made = folds.leave_one_subject_out(dataset)
    elif fold.by == "dataset":
        made = folds.leave_one_dataset_out(dataset)
    else:
        made = folds.k_fold_by_subject(dataset, fold.parts, seed=fold.seed)
    every, name = {f.name: f for f in made}, fold.name
    if fold.by == "subject":
        hits = frozenset().union(*find_people([name], every, what=key).values())
        if len(hits) > 1:
            raise InputError(f"{key}: {name!r} could be {', '.join(in_order(hits))}")
        (name,) = hits
    elif fold.by == "dataset":
        name = dataset_name(name)
    if name not in every:
        (line,) = unknown_keys([name], every, "")
        raise InputError(f"{key}: {line}")
    return every[name]
