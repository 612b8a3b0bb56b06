"""The YAML of `famaug recognise` and `famaug ablate`: its keys, and what can be told of their
values before torch is loaded."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from famaug.config.datasets import RealClips, exists, keys_of_clips
from famaug.config.read import Config, Key, Schema, each, keys_of
from famaug.errors import InputError
from famaug.packages import need
from famaug.recognition.metrics import MissingClass
from famaug.recognition.options import DRAWN_SOURCES, TrainingOptions

FIT = "fit"
"""The look of a fold's own training clips, as `synthetic.look`."""
Names = Sequence[str]
Labels = Mapping[str, Any]


def shard_of(text: str) -> tuple[int, int]:
    """ "1/4" as (1, 4).

    Raises:
        InputError: not of that form.
    """
    part, slash, parts = text.partition("/")
    if not slash or not part.isdigit() or not parts.isdigit():
        raise InputError(f"must be written k/n, as 0/4; got {text!r}")
    return int(part), int(parts)


def is_flow_folder(reader: str) -> bool:
    """Whether flow pictures that were computed before are asked for."""
    return reader.casefold().replace("-", "").replace("_", "") == "flowfolder"


def _folds(text: str) -> None:
    if text not in ("loso", "dataset") and not re.fullmatch(r"k-fold:\d+", text):
        raise InputError(f"must be loso, k-fold:K or dataset; got {text!r}")


def _differ(values: Sequence[Any], least: int) -> None:
    if len(set(values)) < max(least, len(values)):
        raise InputError(f"must be {least} or more that differ; got {[*values]}")


def _some(number: int) -> None:
    if number < 1:
        raise InputError(f"must be 1 or more; got {number}")


def _not_negative(number: float) -> None:
    if number < 0:
        raise InputError(f"must be 0 or more; got {number:g}")


def _look(look: str | None) -> None:
    from famaug.look.files import check_look_named  # scipy, where it is asked for

    if look != FIT:
        check_look_named(look, also="null, fit, ")


RUN = {
    "out": Key(Path),  # results folder
    "seeds": Key(Sequence[int], (0,), check=lambda seeds: _differ(seeds, 1)),
    "folds": Key(str, "loso", check=_folds),
    "missing_class": Key(MissingClass, "zero"),
    "shard": Key(str, "0/1", check=shard_of),
    "workers": Key(int, 0, check=_not_negative),  # processes that make inputs
    "threads": Key(int | None, None),  # of training at once
    "features": Key(Path | None, None),  # where inputs are kept between runs
    "weights": Key(Path | None, None),  # one state dict a fold, to evaluate instead of training
    "tensorboard": Key(bool, False),
}
DATA = {
    **keys_of_clips("data."),
    "data.reader": Key(str, "composite", RealClips, "reader"),
    # what the network tells apart; the reader's labels to these, where they are named otherwise
    "data.classes": Key(
        Names, ("negative", "positive", "surprise"), check=lambda names: _differ(names, 2)
    ),
    "data.labels": Key(Labels, {}),
    "data.table": Key(str, ""),  # this and the next two: of a flow folder
    "data.pattern": Key(str, "{subject}_{clip} .png"),
    "data.channels": Key(Literal["rgb", "bgr"], "rgb"),
    "data.origin": Key(str, ""),  # what these data are if they are not the real ones
}
NETWORK = {
    "network.name": Key(str, "ststnet"),
    "network.options": Key(Mapping[str, Any], {}),
    "network.input": Key(Mapping[str, Any], {}),  # fields of `InputSpec` to change
}
SYNTHETIC = {
    "synthetic.cache": Key(Path | None, None),
    "synthetic.ratio": Key(float, 0.0, check=_not_negative),
    "synthetic.look": Key(str | None, None, check=_look),
    "synthetic.only": Key(bool, False),  # no real clip is trained on
    "synthetic.labels": Key(Labels, {}),
    # files of famaug studio: clips that people rejected stay out
    "synthetic.decisions": Key(Sequence[Path], (), check=each(exists)),
}
TRAINING = {
    **keys_of(TrainingOptions, above="training."),
    "training.start": Key(str | None, None),  # file or name of weights to begin from
}
KEYS = {**RUN, **DATA, **NETWORK, **SYNTHETIC, **TRAINING}


def _drawn(name: str) -> None:
    if name not in DRAWN_SOURCES:
        raise InputError(f"must be one of {', '.join(DRAWN_SOURCES)}; got {name}")


COMPARED = {
    "ratios": Key(Sequence[float], (0, 0.25, 0.5, 1, 2, 4)),  # of synthetic to real clips
    "sources": Key(Mapping[str, Path], {}),  # name to cache folder
    "faces": Key(Path | None, None, check=exists),  # pictures on which expressions are drawn
    "drawn": Key(Sequence[str], ("drawn",), check=each(_drawn)),  # which: rules, stats, both
    "per_class": Key(int, 300, check=_some),  # of each class, in each of them
    "alone": Key(bool, True),  # also without real clips, where nobody tested is in a source
}


def _recognise(c: Config) -> Iterator[str]:
    cache, only = c["synthetic.cache"], c["synthetic.only"]
    if c["synthetic.ratio"] and not cache:
        yield "synthetic.ratio is above 0, so synthetic.cache must name a cache"
    if only and not cache:
        yield "synthetic.only is true, so synthetic.cache must name a cache"
    if not cache:
        without = "there is no synthetic.cache"
        yield from c.idle(without, "synthetic.labels", "synthetic.look", "synthetic.decisions")
        yield from c.idle(without, "training.pretrain_steps")
    if only:
        keys = ("synthetic.ratio", "training.pretrain_steps", "folds")
        yield from c.idle("synthetic.only tests every real clip and trains on none", *keys)
        if c["synthetic.look"] == FIT:
            yield "synthetic.look is fit, and with synthetic.only there are no clips to fit it on"
    if c["weights"] is not None:
        keys = ("synthetic.only", "training.pretrain_steps", "training.start")
        yield from c.idle("weights are scored, nothing is trained", *keys)
    yield from _together(c)


def _ablate(c: Config) -> Iterator[str]:
    drawn = c["drawn"] if c["faces"] is not None else ()
    if not c["sources"] and not drawn:
        keys = ("synthetic.labels", "synthetic.look", "training.pretrain_steps", "alone")
        yield from c.idle("there are no sources", *keys)
    if not c["sources"]:
        yield from c.idle("there are no sources that are caches", "synthetic.decisions")
    if c["faces"] is None:
        yield from c.idle("there are no faces", "per_class", "drawn")
    elif twice := sorted({*drawn} & {*c["sources"]}):
        yield f"sources and drawn both name {', '.join(twice)}"
    elif c["synthetic.look"] == FIT and drawn:
        yield "synthetic.look is fit; what is drawn on faces takes a profile or a look's file"
    unused = "an ablation has sources and ratios instead"
    yield from c.idle(unused, "synthetic.cache", "synthetic.ratio")
    yield from c.idle("an ablation has `alone` instead", "synthetic.only")
    yield from c.idle("an ablation trains", "weights")
    yield from _together(c)


def _together(c: Config) -> Iterator[str]:
    if c["tensorboard"]:
        need("tensorboard", "tensorboard: true")
    reader, root = c["data.reader"], c["data.root"]
    if root and not Path(root).is_dir():
        yield f"data.root: {root} is no folder"
    if is_flow_folder(reader):
        yield from c.idle("a flow-folder has none", "data.options", "data.labels")
        for key in ("data.root", "data.table"):
            if not c[key]:
                yield f"{key} is needed by a flow-folder"
        if c["synthetic.look"] == FIT:
            yield "synthetic.look is fit, and a flow-folder has no clips to fit it on"
    else:
        own = ("data.table", "data.pattern", "data.channels")
        yield from c.idle("it belongs to a flow-folder", *own)
        if not RealClips(**c.arguments(RealClips)).named:
            yield f"data.root must name the folder of {reader}"


RECOGNITION = Schema(KEYS, _recognise, {"training": TrainingOptions})
ABLATION = Schema(KEYS | COMPARED, _ablate, {"training": TrainingOptions})
"""Every ratio gets the number of steps of ratio 0, which is always trained; of `synthetic` only
`labels` and `look` are used."""
