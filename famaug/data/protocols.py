"""What a dataset and a synthesizer must offer to be used together here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from torch.utils.data import ConcatDataset, Subset

from famaug.errors import InputError
from famaug.types import Clip, ClipRef, Frames, Plan

Label = str | int | None
AsClip = Callable[[Any], tuple[Clip, Label]]


class ClipDataset(Protocol):
    """Any map-style dataset.

    Its items are `Clip`s, pairs `(Clip, label)`, or whatever `as_clip` turns into such a pair.
    Two attributes are used where a dataset has them, so that nothing needs its pixels:
    `refs`, a sequence of `ClipRef` in item order, and `labels`, a sequence in item order.
    """

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Any: ...


@runtime_checkable
class ClipSynthesizer(Protocol):
    """`plan` draws everything random, `render` is deterministic (famaug.Synthesizer is one).

    For mode "deferred" with identities that have no path, `keep_picture(picture)` is called in the
    main process before plans that name the picture are rendered there, where it exists.
    """

    def plan(
        self, driver: Clip, identity: Clip, rng: np.random.Generator, *, seed: int = 0
    ) -> Plan:
        """How the driver's expression will be shown on the identity's face.

        `identity` is a clip of one frame, neutral; `seed` is only noted in the plan.
        """
        ...

    def render(self, plans: Sequence[Plan], device: Any = None) -> list[Frames]:
        """One clip a plan, uint8 `T H W 3`; the same plan gives the same pixels."""
        ...


def engine_of(synthesizer: ClipSynthesizer, device: Any = None) -> str:
    """What computes the pixels that it renders on a device, in words; "" where it does not say, by
    a method as `famaug.Synthesizer.engine`."""
    tells = getattr(synthesizer, "engine", None)
    return str(tells(device)) if callable(tells) else ""


def as_clip_with_label(item: Any) -> tuple[Clip, Label]:
    """The default `as_clip`: a `Clip` (its label is its emotion), or `(Clip, label)`.

    Raises:
        InputError: the item is neither.
    """
    if isinstance(item, Clip):
        return item, item.ref.emotion
    if isinstance(item, tuple) and len(item) == 2 and isinstance(item[0], Clip):
        return item[0], item[1]
    raise InputError(
        f"a dataset item is {type(item).__name__}, not a famaug.Clip or (Clip, label); pass "
        "as_clip=, a function from an item to (Clip, label)"
    )


def refs_of(dataset: Any) -> list[ClipRef] | None:
    """The dataset's references in item order, or None when it offers none.

    A torch Subset or ConcatDataset has those of what it wraps; a list of clips has its clips'.
    """
    return _listed(dataset, "refs", lambda clip, label: clip.ref)


def labels_of(dataset: Any) -> list[Label] | None:
    """The dataset's labels in item order, or None when it offers none; as `refs_of`."""
    return _listed(dataset, "labels", lambda clip, label: label)


def _listed(dataset: Any, name: str, of: Callable[[Clip, Label], Any]) -> list[Any] | None:
    own = getattr(dataset, name, None)
    if own is not None:
        if len(own) != len(dataset):
            raise InputError(f"the dataset has {len(dataset)} items but {len(own)} {name}")
        return list(own)
    if isinstance(dataset, Subset):
        inner = _listed(dataset.dataset, name, of)
        return None if inner is None else [inner[int(i)] for i in dataset.indices]
    if isinstance(dataset, ConcatDataset):
        parts = [_listed(d, name, of) for d in dataset.datasets]
        known = [p for p in parts if p is not None]
        return [x for p in known for x in p] if len(known) == len(parts) else None
    if isinstance(dataset, list | tuple) and dataset:
        try:
            return [of(*as_clip_with_label(item)) for item in dataset]
        except InputError:
            return None  # items of another kind, which `as_clip` knows
    return None
