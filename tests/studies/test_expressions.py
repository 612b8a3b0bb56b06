"""The ports give TensorFlow.js's numbers, read real expressions, and let gradients through."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from expressions.judge import CLASSES, KINDS, ExpressionJudge, face_regions
from expressions.tfjs import read_tfjs_weights
from torch import Tensor

from famaug.errors import InputError, WeightsError
from famaug.faces.mesher import FaceMesher
from famaug.media.clips import read_frames
from famaug.types import Frames, Picture


@pytest.fixture(scope="module", params=list(KINDS))
def judge(request: pytest.FixtureRequest, fetched: Callable[[str], Path]) -> ExpressionJudge:
    return ExpressionJudge(request.param, weights=fetched(KINDS[request.param].weights))


@pytest.fixture(scope="module")
def judges(fetched: Callable[[str], Path]) -> dict[str, ExpressionJudge]:
    return {k: ExpressionJudge(k, weights=fetched(KINDS[k].weights)) for k in KINDS}


def _images(frames: Frames) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(frames)).permute(0, 3, 1, 2).float() / 127.5 - 1


def test_dense_agrees_with_tensorflow_js(
    judges: dict[str, ExpressionJudge], astronaut_picture: Picture
) -> None:
    """What `FaceExpressionNet.forwardInput` of @vladmandic/face-api 1.7.15 gives for these crops
    (backend "cpu", node 20)."""
    crop = astronaut_picture[34:258:2, 108:332:2]
    seen = judges["dense"].of_crops(_images(np.stack([crop, crop[:, ::-1], crop // 2]))).softmax(1)
    want = [
        [0.06428955, 0.04809512, 0.08849151, 0.00012741, 0.60056150, 0.00055146, 0.19788341],
        [0.02692620, 0.00078632, 0.96565521, 0.00390461, 0.00006138, 0.00201749, 0.00064886],
        [0.14526322, 0.28288135, 0.52802265, 0.00403903, 0.01164952, 0.00330588, 0.02483834],
    ]
    assert torch.allclose(seen, torch.tensor(want), atol=1e-5)


def test_xception_agrees_with_tensorflow_js(
    judges: dict[str, ExpressionJudge], astronaut_picture: Picture
) -> None:
    """What the graph of @vladmandic/human 3.3.6 gives (tf.loadGraphModel, backend "cpu"): angry,
    disgusted, fearful, happy, sad, surprised, neutral."""
    crop = _images(astronaut_picture[None, 50:242:3, 125:317:3])
    seen = judges["xception"].of_crops(torch.cat([crop, crop.flip(3) * 0.7])).softmax(1)
    theirs = ("angry", "disgusted", "fearful", "happy", "sad", "surprised", "neutral")
    want = torch.tensor([
        [0.00196340, 0.00000001, 0.00330153, 0.74766994, 0.00287289, 0.00187165, 0.24232052],
        [0.02395216, 0.00001322, 0.00389102, 0.39517266, 0.01665178, 0.14580311, 0.41451603],
    ])  # fmt: skip
    assert torch.allclose(seen, want[:, [theirs.index(c) for c in CLASSES]], atol=3e-4)


def test_a_real_smile_is_happy(
    judge: ExpressionJudge, smile_video: tuple[Frames, float], mesher: FaceMesher
) -> None:
    frames = smile_video[0][[0, 60]]
    with torch.no_grad():
        rest, smile = judge(_images(frames), mesher.track(frames).mesh).softmax(1)
    assert CLASSES[int(rest.argmax())] == "neutral"
    assert CLASSES[int(smile.argmax())] == "happy"
    assert smile[1] > rest[1] + 0.6


@pytest.mark.parametrize(
    ("video", "rest", "number", "shown"),
    [("wolfgang_langer", 231, 42, "sad"), ("cap12", 28, 163, "surprised")],
)
def test_crying_looks_sad_and_raised_brows_surprised(
    judge: ExpressionJudge,
    fetched: Callable[[str], Path],
    mesher: FaceMesher,
    video: str,
    rest: int,
    number: int,
    shown: str,
) -> None:
    frames = read_frames(fetched(video))[0][[rest, number]]
    meshes = np.concatenate([mesher.track(f[None]).mesh for f in frames])
    with torch.no_grad():
        before, after = judge(_images(frames), meshes).softmax(1)[:, CLASSES.index(shown)]
    assert after > before + 0.3


def test_turn_and_size_hardly_matter(
    judge: ExpressionJudge, smile_video: tuple[Frames, float], mesher: FaceMesher
) -> None:
    frames = smile_video[0][[60]]
    mesh = mesher.track(frames).mesh
    turned = np.ascontiguousarray(np.rot90(frames, axes=(1, 2)))
    there = mesh.copy()
    there[..., 0], there[..., 1] = mesh[..., 1], frames.shape[2] - 1 - mesh[..., 0]
    doubled = np.repeat(np.repeat(frames, 2, 1), 2, 2)
    with torch.no_grad():
        plain = judge(_images(frames), mesh)
        plain = plain.softmax(1)
        # large faces are averaged in blocks first, which fall elsewhere
        assert torch.allclose(judge(_images(turned), there).softmax(1), plain, atol=0.1)
        large = judge(_images(doubled), mesh * 2 + [0.5, 0.5, 0])
    assert torch.allclose(large.softmax(1), plain, atol=0.1)


def test_gradients_reach_the_images_and_never_the_weights(judge: ExpressionJudge) -> None:
    side = judge._kind.side
    x = torch.full((1, 3, side, side), 0.1, requires_grad=True)
    judge.of_crops(x).sum().backward()
    assert x.grad is not None
    assert float(x.grad.abs().sum()) > 0
    assert not any(p.requires_grad for p in judge.parameters())


def test_wrong_input_is_refused(judge: ExpressionJudge) -> None:
    mesh = np.zeros((1, 478, 3))
    with pytest.raises(InputError, match="there is no expression judge 'vgg'"):
        ExpressionJudge("vgg")
    with pytest.raises(InputError, match="B 3 H W"):
        judge(torch.zeros(1, 64, 64, 3), mesh)
    with pytest.raises(InputError, match="crops must be"):
        judge.of_crops(torch.zeros(1, 3, 50, 50))
    with pytest.raises(InputError, match="meshes must be finite"):
        face_regions(mesh * np.nan, 0)
    mesh = np.random.default_rng(0).uniform(0, 60, (2, 478, 3))
    with pytest.raises(InputError, match="1 images, but 2 meshes"):
        judge(torch.zeros(1, 3, 64, 64), mesh)


def _archive(path: Path, listed: list[dict[str, object]], values: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.json", json.dumps([{"weights": listed}]))
        archive.writestr("a.bin", values)
    return path


def test_eight_bits_and_floats_are_read(tmp_path: Path) -> None:
    listed = [
        {"name": "x", "shape": [2, 2], "dtype": "float32",
         "quantization": {"dtype": "uint8", "scale": 0.5, "min": -1.0}},
        {"name": "y", "shape": [1], "dtype": "float32"},
    ]  # fmt: skip
    path = _archive(tmp_path / "a.zip", listed, bytes([0, 1, 2, 4]) + np.float32(2.5).tobytes())
    seen = read_tfjs_weights(path, "a.json", "a.bin")
    assert seen["x"].tolist() == [[-1, -0.5], [0, 1]]
    assert seen["y"].tolist() == [2.5]


@pytest.mark.parametrize(
    ("listed", "size", "message"),
    [
        ([], 65 << 20, "64 MiB"),
        ([{"name": "x", "shape": [5], "dtype": "float32"}], 16, "ends beyond the 16 bytes"),
        ([{"name": "x", "shape": [3], "dtype": "float32"}], 16, "16 bytes seen, 12 listed"),
        ([{"name": "x", "shape": [-4], "dtype": "float32"}], 16, "ends beyond"),
        ([{"name": "x", "shape": [4], "dtype": "string"}], 16, "no TensorFlow.js weights"),
        ([{"shape": [4]}], 16, "no TensorFlow.js weights"),
        ([], 0, r"b\.json"),
    ],
)
def test_damaged_listings_are_refused(
    tmp_path: Path, listed: list[dict[str, object]], size: int, message: str
) -> None:
    path = _archive(tmp_path / "a.zip", listed, bytes(size))
    with pytest.raises(WeightsError, match=message):
        read_tfjs_weights(path, "a.json" if listed else "b.json", "a.bin")


def test_the_other_judges_weights_are_refused(fetched: Callable[[str], Path]) -> None:
    with pytest.raises(WeightsError, match=r"expressions_xception.*(face_expression|no item)"):
        ExpressionJudge("dense", weights=fetched("expressions_xception"))
