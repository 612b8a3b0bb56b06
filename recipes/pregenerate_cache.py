"""Make a cache of synthetic clips, check it and close it.

    famaug pregenerate CONFIG --seal                                (the same, as a command)
    python recipes/pregenerate_cache.py rules_on_pictures           (a name that ships, or a file)
    python recipes/pregenerate_cache.py casme2 work.workers=4 seed=1

In plain calls to copy and change. Start it again after an interruption: it goes on.
"""

from __future__ import annotations

import argparse

from famaug.commands.terminal import bars, run_script
from famaug.config.generation import GENERATION, open_generation
from famaug.configs import find_config
from famaug.generation import generate
from famaug.store import cache_info, seal


def main(given: argparse.Namespace) -> int:
    # 1. What is to be made. All that is wrong with the file is told at once.
    config = GENERATION.read(find_config(given.config, "generation"), given.overrides)
    settings, resources = open_generation(config)

    # 2. Measure drivers and faces, plan every clip, render what the cache does not hold yet.
    with bars() as progress:
        report = generate(settings, resources, progress=progress)

    # 3. What came of it, and what was left out.
    print(f"{report.planned} clips planned, {report.there} were there, {report.made} made")
    for note in report.notes:
        print(f"note: {note}")
    for skip in report.skipped:
        print(f"left out: {skip.what} {skip.name}: {skip.reason}")

    # 4. Read every clip once more, fix sizes and digests, make the files read-only.
    shards = seal(settings.out)
    print(f"sealed {sum(s.records for s in shards.values())} clips in {len(shards)} shards")
    for name in ("clips", "bytes_on_disk", "bytes_decoded", "labels"):
        print(f"{name}: {cache_info(settings.out)[name]}")
    return 1 if report.failed else 0


if __name__ == "__main__":  # workers import this file
    run_script(main, __doc__)
