"""The PyTorch nets against LiteRT on the published graphs, on real pictures."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from famaug.errors import WeightsError
from famaug.faces import regions as rg
from famaug.faces.convert import convert_task
from famaug.faces.landmarks import BLENDSHAPE_SUBSET
from famaug.faces.mesher import FaceMesher
from famaug.types import Picture
from famaug.weights.load import load_safetensors
from famaug.weights.shipped import shipped_path

Run = Callable[[NDArray[np.float32]], dict[str, NDArray[np.float32]]]


@pytest.fixture(scope="session")
def task(fetched: Callable[[str], Path]) -> Path:
    return fetched("face_landmarker")


@pytest.fixture(scope="session")
def published(task: Path) -> dict[str, Run]:
    """The three graphs run by LiteRT."""
    from ai_edge_litert.interpreter import Interpreter

    runs: dict[str, Run] = {}
    with zipfile.ZipFile(task) as archive:
        for name in ("face_detector", "face_landmarks_detector", "face_blendshapes"):
            runs[name] = _runner(Interpreter(model_content=archive.read(f"{name}.tflite")))
    return runs


def _runner(interpreter: Any) -> Run:
    interpreter.allocate_tensors()

    def run(x: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], x)
        interpreter.invoke()
        return {
            d["name"]: interpreter.get_tensor(d["index"]).copy()
            for d in interpreter.get_output_details()
        }

    return run


@pytest.fixture(scope="session")
def crops(mesher: FaceMesher, photos: list[Picture]) -> torch.Tensor:
    """`N 3 256 256` in [0, 1], faces as the mesh net sees them."""
    made = []
    for picture in photos:
        region = mesher.detect(picture)[0].region[None]
        pixels = torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255
        made.append(rg.sample(pixels, rg.crop_matrix(region, 256), 256))
    return torch.cat(made)


def test_mesh_agrees_with_litert(
    mesher: FaceMesher, published: dict[str, Run], crops: torch.Tensor
) -> None:
    ours, scores = mesher.mesh_of_crops(crops)
    for crop, mesh, score in zip(crops, ours, scores, strict=True):
        out = published["face_landmarks_detector"](crop.permute(1, 2, 0)[None].numpy())
        theirs = out["Identity"].reshape(478, 3) - [0.5, 0.5, 0]
        assert np.abs(mesh.numpy() - theirs).max() < 0.05  # pixels; measured 5e-4
        assert abs(float(score) - float(out["Identity_1"].item())) < 1e-2


def test_blendshapes_agree_with_litert(
    mesher: FaceMesher, published: dict[str, Run], crops: torch.Tensor
) -> None:
    meshes, _ = mesher.mesh_of_crops(crops)
    ours = torch.sigmoid(mesher.blendshape_logits(meshes))
    for mesh, mine in zip(meshes, ours, strict=True):
        points = mesh[list(BLENDSHAPE_SUBSET), :2].numpy()[None].astype(np.float32)
        (theirs,) = published["face_blendshapes"](points).values()
        assert np.abs(mine.numpy() - theirs.ravel()).max() < 1e-3


def test_detector_agrees_with_litert(
    mesher: FaceMesher, published: dict[str, Run], photos: list[Picture]
) -> None:
    for picture in photos:
        x = torch.from_numpy(picture).permute(2, 0, 1)[None].float()
        x = torch.nn.functional.interpolate(x, (128, 128), mode="area") / 127.5 - 1
        logits, boxes = mesher.detector(x)
        out = published["face_detector"](x[0].permute(1, 2, 0)[None].numpy())
        assert np.abs(logits.numpy() - out["classificators"][..., 0]).max() < 1e-2
        assert np.abs(boxes.numpy() - out["regressors"]).max() < 1e-2


def test_fp16_costs_nothing(task: Path) -> None:
    """The published weights are fp16 already, so ours are the same numbers."""
    converted, shipped = convert_task(task), load_safetensors(shipped_path("face_landmarker"))
    assert converted.keys() == shipped.keys()
    assert all(torch.equal(converted[k], shipped[k]) for k in shipped)
    with zipfile.ZipFile(task) as archive:
        assert sum(t.numel() * 2 for t in shipped.values()) < sum(
            i.file_size for i in archive.infolist()
        )


def test_gradients_reach_the_picture(mesher: FaceMesher, crops: torch.Tensor) -> None:
    """From mesh and blendshapes back to the picture, through the crop as well."""
    picture = crops[:2].clone().requires_grad_()
    matrices = rg.crop_matrix(np.array([[127.0, 127.0, 250.0, 0.05]] * 2), 256)
    mesh, _ = mesher.mesh_of_crops(rg.sample(picture, matrices, 256))
    mesher.blendshape_logits(mesh)[:, 44].sum().backward()
    assert picture.grad is not None
    assert torch.isfinite(picture.grad).all()
    assert float(picture.grad.abs().mean()) > 0


def test_batch_does_not_matter(mesher: FaceMesher, crops: torch.Tensor) -> None:
    together, _ = mesher.mesh_of_crops(crops)
    alone = torch.cat([mesher.mesh_of_crops(c[None])[0] for c in crops])
    assert float((together - alone).abs().max()) < 1e-3


@pytest.mark.parametrize("kind", ["not a zip", "other members", "another graph"])
def test_foreign_task_files_are_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "face_landmarker.task"
    if kind == "not a zip":
        path.write_bytes(b"nothing of the kind")
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("other.txt" if kind == "other members" else "face_detector.tflite", "")
    with pytest.raises(WeightsError):
        convert_task(path)
