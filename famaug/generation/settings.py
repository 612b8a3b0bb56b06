"""What is to be generated, in plain values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from famaug.errors import InputError
from famaug.generation.report import Skip
from famaug.modulation.rules import parse_expression
from famaug.pipeline.synthesizer import Synthesizer
from famaug.quality.gate import Gate
from famaug.store.codecs import Codec, check_codec


@dataclass(frozen=True, kw_only=True)
class Generation:
    """One cache: whose expressions, on whose faces, how many, and how they are made.

    Which clips there will be follows from these values alone, never from the number of workers,
    the batch size, the order of the work or an interruption.

    Args:
        out: folder of the cache.
        dataset: a dataset with `refs` (`famaug.data`), or a fold's training part; it travels to
            the workers, so it must be picklable. None: rules, tables and pictures only.
        clips: the dataset's clips are drivers.
        rules: further drivers: "rule:positive", "stats:positive", "aus:4=1.5,12L=1".
        tables: further drivers: AU tables (.csv), or folders of OpenFace's.
        as_is: all tables are shown as written, not only those that say they are modulated.
        own_faces: neutral (onset) frames of the dataset's subjects are identities.
        faces_per_subject: how many of each, in the dataset's order.
        pictures: further identities: files, or folders of pictures.
        per_driver: clips for each clip or table, each on another face.
        per_rule: clips for each rule; more than there are faces draw anew. `per_driver` if None.
        synthesizer: plans and renders.
        seed: any integer.
        codec, quality: of the cache (`famaug.store.CacheWriter`).
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
    """

    out: Path
    dataset: Any = None
    clips: bool = True
    rules: Sequence[str] = ()
    tables: Sequence[Path] = ()
    as_is: bool = False
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
        if self.dataset is not None and getattr(self.dataset, "refs", None) is None:
            raise InputError(
                f"{type(self.dataset).__name__} has no `refs`, so its clips cannot be named; "
                "use a reader of famaug.data, or give it a list of ClipRef"
            )
        own = self.dataset is not None
        if not (own and self.clips) and not self.rules and not self.tables:
            raise InputError("no drivers: give a dataset with clips=True, rules or AU tables")
        if not (own and self.own_faces) and not self.pictures:
            raise InputError("no identities: give a dataset with own_faces=True, or pictures")

    @property
    def measured_folder(self) -> Path:
        return self.measured or self.out.with_name(self.out.name + ".measured")
