"""Can a network tell synthetic clips from real ones, with and without the data set's look?

    python recipes/studies/compare_look.py --faces FOLDER_OF_FACE_PICTURES --out runs/look

Real clips are those of a replica of CASME II (made here from the pictures, other code than the
look's), synthetic ones their expressions on other people's neutral frames. Half of the people are
for training: the look is fitted on their real clips alone, and small networks learn to tell real
from synthetic. They are tested on the other half. 50 % is chance.

Synthetic clips come in three ways: as the synthesizer crops by default ("loose crop"), in the
identity frame's own size ("own framing"), and with the fitted look.

Three views of a clip: the onset frame (framing, tone), its fine grain beside a neighbouring
frame's (noise, blur, compression), and the optical flow from onset to apex (what a recogniser
sees). Written to --out: compare_look.json, sheet.png (real, then the three ways).

Columns: accuracy on people never seen, mean over seeds, and the spread between seeds.
"""

from __future__ import annotations

import argparse
import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch import nn

from famaug import MicroExpressionSynth, Synthesizer
from famaug.data import Casme2, SubjectSubset
from famaug.data.look_fit import fit_look
from famaug.errors import FaceError, FamaugWarning
from famaug.media.clips import load_clip
from famaug.testing import make_replica
from famaug.types import Floats, Frames, key_frames

SIZE = (340, 280)
VIEWS = ("frame", "grain", "flow")


class Pair(NamedTuple):
    """A clip cut down to what the views need."""

    frames: Frames  # onset, the frame after it, apex
    people: str


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--faces", type=Path, required=True, help="folder of face pictures")
    parser.add_argument("--out", type=Path, required=True, help="folder to write into")
    parser.add_argument("--subjects", type=int, default=16)
    parser.add_argument("--clips", type=int, default=48)
    parser.add_argument("--longest", type=int, default=16, help="most frames of a clip")
    parser.add_argument("--steps", type=int, default=250)
    parser.add_argument("--seeds", type=int, default=3)
    args = parser.parse_args()
    warnings.simplefilter("ignore", FamaugWarning)  # short clips: the filter is wide for them
    torch.set_num_threads(1)

    replica = args.out / "CASME2"
    if not replica.exists():
        make_replica(
            "casme2",
            replica,
            identities=args.faces,
            subjects=args.subjects,
            clips=args.clips,
            size=SIZE,
            longest=args.longest,
        )
    data = Casme2(replica)
    people = sorted({r.subject for r in data.refs})
    halves = {"train": set(people[::2]), "test": set(people[1::2])}
    # no recogniser is tested here, so nobody is held out: the look of one half is put on both
    parts = {
        name: SubjectSubset(data, [i for i, r in enumerate(data.refs) if r.subject in who])
        for name, who in halves.items()
    }
    look = fit_look(parts["train"])
    print("look of the training half\n  " + "\n  ".join(look.lines()))
    real = {name: [real_pair(data, i) for i in part.indices] for name, part in parts.items()}
    made = {
        which: {n: synthetic_pairs(part, size) for n, part in parts.items()}
        for which, size in (
            ("loose", Synthesizer(size=256, fps=200)),
            ("own", Synthesizer(size=None, fps=200)),
            ("look", Synthesizer(size=400, fps=200, look=look)),
        )
    }
    result = {
        view: {which: accuracy(view, real, made[which], args.steps, args.seeds) for which in made}
        for view in VIEWS
    }
    print(f"\n{'view':8s} {'loose crop':>14s} {'own framing':>14s} {'look':>14s}   (chance 0.50)")
    for view, row in result.items():
        cells = [f"{np.mean(row[w]):.2f} +- {np.std(row[w]):.2f}" for w in made]
        print(f"{view:8s} " + " ".join(f"{c:>14s}" for c in cells))
    counts = {name: [len(real[name]), *(len(made[w][name]) for w in made)] for name in parts}
    print(f"real and synthetic clips: {counts}")
    sheet([real["test"], *(made[w]["test"] for w in made)], args.out / "sheet.png")
    (args.out / "compare_look.json").write_text(
        json.dumps({"accuracy": result, "clips": counts, "look": look.to_json()}, indent=1)
    )


def real_pair(data: Casme2, index: int) -> Pair:
    clip = load_clip(data.refs[index])
    onset, apex, _ = key_frames(clip)
    return Pair(clip.frames[[onset, onset + 1, apex]], clip.ref.subject)


def synthetic_pairs(part: SubjectSubset, synthesizer: Synthesizer) -> list[Pair]:
    """As many synthetic clips as real ones, driven by and worn by the half's own people."""
    train = MicroExpressionSynth(
        part, ratio=1, mode="online", synthesizer=synthesizer, seed=1, held_out=()
    )
    pairs = []
    for i in range(len(part), len(train)):
        try:
            item = train[i]
        except FaceError:  # too tightly cropped to be moved in its own framing
            continue
        plan = json.loads(item["provenance"])["plan"]
        onset, apex = item["onset"], item["apex"]
        frames = item["frames"].numpy()[[onset, onset + 1, max(onset + 1, apex)]]
        if frames.shape[1:3] != SIZE:  # without the look: as a user would resize it
            frames = np.stack([cv2.resize(f, SIZE[::-1]) for f in frames])
        pairs.append(Pair(frames, plan["identity"]["subject"]))
    return pairs


def seen(view: str, pair: Pair) -> Floats:
    """`C H W`, what the network is shown."""
    onset, after, _ = (f.astype(np.float32) / 255 for f in pair.frames)
    if view == "frame":
        picture = cv2.resize(onset, (92, 112), interpolation=cv2.INTER_AREA)
        return np.asarray(picture.transpose(2, 0, 1) - 0.5, np.float32)
    if view == "grain":
        fine = [
            20 * (f - cv2.GaussianBlur(f, (0, 0), 1.5))[120:216, 92:188] for f in (onset, after)
        ]
        return np.concatenate([*fine, 20 * (after - onset)[120:216, 92:188]], 2).transpose(2, 0, 1)
    grey = [cv2.cvtColor(f, cv2.COLOR_RGB2GRAY) for f in (pair.frames[0], pair.frames[2])]
    small = [cv2.resize(g, (140, 170), interpolation=cv2.INTER_AREA) for g in grey]
    flow = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(*small, None)
    small_flow = cv2.resize(flow, (48, 56), interpolation=cv2.INTER_AREA)
    return np.asarray(small_flow.transpose(2, 0, 1), np.float32)


def net(channels: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(channels, 16, 5, 2, 2),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3, 2, 1),
        nn.ReLU(),
        nn.Conv2d(32, 32, 3, 2, 1),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(3),
        nn.Flatten(),
        nn.Dropout(0.3),
        nn.Linear(288, 2),
    )


def accuracy(
    view: str,
    real: dict[str, list[Pair]],
    made: dict[str, list[Pair]],
    steps: int,
    seeds: int,
) -> list[float]:
    """Share of the test half's clips told right, by seed, after a fixed number of steps."""
    x, y = {}, {}
    for name in real:
        clips = [*real[name], *made[name]]
        x[name] = torch.from_numpy(np.stack([seen(view, c) for c in clips]).copy())
        y[name] = torch.tensor([0] * len(real[name]) + [1] * len(made[name]))
    found = []
    for seed in range(seeds):
        torch.manual_seed(seed)
        model = net(x["train"].shape[1])
        best = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=1e-2)
        for _ in range(steps):
            pick = torch.randint(len(y["train"]), (32,))
            batch = x["train"][pick]
            if torch.rand(()) < 0.5:
                batch = batch.flip(-1)
                if view == "flow":  # a mirrored picture moves the other way
                    batch = batch * torch.tensor([-1.0, 1.0]).view(1, 2, 1, 1)
            loss = nn.functional.cross_entropy(model(batch), y["train"][pick])
            best.zero_grad()
            torch.autograd.backward(loss)
            best.step()
        model.eval()
        with torch.inference_mode():
            right = model(x["test"]).argmax(1) == y["test"]
        found.append(round(float(right.float().mean()), 4))
    return found


def sheet(groups: Sequence[Sequence[Pair]], path: Path) -> None:
    """Real, loose, own, look: onset, apex and six times their difference, four clips each."""
    columns = []
    for pairs in groups:
        rows = []
        for frames, _ in pairs[:4]:
            change = np.abs(frames[2].astype(int) - frames[0]).mean(-1, keepdims=True) * 6
            grey = np.repeat(np.clip(change, 0, 255).astype(np.uint8), 3, 2)
            rows.append(np.hstack([frames[0], frames[2], grey]))
        columns.append(np.pad(np.vstack(rows), ((0, 0), (0, 12), (0, 0)), constant_values=255))
    whole = np.hstack(columns)[..., ::-1]
    cv2.imwrite(str(path), cv2.resize(whole, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))


if __name__ == "__main__":
    main()
