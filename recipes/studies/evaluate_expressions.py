"""Do rendered AUs look like the expression they belong to, to networks that famaug didn't make?

    python recipes/studies/evaluate_expressions.py FACES --skins 0,1 --out results/expressions.json

FACES is a folder of faces; every fifth in sorted order is used (the ones that no recipe here
trains on). Each AU alone, and usual combinations, are rendered on each face, and two classifiers
of seven expressions (`expressions.judge`: trained by others, on other pictures) say how
the logit of the expression changes against the mean of all seven. Printed for each strength of
skin: the median over faces, the share of faces on which it rises by more than 0.1, and the class
that rises most in the median. Classifiers know no AUs: a frown is judged by "angry", a wrinkled
nose by "disgusted". Some two minutes.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from expressions.judge import CLASSES, KINDS, ExpressionJudge
from faces import usable_faces
from rich.console import Console
from rich.progress import track as progress
from rich.table import Table

from famaug.errors import RenderError
from famaug.faces.align import crop_face
from famaug.generator.warp import WarpRenderer
from famaug.media.clips import frame_paths
from famaug.types import AU_INDEX, AUS, Floats, Frames

ASKED: dict[tuple[int, ...], str] = {
    (4,): "angry", (7,): "angry", (23,): "angry", (4, 7): "angry", (4, 7, 23): "angry",
    (9,): "disgusted", (10,): "disgusted", (9, 10): "disgusted", (9, 17): "disgusted",
    (6,): "happy", (12,): "happy", (6, 12): "happy",
    (1, 4): "sad", (15,): "sad", (17,): "sad", (1, 4, 15): "sad", (1, 4, 15, 17): "sad",
    (1,): "surprised", (2,): "surprised", (5,): "surprised", (26,): "surprised",
    (1, 2, 5, 26): "surprised", (20,): "fearful", (1, 2, 4, 5, 20): "fearful",
}  # fmt: skip
"""AUs that act, and the class that should rise (Ekman and Friesen's prototypes and their parts)."""
RISE = 0.1


def main(
    faces: Annotated[Path, typer.Argument(help="Folder of faces.")],
    skins: Annotated[str, typer.Option(help="Strengths of skin to compare.")] = "0,1",
    level: Annotated[float, typer.Option(help="Intensity asked, both sides.")] = 2.5,
    every: Annotated[int, typer.Option(help="Use every so manieth face.")] = 5,
    size: Annotated[int, typer.Option(help="Side of the crops.")] = 256,
    out: Annotated[Path | None, typer.Option(help="JSON to write.")] = None,
) -> None:
    """Render, judge, print."""
    torch.set_num_threads(1)
    found = usable_faces(frame_paths(faces)[::every])
    strengths = [float(s) for s in skins.split(",")]
    judges = {kind: ExpressionJudge(kind) for kind in KINDS}
    # judge, strength, combination, face, class
    changes = np.full((len(judges), len(strengths), len(ASKED), len(found), len(CLASSES)), np.nan)
    for i, (whole, whole_mesh) in enumerate(progress(found, "faces")):
        picture, mesh, _ = crop_face(whole, whole_mesh, size)
        for s, strength in enumerate(strengths):
            frames, shown = _render(WarpRenderer(picture, mesh, skin=strength), level)
            for j, judge in enumerate(judges.values()):
                changes[j, s, shown, i] = _changes(judge, frames, mesh)
    figures = {
        kind: {f"skin {s:g}": _figures(changes[j, k]) for k, s in enumerate(strengths)}
        for j, kind in enumerate(judges)
    }
    _show(figures, f"AUs at {level:g} on {len(found)} faces")
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps({"faces": len(found), "level": level, **figures}, indent=1))


def _render(renderer: WarpRenderer, level: float) -> tuple[Frames, list[int]]:
    """The face at rest and with each combination that it can show, and which those are."""
    frames, shown = [renderer.picture], []
    for k, units in enumerate(ASKED):
        track: Floats = np.zeros((1, 2, len(AUS)), np.float32)
        track[:, :, [AU_INDEX[au] for au in units]] = level
        try:
            frames.append(renderer.render(track)[0])
        except RenderError:  # too much at once for this face
            continue
        shown.append(k)
    return np.stack(frames), shown


def _changes(judge: ExpressionJudge, frames: Frames, mesh: Floats) -> Floats:
    """Logits over their mean, less those of the first frame: `N-1 7`."""
    images = torch.from_numpy(np.ascontiguousarray(frames)).permute(0, 3, 1, 2).float()
    with torch.inference_mode():
        logits = judge(images / 127.5 - 1, np.repeat(mesh[None], len(frames), 0)).numpy()
    centred = logits - logits.mean(1, keepdims=True)
    return np.asarray(centred[1:] - centred[0], np.float32)


def _figures(changes: np.ndarray) -> dict[str, dict[str, Any]]:
    """By combination, of `N faces 7`."""
    out = {}
    for (units, name), rise in zip(ASKED.items(), changes, strict=True):
        of_class = rise[:, CLASSES.index(name)]
        of_class = of_class[np.isfinite(of_class)]
        middle = np.nanmedian(rise, axis=0)
        out["+".join(map(str, units))] = {
            "class": name,
            "rise": float(np.median(of_class)),
            "rising": float(np.mean(of_class > RISE)),
            "most": CLASSES[int(middle.argmax())],
            "faces": len(of_class),
        }
    return out


def _show(figures: dict[str, dict[str, dict[str, dict[str, Any]]]], title: str) -> None:
    table = Table(title=f"{title}: change of logit (median), faces on which it rises, most risen")
    table.add_column("AUs")
    table.add_column("class")
    for kind, by_skin in figures.items():
        for skin in by_skin:
            table.add_column(f"{kind}, {skin}", justify="right")
    for units, name in ASKED.items():
        key = "+".join(map(str, units))
        cells = [
            f"{f['rise']:+.2f}  {f['rising']:4.0%}  {f['most'][:4]}"
            for by_skin in figures.values()
            for f in (by_skin[skin][key] for skin in by_skin)
        ]
        table.add_row(key, name, *cells)
    Console(width=150).print(table)


if __name__ == "__main__":
    typer.run(main)
