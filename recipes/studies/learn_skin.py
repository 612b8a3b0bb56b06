"""Learn the shade of AUs from real frames: expression ratio images (Liu, Shan and Zhang, 2001).

    python recipes/studies/learn_skin.py --out results/skin --faces FACES
    python recipes/studies/evaluate_skin.py --left-out results/skin
    cp results/skin/learnt.* famaug/generator/skin/

Every expressive frame of the sample videos (fetched once) is brought onto the mean face through its
mesh, so that motion is out of it, and divided by the person's neutral frame. Of the log ratio, what
is smoother than 1.2 cm (light that changes) and finer than 0.07 cm is dropped, left and right are
averaged. The drawn creases' share is taken off, and the rest is regressed on the measured
AUs, place by place, by a ridge that lets an AU explain little beyond the places where FACS has it
fold. With --faces, the difference between smiling and serious people (given sex and age) counts as
one more person who smiles. AUs in `LEARNT` get a map where at least two people show them and what
others show predicts what one shows. Written to --out: learnt.png and learnt.json, the same in
without_PERSON/ learnt from the others alone, and maps.png to look at. A minute.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import cv2
import numpy as np
import torch
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from famaug.aus.basis import FULL, load_basis
from famaug.aus.flow_and_points import measure_aus
from famaug.errors import InputError
from famaug.faces.landmarks import (
    BLENDSHAPES,
    INNER_LIPS,
    LEFT_BROW,
    LEFT_LIDS,
    OUTER_LIPS,
    OVAL,
    RIGHT_BROW,
    RIGHT_LIDS,
    SKIN_POINTS,
)
from famaug.faces.mesher import FaceMesher
from famaug.faces.raster import Raster, rasterize
from famaug.generator.motion.face_motion import FaceMotion
from famaug.generator.skin.learnt import Learnt, write_learnt
from famaug.generator.skin.light import GAMMA
from famaug.generator.skin.relief import HEIGHT, LEFT, SCALE, TOP, WIDTH, relief, to_map
from famaug.generator.skin.shade import SkinShade
from famaug.media.clips import frame_paths, read_frames, read_picture
from famaug.types import AU_INDEX, AUS, Floats, Frames
from famaug.weights.fetch import fetch

Array = NDArray[np.float32]
VIDEOS = {
    # name: whose, neutral frame, frames
    "single_face": ("single_face", 0, range(2, 72, 2)),
    "wolfgang_langer": ("wolfgang_langer", 231, [*range(10, 56, 4), *range(234, 472, 4)]),
    "franck": ("franck", 714, range(714, 4700, 40)),
    "cap12": ("cap", 28, range(28, 900, 9)),
    "cap13": ("cap", 24, range(24, 765, 6)),
}
"""A hand covers the face of wolfgang_langer in between; cap12 and cap13 show one man."""
FALSE = {
    "single_face": (4, 9, 10, 14),
    "wolfgang_langer": (9, 10, 14, 17),
    "franck": (9, 10),
    "cap": (9, 17),
}
"""AUs that the estimator reads where eyes see none: smiles with open mouths, mostly."""
LEARNT = {6: (1.0, 1.0), 12: (0.25, 1.5)}
"""AUs that are learnt: what of their drawn creases stays beside the map, and what the map is
multiplied by. Folds of different people lie apart, so that their mean is weaker than each: at 1.5
the change of AU12 is as large as in real frames of people left out. Maps of AU01, 02 and 07 were no
better than drawings on people left out (recipes/studies/evaluate_skin.py)."""
FOLLOWS = {9: (1.0, -2.2, -5.0), 10: (0.6, -2.3, -5.8)}
"""AUs that deepen the upper end of the fold that AU12 deepens (FACS), and that no video shows:
share of AU12's map, from and to which height, centimetres."""
COARSEST, FINEST = 1.2, 0.07
RIDGE, ELSEWHERE = 0.1, 10.0
"""Stiffness in squares of intensity, and how many times more of it where FACS sees no fold."""
MOST = 4.5
"""Intensities above count as this: the estimator's scale ends there."""
PRESENT, LEAST_FRAMES, LEAST_AGREEMENT = 1.0, 5, 0.1
SMILE = {12: 3.5, 6: 1.2}
"""AUs of a full smile, for the faces: what the estimator reads in the videos where the mesh's
smile is full."""
SMILE_WEIGHT = 0.5


class Evidence(NamedTuple):
    """Of one video, or of the faces: what happened to the skin, in the P places that are learnt.

    Attributes:
        person: whose.
        change: `T P`, band-passed log ratio, less its mean.
        intensity: `T 17`, less its mean.
        folds: `17 P`, what the drawn creases would make, band-passed, per unit.
        rest: `17 P`, what turning skin and own lines make.
        present: `17`, frames in which the AU reaches `PRESENT`.
        weight: what it counts.
    """

    person: str
    change: Array
    intensity: Array
    folds: Array
    rest: Array
    present: NDArray[np.int64]
    weight: float


class Places:
    """The mean face's map, and where on it skin can be compared."""

    def __init__(self) -> None:
        basis = load_basis()
        self.triangles = basis.triangles
        self.points = to_map(basis.neutral[:, :2])
        xy = self.points[:SKIN_POINTS].astype(np.float64)
        self.raster: Raster = rasterize(
            xy, basis.neutral[:SKIN_POINTS, 2], basis.triangles, (HEIGHT, WIDTH)
        )
        self.skin, self.weight = self._skin()
        self.rows, self.columns = np.nonzero(self.weight > 0.02)
        self.prior = self.at(np.stack([_near(h) for h in relief()]))

    def unroll(self, picture: Array, mesh: Floats) -> Array:
        """A picture's values at each place: `HEIGHT WIDTH` and what `picture` has beyond."""
        at = self.raster.interpolate(np.asarray(mesh)[:SKIN_POINTS, :2], self.triangles)
        fine = np.linalg.norm(mesh[33, :2] - mesh[263, :2]) / np.linalg.norm(
            self.points[33] - self.points[263]
        )
        if fine > 1.2:
            picture = cv2.GaussianBlur(picture, (0, 0), 0.45 * float(fine))
        return np.asarray(
            cv2.remap(
                picture, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
            )
        )

    def log_light(self, picture: Frames, mesh: Floats) -> Array:
        """Log of brightness of a picture's skin."""
        colour = self.unroll(np.asarray(picture, np.float32), mesh)
        return np.log(colour @ np.array([0.3, 0.59, 0.11], np.float32) + 8)

    def band(self, values: Array) -> Array:
        """Left and right averaged, without what is too smooth and too fine, at the places: `P`."""
        kept = self._blur(values, FINEST) - self._blur(values, COARSEST)
        shown = (kept + kept[:, ::-1]) / 2 * self.weight
        return np.asarray(self.at(shown[None])[0], np.float32)

    def at(self, maps: NDArray[Any]) -> Array:
        """`N HEIGHT WIDTH` to `N P`."""
        return np.asarray(maps[:, self.rows, self.columns], np.float32)

    def back(self, values: Array) -> Array:
        """`P` to `HEIGHT WIDTH`."""
        out = np.zeros((HEIGHT, WIDTH), np.float32)
        out[self.rows, self.columns] = values
        return out

    def _blur(self, values: Array, centimetres: float) -> Array:
        """Of skin alone: lids, lips and brows do not leak into it."""
        sigma = centimetres * SCALE
        share = cv2.GaussianBlur(self.skin, (0, 0), sigma)
        return np.asarray(
            cv2.GaussianBlur(values * self.skin, (0, 0), sigma) / np.maximum(share, 1e-3)
        )

    def _skin(self) -> tuple[Array, Array]:
        other = np.zeros((HEIGHT, WIDTH), np.uint8)
        for ring, margin in (
            (LEFT_LIDS, 9), (RIGHT_LIDS, 9), (OUTER_LIPS, 5), (INNER_LIPS, 5),
            (LEFT_BROW, 5), (RIGHT_BROW, 5),
        ):  # fmt: skip
            other |= cv2.dilate(self._polygon(ring), np.ones((2 * margin + 1,) * 2, np.uint8))
        for side in (-1, 1):
            x, y = to_map(np.array([side * 0.75, -3.95]))
            cv2.circle(other, (int(x), int(y)), 9, 1, -1)  # nostrils
        inside = self._polygon(OVAL)
        framed = cv2.copyMakeBorder(inside, 1, 1, 1, 1, cv2.BORDER_CONSTANT)
        depth = cv2.distanceTransform(framed, cv2.DIST_L2, 5)[1:-1, 1:-1] / SCALE
        away = cv2.distanceTransform(1 - other, cv2.DIST_L2, 5) / SCALE
        weight = np.clip((depth - 0.6) / 0.8, 0, 1) * np.clip(away / 0.15, 0, 1)
        return ((1 - other) * inside).astype(np.float32), weight.astype(np.float32)

    def _polygon(self, ring: tuple[int, ...]) -> NDArray[np.uint8]:
        out = np.zeros((HEIGHT, WIDTH), np.uint8)
        corners = np.round(self.points[list(ring)] * 16).astype(np.int32)
        cv2.fillPoly(out, [corners], 1, shift=4)
        return out


def main(
    out: Annotated[Path, typer.Option(help="Folder to write.")],
    faces: Annotated[
        Path | None, typer.Option(help="Folder of face pictures with faces.csv (file, age, sex).")
    ] = None,
) -> None:
    """Learn, with everybody and without each."""
    torch.set_num_threads(1)
    places = Places()
    evidence = [_of_video(name, places) for name in VIDEOS]
    people = sorted({e.person for e in evidence})
    if faces is not None:
        drawn = [np.mean(each, 0) for each in zip(*(e[3:5] for e in evidence), strict=True)]
        evidence.append(_of_faces(faces, places, drawn[0], drawn[1]))
    support = _support(evidence, people, places.prior)
    units = [
        au
        for au, (_, agree) in support.items()
        if au in LEARNT and len(agree) > 1 and np.median(agree) > LEAST_AGREEMENT
    ]
    notes = {
        "people": {str(au): support[au][0] for au in units},
        "agreement": {str(au): round(float(np.median(support[au][1])), 2) for au in units},
    }
    whole = _learn(evidence, units, places)
    for person in people:
        folder = out / f"without_{person}"
        folder.mkdir(parents=True, exist_ok=True)
        others = [e for e in evidence if e.person != person]
        write_learnt(folder, _learn(others, units, places), {})
    write_learnt(out, whole, notes)
    _picture(out / "maps.png", whole, sorted({*units, *FOLLOWS}))
    _show(support, units)


def _of_video(name: str, places: Places) -> Evidence:
    person, neutral, numbers = VIDEOS[name]
    whole, _ = read_frames(fetch(name))
    frames = whole[[neutral, *(n for n in numbers if n < len(whole))]]
    seen = measure_aus(frames)
    found = np.isfinite(seen.track.intensity).all((1, 2)) & np.isfinite(seen.faces.mesh).all((1, 2))
    mesh, frames = seen.faces.mesh[found], frames[found]
    intensity = np.minimum(seen.track.intensity[found].mean(1), MOST)
    intensity[:, [AU_INDEX[au] for au in FALSE[person]]] = 0
    light = [places.log_light(f, m) for f, m in zip(frames, mesh, strict=True)]
    change = np.stack([places.band(g - light[0]) for g in light])
    motion = FaceMotion(frames[0], mesh[0])
    nothing = Learnt.nothing()
    both, rest = (
        _shade_on_places(motion, Learnt(nothing.maps, nothing.creases * share), places)
        for share in (1, 0)
    )
    return Evidence(
        person,
        change - change.mean(0),
        (intensity - intensity.mean(0)).astype(np.float32),
        both - rest,
        rest,
        (intensity >= PRESENT).sum(0),
        1.0,
    )


def _shade_on_places(motion: FaceMotion, extra: Learnt, places: Places) -> Array:
    """What `SkinShade` makes of each AU on both sides, `17 P`, per unit."""
    maps = SkinShade(motion, learnt=extra).maps.cpu().numpy()
    box = np.array(motion.pixels.shape[1::-1], np.float64)
    ratio = (np.array(maps.shape[:0:-1]) - 1) / (box - 1)
    mesh = motion.local.astype(np.float32)
    mesh[:, :2] *= ratio.astype(np.float32)
    both = maps[: len(AUS)] + maps[len(AUS) :]
    return np.stack([places.band(places.unroll(m, mesh)) for m in both])


def _of_faces(folder: Path, places: Places, folds: Array, rest: Array) -> Evidence:
    """Smiling against serious people, as one who smiles by a standard deviation of theirs."""
    table = folder / "faces.csv"
    if not table.is_file():
        raise InputError(f"{table} is missing: a table with the columns file, age and sex")
    with table.open() as file:
        known = {r["file"]: r for r in csv.DictReader(file)}
    mesher = FaceMesher()
    rows, maps = [], []
    smiles = [BLENDSHAPES.index(f"mouthSmile{side}") for side in ("Left", "Right")]
    for place, path in enumerate(frame_paths(folder)):
        if place % 5 == 0 or path.name not in known:  # every fifth is set aside
            continue
        picture = read_picture(path)
        seen = mesher.track(picture[None])
        if not np.isfinite(seen.mesh).all():
            continue
        smile = float(np.mean(1 / (1 + np.exp(-seen.blendshapes[0][smiles]))))
        about = known[path.name]
        rows.append([1, smile, about["sex"] == "female", (float(about["age"] or 35) - 35) / 20])
        maps.append(places.band(places.log_light(picture, seen.mesh[0])))
    about_them = np.array(rows, np.float32)
    slope = np.linalg.lstsq(about_them, np.stack(maps), rcond=None)[0][1]
    step = float(about_them[:, 1].std())
    acting = np.zeros((1, len(AUS)), np.float32)
    present = np.zeros(len(AUS), np.int64)
    for au, full in SMILE.items():
        acting[0, AU_INDEX[au]] = full * step
        present[AU_INDEX[au]] = len(rows)
    return Evidence("faces", slope[None] * step, acting, folds, rest, present, SMILE_WEIGHT)


def _learn(evidence: list[Evidence], units: list[int], places: Places) -> Learnt:
    out = Learnt.nothing()
    for au in units:
        out.creases[AU_INDEX[au]] = LEARNT[au][0]
    found = _regress(evidence, out.creases, places.prior)
    for au in units:
        k = AU_INDEX[au]
        reach = np.clip(2 * cv2.GaussianBlur(places.back(places.prior[k]), (0, 0), SCALE), 0, 1)
        map_ = places.back(found[k]) * places.weight * reach
        out.maps[k] = map_ * (LEARNT[au][1] * GAMMA * FULL)
    y = TOP - np.arange(HEIGHT) / SCALE
    x = np.abs(LEFT + np.arange(WIDTH) / SCALE)
    for au, (share, top, bottom) in FOLLOWS.items():
        down = np.clip((top - y) / 0.8, 0, 1) * np.clip((y - bottom) / 1.6, 0, 1)
        window = down[:, None] * np.clip((x - 1) / 0.3, 0, 1)  # the nose is left out
        out.maps[AU_INDEX[au]] = share * window * out.maps[AU_INDEX[12]]
    return out


def _regress(evidence: list[Evidence], creases: Array, prior: Array) -> Array:
    """`17 P`, log of brightness per unit that the drawn part leaves open."""
    square = np.zeros((len(AUS), len(AUS)))
    product = np.zeros((len(AUS), prior.shape[1]))
    for e in evidence:
        drawn = e.rest + creases[:, None] * e.folds
        left = e.change - e.intensity @ drawn
        square += e.weight / len(left) * (e.intensity.T @ e.intensity)
        product += e.weight / len(left) * (e.intensity.T @ left)
    stiff = RIDGE * (1 + ELSEWHERE * (1 - prior)).T
    system = square[None] + stiff[:, :, None] * np.eye(len(AUS))[None]
    return np.linalg.solve(system, product.T[:, :, None])[..., 0].T.astype(np.float32)


def _support(
    evidence: list[Evidence], people: list[str], prior: Array
) -> dict[int, tuple[dict[str, int], list[float]]]:
    """By AU: frames that show it by person, and for each person with enough of them the cosine
    between what theirs say and what the others' say, where FACS has the AU fold."""
    # nothing drawn is taken off here: where a drawing is wrong alike for all, that is no agreement
    evidence = [e._replace(folds=0 * e.folds, rest=0 * e.rest) for e in evidence]
    places = np.zeros(len(AUS), np.float32)
    own, others = {}, {}
    for person in people:
        own[person] = _regress([e for e in evidence if e.person == person], places, prior)
        others[person] = _regress([e for e in evidence if e.person != person], places, prior)
    out = {}
    for au in AUS:
        k = AU_INDEX[au]
        frames = {p: int(sum(e.present[k] for e in evidence if e.person == p)) for p in people}
        frames = {p: n for p, n in frames.items() if n >= LEAST_FRAMES}
        near = prior[k]
        agree = [_cosine(own[p][k] * near, others[p][k] * near) for p in frames]
        out[au] = (frames, agree)
    return out


def _cosine(a: Array, b: Array) -> float:
    return float(a @ b) / max(float(np.linalg.norm(a) * np.linalg.norm(b)), 1e-9)


def _near(height: Array) -> Array:
    """1 where an AU's drawn creases lie, falling to 0 over a centimetre."""
    drawn = np.abs(cv2.GaussianBlur(height, (0, 0), 2)) > 0.004
    spread = cv2.GaussianBlur(drawn.astype(np.float32), (0, 0), 0.5 * SCALE)
    return np.asarray(np.clip(2.5 * spread, 0, 1), np.float32)


def _picture(path: Path, what: Learnt, units: list[int]) -> None:
    """The maps side by side, dark where skin darkens."""
    largest = np.abs(what.maps).max()
    tiles = [128 + what.maps[AU_INDEX[au]] * (127 / largest) for au in units]
    strip = np.concatenate(tiles, 1).astype(np.uint8)
    for i, au in enumerate(units):
        cv2.putText(strip, f"AU{au:02d}", (i * WIDTH + 4, 16), 0, 0.5, 255, 1)
    path.write_bytes(cv2.imencode(".png", strip)[1].tobytes())


def _show(support: dict[int, tuple[dict[str, int], list[float]]], units: list[int]) -> None:
    table = Table(title="Evidence: frames by person, agreement with the others (median cosine)")
    for column in ("AU", "frames", "agreement", "map"):
        table.add_column(column)
    for au, (frames, agree) in support.items():
        if frames:
            shown = ", ".join(f"{p} {n}" for p, n in frames.items())
            table.add_row(f"{au}", shown, f"{np.median(agree):.2f}", "yes" if au in units else "")
    Console(width=110).print(table)


if __name__ == "__main__":
    typer.run(main)
