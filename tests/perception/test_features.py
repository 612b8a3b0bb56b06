"""The trunk gives torchvision's own values, lets gradients through, and cannot be trained."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import skimage.data
import torch
from torch import Tensor

from famaug.errors import InputError, WeightsError
from famaug.perception.features import CHANNELS, POOLED, STRIDES, FeatureTrunk
from famaug.types import Picture
from famaug.weights.state_dict import read_torch_state_dict


@pytest.fixture(scope="module")
def weights(fetched: Callable[[str], Path]) -> Path:
    return fetched("mobilenet_v2")


@pytest.fixture(scope="module")
def trunk(weights: Path) -> FeatureTrunk:
    return FeatureTrunk(weights=weights)


@pytest.fixture(scope="module")
def image(astronaut_picture: Picture) -> Tensor:
    x = torch.from_numpy(astronaut_picture[::4, ::4].copy()).permute(2, 0, 1)[None]
    return x.float() / 127.5 - 1


def test_maps_and_vector_have_the_stated_shapes(trunk: FeatureTrunk) -> None:
    images = torch.zeros(2, 3, 97, 64)
    maps = trunk(images)
    want = [(2, c, -(-97 // s), 64 // s) for c, s in zip(CHANNELS, STRIDES, strict=True)]
    assert [tuple(m.shape) for m in maps] == want
    assert trunk.pooled(images).shape == (2, POOLED)


def test_it_is_torchvisions_network(trunk: FeatureTrunk, weights: Path) -> None:
    """A cat is recognised by the classifier that torchvision puts on the same trunk."""
    from torchvision.models import mobilenet_v2

    net = mobilenet_v2(weights=None)
    net.load_state_dict(read_torch_state_dict(weights))
    net.eval()
    cat = torch.from_numpy(skimage.data.chelsea()).permute(2, 0, 1)[None] / 127.5 - 1
    mean = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
    deviation = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)
    with torch.no_grad():
        want = net((cat / 2 + 0.5 - mean) / deviation)
        got = net.classifier(trunk.pooled(cat))
    assert torch.allclose(got, want, atol=1e-4)
    assert int(got.argmax()) in range(281, 286)  # ImageNet's five cats


def test_gradients_reach_the_images_and_never_the_weights(
    trunk: FeatureTrunk, image: Tensor
) -> None:
    x = image.clone().requires_grad_()
    trunk.train().distance(x, image + 0.05).sum().backward()
    assert not any(m.training for m in trunk.modules())
    assert x.grad is not None
    assert bool(x.grad.isfinite().all())
    assert float(x.grad.abs().sum()) > 0
    assert not any(p.requires_grad for p in trunk.parameters())


def test_distance_grows_with_the_damage(trunk: FeatureTrunk, image: Tensor) -> None:
    noise = torch.randn(image.shape, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        far = [float(trunk.distance(image, image + s * noise)) for s in (0, 0.02, 0.1, 0.4)]
    assert far[0] == 0
    assert far == sorted(far)
    assert far[3] > 5 * far[1]


def test_wrong_images_and_weights_are_named(trunk: FeatureTrunk, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"sides of at least 32; got \(1, 3, 31, 64\)"):
        trunk(torch.zeros(1, 3, 31, 64))
    with pytest.raises(InputError, match="uint8"):
        trunk(torch.zeros(1, 3, 64, 64, dtype=torch.uint8))
    torch.save({"features.0.0.weight": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(WeightsError, match="do not fit MobileNetV2"):
        FeatureTrunk(weights=tmp_path / "other.pth")
