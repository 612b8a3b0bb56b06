"""The arguments of `MicroExpressionSynth`, checked."""

from __future__ import annotations

import math
import os
from typing import Any

from torch.utils.data import IterableDataset

from famaug.data.protocols import ClipSynthesizer
from famaug.errors import InputError
from famaug.look.files import check_look_named, look_of


def map_style(dataset: Any) -> int:
    """Length of a map-style dataset. Raises InputError for anything else."""
    if isinstance(dataset, IterableDataset) or not (
        hasattr(dataset, "__getitem__") and hasattr(dataset, "__len__")
    ):
        hint = "; pass its train" if hasattr(dataset, "train") else ""
        raise InputError(
            f"a map-style dataset (with __len__ and __getitem__) is wrapped; got "
            f"{type(dataset).__name__}{hint}"
        )
    return len(dataset)


def checked_synthesizer(synthesizer: object, mode: str) -> ClipSynthesizer:
    """A synthesizer with plan() and render(). Raises InputError for anything else."""
    if not isinstance(synthesizer, ClipSynthesizer):
        raise InputError(
            f"mode={mode!r} needs synthesizer=, with plan() and render(); got "
            f"{type(synthesizer).__name__}"
        )
    return synthesizer


def check_clips(items: Any, transform: Any, as_item: Any, layout: Any) -> None:
    """Raises InputError where items="clip" is asked for with something that changes items."""
    if items == "clip" and (transform is not None or as_item is not None or layout != "THWC"):
        raise InputError(
            "items='clip' hands out clips as they are: without transform=, as_item= and layout="
        )


def check_choices(
    *, ratio: Any, mode: Any, layout: Any, balance: Any, as_item: Any, items: Any
) -> None:
    """Raises InputError for a value that does not exist, or does not fit the mode."""
    if not isinstance(ratio, int | float) or not math.isfinite(ratio) or ratio < 0:
        raise InputError(f"ratio must be a number of at least 0; got {ratio!r}")
    for name, value, known in (
        ("mode", mode, ("cached", "online", "deferred")),
        ("layout", layout, ("THWC", "TCHW")),
        ("balance", balance, ("none", "class")),
        ("items", items, ("dict", "clip")),
    ):
        if value not in known:
            raise InputError(f"{name} must be one of {', '.join(known)}; got {value!r}")
    if items == "clip" and mode == "deferred":
        raise InputError(
            "items='clip' cannot be used with mode 'deferred': nothing is rendered yet"
        )
    if as_item is not None and mode == "deferred":
        raise InputError("as_item= cannot be used with mode 'deferred': items are not rendered yet")


def check_look(look: Any, mode: str) -> None:
    """Raises InputError for anything but a look, a profile's or file's name, "fit" or None, or in
    another mode."""
    if isinstance(look, str | os.PathLike):
        try:
            check_look_named(None if look == "fit" else str(look), also="a Look, 'fit', ")
        except InputError as error:
            raise InputError(f"look {error}") from error
    else:
        look_of(look)
    if look is not None and mode != "cached":
        raise InputError(
            f"look= is for mode 'cached'; in mode {mode!r} give the look to the synthesizer: "
            "Synthesizer(look=fit_look(fold.train))"
        )
