"""Does it help? Train at several ratios of synthetic to real clips and test against none.

    famaug ablate CONFIG                                          (the same, as a command)
    python recipes/ablate_synthetic_ratio.py composite            (a name that ships, or a file)
    python recipes/ablate_synthetic_ratio.py CONFIG.yaml --per-clip 4      (make the sources first)
    python recipes/ablate_synthetic_ratio.py CONFIG.yaml ratios=[0,1] seeds=[0,1,2] shard=0/4

Start it again after an interruption: it goes on. `out` holds one results folder a setting,
ablation.csv, ablation.md, ablation.html and ablation.svg; the last line printed is the verdict.
"""

from __future__ import annotations

import argparse

from famaug.commands.terminal import bars, run_script
from famaug.config.experiments import make_sources, open_ablation, run_ratios
from famaug.config.recognition import ABLATION
from famaug.configs import find_config
from famaug.recognition.ablation import verdict
from famaug.recognition.ablation_report import write_ablation
from famaug.recognition.results import label_of_data
from famaug.recognition.watching import describe, waiting


def main(given: argparse.Namespace) -> None:
    # 1. The config.
    path = find_config(given.config, "ablation")
    config = ABLATION.read(path, given.overrides)

    # 2. The caches that are compared: real expressions on other faces, rules, and the clips' own
    #    AUs varied. One's own caches under `sources` need no such step, nor do expressions drawn on
    #    pictures of faces (`faces`).
    if given.per_clip:
        with bars() as progress:
            for name, counts in make_sources(
                config, per_clip=given.per_clip, progress=progress
            ).items():
                print(f"{name}: {counts}")

    # 3. Inputs of the real clips and of every source's, once for all settings.
    with bars() as progress:
        base, pools, settings = open_ablation(config, progress=progress)
    print(f"{len(settings)} settings of", end=" ")
    print(describe(base, len(config["seeds"])))

    # 4. Train what is not finished yet.
    with bars() as progress:
        ablation = run_ratios(config, base, pools, progress=progress)
    if ablation is None:
        print(waiting(config["out"]))
        return

    # 5. Tables, plot, and the verdict in a sentence.
    write_ablation(ablation, config["out"])
    about = label_of_data({"optimistic": ablation.optimistic, "data": ablation.data or "real"})
    if about:
        print(about)
    print(verdict(ablation))


if __name__ == "__main__":
    run_script(main, __doc__, per_clip={"type": int, "help": "clips made of each real one"})
