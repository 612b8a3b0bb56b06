"""What is to be generated, in plain values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from famaug.data.guard import Guard
from famaug.errors import InputError
from famaug.generation.patterns import check_pattern
from famaug.generation.report import Skip
from famaug.modulation.rules import parse_expression
from famaug.modulation.sources import STRENGTH, check_strength
from famaug.modulation.variation import Variation
from famaug.people.persons import canonical
from famaug.pipeline.synthesizer import Synthesizer
from famaug.quality.gate import Gate
from famaug.shown.lines import one_line, short, some
from famaug.store.codecs import Codec, check_codec


def check_person(name: str) -> None:
    """Raises InputError for what names nobody; "" is well."""
    if name and not canonical(name):
        raise InputError(f"a person is written 'dataset/subject', or 'none'; got {name!r}")


@dataclass(frozen=True, kw_only=True)
class Generation:
    """One cache: whose expressions, on whose faces, how many, and how they are made.

    Which clips there will be follows from these values alone, never from the number of workers,
    the order of the work or an interruption.

    Args:
        out: folder of the cache.
        dataset: a dataset with `refs` (`famaug.data`), or a fold's training part; it travels to
            the workers, so it must be picklable. None: rules, tables and pictures only.
        clips: the dataset's clips are drivers.
        annotations: the annotated AUs of the dataset's clips are drivers, drawn with the clips' own
            timing; no pixel of these clips is read.
        rules: further drivers: "rule:positive", "stats:positive", "aus:4=1.5,12L=1".
        tables: further drivers: AU tables (.csv), or folders of OpenFace's.
        clip_tables: further drivers: AU tables of the dataset's clips, as a pattern of paths,
            "openface/{subject}/{clip}.csv"; {dataset} may stand in it too. Subject, label, frame
            rate, onset and offset are the clips'; no pixel of theirs is read.
        tables_of: whose expressions `tables` are where their paths do not say it, as
            "dataset/subject"; "none" is nobody of any data set. Where nobody is named and somebody
            is held out, the leakage guard lets none of their clips in.
        as_is: all tables are shown as written, not only those that say they are modulated.
        strength: range of an AU's intensity at the apex, of 5, where it is drawn: of rules,
            statistics, and AUs annotated without a letter.
        one_sided: chance (0-1) that a drawn expression (rules, statistics, annotations; never a
            measured one) is shown on one side, the other without it or at up to half.
        partial: chance (0-1) that some of its AUs are dropped, or shown at a third; never all.
        factor: range of a factor on the strength of all of it, drawn once a clip.
        shares: factors on single AUs of it, as "12=0.6,26=0.15".
        own_faces: neutral (onset) frames of the dataset's subjects are identities.
        faces_per_subject: how many of each, in the dataset's order.
        pictures: further identities: files, or folders of pictures.
        per_driver: clips for each clip, annotation or table, each on another face; more than there
            are faces draw an annotation anew.
        per_rule: clips for each rule; more than there are faces draw anew. `per_driver` if None.
        synthesizer: plans and renders.
        seed: any integer.
        codec: of the cache (`famaug.store.CacheWriter`).
        quality: of the codec.
        measured: folder for what was measured of drivers and faces, so that a second run, or
            another cache of the same data, does not measure again. "OUT.measured" if None.
        tag: names what the dataset does to its pixels beyond reading them (a reader's options):
            another tag is measured anew.
        gate: what a clip must reach to be kept; None keeps all. A rejected clip is drawn again
            where anything is drawn (a rule). Scores go into the provenance.
        tries: how often a clip is drawn at most.
        licence: terms of the data the clips come from, in words; every clip carries it.
        skipped: what was left out before (subjects without clips); it goes into the report.

    Raises:
        InputError: nothing to make clips from, a count below 1, an unreadable rule, or a codec
            that does not exist.
        LeakageError: the synthesizer's look was fitted on people whom the dataset holds out.
    """

    out: Path
    dataset: Any = None
    clips: bool = True
    annotations: bool = False
    rules: Sequence[str] = ()
    tables: Sequence[Path] = ()
    tables_of: str = ""
    clip_tables: str | None = None
    as_is: bool = False
    strength: tuple[float, float] = STRENGTH
    one_sided: float = 0.0
    partial: float = 0.0
    factor: tuple[float, float] = (1.0, 1.0)
    shares: str = ""
    own_faces: bool = True
    faces_per_subject: int = 1
    pictures: Sequence[Path] = ()
    per_driver: int = 1
    per_rule: int | None = None
    synthesizer: Synthesizer = field(default_factory=Synthesizer)
    seed: int = 0
    codec: Codec = "delta"
    quality: int | None = None
    measured: Path | None = None
    tag: str = ""
    gate: Gate | None = None
    tries: int = 3
    licence: str = ""
    skipped: Sequence[Skip] = ()

    def __post_init__(self) -> None:
        from famaug.data.following import held_out_of  # torch, when a generation is made

        object.__setattr__(self, "out", Path(self.out))  # text does as well
        for name in ("tables", "pictures"):
            object.__setattr__(self, name, [Path(p) for p in getattr(self, name)])
        if self.measured is not None:
            object.__setattr__(self, "measured", Path(self.measured))
        check_codec(self.codec, self.quality)
        for name in ("faces_per_subject", "per_driver", "per_rule", "tries"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise InputError(f"{name} must be 1 or more; got {value}")
        for text in self.rules:
            parse_expression(text)
        check_person(self.tables_of)
        if self.dataset is not None and getattr(self.dataset, "refs", None) is None:
            raise InputError(
                f"{type(self.dataset).__name__} has no `refs`, so its clips cannot be named; "
                "use a reader of famaug.data, or give it a list of ClipRef"
            )
        guard = Guard(held_out_of(self.dataset) or ())
        guard.check_people(self.synthesizer.look_subjects, "the look was fitted on")
        own = self.dataset is not None
        check_strength(self.strength)
        _ = self.variation  # raises
        self._check_annotations(own)
        if self.clip_tables is not None:
            check_pattern(self.clip_tables)
            if not own:
                raise InputError("clip_tables needs a dataset, whose clips' tables they are")
        used = own and (self.clips or self.annotations or self.clip_tables)
        if not used and not self.rules and not self.tables:
            raise InputError(
                "no drivers: give a dataset with clips=True, annotations=True or clip_tables=, "
                "rules or AU tables"
            )
        if not (own and self.own_faces) and not self.pictures:
            raise InputError("no identities: give a dataset with own_faces=True, or pictures")

    def __repr__(self) -> str:
        kinds = {"clips": self.clips, "annotations": self.annotations, "tables": self.clip_tables}
        own = [kind for kind, used in kinds.items() if used and self.dataset is not None]
        drivers = [*own, *map(str, self.rules), *(t.name for t in self.tables)]
        return one_line(
            self,
            short(self.out),
            f"drivers {some(drivers, 3)}",
            f"{self.per_driver} a driver",
            f"seed {self.seed}",
            f"by {self.synthesizer.generator}",
            "gated" if self.gate else "",
        )

    def _check_annotations(self, own: bool) -> None:
        from famaug.data.protocols import refs_of

        if not self.annotations:
            return
        if not own:
            raise InputError("annotations=True needs a dataset, whose clips they are of")
        if self.clips or self.rules or self.tables or self.clip_tables:
            return  # what is not annotated is told in the report
        refs = refs_of(self.dataset) or []
        if all(ref.action_units is None for ref in refs):
            names = ", ".join(sorted({ref.dataset for ref in refs}))
            raise InputError(
                f"no drivers: none of {len(refs)} clips of {names} has annotated AUs; measure them "
                "(drivers.clips), or draw by rules or statistics (drivers.rules: [stats:positive])"
            )

    @property
    def variation(self) -> Variation:
        """How drawn expressions differ from what is listed."""
        return Variation(
            one_sided=self.one_sided, partial=self.partial, factor=self.factor, shares=self.shares
        )

    @property
    def measured_folder(self) -> Path:
        return self.measured or self.out.with_name(self.out.name + ".measured")
