"""Finds a face and its 478-point mesh, in one picture or through a clip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from famaug.errors import FaceError
from famaug.faces import regions as rg
from famaug.faces.detector import Detection, detect, search
from famaug.faces.landmarks import BLENDSHAPE_SUBSET
from famaug.faces.nets import BlendshapeNet, FaceDetectorNet, FaceMeshNet
from famaug.processes import one_torch_thread
from famaug.progress import ticked
from famaug.shown.lines import counted, one_line
from famaug.types import Floats, Frames, Picture
from famaug.weights.load import fill, load_safetensors
from famaug.weights.shipped import shipped_path

SMALLEST_FACE = 64
"""Pixels across the face (its mesh, not its region) below which a face is refused."""
MEASURED_WITHIN = 0.1
"""Of its size: meshes of small faces come out up to so much too small."""
SURE = 0.9
"""Probability of a face at which nothing surer is looked for."""
PAPER_SIZES = (-10, -5, 0, 5, 10)
"""Shifts of height and width in pixels, FAMGAN Eq. 1."""


@dataclass(frozen=True)
class FaceTrack:
    """A face through a clip.

    Attributes:
        mesh: float32 `T 478 3`, pixels of the frames; NaN where the face was lost.
        score: float32 `T`, probability that the region holds a face.
        blendshapes: float32 `T 52`, logits; NaN where the face was lost.
        spread: float32 `T`, root mean square distance (pixels) between the meshes of the several
            sizes and their mean; 0 with one size.
        faces: how many faces the first frame shows.
    """

    mesh: Floats
    score: Floats
    blendshapes: Floats
    spread: Floats
    faces: int

    def __repr__(self) -> str:
        lost = int(np.isnan(self.mesh[:, 0, 0]).sum())
        return one_line(
            self,
            counted(len(self.mesh), "frame"),
            f"{lost} without a face",
            f"{self.faces} faces seen",
        )


class FaceMesher:
    """Face detector, mesh and blendshapes with the shipped weights.

    Args:
        device: where the nets run.
        batch: crops in one pass of the mesh net; bounds the memory. By default 8 on a CPU (more
            falls out of its cache and is slower a frame) and 64 elsewhere.
    """

    def __init__(self, *, device: str | torch.device = "cpu", batch: int | None = None) -> None:
        tensors = load_safetensors(shipped_path("face_landmarker"))
        self.device = torch.device(device)
        self.batch = batch or (8 if self.device.type == "cpu" else 64)
        layout = torch.channels_last
        self.detector = FaceDetectorNet()
        self.net = FaceMeshNet()
        self.mixer = BlendshapeNet()
        for net, prefix in (
            (self.detector, "detector."),
            (self.net, "mesh."),
            (self.mixer, "blendshapes."),
        ):
            fill(net, tensors, prefix).to(self.device)
        self.detector.to(memory_format=layout)
        self.net.to(memory_format=layout)

    def detect(self, picture: Picture) -> list[Detection]:
        """Faces in a picture (uint8 `H W 3`), largest first."""
        with one_torch_thread():
            return detect(self.detector, picture, self.device)

    def mesh_of_crops(self, crops: Tensor) -> tuple[Tensor, Tensor]:
        """Differentiable. Crops `B 3 256 256` in [0, 1] to meshes `B 478 3` in pixels of the crop
        (pixel centres at whole numbers) and score logits `B`."""
        layout = crops.contiguous(memory_format=torch.channels_last)
        points, score = self.net(layout)
        return points - points.new_tensor([0.5, 0.5, 0.0]), score

    def blendshape_logits(self, mesh: Tensor) -> Tensor:
        """Differentiable. Meshes `B 478 3` (any scale) to logits `B 52`."""
        out: Tensor = self.mixer(mesh[:, list(BLENDSHAPE_SUBSET), :2])
        return out

    def find(self, picture: Picture, *, face: int | None = None) -> Floats:
        """Mesh `478 3` of the largest face in a picture, or of face number `face` by size.

        Raises:
            FaceError: no face, no face of that number, or one under 64 pixels.
        """
        mesh: Floats = self.track(picture[None], face=face).mesh[0]
        return mesh

    def track(
        self, frames: Frames, *, sizes: Sequence[int] = (0,), face: int | None = None
    ) -> FaceTrack:
        """The face through a clip (uint8 `T H W 3`).

        It is looked for in the first frame, then followed: a frame is meshed in the region of
        the frames before it, again in its own where that differs, and looked for anew where the
        face is lost.

        Args:
            sizes: shifts of height and width; the meshes are averaged (FAMGAN Eq. 1).
            face: which face, 0 the largest. Several faces without a choice: the largest.

        Raises:
            FaceError: no face in the first frame, no face of that number, or under 64 pixels.
        """
        start = self._first(frames[0], face)
        count = len(frames)
        meshes = np.full((count, 478, 3), np.nan, np.float32)
        scores = np.zeros(count, np.float32)
        spread = np.zeros(count, np.float32)
        region = start[0]
        for begin in ticked(range(0, count, self.batch), "following the face"):
            part = slice(begin, min(begin + self.batch, count))
            found = self._follow(frames[part], region, sizes)
            meshes[part], scores[part], spread[part], region = found
        with torch.inference_mode(), one_torch_thread():
            logits = self.blendshape_logits(torch.from_numpy(meshes).to(self.device))
        return FaceTrack(meshes, scores, logits.float().cpu().numpy(), spread, start[1])

    def _first(self, picture: Picture, face: int | None) -> tuple[rg.Array, int]:
        h, w = picture.shape[:2]
        found, mesh, score = self._found(picture)
        if not found:
            raise FaceError(f"no face found in the first frame ({w} x {h} pixels)")
        if face is not None and not 0 <= face < len(found):
            raise FaceError(f"asked for face {face}; the frame shows {len(found)}, numbered from 0")
        real = np.flatnonzero(score >= 0.5) if face is None else np.array([face])
        if not len(real) or score[real[0]] < 0.5:
            raise FaceError(
                f"what looked like a face (score {found[face or 0].score:.2f}) has no mesh "
                f"(score {score[face or 0]:.2f}): turned away, covered, or no face"
            )
        region = rg.region_of_mesh(mesh)[real[0]]
        across = region[2] / rg.MARGIN
        if across < SMALLEST_FACE * (1 - MEASURED_WITHIN):
            raise FaceError(
                f"the face is {across:.0f} pixels across; at least {SMALLEST_FACE} are needed. "
                "Use a larger picture, or upscale it first"
            )
        return region, len(found) if face is not None else len(real)

    def _found(self, picture: Picture) -> tuple[list[Detection], Floats, Floats]:
        """Detections, meshes and their scores: of the step of the search that shows a face.

        The detector also takes a pattern for a face now and then; the mesh net knows better, twice:
        in the detector's region and in the mesh's own. A step with a sure face ends the search,
        else it is the step with the best.
        """
        best: tuple[list[Detection], Floats, Floats] | None = None
        with one_torch_thread():
            for found in search(self.detector, picture, self.device):
                # one by one: together they would take the whole picture as many times
                seen = [self._looked_at(picture, d) for d in found]
                mesh, score = np.stack([m for m, _ in seen]), np.array([s for _, s in seen])
                if best is None or score.max() > best[2].max():
                    best = found, mesh, score
                if score.max() >= SURE:
                    break
        return best or ([], np.zeros((0, 478, 3), np.float32), np.zeros(0, np.float32))

    def _looked_at(self, picture: Picture, seen: Detection) -> tuple[Floats, float]:
        mesh, score, _ = self._mesh(picture[None], seen.region[None], (0,))
        if score[0] >= 0.5:
            _, again, _ = self._mesh(picture[None], rg.region_of_mesh(mesh), (0,))
            score = np.minimum(score, again)
        return mesh[0], float(score[0])

    def _follow(
        self, frames: Frames, region: rg.Array, sizes: Sequence[int]
    ) -> tuple[Floats, Floats, Floats, rg.Array]:
        regions = np.repeat(region[None], len(frames), 0)
        mesh, score, spread = self._mesh(frames, regions, sizes)
        for _ in range(3):
            own = rg.region_of_mesh(mesh)
            again = np.flatnonzero(rg.far_apart(own, regions) | (score < 0.5))
            if not len(again):
                break
            for i in again[score[again] < 0.5]:
                seen = self._near(frames[i], region)
                if seen is not None:
                    own[i] = seen.region
            regions[again] = own[again]
            mesh[again], score[again], spread[again] = self._mesh(
                frames[again], regions[again], sizes
            )
        mesh[score < 0.5] = np.nan
        held = np.flatnonzero(score >= 0.5)
        return mesh, score, spread, (regions[held[-1]] if len(held) else region)

    def _near(self, frame: Picture, region: rg.Array) -> Detection | None:
        """The detection next to a region: of those about it, else of the whole frame."""
        reach = 1.5 * float(region[2])
        h, w = frame.shape[:2]
        x0, y0 = (int(np.clip(region[i] - reach, 0, (w, h)[i] - 1)) for i in (0, 1))
        x1, y1 = (int(np.clip(region[i] + reach, 1, (w, h)[i])) for i in (0, 1))
        with one_torch_thread():
            about = detect(self.detector, frame[y0:y1, x0:x1], self.device, steps=1)
            seen = [replace(d, cx=d.cx + x0, cy=d.cy + y0) for d in about]
            seen = seen or detect(self.detector, frame, self.device, steps=3)
        return min(
            seen, key=lambda d: float(np.hypot(d.cx - region[0], d.cy - region[1])), default=None
        )

    def _mesh(
        self, frames: Frames, regions: rg.Array, sizes: Sequence[int]
    ) -> tuple[Floats, Floats, Floats]:
        """Meshes, scores and spread of frames in given regions, averaged over sizes."""
        parts = [
            self._mesh_batch(frames[i : i + self.batch], regions[i : i + self.batch], sizes)
            for i in range(0, len(frames), self.batch)
        ]
        mesh, score, spread = (np.concatenate(x) for x in zip(*parts, strict=True))
        return mesh, score, spread

    def _mesh_batch(
        self, frames: Frames, regions: rg.Array, sizes: Sequence[int]
    ) -> tuple[Floats, Floats, Floats]:
        h, w = frames.shape[1:3]
        box, offset = _box(regions, h, w)
        pixels = torch.from_numpy(np.require(frames[:, box[0], box[1]], requirements=["C", "W"]))
        pixels = pixels.to(self.device).permute(0, 3, 1, 2).float() / 255
        meshes, scores = [], []
        with torch.inference_mode(), one_torch_thread():
            for shift in sizes:
                picture, scale = _resized(pixels, (h + shift) / h, (w + shift) / w)
                local = regions.copy()
                local[:, :2] = (local[:, :2] - offset + 0.5) * scale - 0.5
                # the region keeps its side: the nets see the face a little larger or smaller
                picture, matrices = _reduced(picture, local, self.net.size)
                crops = rg.sample(picture, matrices[0], self.net.size)
                points, logit = self.mesh_of_crops(crops)
                mesh = rg.to_picture(points, matrices[1]).float().cpu().numpy()
                mesh[..., :2] = (mesh[..., :2] + 0.5) / scale - 0.5 + offset
                mesh[..., 2] /= scale.mean()
                meshes.append(mesh)
                scores.append(torch.sigmoid(logit).float().cpu().numpy())
        stack = np.stack(meshes).astype(np.float32)
        mean = stack.mean(0)
        spread = np.sqrt(np.square(stack - mean)[..., :2].sum(-1).mean((0, 2)))
        return mean, np.mean(scores, 0), spread.astype(np.float32)


def _box(regions: rg.Array, h: int, w: int) -> tuple[tuple[slice, slice], NDArray[np.float64]]:
    """The part of the picture that the regions cover, and its corner (x, y)."""
    reach = regions[:, 2] * 0.72  # half a diagonal, and a little
    x0 = int(np.clip(np.floor((regions[:, 0] - reach).min()), 0, w - 1))
    y0 = int(np.clip(np.floor((regions[:, 1] - reach).min()), 0, h - 1))
    x1 = int(np.clip(np.ceil((regions[:, 0] + reach).max()) + 1, x0 + 1, w))
    y1 = int(np.clip(np.ceil((regions[:, 1] + reach).max()) + 1, y0 + 1, h))
    return (slice(y0, y1), slice(x0, x1)), np.array([x0, y0], np.float64)


def _resized(pixels: Tensor, ky: float, kx: float) -> tuple[Tensor, NDArray[np.float64]]:
    """The picture at a nearby size, and the exact scale (x, y) that rounding left."""
    h, w = pixels.shape[2:]
    size = (max(1, round(h * ky)), max(1, round(w * kx)))
    if size == (h, w):
        return pixels, np.ones(2)
    out = F.interpolate(pixels, size, mode="bilinear", align_corners=False, antialias=True)
    return out, np.array([size[1] / w, size[0] / h])


def _reduced(
    picture: Tensor, regions: rg.Array, size: int
) -> tuple[Tensor, tuple[rg.Array, rg.Array]]:
    """Large faces are averaged down by a whole factor before sampling, against aliasing.

    Returns the picture and two maps from crop pixels: into it, and into the picture given.
    """
    whole = rg.crop_matrix(regions, size)
    k = int(regions[:, 2].min() // size)
    if k < 2:
        return picture, (whole, whole)
    h, w = picture.shape[2:]
    picture = F.pad(picture, (0, -w % k, 0, -h % k), mode="replicate")
    reduced = regions.copy()
    reduced[:, :2] = (regions[:, :2] + 0.5) / k - 0.5
    reduced[:, 2] /= k
    return F.avg_pool2d(picture, k), (rg.crop_matrix(reduced, size), whole)
