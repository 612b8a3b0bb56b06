"""Make a cache of synthetic clips, check it and close it.

    python recipes/pregenerate_cache.py recipes/configs/generation/rules_on_pictures.yaml
    python recipes/pregenerate_cache.py recipes/configs/generation/casme2.yaml --workers 4 seed=1

The same as `famaug pregenerate CONFIG.yaml` followed by `famaug cache seal`, in plain calls to copy
and change. Start it again after an interruption: it goes on. --dry-run plans only; --no-seal leaves
the cache open for more clips.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from famaug.generation import generate, load_config, open_generation
from famaug.store import cache_info, seal


def main() -> int:
    arguments = parse_arguments()

    # 1. What is to be made. All that is wrong with the file is told at once.
    config = load_config(arguments.config, arguments.overrides)
    settings, resources = open_generation(config)
    if arguments.workers is not None:
        resources = replace(resources, workers=arguments.workers)
    if arguments.engine is not None:
        resources = replace(resources, engine=arguments.engine)

    # 2. Measure drivers and faces, plan every clip, render what the cache does not hold yet.
    columns = (TextColumn("{task.description:10s}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as bars:
        shown = {s: bars.add_task(s, total=None) for s in ("measuring", "planning", "rendering")}
        report = generate(
            settings,
            resources,
            dry_run=arguments.dry_run,
            progress=lambda stage, done, n: bars.update(shown[stage], completed=done, total=n),
        )

    # 3. What came of it, and what was left out.
    print(f"{report.planned} clips planned, {report.there} were there, {report.made} made")
    for note in report.notes:
        print(f"note: {note}")
    for skip in report.skipped:
        print(f"left out: {skip.what} {skip.name}: {skip.reason}")
    if arguments.dry_run:
        print(f"about {report.bytes_estimate / 1e6:.0f} MB to write")
        return 0

    # 4. Read every clip once more, fix sizes and digests, make the files read-only.
    if not arguments.no_seal:
        shards = seal(settings.out)
        print(f"sealed {sum(s.records for s in shards.values())} clips in {len(shards)} shards")
    for name in ("clips", "bytes_on_disk", "bytes_decoded", "labels"):
        print(f"{name}: {cache_info(settings.out)[name]}")
    return 0 if report.complete else 1


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("config", type=Path)
    parser.add_argument("overrides", nargs="*", help="single keys, as seed=1")
    parser.add_argument("--workers", type=int)
    parser.add_argument("--engine", choices=["local", "ray"])
    parser.add_argument("--dry-run", action="store_true")
    parser.add_argument("--no-seal", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":  # workers import this file
    sys.exit(main())
