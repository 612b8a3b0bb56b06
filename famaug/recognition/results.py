"""The results folder: predictions of every clip, counts, scores, and what made them.

config.yaml        the resolved config
log.jsonl          one line an epoch
runs/seed0/FOLD.json, FOLD.safetensors    a finished fold: predictions and weights
predictions.csv    every clip and seed: truth, prediction, logits
scores.json        confusion counts, UF1, UAR, intervals, pooled and by data set
scores.md          the same to read
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from famaug.errors import InputError
from famaug.files.limits import read_json
from famaug.files.whole import write_whole
from famaug.recognition.metrics import (
    Counts,
    MissingClass,
    counts_by_subject,
    scores,
)
from famaug.recognition.problem import SYNTHETIC_ALONE
from famaug.recognition.samples import Samples
from famaug.recognition.significance import bootstrap_interval
from famaug.recognition.training import FoldResult
from famaug.seeding import digest
from famaug.weights.tensor_files import save_tensors

MAX_BYTES = 64 << 20
"""Of a finished fold's record."""
OPTIMISTIC = (
    "OPTIMISTIC: the epoch was chosen on the test clips (select best-test). Such scores only serve "
    "to reproduce papers; they are no estimate of how well the network does on new people."
)


def fold_path(folder: Path, seed: int, name: str) -> Path:
    """File of a finished fold, without suffix; names are made safe and stay distinct."""
    safe = re.sub(r"[^A-Za-z0-9_.-]+", "_", name).strip(".")[:100] or "fold"
    if safe.replace("_", "/") != name:
        safe = f"{safe}-{digest(name)[:6]}"
    return folder / "runs" / f"seed{seed}" / safe


def save_fold(
    folder: Path, seed: int, result: FoldResult, samples: Samples, people: Sequence[str] = ()
) -> None:
    """Keeps a finished fold; the predictions are written last, so that they mean it is whole. The
    weights' file names the `people` whom they were trained on."""
    path = fold_path(folder, seed, result.name)
    note = {"fold": result.name} | ({"subjects": [*people]} if people else {})
    save_tensors(path.with_name(path.name + ".safetensors"), result.state, note)
    value = {
        "fold": result.name,
        "seed": seed,
        "epoch": result.epoch,
        "clips": [samples.clips[i] for i in result.test],
        "logits": [[round(float(x), 6) for x in row] for row in result.logits],
    }
    whole = {"digest": digest(value), **value}
    write_whole(path.with_name(path.name + ".json"), json.dumps(whole))


def load_fold(folder: Path, seed: int, name: str, samples: Samples) -> dict[str, Any] | None:
    """A finished fold's record, or None where it is not there.

    Raises:
        InputError: the record is of other clips than the data has now.
    """
    path = fold_path(folder, seed, name)
    file = path.with_name(path.name + ".json")
    if not file.is_file():
        return None
    try:
        record: dict[str, Any] = read_json(file, at_most=MAX_BYTES, error=InputError)
        if record.pop("digest", None) != digest(record):
            raise InputError("it differs from its digest")
        unknown = set(record["clips"]) - set(samples.clips)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{file}: not a fold's record ({error}); delete it to train anew") from (
            error
        )
    if unknown:
        raise InputError(f"{file} is of clips that the data lack: {sorted(unknown)[:5]}")
    return record


def collect(
    folder: Path, seeds: Sequence[int], names: Sequence[str], samples: Samples
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]] | None:
    """Predicted classes int64 `seeds N` and logits `seeds N C`, or None while folds are missing."""
    place = {clip: i for i, clip in enumerate(samples.clips)}
    logits = np.full((len(seeds), len(samples), len(samples.classes)), np.nan)
    for s, seed in enumerate(seeds):
        for name in names:
            record = load_fold(folder, seed, name, samples)
            if record is None:
                return None
            logits[s, [place[c] for c in record["clips"]]] = record["logits"]
    if np.isnan(logits).any():
        raise InputError(f"{folder}: some clips were tested in no fold")
    return logits.argmax(-1), logits


def seed_counts(samples: Samples, predicted: np.ndarray[Any, Any]) -> tuple[list[str], Counts]:
    """Subjects and their counts int64 `seeds S C C`."""
    count = len(samples.classes)
    tables = [counts_by_subject(samples.labels, p, samples.subjects, count) for p in predicted]
    return tables[0][0], np.stack([t for _, t in tables])


def summary(
    samples: Samples,
    predicted: np.ndarray[Any, Any],
    *,
    seeds: Sequence[int],
    missing: MissingClass = "zero",
    optimistic: bool = False,
    trained_on: str = "",
    draws: int = 2000,
) -> dict[str, Any]:
    """Scores of all clips together and by data set, JSON-able.

    Counts are pooled over folds for each seed; a score is the mean over seeds, its interval from
    bootstrap over subjects.
    """
    subjects, counts = seed_counts(samples, predicted)
    groups = [s.rpartition("/")[0] for s in subjects]
    parts = {"all": np.ones(len(subjects), bool)}
    if len(set(groups)) > 1:
        parts |= {g: np.asarray([x == g for x in groups]) for g in dict.fromkeys(groups)}
    value: dict[str, Any] = {
        "data": samples.origin or "real",
        "left_out": list(samples.left_out),
        "optimistic": optimistic,
        "trained_on": trained_on,
        "missing_class": missing,
        "classes": list(samples.classes),
        "seeds": list(seeds),
        "parts": {},
    }
    for name, mask in parts.items():
        table = counts[:, mask]
        own = [g for g, m in zip(groups, mask, strict=True) if m]
        found = [scores(t.sum(0), missing) for t in table]
        entry: dict[str, Any] = {
            "subjects": int(mask.sum()),
            "clips": found[0].clips,
            "confusion": {str(s): t.sum(0).tolist() for s, t in zip(seeds, table, strict=True)},
            "accuracy": float(np.mean([f.accuracy for f in found])),
        }
        for score in ("uf1", "uar"):
            interval = bootstrap_interval(
                table,
                score=score,
                groups=own,
                missing=missing,
                draws=draws,
            )
            entry[score] = interval.value
            entry[f"{score}_interval"] = [interval.low, interval.high]
            entry[f"{score}_by_seed"] = [float(getattr(f, score)) for f in found]
        value["parts"][name] = entry
    return value


def label_of_data(value: Mapping[str, Any]) -> str:
    """The sentence that stands beside every score."""
    lines = [OPTIMISTIC] if value["optimistic"] else []
    if value.get("trained_on") == SYNTHETIC_ALONE:
        lines.append(f"Trained on {SYNTHETIC_ALONE}; every real clip is tested.")
    if value["data"] != "real":
        lines.append(f"Data: {value['data']}; these numbers say nothing about the real data sets.")
    if value.get("left_out"):
        lines.append(f"{len(value['left_out'])} clips that show no motion are left out.")
    return " ".join(lines)


def markdown(value: Mapping[str, Any]) -> str:
    """The scores as a table to read, with what must be said beside them."""
    lines = ["# Scores", ""]
    note = label_of_data(value)
    rule = "0" if value["missing_class"] == "zero" else "nothing (it is left out of the mean)"
    lines += [f"**{note}**", ""] if note else []
    lines += [
        (
            f"Counts pooled over folds; mean over {len(value['seeds'])} seed(s); 95 % intervals "
            f"from bootstrap over subjects; a class absent from truth and predictions counts "
            f"{rule}."
        ),
        "",
        "| part | subjects | clips | UF1 | UAR | accuracy |",
        "|---|---|---|---|---|---|",
    ]
    for name, part in value["parts"].items():
        cells = [
            f"{part[s]:.4f} [{part[f'{s}_interval'][0]:.4f}, {part[f'{s}_interval'][1]:.4f}]"
            for s in ("uf1", "uar")
        ]
        lines.append(
            f"| {name} | {part['subjects']} | {part['clips']} | {cells[0]} | {cells[1]} | "
            f"{part['accuracy']:.4f} |"
        )
    return "\n".join(lines) + "\n"


def write_summary(
    folder: Path,
    samples: Samples,
    predicted: np.ndarray[Any, Any],
    logits: np.ndarray[Any, Any],
    value: Mapping[str, Any],
) -> None:
    """predictions.csv, scores.json and scores.md."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    stamp = ["optimistic"] if value["optimistic"] else []
    columns = [f"logit_{c}" for c in samples.classes]
    writer.writerow(["seed", "clip", "subject", "truth", "predicted", *columns, *stamp])
    for s, seed in enumerate(value["seeds"]):
        for i, clip in enumerate(samples.clips):
            names = [samples.classes[samples.labels[i]], samples.classes[predicted[s, i]]]
            numbers = [f"{x:.6g}" for x in logits[s, i]]
            writer.writerow(
                [seed, clip, samples.subjects[i], *names, *numbers, *(["yes"] if stamp else [])]
            )
    write_whole(folder / "predictions.csv", out.getvalue())
    write_whole(folder / "scores.json", json.dumps(value, indent=1))
    write_whole(folder / "scores.md", markdown(value))
