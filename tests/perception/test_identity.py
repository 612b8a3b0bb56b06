"""The port gives OpenCV's numbers, tells people apart, and lets gradients through."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from famaug.errors import InputError, WeightsError
from famaug.faces.mesher import FaceMesher
from famaug.media.clips import read_frames
from famaug.perception.identity import (
    SAME_PERSON,
    SIDE,
    TEMPLATE,
    FaceIdentity,
    align,
    crop_matrices,
    five_points,
)
from famaug.perception.sface import convert_sface
from famaug.types import Floats, Frames, Picture


@pytest.fixture(scope="module")
def weights(fetched: Callable[[str], Path]) -> Path:
    return fetched("sface")


@pytest.fixture(scope="module")
def identity(weights: Path) -> FaceIdentity:
    return FaceIdentity(weights=weights)


@pytest.fixture(scope="module")
def opencv(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> cv2.FaceRecognizerSF:
    """OpenCV's own; its newer engine wants the graph without the scalars among the inputs."""
    import onnx

    model = onnx.load(weights)
    del model.graph.input[1:]
    path = tmp_path_factory.mktemp("sface") / "sface.onnx"
    onnx.save(model, path)
    return cv2.FaceRecognizerSF.create(str(path), "")


def _images(*pictures: Picture) -> Tensor:
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 127.5 - 1


def _meshes(frames: Frames, mesher: FaceMesher) -> Floats:
    return mesher.track(frames).mesh


def test_the_network_agrees_with_opencv(
    identity: FaceIdentity, opencv: cv2.FaceRecognizerSF, astronaut_picture: Picture
) -> None:
    crop = cv2.resize(astronaut_picture[:224, 120:344], (SIDE, SIDE))
    want = opencv.feature(cv2.cvtColor(crop, cv2.COLOR_RGB2BGR))[0]
    with torch.no_grad():
        got = identity.net(_images(crop))[0].numpy()
    assert np.abs(want).max() > 1
    assert np.abs(got - want).max() < 2e-5


def test_the_alignment_agrees_with_opencv(
    identity: FaceIdentity,
    opencv: cv2.FaceRecognizerSF,
    astronaut_picture: Picture,
    mesher: FaceMesher,
) -> None:
    """Same points, OpenCV's crop: the same crop, and the same person."""
    mesh = mesher.find(astronaut_picture)[None]
    row = np.concatenate([[0, 0, 100, 100], five_points(mesh)[0].ravel(), [1]]).astype(np.float32)
    theirs = opencv.alignCrop(astronaut_picture, row[None])
    ours = align(_images(astronaut_picture), mesh)
    difference = ours[0].permute(1, 2, 0).numpy() - (theirs / 127.5 - 1)
    assert np.abs(difference).mean() < 0.01
    with torch.no_grad():
        cosine = float((identity.of_crops(ours) * identity.of_crops(_images(theirs))).sum())
    assert cosine > 0.999


def test_a_similarity_is_found_exactly() -> None:
    turn = np.array([[1.7, -0.6, 40.0], [0.6, 1.7, -12.0]])
    points = np.asarray(TEMPLATE) @ turn[:, :2].T + turn[:, 2]
    assert np.allclose(crop_matrices(points[None])[0], turn)


def test_the_same_person_or_another(
    identity: FaceIdentity,
    smile_video: tuple[Frames, float],
    fetched: Callable[[str], Path],
    mesher: FaceMesher,
) -> None:
    """A man, neutral and smiling, at another brightness; and a woman."""
    man = smile_video[0][[0, 71]]
    woman = read_frames(fetched("wolfgang_langer"))[0][[0, 300]]
    dark = (man * 0.7).astype(np.uint8)
    with torch.no_grad():
        a, b, c = (identity(_images(*x), _meshes(x, mesher)) for x in (man, dark, woman))
    assert float((a[0] * b[1]).sum()) > 0.6
    assert float((c[0] * c[1]).sum()) > SAME_PERSON
    assert float((a @ c.T).max()) < 0.27
    assert torch.allclose(a.norm(dim=1), torch.ones(2))


def test_gradients_move_a_face_towards_a_person(
    identity: FaceIdentity, smile_video: tuple[Frames, float], photos: list[Picture],
    mesher: FaceMesher,
) -> None:  # fmt: skip
    man, other = smile_video[0][:1], photos[0][None]
    with torch.no_grad():
        wanted = identity(_images(man[0]), _meshes(man, mesher))
    mesh = _meshes(other, mesher)
    x = _images(other[0]).requires_grad_()
    before = (identity(x, mesh) * wanted).sum()
    before.backward()
    assert x.grad is not None
    assert bool(x.grad.isfinite().all())
    with torch.no_grad():
        moved = x + 0.02 * x.grad.sign()
        after = float((identity(moved, mesh) * wanted).sum())
    assert after > float(before.detach()) + 0.1
    assert not any(p.requires_grad for p in identity.parameters())


def test_a_large_picture_is_the_same_person(
    identity: FaceIdentity, astronaut_picture: Picture, mesher: FaceMesher
) -> None:
    large = cv2.resize(astronaut_picture, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
    with torch.no_grad():
        both = [identity(_images(x), mesher.find(x)[None])[0] for x in (astronaut_picture, large)]
    assert float(both[0] @ both[1]) > 0.98


def test_wrong_input_is_named(identity: FaceIdentity, tmp_path: Path) -> None:
    mesh = np.zeros((1, 478, 3))
    with pytest.raises(InputError, match="float B 3 H W"):
        identity(torch.zeros(1, 3, 64, 64, dtype=torch.uint8), mesh)
    with pytest.raises(InputError, match="finite, B 478 3"):
        identity(torch.zeros(1, 3, 64, 64), mesh * np.nan)
    with pytest.raises(InputError, match="2 images, but 1 meshes"):
        identity(torch.zeros(2, 3, 64, 64), mesh + np.random.default_rng(0).random((1, 478, 3)))
    with pytest.raises(InputError, match="B 3 112 112"):
        identity.of_crops(torch.zeros(1, 3, 64, 64))
    (tmp_path / "text.onnx").write_bytes(b"\xffnot a graph")
    for name, said in (("text.onnx", "another sha256"), ("missing.onnx", "No such file")):
        with pytest.raises(WeightsError, match=said):
            convert_sface(tmp_path / name)


def test_another_network_is_refused(tmp_path: Path) -> None:
    import onnx
    from onnx import TensorProto, helper

    value = helper.make_tensor("conv_1_conv2d_weight", TensorProto.FLOAT, [1], [1.0])
    graph = helper.make_graph([], "other", [], [], [value])
    onnx.save(helper.make_model(graph), tmp_path / "other.onnx")
    with pytest.raises(WeightsError, match=r"asked for the SFace network.*another sha256"):
        convert_sface(tmp_path / "other.onnx")
