"""What is measured once is not measured again: not in another epoch, worker or run."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import numpy as np
import pytest
from torch.utils.data import DataLoader

from famaug import MicroExpressionSynth, Synthesizer
from famaug.errors import FaceError, FamaugWarning
from famaug.modulation.modulate import Modulation
from famaug.pipeline import measuring
from famaug.pipeline.inputs import Driver, Identity
from famaug.seeding import keyed_generator
from famaug.types import Clip, ClipRef, Frames, Picture

PEOPLE = ("1", "2")


class Clips:
    """Two people (the second is the first in other colours) who smile, a clip each."""

    def __init__(self, frames: list[Frames]) -> None:
        self.frames = frames
        self.refs = [ClipRef("d", p, f"c{p}", onset=0, fps=50, emotion="happy") for p in PEOPLE]

    def __len__(self) -> int:
        return len(self.refs)

    def __getitem__(self, index: int) -> tuple[Clip, str]:
        return Clip(self.refs[index], self.frames[index]), "happy"


@pytest.fixture(scope="module")
def clips(astronaut_picture: Picture) -> Clips:
    face = np.ascontiguousarray(astronaut_picture[:224, 112:336])
    maker = Synthesizer(size=None, fps=50)
    plan = maker.plan("aus:12=2,6=1", face, keyed_generator(0, "measuring"))
    frames = maker.render([plan])[0][:8]
    return Clips([frames, np.ascontiguousarray(frames[..., ::-1])])


def _synthesizer(**settings: object) -> Synthesizer:
    return Synthesizer(modulation=Modulation(n=0), size=72, **settings)  # type: ignore[arg-type]


@pytest.mark.slow
def test_epochs_and_workers_share_what_was_measured(
    clips: Clips, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = os.open(tmp_path / "log", os.O_CREAT | os.O_WRONLY | os.O_APPEND)  # of all processes
    measure, find = measuring.measure, measuring.Measuring._find

    def measured(*args: object, **options: object) -> object:
        os.write(log, b"clip\n")
        return measure(*args, **options)  # type: ignore[arg-type]

    def found(self: measuring.Measuring, identity: Identity) -> object:
        os.write(log, b"face\n")
        return find(self, identity)

    monkeypatch.setattr(measuring, "measure", measured)
    monkeypatch.setattr(measuring.Measuring, "_find", found)
    train = MicroExpressionSynth(
        clips,
        ratio=4,
        mode="online",
        synthesizer=_synthesizer(measured=tmp_path / "m"),
        held_out=(),
    )
    for epoch in range(2):
        train.set_epoch(epoch)  # the workers of an epoch end with it
        for _ in DataLoader(train, batch_size=None, num_workers=2, multiprocessing_context="fork"):
            pass
    os.close(log)
    assert sorted((tmp_path / "log").read_text().split()) == ["clip"] * 2 + ["face"] * 2


def test_kept_and_fresh_give_the_same_clip(clips: Clips, tmp_path: Path) -> None:
    driver, face = clips[0][0], clips[1][0]
    plans = [
        maker.plan(driver, face, keyed_generator(0, "x"))
        for maker in (
            _synthesizer(),
            _synthesizer(measured=tmp_path),
            _synthesizer(measured=tmp_path),
        )
    ]
    assert plans[0].to_json() == plans[1].to_json() == plans[2].to_json()


def test_a_refusal_is_kept_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    noise = keyed_generator(0, "noise").integers(0, 255, (4, 96, 96, 3), dtype=np.uint8)
    driver = Driver.of(Clip(ClipRef("d", "1", "c", onset=0, fps=50), noise))
    with pytest.raises(FaceError) as first:
        _synthesizer(measured=tmp_path).measure(driver)
    monkeypatch.setattr(measuring, "measure", None)
    with pytest.raises(FaceError) as again:
        _synthesizer(measured=tmp_path).measure(driver)
    assert str(again.value) == str(first.value)


def test_a_folder_that_cannot_be_written_is_done_without(clips: Clips, tmp_path: Path) -> None:
    (tmp_path / "m").write_text("a file where the folder should be")
    maker = _synthesizer(measured=tmp_path / "m")
    with pytest.warns(FamaugWarning, match="not kept"):
        track = maker.measure(Driver.of(clips[0][0]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        other = maker.measure(Driver.of(clips[1][0]))
    assert len(track) == len(other) == 8  # type: ignore[arg-type]
