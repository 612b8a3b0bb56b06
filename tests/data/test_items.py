"""What an item tells beside its frames, and clips made equal for a plain DataLoader."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader
from torchvision.transforms import v2

from famaug.data import Casme2, MicroExpressionSynth, pad_clips, sample_clip
from famaug.data.known import of_plan, of_real
from famaug.errors import InputError
from famaug.types import AU_INDEX, ClipRef
from tests.store.store_builders import ListOfClips, ToySynthesizer, moving_clip, plan_of

PEOPLE = ["1", "2", "3", "4"]


def _clip(length: int, side: int = 20) -> torch.Tensor:
    return torch.from_numpy(moving_clip(3, t=length, h=side, w=side + 3))


def test_sampled_clips_have_one_shape_and_keep_their_apex() -> None:
    sampler = sample_clip(frames=5, size=(12, 10))
    for length in (1, 3, 5, 40):
        assert sampler(_clip(length)).shape == (5, 12, 10, 3)
        for apex in range(length):
            at = sampler.positions(length, apex=apex)
            assert apex in at
            assert at == sorted(at)
            assert (at[0], at[-1]) in {(0, length - 1), (apex, length - 1), (0, apex)}
    same = sample_clip(frames=8, size=None)(_clip(8))
    assert torch.equal(same, _clip(8)), "nothing to change, nothing changed"


def test_layouts_hold_the_same_pixels() -> None:
    clip = _clip(9)
    thwc = sample_clip(4, 16)(clip)
    assert torch.equal(sample_clip(4, 16)(clip.permute(0, 3, 1, 2)), thwc.permute(0, 3, 1, 2))
    cthw = sample_clip(4, 16, layout="CTHW", scaled=True)(clip)
    assert cthw.dtype == torch.float32
    assert torch.equal(cthw, thwc.permute(3, 0, 1, 2).float() / 255)


@pytest.mark.parametrize(
    "wrong", [{"frames": 0}, {"size": 0}, {"size": (3, 0)}, {"layout": "HWCT"}]
)
def test_what_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InputError):
        sample_clip(**wrong)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="sample_clip comes first"):
        sample_clip()(_clip(4).float())


def test_annotated_units_are_told_as_far_as_they_are_known() -> None:
    known = of_real(ClipRef("casme2", "1", "c", onset=2, apex=5, action_units="4B+L7"), 9)
    brow, lid = AU_INDEX[4], AU_INDEX[7]
    assert (known.onset, known.apex, known.offset) == (2, 5, -1)
    assert known.aus[:, brow].tolist() == [2.0, 2.0]
    assert np.isnan(known.aus[0, lid])
    assert known.aus[1, lid] == 0
    assert known.present[:, lid].tolist() == [1, 0]
    assert known.present.sum() == 3
    nothing = of_real(ClipRef("smic", "1", "c"), 9)
    assert (nothing.present == -1).all()
    assert np.isnan(nothing.aus).all()


def test_a_synthetic_clip_tells_what_it_shows() -> None:
    plan = plan_of(0)
    track = np.zeros((6, 2, 17))
    track[3, 0, AU_INDEX[12]] = 1.5
    track[5, :, AU_INDEX[45]] = 5  # a blink is no apex
    plan.track[:] = track.tolist()
    known = of_plan(plan, 6)
    assert (known.onset, known.apex, known.offset) == (2, 3, 4)  # rest before and after
    assert known.aus[0, AU_INDEX[12]] == 1.5
    assert known.present.sum() == 1


def test_key_frames_go_with_the_sampling() -> None:
    plan = plan_of(0)
    track = np.zeros((41, 2, 17))
    track[:, 0, AU_INDEX[12]] = np.interp(np.arange(41), [0, 17, 40], [0, 2, 0])
    plan.track[:] = track.tolist()
    sampler = sample_clip(frames=5, size=None)
    at = sampler.positions(41, apex=17)
    known = of_plan(plan, 41).taken(at)
    assert at[known.apex] == 17
    assert known.track[known.apex, 0, AU_INDEX[12]] == 2
    assert (known.onset, known.offset) == (0, 4)


@pytest.mark.parametrize("mode", ["online", "deferred"])
@pytest.mark.parametrize("workers", [0, 2])
def test_a_plain_loader_stacks_real_and_synthetic(mode: str, workers: int) -> None:
    data = ListOfClips(PEOPLE)
    train = MicroExpressionSynth(
        data, ratio=1, mode=mode, synthesizer=ToySynthesizer(), seed=3,  # type: ignore[arg-type]
        transform=v2.Compose([sample_clip(frames=6, size=16), v2.Identity()]), tracks=True,
        held_out=(),
    )  # fmt: skip
    collate = train.collate if mode == "deferred" else None
    loader = DataLoader(train, batch_size=8, num_workers=workers, collate_fn=collate)
    (batch,) = [train.render_batch(b) for b in loader]
    assert batch["frames"].shape == (8, 6, 16, 16, 3)
    assert batch["aus"].shape == batch["au_present"].shape == (8, 2, 17)
    assert batch["track"].shape == (8, 6, 2, 17)
    assert batch["onset"].tolist()[4:] == [0] * 4
    assert batch["offset"].tolist()[4:] == [5] * 4
    assert not torch.isnan(batch["aus"][4:]).any()
    assert (batch["apex"][4:] >= 0).all()


def test_clips_of_a_reader_tell_what_its_table_knows(replica: Callable[..., Path]) -> None:
    clips = Casme2(replica("casme2", clips=6))
    train = MicroExpressionSynth(
        clips, ratio=0, transform=sample_clip(frames=4, size=32), held_out=()
    )
    batch = next(iter(DataLoader(train, batch_size=6)))
    assert batch["frames"].shape == (6, 4, 32, 32, 3)
    assert (batch["onset"] == 0).all()
    assert (batch["apex"] > 0).all()
    coded = [r.action_units for r in clips.refs]
    assert [bool((p == 1).any()) for p in batch["au_present"]] == [bool(c) for c in coded]


def test_padding_keeps_each_length() -> None:
    samples = [{"frames": _clip(n), "label": n} for n in (3, 7)]
    batch = pad_clips(samples)
    assert batch["frames"].shape == (2, 7, 20, 23, 3)
    assert batch["length"].tolist() == [3, 7]
    assert torch.equal(batch["frames"][0, :3], _clip(3))
    assert not batch["frames"][0, 3:].any()
    with pytest.raises(InputError, match="sample_clip"):
        pad_clips([{"frames": _clip(3)}, {"frames": _clip(3, side=24)}])
