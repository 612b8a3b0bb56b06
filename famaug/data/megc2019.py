"""The MEGC2019 composite: 442 clips of 68 people of SMIC-HS, CASME II and SAMM, three classes."""

from __future__ import annotations

import os
from collections import Counter
from typing import Any, Literal

from torch.utils.data import Dataset

from famaug.data.contents import dataset_parts
from famaug.data.labels import THREE_CLASSES, label_map
from famaug.data.megc2019_list import composite_clips
from famaug.data.protocols import Label
from famaug.data.readers.base import ReleaseReader
from famaug.data.readers.casme2 import Casme2
from famaug.data.readers.samm import Samm
from famaug.data.readers.smic import Smic
from famaug.errors import InputError, MediaError
from famaug.shown.lines import in_notebooks, one_line
from famaug.types import Clip, ClipRef

COUNTS = {
    "smic": {"negative": 70, "positive": 51, "surprise": 43},
    "casme2": {"negative": 88, "positive": 32, "surprise": 25},
    "samm": {"negative": 92, "positive": 26, "surprise": 15},
}
"""Clips by data set and class, as the challenge states them."""
LEFT_OUT = (("casme2", "sub04", "EP12_01f"), ("casme2", "sub05", "EP09_05f"))
"""CASME II's disgust clips that are not among the composite's 88 negative ones."""
_READERS: tuple[tuple[str, type[ReleaseReader]], ...] = (
    ("smic", Smic),
    ("casme2", Casme2),
    ("samm", Samm),
)


@in_notebooks
class Megc2019(Dataset[tuple[Clip, Label]]):
    """The composite's clips, by an explicit list (`composite_clips`), in three data sets' readers.

    Args:
        smic: folder of the release, or a reader of it. All three make the composite;
            `missing="skip"` goes on with what is there.
        casme2: as `smic`.
        samm: as `smic`.
        numbered: labels are 0 negative, 1 positive, 2 surprise, instead of names.
        missing: "stop" or "skip" where a clip of the list is not on disk.

    Attributes:
        refs, labels, classes: in item order; `label_of` from published emotions to labels.
        missing: clips of the list that are not there, "dataset/subject/clip".
        readers: of the releases that were given.

    Raises:
        MediaError: clips are missing and `missing` is "stop"; or none is there.
        InputError: a table of another version gives a clip another class than the list.
    """

    def __init__(
        self,
        *,
        smic: str | os.PathLike[str] | ReleaseReader | None = None,
        casme2: str | os.PathLike[str] | ReleaseReader | None = None,
        samm: str | os.PathLike[str] | ReleaseReader | None = None,
        numbered: bool = False,
        missing: Literal["stop", "skip"] = "stop",
    ) -> None:
        if missing not in ("stop", "skip"):
            raise InputError(f"missing is 'skip' or 'stop'; got {missing!r}")
        wanted = composite_clips()
        given = {"smic": smic, "casme2": casme2, "samm": samm}
        self.classes = THREE_CLASSES
        self.refs: list[ClipRef] = []
        self._from: list[tuple[ReleaseReader, int]] = []
        self.readers: list[ReleaseReader] = []
        for name, kind in _READERS:
            source = given[name]
            if source is None:
                continue
            reader = source if isinstance(source, ReleaseReader) else kind(source)
            self.readers.append(reader)
            self._take(reader, name, wanted)
        found = {(r.dataset, r.subject, r.clip) for r in self.refs}
        self.missing = ["/".join(k) for k in wanted if k not in found]
        if (self.missing and missing == "stop") or not self.refs:
            raise MediaError(
                f"MEGC2019: {len(self.missing)} of {len(wanted)} clips are missing: "
                f"{_differences(self.refs, wanted)}; first: {', '.join(self.missing[:5])}; "
                "missing='skip' goes on without"
            )
        self._label: dict[str, Label] = {
            c: i if numbered else c for i, c in enumerate(THREE_CLASSES)
        }
        kinds = [wanted[r.dataset, r.subject, r.clip] for r in self.refs]
        self.labels: list[Label] = [self._label[c] for c in kinds]
        # fear and sadness are negative in SAMM and out in CASME II: the emotion alone does not say
        self.label_of: dict[str, Label] = self._label | {
            r.emotion: label for r, label in zip(self.refs, self.labels, strict=True) if r.emotion
        }

    def _take(
        self, reader: ReleaseReader, name: str, wanted: dict[tuple[str, str, str], str]
    ) -> None:
        rule = label_map(name, "three") or {}
        for i, ref in enumerate(reader.refs):
            label = wanted.get((ref.dataset, ref.subject, ref.clip))
            if label is None:
                continue
            says = rule.get((ref.emotion or "").casefold())
            if ref.dataset != name or says != label:
                raise InputError(
                    f"{ref.key}: {label} in MEGC2019, but the table says {ref.emotion!r} "
                    f"({says}); use the release's own label table"
                )
            self.refs.append(ref)
            self._from.append((reader, i))

    def __len__(self) -> int:
        return len(self.refs)

    def __repr__(self) -> str:
        return one_line(self, *dataset_parts(self))

    def __getitem__(self, index: int) -> tuple[Clip, Label]:
        reader, i = self._from[index]
        return reader[i][0], self.labels[index]

    def counts(self) -> dict[str, dict[str, int]]:
        """Clips by data set and class, to compare with `COUNTS`."""
        wanted = composite_clips()
        return _counts([((r.dataset, r.subject, r.clip), wanted) for r in self.refs])


def _counts(clips: list[tuple[tuple[str, str, str], dict[Any, str]]]) -> dict[str, dict[str, int]]:
    seen = Counter((key[0], wanted[key]) for key, wanted in clips)
    return {name: {c: seen[name, c] for c in THREE_CLASSES} for name, _ in _READERS}


def _differences(refs: list[ClipRef], wanted: dict[tuple[str, str, str], str]) -> str:
    have = _counts([((r.dataset, r.subject, r.clip), wanted) for r in refs])
    parts = []
    for name, want in COUNTS.items():
        if have[name] != want:
            parts.append(f"{name} has {have[name]}, the composite {want}")
    return "; ".join(parts) or "no class differs"
