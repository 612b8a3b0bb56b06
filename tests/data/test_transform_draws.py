"""What the transforms draw, when, and what replays it; the pixels are noise keyed by the draw."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import albumentations
import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset
from torchvision import tv_tensors  # type: ignore[import-untyped]

from famaug.data import SynthClip, SynthTransform
from famaug.data.sister import Sister
from famaug.errors import FaceError, FamaugWarning, InputError
from famaug.modulation.modulate import Modulation
from famaug.seeding import keyed_generator
from famaug.types import Frames


@pytest.fixture(autouse=True)
def _noise(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sisters that need no face."""

    def sister(self: Sister, frames: Frames, rng: np.random.Generator) -> Frames:
        return rng.integers(0, 256, frames.shape, dtype=np.uint8)

    monkeypatch.setattr(Sister, "_sister", sister)


def video(number: int = 0) -> torch.Tensor:
    """`3 3 8 8`."""
    rng = keyed_generator(number, "video")
    return torch.from_numpy(rng.integers(0, 256, (3, 3, 8, 8), dtype=np.uint8))


FRAMES: Frames = video().movedim(1, -1).contiguous().numpy()


class Items(Dataset[torch.Tensor]):
    """One clip, many times, transformed in the worker."""

    def __init__(self, transform: Any) -> None:
        self.transform = transform

    def __len__(self) -> int:
        return 12

    def __getitem__(self, index: int) -> torch.Tensor:
        made: torch.Tensor = self.transform(video())
        return made


def loader(transform: Any, workers: int) -> DataLoader[torch.Tensor]:
    context = "fork" if workers else None
    return DataLoader(Items(transform), num_workers=workers, multiprocessing_context=context)


def test_draws_anew_from_torchs_generator() -> None:
    """The same clip, several calls: other draws; the same seed of torch: the same again."""
    free = SynthTransform(p=0.5)

    def calls(seed: int) -> list[torch.Tensor]:
        torch.manual_seed(seed)
        return [free(video()) for _ in range(20)]

    first, again, other = calls(1), calls(1), calls(2)
    assert len({bytes(c.numpy()) for c in first}) > 6
    assert 3 < sum(torch.equal(c, video()) for c in first) < 17
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(first, other, strict=True))
    before = np.random.get_state()[1].copy()  # type: ignore[index,union-attr]  # noqa: NPY002
    free(video())
    assert np.array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_a_seed_is_deterministic_by_epoch_and_pixels() -> None:
    one, same = (SynthTransform(p=1, seed=3) for _ in range(2))
    assert torch.equal(one(video()), one(video()))
    assert torch.equal(one(video()), same(video()))
    before = one(video())
    assert not torch.equal(before, one(video(1)))
    one.set_epoch(1)
    assert not torch.equal(before, one(video()))
    free = SynthTransform(p=1)
    free.set_epoch(1)  # says nothing without a seed
    assert not torch.equal(free(video()), free(video()))


@pytest.mark.parametrize("workers", [0, 2])
def test_workers_and_epochs_draw_apart(workers: int) -> None:
    batches = loader(SynthTransform(p=1), workers)
    torch.manual_seed(0)
    epochs = [[bytes(b.numpy()) for b in batches] for _ in range(2)]
    assert len({b for epoch in epochs for b in epoch}) == 24
    torch.manual_seed(0)
    assert [bytes(b.numpy()) for b in batches] == epochs[0]


def test_clips_without_a_face_are_counted_in_all_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    def blind(self: Sister, frames: Frames, rng: np.random.Generator) -> Frames:
        raise FaceError("no face in frame 1")

    monkeypatch.setattr(Sister, "_sister", blind)
    transform = SynthTransform(p=1)
    with pytest.warns(FamaugWarning, match=r"no face in frame 1.*unusable_count"):
        assert torch.equal(transform(video()), video())
    assert sum(1 for _ in loader(transform, 2)) == 12
    assert transform.unusable_count == 13
    with pytest.raises(FaceError):
        SynthTransform(p=1, unusable="raise")(video())


def test_of_a_batch_each_clip_has_its_own_draw() -> None:
    batch = torch.stack([video(0), video(0), video(1)])
    made, label = SynthTransform(p=1)(tv_tensors.Video(batch), torch.tensor([1, 2, 3]))
    assert isinstance(made, tv_tensors.Video)
    assert made.shape == batch.shape
    assert label.tolist() == [1, 2, 3]
    assert not torch.equal(made[0], made[1])
    seeded = SynthTransform(p=1, seed=5)
    whole = seeded(batch)
    assert all(torch.equal(whole[i], seeded(batch[i])) for i in range(3))
    torch.manual_seed(0)
    many = batch.repeat(10, 1, 1, 1, 1)
    same = (SynthTransform(p=0.5)(many) == many).flatten(1).all(1)
    assert 5 < int(same.sum()) < 25


def test_what_is_passed_together_changes_together() -> None:
    one, two = SynthTransform(p=1)(tv_tensors.Video(video(0)), tv_tensors.Video(video(1)))
    assert torch.equal(one, two)  # one draw, and noise of the same shape
    mask = tv_tensors.Mask(video())
    assert SynthTransform(p=1)(mask) is mask


def test_albumentations_writes_and_reads_it(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((64, 64, 3), np.uint8)).save(tmp_path / "face.png")
    one = SynthClip(
        p=0.2,
        kind="face",
        identities=tmp_path,
        gain=(0.5, 2),
        neutral=1,
        modulation=Modulation(n=2),
        unusable="raise",
        seed=7,
    )
    written = albumentations.to_dict(one)
    again = albumentations.from_dict(json.loads(json.dumps(written)))
    assert isinstance(again, SynthClip)
    assert (again.p, again.sister.p) == (0.2, 0.2)
    assert again.sister.to_json() == one.sister.to_json()
    assert again.sister.identities == str(tmp_path)
    assert (again.sister.kind, again.sister.seed, again.sister.neutral) == ("face", 7, 1)
    assert (again.sister.gain, again.sister.unusable) == ((0.5, 2), "raise")
    assert again.sister.synthesizer.modulation == Modulation(n=2)
    assert albumentations.to_dict(again) == written
    chain = albumentations.Compose([one, albumentations.HorizontalFlip()])
    whole = albumentations.to_dict(chain)
    assert albumentations.to_dict(albumentations.from_dict(whole)) == whole
    assert "p=0.2" in repr(one)
    assert "seed=7" in repr(again)
    with pytest.raises(TypeError, match="sed"):
        SynthClip(sed=1)  # type: ignore[call-arg]
    with pytest.raises(InputError, match="p must be"):
        SynthClip(p=2)


@pytest.mark.parametrize("seed", [None, 7])
def test_albumentations_replays_it(seed: int | None) -> None:
    chain = albumentations.ReplayCompose(
        [SynthClip(p=0.5, seed=seed), albumentations.HorizontalFlip(p=0.5)]
    )
    replaced = []
    for number in range(8):
        chain.set_random_seed(number)
        made = chain(images=FRAMES)
        replay = albumentations.ReplayCompose.replay(made["replay"], images=FRAMES)
        assert np.array_equal(replay["images"], made["images"])
        replaced.append(made["replay"]["transforms"][0]["applied"])
    assert 0 < sum(replaced) < 8


def test_albumentations_seeds_it() -> None:
    chain = albumentations.Compose([SynthClip(p=0.5), albumentations.HorizontalFlip(p=0.5)])

    def calls(seed: int) -> list[bytes]:
        chain.set_random_seed(seed)
        return [bytes(chain(images=FRAMES)["images"]) for _ in range(10)]

    assert calls(1) == calls(1) != calls(2)
    assert len(set(calls(1))) > 4
    seeded = SynthClip(p=1, seed=3)
    first = seeded(images=FRAMES)["images"]
    assert np.array_equal(first, SynthClip(p=1, seed=3)(images=FRAMES)["images"])
    seeded.set_epoch(1)
    assert not np.array_equal(first, seeded(images=FRAMES)["images"])
