"""The kinds of synthetic clips that an ablation compares, made of its own real clips.

`drivers`: each real micro-expression on other subjects' faces. `annotations`: the annotated AUs of
each on other subjects' faces, its pixels not read. `rules`, `stats` and `drawn`: expressions by
rule, as AUs were annotated together, and both, on the subjects' faces. `varied`: each clip's own
AUs, stronger or weaker, on its own first frame. All keep the framing of the data set's frames, and
each clip is measured once for all.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from famaug.data.labels import THREE_CLASSES
from famaug.data.protocols import as_clip_with_label
from famaug.errors import FamaugError, InputError
from famaug.generation import Generation, Resources, generate
from famaug.generation.material import gather
from famaug.pipeline.inputs import Identity
from famaug.pipeline.measurements import DriverRecord, MeasuredStore
from famaug.pipeline.synthesizer import Synthesizer
from famaug.recognition.feature_cache import Progress
from famaug.recognition.options import DRAWN_SOURCES
from famaug.seeding import keyed_generator
from famaug.store import CacheWriter, ClipCache
from famaug.store.codecs import cache_key
from famaug.types import AUTrack, Plan, Provenance

DRAWN = {
    name: tuple(f"{kind}:{c}" for kind in kinds for c in THREE_CLASSES)
    for name, kinds in DRAWN_SOURCES.items()
}
"""Sources of expressions that are drawn, and what they show."""
SOURCES = ("drivers", "annotations", *DRAWN, "varied")
GAIN, UNIT_GAIN = (0.7, 1.4), (0.85, 1.15)
"""Ranges of the factor on all AUs of a varied clip, and of each unit's own on top."""

log = logging.getLogger(__name__)


def fill_sources(
    dataset: Any,
    sources: Mapping[str, Path],
    *,
    per_clip: int = 4,
    workers: int = 1,
    progress: Progress = lambda stage, done, total: None,
) -> dict[str, dict[str, int]]:
    """Fills caches with clips made of real ones; call it again to go on.

    Args:
        dataset: the real clips.
        sources: folders of the caches, by kind (`SOURCES`).
        per_clip: clips made of each real one, in each cache.
        workers: processes that make them.
        progress: gets a stage, what is done of it, and its total.

    Returns:
        by source: how many clips were `made`, how many `there` before, how many `left_out`.

    Raises:
        InputError: another source than these, or what `generate` raises.
    """
    unknown = set(sources) - set(SOURCES)
    if unknown:
        raise InputError(f"sources are {', '.join(SOURCES)}; got {sorted(unknown)}")
    if per_clip < 1:
        raise InputError(f"clips made of each real one are 1 or more; got {per_clip}")
    folders = {name: Path(folder) for name, folder in sources.items()}
    drivers = _generation(dataset, folders, "drivers", per_driver=per_clip)
    wanted: dict[str, dict[str, Any]] = {
        name: {
            "clips": False,
            "rules": rules,
            "per_rule": -(-per_clip * len(dataset) // len(rules)),
        }
        for name, rules in DRAWN.items()
    }
    wanted["annotations"] = {"clips": False, "annotations": True, "per_driver": per_clip}
    found = {}
    for name in [n for n in SOURCES if n in folders and n != "varied"]:
        how = drivers if name == "drivers" else _generation(dataset, folders, name, **wanted[name])
        found[name] = _filled(name, how, workers, progress)
    if "varied" in folders:
        found["varied"] = _vary(drivers, folders["varied"], per_clip, progress)
    return found


def _filled(name: str, how: Generation, workers: int, progress: Progress) -> dict[str, int]:
    report = generate(
        how,
        Resources(workers=max(1, workers)),
        progress=lambda stage, done, total: progress(f"{name}: {stage}", done, total),
    )
    for note in report.notes:
        log.warning("%s: %s", name, note)
    for skip in report.skipped:
        log.warning("%s: left out: %s: %s", name, skip.name, skip.reason)
    return {"made": report.made, "there": report.there, "left_out": len(report.skipped)}


def _generation(dataset: Any, folders: dict[str, Path], name: str, **how: Any) -> Generation:
    """Settings of one cache; the measurements are shared by all."""
    out = folders.get(name, next(iter(folders.values())).with_name(name))
    measured = out.with_name("measured")
    return Generation(
        out=out, dataset=dataset, synthesizer=Synthesizer(size=None), measured=measured, **how
    )


def _vary(settings: Generation, out: Path, times: int, progress: Progress) -> dict[str, int]:
    """Clips of `settings`' drivers, varied `times` times each."""
    store, maker = MeasuredStore(settings.measured_folder), settings.synthesizer
    there = set(ClipCache(out)) if (out / "manifest.json").is_file() else set()
    found = {"made": 0, "there": 0, "left_out": 0}
    sources = gather(settings).drivers
    with CacheWriter(out) as writer:
        for i, source in enumerate(sources, 1):
            progress("varied: rendering", i, len(sources))
            record = store.driver(source.key)
            if record is None:
                found["left_out"] += 1
                log.warning("varied: left out: %s: it could not be measured", source.name)
                continue
            clip, _ = as_clip_with_label(settings.dataset[source.index])
            try:
                face = maker.find_face(Identity.of(clip))
                for plan in _varied_plans(maker, record, face, times):
                    key = cache_key(plan, codec="delta", quality=None)
                    if key in there:
                        found["there"] += 1
                        continue
                    who = source.subject
                    frames = maker.render([plan])[0]
                    story = Provenance.of(plan, who, who, record.label)
                    writer.put(key, frames, replace(story, engine=maker.engine()))
                    found["made"] += 1
            except FamaugError as error:
                found["left_out"] += 1
                log.warning("varied: left out: %s: %s", source.name, error)
    return found


def _varied_plans(
    maker: Synthesizer, record: DriverRecord, face: dict[str, Any], times: int
) -> Sequence[Plan]:
    plans = []
    for k in range(times):
        rng = keyed_generator(0, "varied", record.driver["digest"], k)
        gain = rng.uniform(*GAIN) * rng.uniform(*UNIT_GAIN, (1, 2, 17))
        stronger = np.clip(record.track.intensity * gain, 0, 5)
        track: AUTrack = record.track.with_intensity(stronger)
        plans.append(maker.plan_measured(record.driver, track, face, rng, seed=k))
    return plans
