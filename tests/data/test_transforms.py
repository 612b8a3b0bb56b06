"""Transforms on clips: sisters, and others applied alike to all frames."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from skimage.data import astronaut
from skimage.io import imsave
from torchvision import tv_tensors
from torchvision.transforms import v2

from famaug import Synthesizer, samples
from famaug.data import MicroExpressionSynth
from famaug.data.sister import Sister
from famaug.errors import FaceError, FamaugWarning, InputError, LeakageError
from famaug.modulation.modulate import Modulation
from famaug.seeding import keyed_generator
from famaug.types import Frames
from tests.store.store_builders import ListOfClips, ToySynthesizer

SETTINGS: dict[str, Any] = {"modulation": Modulation(n=0)}


@pytest.fixture(scope="module")
def clip() -> Frames:
    torch.set_num_threads(1)
    maker = Synthesizer(size=224)
    plan = maker.plan("aus:12=2,4=1.5", np.asarray(astronaut()), keyed_generator(0, "t"))
    frames = maker.render([plan])[0]
    return frames[:: max(1, len(frames) // 6)]


def test_a_sister_moves_otherwise(clip: Frames) -> None:
    sister = Sister(p=1, seed=4, **SETTINGS)
    one = sister(clip)
    assert one.shape == clip.shape
    assert np.array_equal(one[0], clip[0])  # the same person at rest
    assert np.array_equal(one, Sister(p=1, seed=4, **SETTINGS)(clip))
    changed = [not np.array_equal(one, clip)]
    sister.set_epoch(1)
    changed.append(not np.array_equal(sister(clip), one))
    assert changed == [True, True]
    strength = [np.abs(c.astype(int) - c[0]).mean() for c in (clip, one)]
    assert 0.3 < strength[1] / strength[0] < 2.5


def test_a_sister_on_another_face(clip: Frames, tmp_path: Path) -> None:
    imsave(tmp_path / "mirror.png", np.asarray(astronaut())[:, ::-1], check_contrast=False)
    sister = Sister(p=1, kind="face", identities=tmp_path, **SETTINGS)
    made = sister(clip)
    assert made.shape == clip.shape
    assert np.abs(made[0].astype(int) - clip[0]).mean() > 5
    meshes = [sister.synthesizer.mesher.find(f) for f in (clip[0], made[0])]
    from famaug.faces.framing import anchors

    for a, b in zip(anchors(meshes[0]), anchors(meshes[1]), strict=True):
        assert np.abs(a - b).max() < 4  # it sits where the clip's face sits


def test_a_tight_crop_has_a_sister(clip: Frames) -> None:
    """Brows near the upper edge, chin cut: as data sets are cropped."""
    from famaug.faces.framing import anchors

    finder = Sister(p=1, **SETTINGS).synthesizer.mesher
    (_, brow), (_, mouth) = anchors(finder.find(clip[0]))
    x = clip.shape[2] // 2
    half = int(0.6 * (mouth - brow))
    tight = clip[:, int(brow) - 18 : int(mouth) + 20, x - half : x + half]
    made = Sister(p=1, **SETTINGS)(np.ascontiguousarray(tight))
    assert made.shape == tight.shape
    assert np.array_equal(made[0], tight[0])
    assert not np.array_equal(made, tight)


def test_p_is_the_share(clip: Frames) -> None:
    never = Sister(p=0, **SETTINGS)
    assert never(clip) is clip
    third = Sister(p=0.3, seed=0, **SETTINGS)
    tiny = np.zeros((2, 64, 64, 3), np.uint8)
    asked = []
    third._sister = lambda frames, *_: asked.append(1) or frames  # type: ignore[method-assign,func-returns-value]
    for i in range(300):
        tiny[0, 0, 0, 0], tiny[0, 0, 0, 1] = i % 256, i // 256
        third(tiny.copy())
    assert 60 < len(asked) < 120


def test_without_a_face(clip: Frames) -> None:
    blank = np.zeros((3, 96, 96, 3), np.uint8)
    with pytest.raises(FaceError):
        Sister(p=1, unusable="raise", **SETTINGS)(blank)
    kept = Sister(p=1, **SETTINGS)
    with pytest.warns(FamaugWarning, match="no sister and stays as it is"):
        assert kept(blank) is blank
    for _ in range(3):  # warned of once, counted each time
        assert kept(blank) is blank
    assert kept.unusable_count == 4
    with pytest.raises(InputError, match="T H W 3"):
        kept(blank[0])
    for wrong in (
        {"p": 2},
        {"kind": "mix"},
        {"kind": "face"},
        {"gain": (2, 1)},
        {"gain": (1,)},
        {"unusable": "skip"},
    ):
        with pytest.raises(InputError):
            Sister(**wrong)  # type: ignore[arg-type]


def test_synth_transform_in_a_compose(clip: Frames) -> None:
    from famaug.data import SynthTransform

    video = tv_tensors.Video(torch.from_numpy(clip).permute(0, 3, 1, 2))
    made, label = SynthTransform(p=1, **SETTINGS)(video, 3)
    assert isinstance(made, tv_tensors.Video)
    assert label == 3
    assert torch.equal(made[0], video[0])
    assert not torch.equal(made, video)
    chain = v2.Compose(
        [SynthTransform(p=1, **SETTINGS), v2.RandomCrop(64), v2.ToDtype(torch.float32, scale=True)]
    )
    assert chain(torch.from_numpy(clip).permute(0, 3, 1, 2)).shape == (len(clip), 3, 64, 64)
    for wrong in (video.float(), torch.from_numpy(clip), video[None, None]):
        with pytest.raises(InputError, match="uint8 T 3 H W"):
            SynthTransform(p=1)(wrong)
    assert "p=0.3" in repr(SynthTransform())


def test_torchvision_treats_all_frames_alike() -> None:
    """A clip that stands still still does, whatever random crop, flip and colours it gets."""
    chain = v2.Compose(
        [
            v2.RandomResizedCrop(24, antialias=True),
            v2.RandomHorizontalFlip(),
            v2.ColorJitter(0.4, 0.4),
        ]
    )

    class Still(ListOfClips):
        def __getitem__(self, index: int):  # type: ignore[no-untyped-def]
            clip, label = super().__getitem__(index)
            clip.frames[:] = clip.frames[0]
            return clip, label

    train = MicroExpressionSynth(Still(["1", "2"] * 3), ratio=0, transform=chain, layout="TCHW")
    for i in range(6):
        frames = train[i]["frames"]
        assert frames.shape[1:] == (3, 24, 24)
        assert (frames == frames[:1]).all()


def test_albumentations_treats_all_frames_alike(clip: Frames) -> None:
    import albumentations

    from famaug.data import SynthClip

    chain = albumentations.Compose(
        [albumentations.RandomCrop(64, 64), albumentations.HorizontalFlip(p=0.5)]
    )

    def transform(frames: torch.Tensor) -> torch.Tensor:
        return torch.from_numpy(chain(images=frames.numpy())["images"].copy())

    train = MicroExpressionSynth(
        [_pair(np.repeat(clip[:1], 4, 0))] * 2, ratio=0, transform=transform
    )
    frames = train[0]["frames"]
    assert frames.shape == (4, 64, 64, 3)
    assert (frames == frames[:1]).all()

    chain = albumentations.Compose([SynthClip(p=1, **SETTINGS)])
    made = chain(images=clip)["images"]
    assert np.array_equal(made[0], clip[0])
    assert not np.array_equal(made, clip)
    assert np.array_equal(chain(image=clip[0])["image"], clip[0])


def _pair(frames: Frames):  # type: ignore[no-untyped-def]
    from famaug.types import Clip, ClipRef

    return Clip(ClipRef("d", "s", "c"), frames), "happy"


def test_draws_go_on_where_a_face_is_missing() -> None:
    class Picky(ToySynthesizer):
        def plan(self, driver, identity, rng, *, seed=0):  # type: ignore[no-untyped-def]
            if driver.ref.clip != "c3":
                raise FaceError("no face found")
            return super().plan(driver, identity, rng, seed=seed)

    class Blind(ToySynthesizer):
        def plan(self, driver, identity, rng, *, seed=0):  # type: ignore[no-untyped-def]
            raise FaceError("no face found")

    data = ListOfClips(["1", "2", "3", "4"])
    train = MicroExpressionSynth(
        data, held_out=(), ratio=2, mode="online", synthesizer=Picky(), seed=5
    )
    made = 0
    for i in range(4, 12):
        try:
            item = train[i]
        except FaceError:
            continue
        made += 1
        assert '"driver_subject": "d/4"' in item["provenance"]
    assert made >= 5
    train = MicroExpressionSynth(data, held_out=(), ratio=1, mode="online", synthesizer=Blind())
    with pytest.raises(FaceError, match=r"8 draws in a row.*d/\d/c\d on d/"):
        train[5]


def test_faces_of_held_out_people_are_no_sisters(tmp_path: Path) -> None:
    faces = tmp_path / "CASME2" / "sub01"
    faces.mkdir(parents=True)
    portrait = next(iter(samples.faces().values()))
    (faces / "neutral.png").write_bytes(portrait.read_bytes())
    options = {"p": 1.0, "kind": "face", "identities": faces}
    with pytest.raises(LeakageError, match=r"casme2/sub01: say who is held out"):
        Sister(**options)  # type: ignore[arg-type]
    with pytest.raises(LeakageError, match="shows casme2/sub01, who is held out"):
        Sister(held_out={"CASME II/1"}, **options)  # type: ignore[arg-type]
    for allowed in ((), {"casme2/02"}):
        sister = Sister(held_out=allowed, **options)  # type: ignore[arg-type]
        assert Sister(**sister.to_json()).held_out == sister.held_out
    Sister(p=1.0, kind="face", identities=portrait.parent)
