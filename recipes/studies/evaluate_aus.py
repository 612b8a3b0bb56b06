"""The embedded AU estimator against faces whose AUs are known: a table of every AU.

    python recipes/studies/evaluate_aus.py --seed 77 --identities 46

Renders MakeHuman heads of unseen people (CC0, fetched once), a neutral picture and two expressions
each, the head turned a little in between, and measures them with every backend. The set shares its
face units with the estimator's basis, so it tests observation, inversion and pose, not anatomy.
Takes about a second a picture. Numbers of docs/aus.md come from here.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from head.au_truth import MACRO, MICRO, TruthSet, draw_truth_set
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track as progress
from rich.table import Table

from famaug.aus.flow_and_points import measure_aus
from famaug.faces.mesher import FaceMesher
from famaug.quality.agreement import pearson
from famaug.types import AU_NAMES

Values = NDArray[np.float64]


def main(
    seed: Annotated[int, typer.Option(help="Of the set: other people, other expressions.")] = 77,
    identities: Annotated[int, typer.Option(help="How many people.")] = 46,
    macro: Annotated[bool, typer.Option(help="Strong expressions, heads that turn more.")] = False,
    backend: Annotated[str, typer.Option(help="flow or points.")] = "flow",
    out: Annotated[Path | None, typer.Option(help="JSON to write.")] = None,
) -> None:
    """Print r, left-right r, gain and false reading of every AU."""
    found, asked = measure(
        draw_truth_set(
            seed + macro,
            identities=identities,
            strength=MACRO if macro else MICRO,
            sway=4.0 if macro else 1.5,
        ),
        backend,
    )
    result = figures(found, asked)
    show(result, f"{len(found)} expressions of {identities} people, backend {backend}")
    if out is not None:
        out.write_text(json.dumps(result, indent=1))


def measure(faces: TruthSet, backend: str) -> tuple[Values, Values]:
    """Measured and true intensities, `N 2 17`, without the neutral pictures."""
    mesher = FaceMesher()
    found, asked = [], []
    for frames, aus in progress(list(zip(faces.frames, faces.aus, strict=True)), "measuring"):
        track = measure_aus(frames, backend=backend, mesher=mesher).track  # type: ignore[arg-type]
        found.append(track.intensity[1:])
        asked.append(aus[1:])
    return np.concatenate(found).astype(float), np.concatenate(asked).astype(float)


def figures(found: Values, asked: Values) -> dict[str, dict[str, float | None]]:
    """By AU and for all: r, left-minus-right r, gain on what was shown, mean where it was not."""
    rows = {"all": _row(found, asked)}
    for i, name in enumerate(AU_NAMES):
        rows[name] = _row(found[:, :, i : i + 1], asked[:, :, i : i + 1])
    return rows


def _row(found: Values, asked: Values) -> dict[str, float | None]:
    ok = np.isfinite(found)
    shown = np.broadcast_to(asked.max(1, keepdims=True) > 0, asked.shape) & ok
    hidden = ~shown & ok
    sides = ok.all(1)
    return {
        "shown": int((asked.max(1) > 0).any(-1).sum()),
        "r": pearson(found[ok], asked[ok]),
        "r_sides": pearson((found[:, 0] - found[:, 1])[sides], (asked[:, 0] - asked[:, 1])[sides]),
        "gain": float((found * asked)[shown].sum() / np.square(asked[shown]).sum())
        if shown.any()
        else None,
        "false": float(found[hidden].mean()) if hidden.any() else None,
        "mae": float(np.abs(found - asked)[ok].mean()) if ok.any() else None,
    }


def show(result: dict[str, dict[str, float | None]], title: str) -> None:
    """Print the table."""
    table = Table(title=title)
    for column in ("AU", "shown", "r", "left-right r", "gain", "false reading", "MAE"):
        table.add_column(column, justify="right")
    for name, row in result.items():
        cells = [row[k] for k in ("r", "r_sides", "gain", "false", "mae")]
        table.add_row(name, str(row["shown"]), *("-" if c is None else f"{c:.2f}" for c in cells))
    Console().print(table)


if __name__ == "__main__":
    typer.run(main)
