"""What good clips score, and what broken ones score: where the gate's limits come from.

    python recipes/studies/measure_gate.py FACES [--clips 40] [--out TABLE.csv]

Renders rule clips at micro-expression strength (every third uneven) on the pictures of a folder,
scores each, breaks it in seven ways that can be told apart, and scores it again. Prints, for each
score, the good clips' distribution and the share of each kind of broken clips that the default
gate rejects.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from famaug.errors import FamaugError, FamaugWarning
from famaug.media.clips import read_picture
from famaug.modulation.rules import RuleSource
from famaug.pipeline import Synthesizer
from famaug.quality.gate import Gate
from famaug.quality.judge import ClipJudge
from famaug.quality.pixels import midline_strip
from famaug.seeding import keyed_generator
from famaug.types import AUTrack, Floats, Frames, Plan

RULES = ("positive", "negative", "surprise")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("faces", type=Path)
    parser.add_argument("--clips", type=int, default=40)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    warnings.simplefilter("ignore", FamaugWarning)
    rows = list(measured(sorted(options.faces.glob("*.jpg")), options.clips))
    table = pd.DataFrame(rows)
    if options.out:
        table.to_csv(options.out, index=False)
    good = table[table.kind == "good"].drop(columns=["clip", "kind", "rejected"])
    print(good.describe(percentiles=[0.05, 0.5, 0.95]).T.round(3).to_string())
    print((table.assign(n=table.rejected != "").groupby("kind").n.mean()).round(2).to_string())


def measured(faces: list[Path], clips: int) -> Iterator[dict[str, object]]:
    """A row for each good clip and for each way it was broken."""
    synthesizer, gate = Synthesizer(size=256), Gate()
    judge = ClipJudge(mesher=synthesizer.mesher, at_most=12, may_fetch=True)
    chosen = [faces[i] for i in np.linspace(0, len(faces) - 1, clips).astype(int)]
    other = synthesizer.still(_plan(synthesizer, faces[1], 1))
    for number, path in enumerate(chosen):
        try:
            plan = _plan(synthesizer, path, number)
        except FamaugError as e:
            print(f"{path.name}: {e}")
            continue
        frames, rest = synthesizer.render([plan])[0], synthesizer.still(plan)
        mesh = synthesizer.renderer(plan).mesh
        for kind, shown, asked in _variants(frames, plan.intensity, other, mesh, number):
            track = AUTrack.of(asked, estimator="asked", fps=plan.fps)
            quality = judge.judge(shown, asked=track, rest=rest)
            reasons = "; ".join(gate.check(quality))
            yield {"clip": path.stem, "kind": kind, "rejected": reasons, **quality.scores}
        print(f"{number + 1} of {clips}", flush=True)


def _plan(synthesizer: Synthesizer, path: Path, number: int) -> Plan:
    rule = RuleSource(name=RULES[number % 3], asymmetry=0.0 if (number // 3) % 3 else 1.0)
    return synthesizer.plan(rule, read_picture(path), keyed_generator(0, "gate", number))


def _variants(
    frames: Frames, asked: Floats, other: Frames, mesh: Floats, number: int
) -> Iterator[tuple[str, Frames, Floats]]:
    """Kind, frames and what they are said to show."""
    rng = keyed_generator(0, "gate", "broken", number)
    yield "good", frames, asked
    yield "nothing moves", np.repeat(frames[:1], len(frames), 0), asked
    yield "other AUs", frames, np.roll(asked, 5, axis=2)
    yield "halves 4 grey levels apart", _seam(frames, mesh), asked
    noise = rng.normal(0, 2, frames.shape[:3])[..., None]
    yield "noise of 2", _bytes(frames + noise), asked
    yield "blur of 1 pixel", np.stack([cv2.GaussianBlur(f, (0, 0), 1) for f in frames]), asked
    weight = asked.sum((1, 2)) / asked.sum((1, 2)).max()
    yield "brightness 3 up", _bytes(frames + 3 * weight[:, None, None, None]), asked
    share = 0.6 * weight[:, None, None, None]
    yield "another person shines through", _bytes(frames * (1 - share) + other * share), asked


def _seam(frames: Frames, mesh: Floats) -> Frames:
    """The picture's halves meet without a feather, one of them 4 grey levels brighter at most."""
    strip = midline_strip(mesh)
    start, end = strip[0].mean(0), strip[-1].mean(0)
    y, x = np.mgrid[: frames.shape[1], : frames.shape[2]]
    side = (x - start[0]) * (end - start)[1] > (y - start[1]) * (end - start)[0]
    rise = np.hanning(len(frames))[:, None, None, None] * 4
    return _bytes(frames + rise * side[None, ..., None])


def _bytes(values: np.ndarray) -> Frames:
    return np.asarray(np.clip(np.rint(values), 0, 255), np.uint8)


if __name__ == "__main__":
    main()
