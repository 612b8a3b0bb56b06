"""Whose expressions and whose faces: the items of a generation, listed without reading pixels."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from famaug.data.following import held_out_of
from famaug.data.guard import Guard
from famaug.data.loose import Whose, refs_below
from famaug.data.protocols import as_clip_with_label, labels_of, refs_of
from famaug.errors import MediaError
from famaug.generation.annotations import annotated
from famaug.generation.clip_tables import clip_tables
from famaug.generation.generation import Generation
from famaug.generation.items import Item, Kind, stamp, stamps
from famaug.generation.report import Skip
from famaug.media.clips import PICTURES, frame_paths
from famaug.modulation.rules import parse_expression
from famaug.people.persons import canonical
from famaug.pipeline.inputs import pixels_digest
from famaug.seeding import digest
from famaug.types import ClipRef
from famaug.weights.shipped import SHIPPED

SHOWN = 3
"""Drivers that a note names."""
T = TypeVar("T")


@dataclass(frozen=True)
class Material:
    """Drivers, and candidates for identities by person: a person's later candidates are tried
    when earlier ones show no usable face. `notes` are for people."""

    drivers: tuple[Item, ...]
    faces: tuple[tuple[Item, ...], ...]
    skipped: tuple[Skip, ...]
    notes: tuple[str, ...] = ()


def until(stop: Callable[[], bool], items: Iterable[T]) -> Iterator[T]:
    """The items until `stop`, which is asked before each, says True."""
    for item in items:
        if stop():
            return
        yield item


def gather(settings: Generation, *, stop: Callable[[], bool] = lambda: False) -> Material:
    """Lists the items; what is plainly not there is skipped. Once `stop` says True, those listed
    so far are returned."""
    drivers: list[Item] = []
    people: dict[str, list[Item]] = {}
    skipped: list[Skip] = []
    notes: list[str] = []
    for index, ref in until(stop, _refs(settings.dataset)):
        if settings.clips:
            drivers.append(_of_clip(settings, ref, index, "driver"))
        if settings.own_faces:
            face = _of_clip(settings, ref, index, "face")
            people.setdefault(canonical(face.subject) or face.name, []).append(face)
    if settings.annotations:
        drivers += annotated(
            until(stop, _refs(settings.dataset)), labels_of(settings.dataset), skipped, notes
        )
    # the same clip or rule given twice is one driver
    drivers += [Item("rule", text, text) for text in map(_rule_text, settings.rules)]
    given = until(stop, settings.tables)
    tables = _files(given, "table", "driver", [settings.as_is], skipped)
    pictures = (p for folder in settings.pictures for p in _pictures(folder, skipped))
    how = [SHIPPED["face_landmarker"].sha256]
    loose = _files(until(stop, pictures), "picture", "identity", how, skipped)
    if tables or loose:
        tables, loose = _with_people(settings, [tables, loose], skipped)
    drivers += tables
    notes += _unlabelled([*(t.name for t in tables), *_by_hand(settings.rules)])
    if settings.clip_tables:
        drivers += clip_tables(settings, until(stop, _refs(settings.dataset)), skipped, notes)
    notes += _unnamed([d.name for d in drivers if d.kind != "rule" and not d.subject])
    faces = [tuple(own) for own in people.values()] + [(face,) for face in loose]
    unique = {d.key: d for d in reversed(drivers)}
    return Material(tuple(reversed(unique.values())), tuple(faces), tuple(skipped), tuple(notes))


def _refs(dataset: Any) -> Iterator[tuple[int, ClipRef]]:
    """The dataset's references, held-out subjects left out."""
    refs = [] if dataset is None else refs_of(dataset) or []
    held_out = held_out_of(dataset)
    guard = Guard(held_out) if held_out else None
    for index, ref in enumerate(refs):
        if guard is None or not guard.holds_out(ref.person):
            yield index, ref


def _with_people(
    settings: Generation, groups: list[list[Item]], skipped: list[Skip]
) -> list[list[Item]]:
    """Loose files with their people, where they are a data set's; without those held out."""
    whose = Whose(refs_below(settings.dataset))
    guard = Guard(held_out_of(settings.dataset) or ())
    found: list[list[Item]] = [[] for _ in groups]
    for group, out in zip(groups, found, strict=True):
        for item in group:
            who = whose(item.path)
            if item.kind == "table":
                who = who or canonical(settings.tables_of)
            named = replace(item, subject=who)
            if guard.holds_out(named.subject):
                what = "driver" if item.kind == "table" else "identity"
                skipped.append(Skip(what, item.name, f"it is {named.subject}'s, held out"))
            else:
                out.append(named)
    return found


def _by_hand(rules: Iterable[str]) -> list[str]:
    return [r.text for r in map(parse_expression, rules) if r.label is None]


def _told(before: str, names: Sequence[str], after: str) -> list[str]:
    """A note that names some drivers; none without any."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return [f"{before} {', '.join(names[:SHOWN])}{more}: {after}"] if names else []


def _unlabelled(names: Sequence[str]) -> list[str]:
    """The note on drivers that nothing can be trained on with."""
    return _told(
        "no class label goes with",
        names,
        "their clips stay out of training unless label_of= gives them one; tables of a data set's "
        "clips take theirs as clip_tables",
    )


def _unnamed(names: Sequence[str]) -> list[str]:
    """The note on expressions of which nobody could say that they are no held-out person's."""
    return _told(
        "nobody is named as the subject of",
        names,
        "their clips stay out of training wherever somebody is held out; name one in the clip's "
        "reference, or by drivers.tables_of ('none': nobody of any data set)",
    )


def _rule_text(text: str) -> str:
    return parse_expression(text).text


def _of_clip(settings: Generation, ref: ClipRef, index: int, use: str) -> Item:
    paths = [ref.video] if ref.video else list(ref.frames)
    # files are known by size and time of change; a dataset without files by its pixels
    content = (
        [stamp(Path(p)) for p in paths]
        if paths
        else pixels_digest(as_clip_with_label(settings.dataset[index])[0].frames)
    )
    name = f"{ref.key}#{index}" if not ref.clip else ref.key
    key = digest([use, _how(settings, use), settings.tag, ref.to_json(), content])
    return Item("clip", name, key, index=index, subject=ref.person)


def _how(settings: Generation, use: str) -> list[Any]:
    """What a measurement depends on beside its source."""
    if use == "face":
        return [SHIPPED["face_landmarker"].sha256]
    return ["frame", *settings.synthesizer.measured_how]


def _files(paths: Any, kind: Kind, what: str, how: list[Any], skipped: list[Skip]) -> list[Item]:
    """`how`: what a measurement depends on beside the file."""
    found = []
    for given in paths:
        path = Path(given).absolute()
        if not (path.is_file() or (kind == "table" and path.is_dir())):
            skipped.append(Skip(what, str(given), "no such file"))
            continue
        key = digest([kind, how, stamps(path)])
        found.append(Item(kind, str(given), key, path=str(path)))
    return found


def _pictures(given: Path, skipped: list[Skip]) -> list[Path]:
    path = Path(given)
    if not path.is_dir():
        return [path]
    try:
        return [p for p in frame_paths(path) if p.suffix.lower() in PICTURES]
    except MediaError as error:
        skipped.append(Skip("identity", str(given), str(error)))
        return []
