"""In other people's loops: distributed samplers, pinned memory, Lightning, accelerate, MEB."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch.utils.data import DataLoader, DistributedSampler

from famaug.data import MebClips, MicroExpressionSynth, as_pair, leave_one_subject_out
from famaug.errors import InputError, LeftOutWarning
from famaug.store import CacheWriter
from tests.store.store_builders import ListOfClips, ToySynthesizer, moving_clip, provenance_of

PEOPLE = ["1", "2", "3", "4"] * 2
CLASSES = {"happy": 0, "sad": 1, "surprise": 2}


@pytest.fixture
def train(tmp_path: Path) -> MicroExpressionSynth:
    with CacheWriter(tmp_path / "c") as writer:
        for n in range(8):
            story = provenance_of(n, label=("happy", "sad")[n % 2])
            writer.put(story.plan.key, moving_clip(n), story)

    class Numbered(ListOfClips):
        label_of = CLASSES

        @property
        def labels(self):  # type: ignore[no-untyped-def,override]
            return [CLASSES[str(r.emotion)] for r in self.refs]

        def __getitem__(self, index: int):  # type: ignore[no-untyped-def]
            clip, label = super().__getitem__(index)
            return clip, CLASSES[str(label)]

    return MicroExpressionSynth(
        Numbered(PEOPLE),
        held_out=(),
        ratio=0.5,
        cache=tmp_path / "c",
        transform=_small,
        as_item=as_pair,
        layout="TCHW",
    )


def _small(frames: torch.Tensor) -> torch.Tensor:
    return frames[:2, :, :8, :8].float() / 255


def test_labels_follow_the_dataset(train: MicroExpressionSynth) -> None:
    assert {train[i][1] for i in range(8, 12)} <= {0, 1}


def test_every_rank_gets_its_own_part(train: MicroExpressionSynth) -> None:
    whole = {i: train[i][0] for i in range(12)}
    seen = []
    for rank in range(2):
        sampler = DistributedSampler(train, num_replicas=2, rank=rank, shuffle=True, seed=1)
        sampler.set_epoch(3)
        order = list(sampler)
        loader = DataLoader(train, batch_size=3, sampler=sampler)
        clips = torch.cat([x for x, _ in loader])
        for i, clip in zip(order, clips, strict=True):
            assert torch.equal(clip, whole[i])
        seen += order
    assert sorted(seen) == list(range(12))


@pytest.mark.filterwarnings("ignore")  # lightning warns of workers and loggers
def test_lightning(train: MicroExpressionSynth, tmp_path: Path) -> None:
    import lightning  # loads for seconds, and warns

    class Net(lightning.LightningModule):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.net = torch.nn.Linear(2 * 3 * 64, 3)
            self.seen = 0

        def training_step(self, batch: Any, _: int) -> torch.Tensor:
            x, y = batch
            self.seen += len(y)
            return torch.nn.functional.cross_entropy(self.net(x.flatten(1)), y)

        def on_train_epoch_start(self) -> None:
            train.set_epoch(self.current_epoch)

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.SGD(self.parameters(), 0.1)

    net = Net()
    trainer = lightning.Trainer(
        max_epochs=2,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=tmp_path,
    )
    trainer.fit(net, DataLoader(train, batch_size=4, shuffle=True))
    assert net.seen == 24
    assert train.epoch == 1


@pytest.mark.filterwarnings("ignore")
def test_accelerate(train: MicroExpressionSynth) -> None:
    import accelerate

    accelerator = accelerate.Accelerator(cpu=True)
    net = torch.nn.Linear(2 * 3 * 64, 3)
    net, sgd, loader = accelerator.prepare(
        net, torch.optim.SGD(net.parameters(), 0.1), DataLoader(train, batch_size=4)
    )
    seen = 0
    for x, y in loader:
        loss = torch.nn.functional.cross_entropy(net(x.flatten(1)), y)
        accelerator.backward(loss)
        sgd.step()
        sgd.zero_grad()
        seen += len(y)
    assert seen == 12


class Meb:
    """As MEB's data sets are: a frame of rows, pixels read on demand."""

    dataset_name = "samm"

    def __init__(self, kind: str = "grey") -> None:
        self.data_frame = pd.DataFrame(
            {
                "subject": ["006", "006", "011"],
                "material": ["006_1_2", "006_1_3", "011_1_4"],
                "onset": [562, 100, 7],
                "apex": [565, 103, 9],
                "offset": [569, 107, np.nan],
                "emotion": ["Anger", "Anger", "Happiness"],
                "AU": ["4+7", "7B", np.nan],
                "n_frames": [8, 8, 8],
            }
        )
        grey = [moving_clip(i)[..., 0] for i in range(3)]
        self.data = [g / 255 for g in grey] if kind == "float" else grey


def test_clips_of_meb() -> None:
    clips = MebClips(Meb(), fps=200)
    clip, label = clips[0]
    assert clip.frames.shape == (8, 40, 36, 3)
    assert (clip.frames[..., 0] == clip.frames[..., 2]).all()
    assert label == "Anger"
    ref = clip.ref
    assert ref.key == "samm/006/006_1_2"
    assert (ref.onset, ref.apex, ref.offset, ref.action_units) == (0, 3, 7, "4+7")
    assert clips.refs[2].offset is None
    assert clips.refs[2].action_units is None
    assert np.array_equal(MebClips(Meb("float"))[0][0].frames, clip.frames)
    fold = leave_one_subject_out(clips)[0]
    mixed = MicroExpressionSynth(
        leave_one_subject_out(MebClips(Meb()))[1].train,
        ratio=1,
        mode="online",
        synthesizer=ToySynthesizer(),
    )
    assert fold.held_out == {"samm/006"}
    assert mixed[3]["synthetic"]
    wrong = Meb()
    wrong.data_frame = wrong.data_frame.drop(columns="emotion")
    with pytest.raises(InputError, match="lacks the columns emotion"):
        MebClips(wrong)
    wrong = Meb()
    wrong.data = wrong.data[:2]
    with pytest.raises(InputError, match="3 rows, data 2"):
        MebClips(wrong)


def test_clips_of_meb_without_an_emotion() -> None:
    for empty in (np.nan, None, "", 0):
        meb = Meb()
        meb.data_frame["emotion"] = ["Anger", empty, "Happiness"]
        meb.data_frame["AU"] = ["4", "nan", 0]
        with pytest.warns(LeftOutWarning, match=r"1 of 3 clips have no emotion .samm/006/006_1_3"):
            clips = MebClips(meb)
        assert clips.labels == ["Anger", None, "Happiness"]
        assert clips.refs[1].emotion is None
        assert [r.action_units for r in clips.refs] == ["4", None, None]
    numbered = Meb()
    numbered.data_frame["emotion"] = [0, 1, 0]
    assert MebClips(numbered).labels == [0, 1, 0]


def test_positions_of_meb_before_the_onset_are_unknown() -> None:
    meb = Meb()
    meb.data_frame["apex"], meb.data_frame["offset"] = [0, 100, np.nan], [0, 107, 7]
    assert [(r.apex, r.offset) for r in MebClips(meb).refs] == [(None, None), (0, 7), (None, None)]


def test_flow_of_meb_is_no_clip() -> None:
    flow = np.zeros((3, 3, 16, 16), np.float32)
    meb = Meb()
    meb.optical_flow = True  # type: ignore[attr-defined]
    with pytest.raises(InputError, match="optical flow, not frames"):
        MebClips(meb)
    meb = Meb()
    meb.data = flow  # type: ignore[assignment]
    with pytest.raises(InputError, match="optical flow, not frames"):
        MebClips(meb)
    for wrong, told in (
        (np.full((8, 16, 16), -0.5), "below 0"),
        (np.full((8, 16, 16), np.nan), "no numbers"),
        (np.ones((8, 16, 16), np.uint8), "all pixels are 0 or 1"),
    ):
        meb = Meb()
        meb.data = [wrong] * 3
        with pytest.raises(InputError, match=told):
            MebClips(meb)[1]


def test_clips_as_the_readers_give_them(tmp_path: Path) -> None:
    data = ListOfClips(PEOPLE)
    with CacheWriter(tmp_path / "c") as writer:
        story = provenance_of(3)
        writer.put(story.plan.key, moving_clip(3), story)
    train = MicroExpressionSynth(data, held_out=(), ratio=0.25, cache=tmp_path / "c", items="clip")
    clip, label = train[0]
    assert clip.ref == data.refs[0]
    assert label == data.labels[0]
    made, label = train[8]
    assert made.ref.subject == "02"  # whose face it shows
    assert (made.ref.onset, made.ref.offset) == (0, 1)  # as its plan says
    assert label == made.ref.emotion == "happy"
    for wrong in ({"transform": _small}, {"layout": "TCHW"}, {"mode": "deferred"}):
        with pytest.raises(InputError):
            MicroExpressionSynth(
                data, held_out=(), ratio=0.25, cache=tmp_path / "c", items="clip", **wrong
            )  # type: ignore[arg-type]


def test_the_bench_runs() -> None:
    from famaug.bench import data as bench

    result = bench.run(rounds=2, clips=4)
    assert set(result["ratios"]) == {"ratio0_vs_bare", "cached_half_vs_bare"}
    assert all(v > 0.1 for v in result["ratios"].values())
    assert result["figures"]["open_255_refs_s"] < 1
