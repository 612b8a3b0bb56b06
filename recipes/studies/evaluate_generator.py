"""Generators side by side on faces that they did not learn from: figures, and pictures to look at.

    python recipes/studies/evaluate_generator.py FACES --out results/generators

FACES is a folder of neutral faces; every fifth in sorted order is used. For each generator: what is
asked against what is measured again, all AUs and left less right; the person (SFace cosine); what
changes outside the face; and whether 0.5, 1, 2, 3 asked give rising readings. Writes figures.json,
strips.html (film strips of four expressions), and sheet_NAME.png (the apex of each). Some 10 s a
face and generator.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
import typer
from faces import usable_faces
from PIL import Image, ImageDraw
from rich.console import Console
from rich.progress import track as progress
from rich.table import Table
from strips_page import MOMENTS, Strips, moments, write_strips

from famaug.aus.flow_and_points import measure_aus
from famaug.faces.align import crop_face
from famaug.faces.mesher import FaceMesher
from famaug.generator.motion.face_motion import FOLD_LIMIT, FaceMotion
from famaug.generator.renderers import Renderer, find_generator
from famaug.media.clips import frame_paths
from famaug.modulation.rules import parse_expression
from famaug.quality.agreement import Agreement, agreement
from famaug.quality.judge import ClipJudge
from famaug.report.lettering import centred
from famaug.seeding import keyed_generator
from famaug.types import AU_INDEX, AUS, AUTrack, Floats, Frames, Picture

STEPS = (0.5, 1.0, 2.0, 3.0)
SHEETS = {
    "positive": "aus:6=1.2,12=2",
    "negative": "aus:4=2,7=1.2,15=1",
    "surprise": "aus:1=2,2=2,5=1.5,26=1.2",
    "one-sided": "aus:12L=2,14L=1,4R=1.5",
}

INTRO = """Four expressions on people whom no generator was trained on. Each block is a
person, each row a generator, from left to right over time."""

TOGETHER = ((1, 2), (1, 2, 5), (4, 7), (6, 12), (12, 25), (9, 10), (15, 17), (25, 26), (1, 4),
            (5, 26), (12, 14), (20, 25))  # fmt: skip
"""AUs that micro-expressions show together (CASME II, SAMM, DFME; and posed faces)."""


class FoundFace(NamedTuple):
    """A neutral face: a crop uint8 `S S 3`, and its mesh `478 3` there."""

    picture: Picture
    mesh: Floats


@dataclass
class Found:
    """What was measured of one generator."""

    pairs: list[tuple[AUTrack, AUTrack]] = field(default_factory=list)
    identity: list[float] = field(default_factory=list)
    identity_worst: list[float] = field(default_factory=list)
    outside: list[float] = field(default_factory=list)
    rising: list[np.ndarray] = field(default_factory=list)
    own: list[np.ndarray] = field(default_factory=list)


def main(
    faces: Annotated[Path, typer.Argument(help="Folder of neutral faces.")],
    out: Annotated[Path, typer.Option(help="Folder to write.")],
    generators: Annotated[
        str, typer.Option(help="Comma-separated: motion (no skin), warp, FILE.")
    ] = "motion,warp",
    every: Annotated[int, typer.Option(help="Use every so manieth face.")] = 5,
    size: Annotated[int, typer.Option(help="Side of the crops.")] = 256,
    draws: Annotated[int, typer.Option(help="Expressions a face; 0 writes pictures only.")] = 16,
    seed: Annotated[int, typer.Option(help="Of the expressions.")] = 0,
) -> None:
    """Measure generators on held-out faces."""
    usable = usable_faces(frame_paths(faces)[::every])
    people = [FoundFace(*crop_face(picture, mesh, size)[:2]) for picture, mesh in usable]
    names = generators.split(",")
    makers = {n: _maker(n) for n in names}
    out.mkdir(parents=True, exist_ok=True)
    shown = people[:: max(1, len(people) // 6)][:6]
    page = _draw(out, shown, makers)
    Console().print(str(page))
    if draws == 0:
        return
    judge, mesher = ClipJudge(may_fetch=True), FaceMesher()
    found = {n: Found() for n in names}
    for place, face in enumerate(progress(people, "faces")):
        asked = _expressions(face, draws, seed, place)
        for name in names:
            renderer = makers[name](face)
            _measure(renderer, face, asked, judge, mesher, found[name])
    figures = {n: _figures(f, len(people)) for n, f in found.items()}
    (out / "figures.json").write_text(json.dumps(figures, indent=1))
    _show(figures)


def _draw(out: Path, shown: list[FoundFace], makers: dict[str, Any]) -> Path:
    """Film strips and sheets of the four expressions."""
    strips = []
    for title, rule in SHEETS.items():
        drawn = parse_expression(rule).draw(keyed_generator(0, "sheet"), fps=100).intensity
        track = drawn[moments(drawn)].astype(np.float32)
        clips = [{n: make(face).render(track) for n, make in makers.items()} for face in shown]
        strips.append(Strips(title, f"Asked at the apex, before variation: {rule[4:]}", clips))
        _sheet(out / f"sheet_{title}.png", shown, clips)
    return write_strips(out / "strips.html", title="Film strips", intro=INTRO, strips=strips)


def draw_intensity(draw: np.random.Generator) -> Floats:
    """`1 2 17`, 0-5: one to three AUs, alone or in company, 0.3-3, a third of them one-sided."""
    out = np.zeros((2, len(AUS)), np.float32)
    if draw.random() < 0.4:
        chosen = [AUS.index(au) for au in TOGETHER[draw.integers(len(TOGETHER))]]
    else:
        chosen = draw.choice(len(AUS), draw.integers(1, 4), replace=False).tolist()
    for unit in chosen:
        out[:, unit] = draw.uniform(0.3, 3.0)
        if draw.random() < 0.35:
            out[draw.integers(2), unit] *= draw.uniform(0, 0.4)
    return out[None]


def _maker(name: str) -> Any:
    """Face to renderer."""
    found = find_generator("warp", {"skin": 0}) if name == "motion" else find_generator(name)
    return lambda face: found.renderer(face.picture, face.mesh, "cpu")


def _expressions(face: FoundFace, draws: int, seed: int, place: int) -> Floats:
    """`N 2 17`, those that fold no triangles on this face; of micro-expressions' strength."""
    motion = FaceMotion(face.picture, face.mesh)
    rows = [draw_intensity(keyed_generator(seed, "evaluate", place, k)) for k in range(draws)]
    kept = [r for r in rows if motion.fold_over(r)[0] <= FOLD_LIMIT]
    return np.concatenate(kept)


def _measure(
    renderer: Renderer,
    face: FoundFace,
    asked: Floats,
    judge: ClipJudge,
    mesher: FaceMesher,
    into: Found,
) -> None:
    still = np.zeros((1, 2, len(AUS)), np.float32)
    track = np.concatenate([still, asked])
    wanted = AUTrack.of(track, estimator="asked")
    quality = judge.judge(renderer.render(track), asked=wanted, rest=face.picture)
    if quality.measured is not None:
        into.pairs.append((wanted, quality.measured))
    into.identity.append(quality.scores.get("identity_mean", np.nan))
    into.identity_worst.append(quality.scores.get("identity_min", np.nan))
    into.outside.append(quality.scores.get("outside", np.nan))
    stairs = np.zeros((len(AUS), len(STEPS), 2, len(AUS)), np.float32)
    for k in range(len(AUS)):
        stairs[k, :, :, k] = np.array(STEPS)[:, None]
    flat = np.concatenate([still, stairs.reshape(-1, 2, len(AUS))])
    seen = measure_aus(renderer.render(flat), mesher=mesher).track.intensity[1:]
    read = seen.mean(1).reshape(len(AUS), len(STEPS), len(AUS))
    own = read[np.arange(len(AUS)), :, np.arange(len(AUS))]
    into.own.append(own)
    into.rising.append((np.diff(own, axis=1) > 0).all(1))


def _figures(found: Found, faces: int) -> dict[str, Any]:
    pooled: Agreement = agreement(found.pairs)
    rising = np.mean(found.rising, 0)
    return {
        "faces": faces,
        "r": pooled.r,
        "r_sides": pooled.r_sides,
        "mae": pooled.mae,
        "false_reading": pooled.false_reading,
        "r_by_au": {u.au: u.r for u in pooled.units},
        "identity_mean": float(np.nanmean(found.identity)),
        "identity_worst": float(np.nanmin(found.identity_worst)),
        "outside_mean": float(np.nanmean(found.outside)),
        "outside_worst": float(np.nanmax(found.outside)),
        "rising_by_au": dict(zip(AUS, rising.tolist(), strict=True)),
        "own_reading_by_au": {au: np.nanmedian(found.own, 0)[AU_INDEX[au]].tolist() for au in AUS},
    }


def _show(figures: dict[str, dict[str, Any]]) -> None:
    table = Table(title="Held-out faces: asked against measured again")
    table.add_column("")
    for name in figures:
        table.add_column(name, justify="right")
    plain = [k for k, v in next(iter(figures.values())).items() if not isinstance(v, dict)]
    for key in plain:
        table.add_row(key, *(f"{f[key]:.3f}" for f in figures.values()))
    for au in AUS:
        r = [f["r_by_au"][au] for f in figures.values()]
        rising = [f["rising_by_au"][au] for f in figures.values()]
        cells = [
            f"{'-' if a is None else f'{a:.2f}'} / {b:.0%}" for a, b in zip(r, rising, strict=True)
        ]
        table.add_row(f"AU{au:02d} r / rising", *cells)
    Console().print(table)


def _sheet(path: Path, people: list[FoundFace], clips: list[dict[str, Frames]]) -> None:
    """A row for each person: the face at rest, then every generator's apex, named on top."""
    apex = MOMENTS.index("apex")
    cells: list[list[Picture]] = [
        [face.picture, *(frames[apex] for frames in clip.values())]
        for face, clip in zip(people, clips, strict=True)
    ]
    grid = np.concatenate([np.concatenate(row, 1) for row in cells])
    names = ["at rest", *clips[0]]
    side = cells[0][0].shape[1]
    sheet = Image.new("RGB", (grid.shape[1], grid.shape[0] + 28), "white")
    sheet.paste(Image.fromarray(grid), (0, 28))
    pen = ImageDraw.Draw(sheet)
    for i, name in enumerate(names):
        centred(pen, i * side, 5, side, name, 16)
    sheet.save(path)


if __name__ == "__main__":
    typer.run(main)
