"""A value as HTML for a notebook: no script, no address to load, text from outside escaped."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from PIL import Image

from famaug.data.contents import Contents, contents_of
from famaug.data.folds import Fold
from famaug.errors import UnusableClipError
from famaug.plot.curves import track as track_figure
from famaug.plot.pictures import clip_of
from famaug.report.animation import fitting_webp, playback, slow_factor
from famaug.report.lettering import Figure, data_uri, drawn, picture_figure, svg_figure
from famaug.report.page import TEMPLATES
from famaug.report.strip import choose_frames, film_strip
from famaug.shown.lines import called, counted
from famaug.store.listing import cache_info
from famaug.store.reader import ClipCache, StoredClip
from famaug.types import AUTrack, Clip, Frames, Plan, Provenance, key_frames

SIDE = 224
"""Pixels: widest frame in a notebook; wider clips are shown smaller, so that pages stay small."""
BUDGET = 200_000
"""Bytes of an animation."""
ASSUMED_FPS = 25.0
"""Rate at which a clip plays that does not say its own."""
_MOST_FRAMES, _SMALLEST = 60, 112
_CLASSES = 12
"""Rows of a table; what is beyond is added up."""


def html_of(value: Any) -> str:
    """HTML of a clip, track, plan, dataset, fold or cache; of anything else its line, escaped."""
    for kinds, view in _VIEWS:
        if isinstance(value, kinds):
            return _filled(**view(value))
    if hasattr(value, "__len__"):
        return _filled(**_dataset(value))
    return _filled(head=repr(value))


@cache
def _template() -> Any:
    environment = Environment(
        loader=FileSystemLoader([TEMPLATES]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("value.html")


def _filled(
    *,
    head: str,
    facts: list[tuple[str, str]] | None = None,
    figures: list[Figure] | None = None,
    table: list[list[str]] | None = None,
    notes: list[str] | None = None,
) -> str:
    text: str = _template().render(
        head=head, facts=facts or [], figures=figures or [], table=table or [], notes=notes or []
    )
    return text


# -- ONE CLIP --------------------------------------------------------------------------------------


def _clip(value: Clip | StoredClip) -> dict[str, Any]:
    clip = clip_of(value)
    name, fps = called(clip.ref), clip.ref.fps
    figures, notes = [_moving(clip.frames, fps, name)] if len(clip.frames) > 1 else [], []
    try:
        onset, apex, offset = key_frames(clip)
    except UnusableClipError as error:
        notes = [str(error)]
        first = Image.fromarray(_small(clip.frames[:1])[0])
        figures.append(picture_figure(first, alt=f"{name}, its first frame"))
    else:
        figures.append(_strip(clip, onset, apex, offset, name))
    if fps is None and len(clip.frames) > 1:
        notes.append(f"nobody said its rate: played as if it had {ASSUMED_FPS:g} frames a second")
    facts = _plan_facts(value.provenance) if isinstance(value, StoredClip) else []
    return {"head": repr(value), "figures": figures, "facts": facts, "notes": notes}


def _strip(clip: Clip, onset: int, apex: int, offset: int, name: str) -> Figure:
    chosen = choose_frames(onset, apex, offset)
    small = _small(clip.frames[list(chosen)])
    # the strip wants the whole clip: what it does not show stays empty
    shown = np.zeros((len(clip.frames), *small.shape[1:]), np.uint8)
    shown[list(chosen)] = small
    picture = film_strip(
        shown, chosen, onset=onset, apex=apex, offset=offset, fps=clip.ref.fps, label="frames"
    )
    return picture_figure(picture, alt=f"{name}: onset, apex and offset", quality=88)


def _moving(frames: Frames, fps: float | None, name: str) -> Figure:
    """All of it, in at most `_MOST_FRAMES` frames; only these are scaled."""
    rate = fps or ASSUMED_FPS
    slow = slow_factor(rate) if fps else 1
    length = 1000 * slow * len(frames) / rate
    show = playback(len(frames), rate, slow=slow, shortest=max(20.0, length / _MOST_FRAMES))
    small = _small(frames[list(show.indices)])
    data = fitting_webp(small, show.durations, budget=BUDGET)
    height, width = small.shape[1:3]
    how = f"{slow} times slower" if slow > 1 else "at its rate"
    larger = -(-_SMALLEST // max(width, height))  # a whole factor, so that small clips can be seen
    said = f"{name}, moving, {how}"
    return Figure(data_uri(data, "image/webp"), width * larger, height * larger, said)


def _small(frames: Frames) -> Frames:
    height, width = frames.shape[1:3]
    if max(height, width) <= SIDE:
        return frames
    scale = SIDE / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    pictures = [Image.fromarray(f).resize(size, Image.Resampling.LANCZOS) for f in frames]
    return np.stack([np.asarray(p) for p in pictures])


# -- WHAT IT SHOWS ---------------------------------------------------------------------------------


def _curves(track: AUTrack) -> Figure:
    drawing = drawn(track_figure(track, columns=3, width=7.2))
    return svg_figure(drawing, alt="AU intensities over time, left solid, right dashed")


def _track(track: AUTrack) -> dict[str, Any]:
    return {"head": repr(track), "figures": [_curves(track)]}


def _plan(plan: Plan) -> dict[str, Any]:
    figures = [_curves(plan.asked)] if plan.track else []
    return {"head": repr(plan), "facts": _facts(plan), "figures": figures}


def _provenance(of: Provenance) -> dict[str, Any]:
    view = _plan(of.plan)
    return {**view, "head": repr(of), "facts": _plan_facts(of)}


def _plan_facts(of: Provenance | None) -> list[tuple[str, str]]:
    if of is None:
        return [("provenance", "none: training leaves it out")]
    label = "none" if of.label is None else f"{of.label}, from the {of.label_source}"
    quality = ", ".join(f"{name} {score:.3g}" for name, score in of.quality.items())
    facts = [
        *_facts(of.plan),
        ("driver's subject", of.driver_subject or "unnamed"),
        ("face's subject", of.identity_subject or "unnamed"),
        ("label", label),
    ]
    return facts + [(k, v) for k, v in (("quality", quality), ("licence", of.licence)) if v]


def _facts(plan: Plan) -> list[tuple[str, str]]:
    onset, apex, offset = plan.key_frames if plan.track else (0, 0, 0)
    look = plan.look or {}
    facts = [
        ("driver", f"{plan.driver.get('kind', '?')}: {plan.driver.get('name', '?')}"),
        ("face", str(plan.identity.get("name", "?"))),
        ("onset, apex, offset", f"{onset}, {apex}, {offset} of {len(plan.track)} frames"),
        ("rate, size", f"{plan.fps:g} fps, {plan.size or 'as the picture'}"),
        ("generator", ", sharpened by ".join(filter(None, (plan.generator, plan.superres)))),
    ]
    return facts + ([("look", str(look.get("version", "yes")))] if look else [])


# -- MANY CLIPS ------------------------------------------------------------------------------------


def _dataset(dataset: Any) -> dict[str, Any]:
    found = contents_of(dataset)
    notes = [f"left out: {n} of the cache, {why}" for why, n in (found.excluded or {}).items()]
    if found.synthetic:
        of = sum((found.drawn_from or {}).values())
        told = f"drawn from {of} clips of the cache" if of else "planned from the real ones"
        notes = [f"{found.synthetic} synthetic clips in an epoch, {told}", *notes]
    return {"head": repr(dataset), "table": _table(found), "notes": notes}


def _table(found: Contents) -> list[list[str]]:
    """Classes by data set, and what of them a cache has; the first row is the head."""
    drawn_from = found.drawn_from or {}
    extra = [["the cache has"]] if drawn_from else [[]]
    rows = [["class", *(f"{name}, real" for name in found.datasets), *extra[0]]]

    def numbers(classes: list[str]) -> list[str]:
        real = [sum(found.real.get((d, c), 0) for c in classes) for d in found.datasets]
        cached = [sum(drawn_from.get(c, 0) for c in classes)] if drawn_from else []
        return [str(n) for n in (*real, *cached)]

    shown, rest = found.classes[:_CLASSES], found.classes[_CLASSES:]
    rows += [[name, *numbers([name])] for name in shown]
    rows += [[f"{len(rest)} more", *numbers(rest)]] if rest else []
    return [*rows, ["all", *numbers(found.classes)]]


def _fold(fold: Fold) -> dict[str, Any]:
    train, test = (contents_of(part) for part in (fold.train, fold.test))
    names = list(dict.fromkeys([*train.classes, *test.classes]))

    def of(part: Contents, name: str) -> str:
        return str(sum(n for (_, c), n in part.real.items() if c == name))

    rows = [["class", "train", "test"], *([c, of(train, c), of(test, c)] for c in names)]
    return {"head": repr(fold), "table": rows}


def _cache(cache: ClipCache) -> dict[str, Any]:
    info = cache_info(cache)
    facts = [
        ("clips", f"{info['clips']} in {counted(info['shards'], 'shard')}"),
        ("on the disk", f"{info['bytes_on_disk'] / 1e6:.1f} MB"),
        ("drivers, faces", f"{len(info['drivers'])}, {len(info['identities'])}"),
        ("sizes", ", ".join(info["sizes"])),
    ]
    labels = [[name, str(n)] for name, n in info["labels"].items()]
    without = info["without_provenance"]
    notes = [f"{without} clips without provenance: training leaves them out"] if without else []
    table = [["label", "clips"], *labels] if labels else []
    return {"head": repr(cache), "facts": facts, "table": table, "notes": notes}


_VIEWS: tuple[tuple[Any, Any], ...] = (
    ((Clip, StoredClip), _clip),
    (AUTrack, _track),
    (Plan, _plan),
    (Provenance, _provenance),
    (Fold, _fold),
    (ClipCache, _cache),
)
