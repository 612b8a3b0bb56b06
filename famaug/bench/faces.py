"""How fast faces are measured: the nets beside LiteRT, and what several sizes cost."""

from __future__ import annotations

import zipfile
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from famaug.aus.flow_and_points import measure_aus
from famaug.bench.timing import in_turns
from famaug.faces import regions as rg
from famaug.faces.landmarks import BLENDSHAPE_SUBSET
from famaug.faces.mesher import PAPER_SIZES, FaceMesher
from famaug.packages import need
from famaug.types import Frames
from famaug.weights.fetch import fetch

FRAMES = 32


def run(rounds: int = 5) -> dict[str, dict[str, float]]:
    """Medians over `rounds`, the candidates in turns, after one warm-up.

    Returns:
        ratios: batch_vs_litert (mesh and blendshapes of 32 frames together against the same
            frames one by one through LiteRT with as many threads), five_sizes_vs_one (measuring
            the AUs of a clip with FAMGAN's five sizes, times the duration with one),
            five_meshes_vs_one (the same for the meshes alone).
        figures: milliseconds a frame.

    Raises:
        MissingPackageError: ai-edge-litert is not installed.
        FetchError: the published weights cannot be fetched.
    """
    mesher = FaceMesher()
    frames = portrait_clip()
    crops = _crops(mesher, frames)
    litert = _litert(crops)
    timed = in_turns(
        {
            "batch": lambda: _nets(mesher, crops),
            "litert": litert,
            "mesh_one": lambda: mesher.track(frames),
            "mesh_five": lambda: mesher.track(frames, sizes=PAPER_SIZES),
            "aus_one": lambda: measure_aus(frames, mesher=mesher),
            "aus_five": lambda: measure_aus(frames, mesher=mesher, sizes=PAPER_SIZES),
        },
        rounds,
    )
    return {
        "ratios": {
            "batch_vs_litert": timed["litert"].wall / timed["batch"].wall,
            "five_sizes_vs_one": timed["aus_five"].wall / timed["aus_one"].wall,
            "five_meshes_vs_one": timed["mesh_five"].wall / timed["mesh_one"].wall,
        },
        "figures": {f"{name}_ms_per_frame": t.wall / FRAMES for name, t in timed.items()},
    }


def portrait_clip() -> Frames:
    """A portrait at 256 px that sways by a pixel or two."""
    import cv2
    from skimage.data import astronaut

    picture = np.asarray(astronaut(), np.uint8)[:300, 70:370]
    frames = []
    for i in range(FRAMES):
        shift = np.array([[1, 0, np.sin(i / 5)], [0, 1, np.cos(i / 7)]], np.float64)
        frames.append(cv2.warpAffine(picture, shift, (300, 300), borderMode=cv2.BORDER_REPLICATE))
    return np.stack(frames)


def _crops(mesher: FaceMesher, frames: Frames) -> Tensor:
    regions = np.repeat(mesher.detect(frames[0])[0].region[None], len(frames), 0)
    pixels = torch.from_numpy(frames).permute(0, 3, 1, 2).float() / 255
    return rg.sample(pixels, rg.crop_matrix(regions, 256), 256)


def _nets(mesher: FaceMesher, crops: Tensor) -> None:
    with torch.inference_mode():
        for part in torch.split(crops, mesher.batch):
            mesh, _ = mesher.mesh_of_crops(part)
            mesher.blendshape_logits(mesh)


def _litert(crops: Tensor) -> Callable[[], None]:
    Interpreter = need("ai_edge_litert.interpreter", "this bench").Interpreter
    with zipfile.ZipFile(fetch("face_landmarker")) as archive:
        nets = [
            Interpreter(
                model_content=archive.read(f"{name}.tflite"), num_threads=torch.get_num_threads()
            )
            for name in ("face_landmarks_detector", "face_blendshapes")
        ]
    for net in nets:
        net.allocate_tensors()
    mesh, blend = nets
    pictures = np.ascontiguousarray(crops.permute(0, 2, 3, 1).numpy())
    at_mesh, at_blend = (n.get_input_details()[0]["index"] for n in nets)
    points_at = next(
        o["index"] for o in mesh.get_output_details() if int(np.prod(o["shape"])) == 478 * 3
    )
    subset = list(BLENDSHAPE_SUBSET)

    def one_by_one() -> None:
        for picture in pictures:
            mesh.set_tensor(at_mesh, picture[None])
            mesh.invoke()
            points = mesh.get_tensor(points_at).reshape(478, 3)[subset, :2]
            blend.set_tensor(at_blend, points[None].astype(np.float32))
            blend.invoke()

    return one_by_one
