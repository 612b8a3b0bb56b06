"""Train a recogniser on expressions drawn on face pictures, and on no real micro-expression.

    python recipes/train_flow_cnn.py --faces FACES --out flow_cnn.safetensors
    python recipes/train_flow_cnn.py --faces FACES --out FILE --clips-per-face 12 --one-sided 0.2
    python recipes/train_flow_cnn.py --faces FACES --out FILE --test FLOW --table FLOW.csv
    python recipes/train_flow_cnn.py --faces FACES --out FILE training.steps=600

FACES is a folder of pictures, a person each. On each, expressions of every class are drawn, by
rules and as AUs were annotated together, put into the look of a data set, and rendered at onset and
apex.
The file that is written names network, classes, channels and input: `load_recogniser(FILE)` and
`training.start=FILE` read it. With --test (flow pictures and their table) the network is scored on
real clips afterwards, which decides nothing. Several seeds are several trainings; the first one's
network is kept.

Start it again after an interruption: faces and pictures that were made are kept beside FILE, in
FILE.work. What is drawn is part of their names, famaug's own code is not: delete that folder after
changes of the renderer.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from famaug.commands.terminal import bars, echo, run_script
from famaug.config.experiments import open_samples, problem_of
from famaug.config.read import Config
from famaug.config.recognition import RECOGNITION
from famaug.configs import find_config
from famaug.errors import InputError
from famaug.flow.pictures import CHANNELS
from famaug.recognition import build_recogniser, save_recogniser
from famaug.recognition.drawn import DrawnClips, Draws, drawn_pool, find_faces
from famaug.recognition.one_fold import SingleFold
from famaug.recognition.options import TrainingOptions
from famaug.recognition.problem import SYNTHETIC_ALONE
from famaug.recognition.results import markdown, summary
from famaug.recognition.samples import Samples, splits_alone
from famaug.recognition.training import train
from famaug.recognition.watching import watching
from famaug.weights.shipped import sha256_of

DEFAULTS = Draws()


def main(given: argparse.Namespace) -> None:
    # 1. What is drawn, and how the network is trained.
    draws = Draws(**{k: getattr(given, k) for k in asdict(DEFAULTS) if k != "classes"})
    if given.out.suffix != ".safetensors":
        raise InputError(f"--out must end in .safetensors; got {given.out}")
    if (given.test is None) != (given.table is None):
        raise InputError("--test and --table belong together: flow pictures, and what they are")
    config = read_config(given)
    network, options = config["network.name"], config["network.options"]
    how = {"options": options, "input_spec": config["network.input"]}
    _, spec = build_recogniser(network, classes=len(draws.classes), **how)

    # 2. Real flow pictures for the scores, or none.
    samples = no_samples(spec.shape, draws.classes)
    if given.test is not None:
        samples = open_samples(config, spec)

    # 3. Faces, and the flow pictures of what is drawn on them.
    work = given.out.with_name(f"{given.out.name}.work")
    with bars() as progress:
        faces = find_faces(
            given.faces, without=given.leave_out, measured=work / "measured", progress=progress
        )
        clips = DrawnClips(faces, draws, given.faces)
        pool = drawn_pool(
            clips, spec, folder=work / "features", workers=config["workers"], progress=progress
        )
    echo(f"{len(pool)} drawn expressions on {len(faces)} faces")

    # 4. A training for each seed.
    splits = splits_alone(samples, pool)
    problems = [
        problem_of(config, samples, pool, splits, seed=seed, only=True) for seed in given.seeds
    ]
    results = []
    for problem in problems:
        problem.check()
        with bars() as progress:
            results += train(problem, SingleFold(problem, 0), log=watching(problem, progress))

    # 5. Scores, and the file.
    made = about(draws, problems[0].options, len(faces), len(pool), given.seeds)
    if given.test is not None:
        predicted = np.stack([r.logits.argmax(1) for r in results])
        found = summary(samples, predicted, seeds=given.seeds, trained_on=SYNTHETIC_ALONE)
        show(found)
        made["scores"] = brief(found)
    net, _ = problems[0].build(0)
    net.load_state_dict(results[0].state)
    save_recogniser(
        given.out, net, network=network, options=options, spec=spec, classes=draws.classes,
        channels=CHANNELS, made=made,
    )  # fmt: skip
    weights = sum(p.numel() for p in net.parameters())
    echo(f"wrote {given.out}: {weights} weights, sha256 {sha256_of(given.out)}")


def read_config(given: argparse.Namespace) -> Config:
    """The options of the training; of its data nothing is used but flow pictures to test on."""
    real = (given.test, given.table) if given.test is not None else (given.faces, "none")
    data = ["data.reader=flow-folder", f"data.root={real[0]}", f"data.table={real[1]}"]
    data += [f"data.pattern='{given.pattern}'", f"data.channels={given.channels}"]
    return RECOGNITION.read(find_config(given.config, "recognition"), [*data, *given.overrides])


def no_samples(shape: tuple[int, ...], classes: Sequence[str]) -> Samples:
    """No real clip."""
    nothing = np.zeros((0, *shape), np.uint8)
    return Samples(nothing, np.zeros(0, np.int64), (), (), tuple(classes))


def about(
    draws: Draws, options: TrainingOptions, faces: int, clips: int, seeds: Sequence[int]
) -> dict[str, Any]:
    """How it was made, for the file: no path is named."""
    default = TrainingOptions()
    changed = {k: v for k, v in asdict(options).items() if v != getattr(default, k)}
    return {
        "by": "recipes/train_flow_cnn.py",
        "from": f"{clips} expressions drawn on {faces} pictures of faces, no real clip",
        "draws": json.loads(json.dumps(asdict(draws))),
        "training": changed,
        "seed": seeds[0],
    }


def show(found: dict[str, Any]) -> None:
    """Scores and confusion, row: truth, column: prediction."""
    echo(markdown(found))
    for seed, table in found["parts"]["all"]["confusion"].items():
        echo(f"seed {seed}, truth by row, {', '.join(found['classes'])}: {table}")


def brief(found: dict[str, Any]) -> dict[str, Any]:
    """The scores that go into the file."""
    part = found["parts"]["all"]
    names = ("subjects", "clips", "uf1", "uf1_interval", "uf1_by_seed", "uar", "uar_interval")
    kept = {k: np.round(part[k], 4).tolist() for k in names}
    return {"seeds": found["seeds"], **kept, "confusion": part["confusion"]}


def _pair(text: str) -> tuple[float, float]:
    low, _, high = text.partition(",")
    return float(low), float(high or low)


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split(","))


def _numbers(text: str) -> list[int]:
    return [int(n) for n in text.split(",")]


if __name__ == "__main__":
    torch.set_num_threads(1)
    run_script(
        main,
        __doc__,
        config="flow_cnn",
        faces={"type": Path, "required": True, "help": "folder of face pictures"},
        out={"type": Path, "required": True, "help": "file to write, .safetensors"},
        leave_out={"type": _names, "default": (), "help": "pictures not to use, as a,b"},
        kinds={"type": _names, "default": DEFAULTS.kinds, "help": "rule, stats or both"},
        clips_per_face={"type": int, "default": DEFAULTS.clips_per_face},
        strength={"type": _pair, "default": DEFAULTS.strength, "help": "range, as 0.5,1.5"},
        one_sided={"type": float, "default": DEFAULTS.one_sided, "help": "chance"},
        partial={"type": float, "default": DEFAULTS.partial, "help": "chance"},
        factor={"type": _pair, "default": DEFAULTS.factor, "help": "range of all AUs together"},
        shares={"default": DEFAULTS.shares, "help": "factors on single AUs, as 12=0.6"},
        look={"default": DEFAULTS.look, "help": "profile, or file of a look"},
        seed={"type": int, "default": DEFAULTS.seed, "help": "of the draws"},
        seeds={"type": _numbers, "default": [0], "help": "of the trainings, as 0,1,2"},
        test={"type": Path, "help": "folder of real flow pictures"},
        table={"type": Path, "help": "their table: dataset, subject, clip, label"},
        pattern={"default": "{subject}_{clip} .png", "help": "names of the flow pictures"},
        channels={"default": "rgb", "choices": ["rgb", "bgr"], "help": "their order"},
    )
