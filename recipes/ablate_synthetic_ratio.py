"""Does it help? Train at several ratios of synthetic to real clips and test against none.

    python recipes/ablate_synthetic_ratio.py recipes/configs/recognition/ablation.yaml
    python recipes/ablate_synthetic_ratio.py CONFIG.yaml ratios=[0,1] seeds=[0,1,2] --shard 0/4

Start it again after an interruption: it goes on. `out` holds one results folder a setting,
ablation.csv, ablation.md, ablation.html and ablation.svg; the last line printed is the verdict.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from famaug.errors import FamaugError
from famaug.files import write_whole
from famaug.recognition.ablation import Setting, run_ablation, settings_of, verdict
from famaug.recognition.ablation_report import write_ablation
from famaug.recognition.config import AblationConfig, shard_of
from famaug.recognition.results import label_of_data
from famaug.recognition.setup import input_of, open_pool, open_problem
from famaug.settings import load_settings, to_yaml


def main() -> int:
    arguments = parse_arguments()

    # 1. The config, and the settings it asks for.
    config = load_settings(AblationConfig, arguments.config, overrides(arguments))
    settings = settings_of(config.ratios, [*config.sources])
    config.synthetic.ratio = 0.0

    # 2. Inputs of the real clips and of every source's, once for all settings.
    base = open_problem(config, progress=True)
    spec = input_of(config)
    pools = {n: open_pool(config, c, spec, progress=True) for n, c in config.sources.items()}
    print(f"{len(settings)} settings x {len(config.seeds)} seeds x {len(base.splits)} folds")
    out = Path(config.out)
    write_whole(out / "config.yaml", to_yaml(config))

    # 3. Train what is not finished yet.
    ablation = run_ablation(
        base,
        pools,
        config.ratios,
        out,
        seeds=config.seeds,
        folds=config.folds,
        shard=shard_of(config.shard),
        threads=config.threads,
        missing=config.missing_class,  # type: ignore[arg-type]
        watch=watcher,
    )
    if ablation is None:
        print(f"this share is finished; the table comes when all shards of {out} are")
        return 0

    # 4. Tables, plot, and the verdict in a sentence.
    write_ablation(ablation, out)
    note = label_of_data({"optimistic": ablation.optimistic, "data": ablation.data or "real"})
    if note:
        print(note)
    print(verdict(ablation))
    return 0


def watcher(setting: Setting) -> Any:
    def watch(record: dict[str, Any]) -> None:
        if record["epoch"] % 100 == 0 or record["epoch"] == 1:
            seed, epoch = record["seed"], record["epoch"]
            print(f"{setting.name}: seed {seed}, epoch {epoch}", flush=True)

    return watch


def overrides(arguments: argparse.Namespace) -> list[str]:
    shard = [f"shard={arguments.shard}"] if arguments.shard else []
    return [*arguments.overrides, *shard]


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", type=Path)
    parser.add_argument("overrides", nargs="*", help="as training.epochs=20")
    parser.add_argument("--shard", help="k/n: do every n-th fold from the k-th on")
    return parser.parse_args()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except FamaugError as error:
        sys.exit(f"ablate_synthetic_ratio: {error}")
