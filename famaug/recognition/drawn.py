"""Inputs of expressions that are drawn on pictures of faces, without a clip being kept.

Of each expression only onset and apex are rendered, which is all that flow pictures need: a clip of
200 frames a second would have some forty more. No person of a data set goes into them.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from famaug.data.labels import THREE_CLASSES
from famaug.errors import FaceError, InputError, MediaError, UnusableClipError
from famaug.generation.generation import Generation
from famaug.media.clips import frame_paths
from famaug.modulation.rules import parse_expression
from famaug.modulation.sources import ExpressionSource, PeakSource
from famaug.modulation.variation import VISIBLE, Variation
from famaug.pipeline.excerpt import at_frames
from famaug.pipeline.inputs import Driver, Identity
from famaug.pipeline.synthesizer import Synthesizer
from famaug.recognition.feature_cache import Progress, dataset_inputs
from famaug.recognition.inputs import InputSpec
from famaug.recognition.pool import NO_MOTION, SyntheticPool
from famaug.seeding import digest, keyed_generator
from famaug.types import Clip, ClipRef, Plan, Provenance

STRENGTH, ONE_SIDED = (0.7, 2.6), 0.2

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Draws:
    """What is drawn on each face; the defaults were chosen beside real flow pictures
    (docs/does_it_help.md).

    Attributes:
        kinds: "rule" and "stats", in turn (see `parse_expression`).
        classes: what is drawn, each equally often; names that both kinds know.
        clips_per_face: how many.
        strength, one_sided, partial, factor, shares: as of `famaug.generation.Generation`.
        look: profile or file of a look, or None.
        seed: any integer.

    Raises:
        InputError: a kind, class, range, chance or look that cannot be, or no clip.
    """

    kinds: Sequence[str] = ("rule", "stats")
    classes: Sequence[str] = THREE_CLASSES
    clips_per_face: int = 6
    strength: tuple[float, float] = STRENGTH
    one_sided: float = ONE_SIDED
    partial: float = Generation.partial
    factor: tuple[float, float] = Generation.factor
    shares: str = VISIBLE
    look: str | None = "composite"
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.kinds or not self.classes or self.clips_per_face < 1:
            raise InputError(
                "there must be a kind, a class and a clip for each face; got "
                f"{[*self.kinds]}, {[*self.classes]} and {self.clips_per_face}"
            )
        _ = self.sources  # raises

    @property
    def sources(self) -> list[ExpressionSource]:
        """What the clips of a face are drawn from, in turn: the classes of the first kind, then
        those of the next."""
        how = Variation(
            one_sided=self.one_sided, partial=self.partial, factor=self.factor, shares=self.shares
        )
        found: list[ExpressionSource] = []
        for kind in self.kinds:
            for name in self.classes:
                source = parse_expression(f"{kind}:{name}")
                if not isinstance(source, PeakSource) or source.label not in self.classes:
                    raise InputError(f"kinds are 'rule' and 'stats'; got {kind!r} of {name!r}")
                found.append(replace(source, intensity=self.strength, variation=how))
        return found


class DrawnClips:
    """Onset and apex of drawn expressions as a dataset of clips with labels, face by face. It can
    be pickled; each item is rendered when it is read, the same every time.

    Args:
        faces: of `Synthesizer.find_face`.
        draws: what is drawn.
        folder: below which the faces' pictures lie.
    """

    def __init__(self, faces: Sequence[dict[str, Any]], draws: Draws, folder: Path) -> None:
        self.faces, self.draws, self.sources = list(faces), draws, draws.sources
        self.maker = Synthesizer(look=draws.look, faces=[folder])

    def __len__(self) -> int:
        return len(self.faces) * self.draws.clips_per_face

    def source(self, index: int) -> ExpressionSource:
        """What an item is drawn from. Where a face has fewer clips than there are sources, the
        next face goes on with the rest."""
        return self.sources[index % len(self.sources)]

    def plan(self, index: int) -> Plan:
        """Of the whole clip."""
        face, source = self.faces[index // self.draws.clips_per_face], self.source(index)
        number = index % self.draws.clips_per_face
        rng = keyed_generator(self.draws.seed, "drawn", face["digest"], number)
        side = Driver.of(source).to_json()
        return self.maker.plan_measured(side, source, face, rng, seed=self.draws.seed)

    def story(self, index: int) -> Provenance:
        """Where an item comes from: nobody's expression on nobody's face."""
        return Provenance.of(self.plan(index), "", "", self.source(index).label)

    def content_key(self, index: int) -> str:
        """With what is drawn, the pixels are given."""
        return digest(["onset and apex", self.plan(index).key])

    def __getitem__(self, index: int) -> tuple[Clip, str | int | None]:
        plan = self.plan(index)
        onset, apex, _ = plan.key_frames
        if onset >= apex:
            raise UnusableClipError(f"clip {plan.key}: its apex is its first frame")
        frames = self.maker.render([at_frames(plan, (onset, apex))])[0]
        ref = ClipRef("", "", plan.key, onset=0, apex=1, offset=1)
        return Clip(ref, frames), self.source(index).label


def find_faces(
    folder: Path,
    *,
    without: Collection[str] = (),
    measured: Path | None = None,
    progress: Progress | None = None,
) -> list[dict[str, Any]]:
    """The faces of a folder's pictures, a person each, in the order of names; pictures without a
    usable face are left out with a line in the log.

    Args:
        without: names of files (with or without suffix) that are not to be used.
        measured: folder where found faces are kept.
        progress: is told "faces", how many are done, and of how many.

    Raises:
        MediaError: no such folder, or no picture in it.
        InputError: no usable face, or a name in `without` that is not there.
    """
    there = frame_paths(folder)
    unknown = sorted(set(without) - {p.name for p in there} - {p.stem for p in there})
    if unknown:
        raise InputError(f"{folder}: asked to leave out {unknown}, which are not there")
    paths = [p for p in there if p.name not in without and p.stem not in without]
    finder = Synthesizer(measured=measured)
    found = []
    for i, path in enumerate(paths, 1):
        try:
            found.append(finder.find_face(Identity.of(path)))
        except (FaceError, MediaError) as error:
            log.warning("left out: %s: %s", path.name, error)
        if progress is not None:
            progress("faces", i, len(paths))
    if not found:
        raise InputError(f"{folder}: none of {len(paths)} pictures shows a usable face")
    return found


def drawn_pool(
    clips: DrawnClips, spec: InputSpec, *, progress: Progress | None = None, **how: Any
) -> SyntheticPool:
    """The inputs of drawn clips.

    Args:
        spec: of kind "flow" or "pair", which onset and apex are enough for.
        progress, how: `progress`, `folder`, `workers` of `dataset_inputs`.

    Raises:
        InputError: another kind of input, or no clip shows motion.
    """
    if spec.kind not in ("flow", "pair"):
        raise InputError(
            f"of drawn clips there are onset and apex, which make 'flow' and 'pair' inputs; got "
            f"{spec.kind!r}: make a cache (famaug pregenerate) instead"
        )
    out: dict[int, str] = {}
    inputs = dataset_inputs(
        clips, spec, progress=progress, title="drawn clips", left_out=out, **how
    )
    used = [i for i in range(len(clips)) if i not in out]
    if not used:
        raise InputError(
            f"none of {len(clips)} drawn clips shows motion: {next(iter(out.values()))}"
        )
    place = {name: i for i, name in enumerate(clips.draws.classes)}
    labels = np.asarray([place[str(clips.source(i).label)] for i in used], np.int64)
    left_out = {NO_MOTION: len(out)} if out else {}
    return SyntheticPool(inputs[used], labels, tuple(map(clips.story, used)), left_out)
