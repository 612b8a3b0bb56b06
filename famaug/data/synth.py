"""The training set that mixes real and synthetic clips: one line around an existing dataset."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import torch
from torch.utils.data import Dataset, default_collate

from famaug.data.cached import CachedSource
from famaug.data.choices import (
    check_choices,
    check_clips,
    check_look,
    checked_synthesizer,
    map_style,
)
from famaug.data.contents import contents_of
from famaug.data.following import guard_for
from famaug.data.known import Known, of_plan, of_real, synthetic_ref
from famaug.data.labels import LabelOf
from famaug.data.naming import named
from famaug.data.planned import Identities, PlannedSource
from famaug.data.protocols import AsClip, ClipSynthesizer, as_clip_with_label, engine_of, refs_of
from famaug.data.sampling import ClipSampler
from famaug.data.slots import Balance, Slot
from famaug.errors import InputError, RenderError
from famaug.look.mixture import AnyLook
from famaug.shown.lines import counted, counts, in_notebooks, one_line, some
from famaug.store.decisions import Given
from famaug.store.reader import ClipCache
from famaug.types import Clip, Frames, Provenance

Mode = Literal["cached", "online", "deferred"]
Items = Literal["dict", "clip"]
Sample = dict[str, Any]


@in_notebooks
class MicroExpressionSynth(Dataset[Any]):
    """A map-style dataset of N real clips followed by round(ratio x N) synthetic ones.

    Every item is a dict that `default_collate` understands:

        frames      uint8 tensor `T H W 3` (layout "THWC") or `T 3 H W` ("TCHW"), or what
                    `transform` makes of it
        onset, apex, offset   frames counted from 0 within `frames`; -1 where unknown
        aus         float32 `2 17`, left and right, 0-5, at the apex: what a synthetic clip shows,
                    the letters of a real clip's annotation; NaN where unknown
        au_present  int8 `2 17`: 1 present, 0 absent, -1 unknown
        track       with `tracks=True`: the AUs of every frame, `T 2 17`; NaN for a real clip
        label       as the dataset gives it; "" for a clip without one
        synthetic   bool
        clip        name of a real clip ("dataset/subject/clip"), key of a synthetic one
        index       position in this dataset
        provenance  JSON text (`Provenance.from_json`), "" for a real clip; in mode "deferred" a
                    `Provenance` until the batch is rendered

    `as_item` turns that dict into the form your training loop knows (`as_pair` gives
    `(frames, label)`); `items="clip"` gives `(Clip, label)` as the readers do, real clips
    untouched, synthetic ones with onset, apex and offset in their reference. Ratio 0 without a
    transform is the bare dataset: its own items, untouched; `passthrough=False` gives them the
    form above, so that one loop serves every ratio.

    Which clip fills a synthetic slot follows from (seed, epoch, slot) alone: the same for any
    number of workers, start method, batch size and order. `set_epoch` draws anew.

    No held-out subject enters: a synthetic clip is drawn only if neither its driver nor its
    identity is held out by the fold; `excluded` counts what was left out, by reason.

    Args:
        dataset: map-style; see `famaug.data.protocols.ClipDataset`.
        ratio: synthetic clips for each real one, 0 or more.
        cache: folder or `ClipCache` (mode "cached").
        synthesizer: plans and renders (modes "online" and "deferred").
        mode: "cached" reads the cache only; "online" renders in the worker; "deferred" leaves
            rendering to the main process: use `collate` as the loader's collate_fn and
            `render_batch` in the loop.
        identities: clips of neutral faces or a folder of pictures; None takes the neutral frames
            of the training clips themselves. Not for mode "cached". Pictures of held-out people
            are refused where they are known again (`famaug.data.loose.Whose`).
        transform: called with the frames of each clip, real or synthetic. `sample_clip` makes
            clips of unequal length and size equal, and onset, apex and offset go with it, also as
            the first of a torchvision `Compose`; after another transform they count in the clip
            as it was before.
        seed: any integer.
        as_clip: from a dataset item to (Clip, label).
        as_item: from the dict above to your item. Not for mode "deferred".
        held_out: people ("dataset/subject", in any spelling) held out beside those of the fold;
            an empty set says that nobody is. None takes those of the fold that `dataset` is a
            part of, through Subset, ConcatDataset and wrappers of your own; where it leads to no
            fold, nothing is mixed. People of the fold's training part of whom `dataset` has no
            clip are then held out too: a Subset of `fold.train` for an inner validation split.
        label_of: from the label of a synthetic clip (mapping; None of a clip without one) or its
            provenance (function) to the dataset's own label; by default the dataset's `label_of`,
            if it has one: clips it does not name are left out. For mode "cached".
        look: makes cached clips look like the data set's when they are read: fitted on the fold's
            training clips (`fit_look(fold.train)`), or "fit", which measures 24 clips of `dataset`
            here, or a profile or file by name ("casme2"). Each epoch draws framing, head motion and
            noise anew. Clips that have a look already stay out. For mode "cached"; a synthesizer
            has a look of its own.
        decisions: file (or files) of what people accepted and rejected, which `famaug studio CACHE`
            writes beside the cache, or `famaug.store.Decisions`: clips that were rejected stay out.
            For mode "cached".
        layout: axes of the frames.
        tracks: items carry `track`.
        balance: "class" draws rare classes more often, by what they lack to the most frequent.
        passthrough: see above.
        items: see above; without transform, as_item and layout, and not for mode "deferred".

    Raises:
        InputError: an argument does not fit the others, a held-out name is nobody, or nothing may
            be drawn.
        LeakageError: the training data, the identities or the look hold a held-out person; nobody
            says who is held out; or the dataset is the test part of a fold.
        CacheError: the cache cannot be read.
    """

    def __init__(
        self,
        dataset: Any,
        *,
        ratio: float,
        cache: ClipCache | str | os.PathLike[str] | None = None,
        synthesizer: ClipSynthesizer | None = None,
        mode: Mode = "cached",
        identities: Identities = None,
        transform: Callable[[torch.Tensor], Any] | None = None,
        seed: int = 0,
        as_clip: AsClip | None = None,
        as_item: Callable[[Sample], Any] | None = None,
        held_out: Iterable[str] | None = None,
        label_of: LabelOf | None = None,
        look: AnyLook | str | None = None,
        decisions: Given = None,
        layout: Literal["THWC", "TCHW"] = "THWC",
        tracks: bool = False,
        balance: Balance = "none",
        passthrough: bool = True,
        items: Items = "dict",
    ) -> None:
        check_choices(
            ratio=ratio, mode=mode, layout=layout, balance=balance, as_item=as_item, items=items
        )
        check_clips(items, transform, as_item, layout)
        check_look(look, mode)
        if identities is not None and mode == "cached":
            raise InputError("identities= is for mode 'online' or 'deferred'")
        if decisions is not None and mode != "cached":
            raise InputError("decisions= is for mode 'cached': they are on clips of a cache")
        self.dataset = dataset
        self.ratio = ratio
        self.mode = mode
        self.transform = transform
        self.layout = layout
        self.tracks = tracks
        self.as_item = as_item
        self.items = items
        self.as_clip: AsClip = as_clip or as_clip_with_label
        self.synthesizer = synthesizer
        self._real = map_style(dataset)
        self._extra = round(ratio * self._real)
        self._bare = not self._extra and transform is None and as_item is None and passthrough
        # shared memory: workers that live across epochs see the new number
        self._epoch: torch.Tensor = torch.zeros((), dtype=torch.int64)
        self._epoch.share_memory_()  # type: ignore[no-untyped-call]
        self._source: CachedSource | PlannedSource | None = None
        if not self._extra:
            self.guard = guard_for(dataset, held_out, mixing=False)
        elif mode == "cached":
            self._source = CachedSource(
                dataset,
                cache,
                held_out=held_out,
                label_of=label_of,
                look=look,
                decisions=decisions,
                as_clip=self.as_clip,
                seed=seed,
                balance=balance,
            )
            self.guard = self._source.guard
        else:
            self._source = PlannedSource(
                dataset,
                checked_synthesizer(synthesizer, mode),
                identities=identities,
                held_out=held_out,
                as_clip=self.as_clip,
                seed=seed,
                balance=balance,
            )
            self.guard = self._source.guard
        self.guard.check_real(refs_of(dataset) or ())

    @property
    def look(self) -> AnyLook | None:
        """The look that is put on cached clips."""
        return self._source.look if isinstance(self._source, CachedSource) else None

    @property
    def held_out(self) -> frozenset[str]:
        """Subjects that may not enter."""
        return frozenset(self.guard.held_out)

    @property
    def excluded(self) -> dict[str, int]:
        """Clips of the cache that may not be drawn, by reason."""
        return dict(self._source.excluded) if isinstance(self._source, CachedSource) else {}

    @property
    def drawn_from(self) -> dict[Any, int]:
        """Clips of the cache that may be drawn, by label."""
        return dict(Counter(self._source.labels)) if isinstance(self._source, CachedSource) else {}

    def __repr__(self) -> str:
        held, out = some(sorted(self.held_out)), sum(self.excluded.values())
        return one_line(
            self,
            f"{self._real} real and {counted(self._extra, 'synthetic clip')}",
            f"mode {self.mode}" if self._extra else "",
            f"from {counts(contents_of(self).drawn_from or {}, 3)}" if self.drawn_from else "",
            f"{out} excluded" if out else "",
            f"held out {held}" if held else "",
            f"epoch {self.epoch}",
        )

    @property
    def epoch(self) -> int:
        return int(self._epoch)

    def set_epoch(self, epoch: int) -> None:
        """Draws other synthetic clips from now on. Call it before iterating over the loader;
        workers see it too, those of `persistent_workers=True` included."""
        self._epoch.fill_(int(epoch))

    def __len__(self) -> int:
        return self._real + self._extra

    def __getitem__(self, index: int) -> Any:
        at = int(index)
        if not -len(self) <= at < len(self):
            raise IndexError(f"index {at} of a dataset of {len(self)} clips")
        at %= len(self)
        if self._bare:
            return self.dataset[at]
        with named(at, self._real, self.dataset, lambda: self._slot(at).key):
            if self.items == "clip":
                return self._clip(at)
            sample = self._real_sample(at) if at < self._real else self._synthetic_sample(at)
            return sample if self.as_item is None else self.as_item(sample)

    @property
    def _drawn_from(self) -> CachedSource | PlannedSource:
        if self._source is None:  # unreachable: a synthetic slot exists only with a source
            raise IndexError("there are no synthetic clips")
        return self._source

    def _slot(self, at: int) -> Slot:
        return self._drawn_from.draw(self.epoch, at)

    def collate(self, samples: Sequence[Sample]) -> Any:
        """collate_fn of the loader in mode "deferred": keeps the samples for `render_batch`.

        In the other modes it is `default_collate`.
        """
        return (
            {"pending": list(samples)} if self.mode == "deferred" else default_collate([*samples])
        )

    def render_batch(self, batch: Any, device: Any = None) -> Any:
        """In the main process: renders a deferred batch's plans together and collates it.

        Args:
            batch: what the loader yields in mode "deferred"; any other batch passes through.
            device: where to render, and where the frames end up.

        Raises:
            RenderError: the synthesizer gave another number of clips than there are plans.
        """
        if not isinstance(batch, dict) or "pending" not in batch:
            return batch
        samples = [dict(s) for s in batch["pending"]]
        todo = [s for s in samples if s["synthetic"]]
        if todo:
            if self.synthesizer is None:
                raise RenderError("there is no synthesizer to render this batch with")
            plans = [s["provenance"].plan for s in todo]
            keep = getattr(self.synthesizer, "keep_picture", None)
            keep_face = getattr(self.synthesizer, "keep_face", None)
            for sample, plan in zip(todo, plans, strict=True):
                if keep is not None and sample["frames"].numel():
                    keep(sample["frames"].numpy())
                elif keep_face is not None:
                    keep_face(plan.identity)  # drawn here, from the user's own faces
            clips = self.synthesizer.render(plans, device=device)
            engine = engine_of(self.synthesizer, device)
            if len(clips) != len(plans):
                raise RenderError(f"{len(plans)} plans were rendered to {len(clips)} clips")
            for sample, plan, frames in zip(todo, plans, clips, strict=True):
                sample |= self._finished(frames, of_plan(plan, len(frames)))
                sample["provenance"] = _text(replace(sample["provenance"], engine=engine))
        joined = default_collate(samples)
        if device is not None and isinstance(joined["frames"], torch.Tensor):
            joined["frames"] = joined["frames"].to(device)
        return joined

    def _clip(self, at: int) -> tuple[Clip, Any]:
        if at < self._real:
            clip, label = self.as_clip(self.dataset[at])
            self.guard.check_real([clip.ref])
            return clip, label
        slot = self._slot(at)
        frames, provenance = self._drawn_from.frames(slot)
        return Clip(synthetic_ref(provenance, slot.key, len(frames)), frames), slot.label

    def _real_sample(self, at: int) -> Sample:
        clip, label = self.as_clip(self.dataset[at])
        self.guard.check_real([clip.ref])
        known = of_real(clip.ref, len(clip.frames))
        return _sample(self._finished(clip.frames, known), label, at, clip=clip.ref.key)

    def _synthetic_sample(self, at: int) -> Sample:
        slot = self._slot(at)
        if self.mode == "deferred":
            # until it is rendered, the sample carries the face that only this process has seen
            face = np.empty((0, 0, 3), np.uint8) if slot.face is None else slot.face.copy()
            content: Sample = {"frames": torch.from_numpy(face)}
            return _sample(content, slot.label, at, clip=slot.key, provenance=slot.provenance)
        frames, provenance = self._drawn_from.frames(slot)
        content = self._finished(frames, of_plan(provenance.plan, len(frames)))
        return _sample(content, slot.label, at, clip=slot.key, provenance=_text(provenance))

    def _finished(self, frames: Frames, known: Known) -> Sample:
        """Frames as a tensor in the layout asked for and through the user's transform, and what is
        known of them."""
        if not frames.flags.writeable or any(s < 0 for s in frames.strides):
            frames = frames.copy()
        tensor: Any = torch.from_numpy(frames)
        if self.layout == "TCHW":
            tensor = tensor.permute(0, 3, 1, 2).contiguous()
        sampler, others = _split(self.transform)
        if sampler is not None:
            apex = None if known.apex < 0 else known.apex
            at = sampler.positions(len(frames), apex=apex)
            tensor, known = sampler.at(tensor, at), known.taken(at)
        for transform in others:
            tensor = transform(tensor)
        sample = {
            "frames": tensor,
            "onset": known.onset,
            "apex": known.apex,
            "offset": known.offset,
            "aus": torch.from_numpy(known.aus),
            "au_present": torch.from_numpy(known.present),
        }
        return sample | ({"track": torch.from_numpy(known.track)} if self.tracks else {})


def _split(transform: Any) -> tuple[ClipSampler | None, list[Callable[[Any], Any]]]:
    """The sampling that a transform begins with, and the rest of it."""
    if isinstance(transform, ClipSampler):
        return transform, []
    parts = getattr(transform, "transforms", None)
    if isinstance(parts, list | tuple) and parts and isinstance(parts[0], ClipSampler):
        return parts[0], list(parts[1:])
    return None, [] if transform is None else [transform]


def as_pair(sample: Sample) -> tuple[Any, Any]:
    """`as_item` for loops that expect `(frames, label)`."""
    return sample["frames"], sample["label"]


def _sample(content: Sample, label: Any, at: int, *, clip: str, provenance: Any = "") -> Sample:
    """`provenance`: its text, or itself in an item that is not rendered yet; "" of a real clip."""
    return {
        **content,
        "label": "" if label is None else label,
        "synthetic": provenance != "",
        "clip": clip,
        "index": at,
        "provenance": provenance,
    }


def _text(provenance: Provenance) -> str:
    return json.dumps(provenance.to_json(), sort_keys=True)
