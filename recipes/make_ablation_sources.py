"""The three kinds of synthetic clips that an ablation compares, made of its own real clips.

    python recipes/make_ablation_sources.py recipes/configs/recognition/ablation.yaml --per-clip 4

Fills the caches that the config names under `sources`: `drivers` (each real micro-expression on
other subjects' faces), `rules` (expressions by rule on the subjects' faces) and `varied` (each
clip's own AUs, stronger or weaker, on its own first frame). All keep the framing of the data set's
frames. Each clip is measured once for all three. Start it again after an interruption: it goes on.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import track as bar

from famaug import __version__
from famaug.data.protocols import as_clip_with_label
from famaug.errors import FamaugError, InputError
from famaug.generation import Generation, Resources, generate
from famaug.generation.material import gather
from famaug.generation.measured import DriverRecord, MeasuredStore
from famaug.pipeline import Synthesizer
from famaug.recognition.config import AblationConfig
from famaug.recognition.setup import open_clips
from famaug.seeding import keyed_generator
from famaug.settings import load_settings
from famaug.sources import Identity
from famaug.store import CacheWriter, ClipCache
from famaug.store.codecs import cache_key
from famaug.types import AUTrack, Plan, Provenance

RULES = ("rule:negative", "rule:positive", "rule:surprise")
GAIN, UNIT_GAIN = (0.7, 1.4), (0.85, 1.15)
"""Ranges of the factor on all AUs of a varied clip, and of each unit's own on top."""


def main() -> int:
    arguments = parse_arguments()

    # 1. The real clips.
    config = load_settings(AblationConfig, arguments.config, arguments.overrides)
    dataset = open_clips(config.data)
    unknown = set(config.sources) - {"drivers", "rules", "varied"}
    if unknown:
        raise InputError(f"sources are drivers, rules and varied; got {sorted(unknown)}")
    folders = {name: Path(folder) for name, folder in config.sources.items()}
    resources = Resources(workers=max(1, config.workers))
    count = arguments.per_clip * len(dataset)

    # 2. Real expressions on other faces, and rules.
    settings = generation(dataset, folders, "drivers", per_driver=arguments.per_clip)
    per_rule = -(-count // len(RULES))
    wanted = {
        "drivers": settings,
        "rules": generation(dataset, folders, "rules", clips=False, rules=RULES, per_rule=per_rule),
    }
    for name in wanted.keys() & folders.keys():
        report = generate(wanted[name], resources)
        print(f"{name}: {report.made} made, {report.there} were there, of {report.planned}")
        for skip in report.skipped[:5]:
            print(f"  left out: {skip.name}: {skip.reason}")

    # 3. Each clip's own AUs, varied.
    if "varied" in folders:
        made = vary(settings, folders["varied"], arguments.per_clip)
        print(f"varied: {made} made")
    return 0


def generation(dataset: Any, folders: dict[str, Path], name: str, **how: Any) -> Generation:
    """Settings of one cache; the measurements are shared by all."""
    out = folders.get(name, next(iter(folders.values())).with_name(name))
    measured = out.with_name("measured")
    return Generation(
        out=out, dataset=dataset, synthesizer=Synthesizer(size=None), measured=measured, **how
    )


def vary(settings: Generation, out: Path, times: int) -> int:
    """Clips of `settings`' drivers, varied `times` times each; returns how many were made."""
    store, maker = MeasuredStore(settings.measured_folder), settings.synthesizer
    there = set(ClipCache(out)) if (out / "manifest.json").is_file() else set()
    made = 0
    with CacheWriter(out) as writer:
        for source in bar(gather(settings).drivers, "varied"):
            record = store.driver(source.record)
            if record is None:
                continue  # it was left out above, with the reason
            clip, _ = as_clip_with_label(settings.dataset[source.index])
            try:
                face = maker.find_face(Identity.of(clip))
                for plan in varied_plans(maker, record, face, times):
                    key = cache_key(plan, codec="delta", quality=None)
                    if key not in there:
                        story = Provenance(
                            plan, source.subject, source.subject, record.label, "driver",
                            version=__version__,
                        )  # fmt: skip
                        writer.put(key, maker.render([plan])[0], story)
                        made += 1
            except FamaugError as error:
                print(f"  left out: {source.name}: {error}")
    return made


def varied_plans(
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


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", type=Path)
    parser.add_argument("overrides", nargs="*", help="as data.missing=skip")
    parser.add_argument("--per-clip", type=int, default=4, help="clips made of each real one")
    return parser.parse_args()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except FamaugError as error:
        sys.exit(f"make_ablation_sources: {error}")
