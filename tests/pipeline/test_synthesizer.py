"""Plans and clips: what decides them, what does not, and what is refused."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from famaug import Plan, Synthesizer
from famaug.aus.facs import facs_track
from famaug.aus.flow_and_points import measure_aus
from famaug.aus.read import read_aus
from famaug.aus.table import write_table
from famaug.data.guard import DRIVER, WEIGHTS, Guard
from famaug.errors import (
    FaceError,
    InputError,
    MediaError,
    RenderError,
    SmallFaceWarning,
    WeightsError,
)
from famaug.faces.framing import Framing
from famaug.faces.mesher import FaceMesher
from famaug.generator.networks.ganimation import GanimationGenerator
from famaug.generator.networks.saved import save_generator
from famaug.modulation.modulate import Modulation
from famaug.modulation.pools import pair_pool
from famaug.modulation.statistics import fit_statistics
from famaug.quality.agreement import pearson
from famaug.seeding import keyed_generator
from famaug.types import AU_INDEX, AUTrack, Clip, ClipRef, Frames, Picture, Provenance
from famaug.weights.tensor_files import subjects_of


@pytest.fixture(scope="module")
def synthesizer() -> Synthesizer:
    return Synthesizer(size=128)


def _rng(*key: str) -> np.random.Generator:
    return keyed_generator(0, "test", *key)


@pytest.mark.slow
def test_what_is_asked_is_seen(
    synthesizer: Synthesizer, astronaut_picture: Picture, mesher: FaceMesher
) -> None:
    """Asked against measured again, for the three classes and a one-sided expression."""
    big = Synthesizer(size=256, peak=1.5)
    asked, found = [], []
    for rule in ("rule:positive", "rule:surprise", "aus:4=1.5,7=1", "aus:12L=1.5,6L=0.8"):
        plan = big.plan(rule, astronaut_picture, _rng(rule))
        frames = big.render([plan])[0][::3]  # a third is enough, and a third of the time
        asked.append(plan.intensity[::3])
        found.append(measure_aus(frames, mesher=mesher).track.intensity)
    r = pearson(np.concatenate(found), np.concatenate(asked))
    assert r is not None
    assert r >= 0.93
    left, right = found[-1][:, 0, AU_INDEX[12]].max(), found[-1][:, 1, AU_INDEX[12]].max()
    assert left > 1.0 > 0.4 > right


def test_the_background_stays_bit_identical(
    synthesizer: Synthesizer, astronaut_picture: Picture
) -> None:
    plan = synthesizer.plan("aus:1=3,2=3,12=4,26=3", astronaut_picture, _rng())
    frames, still = synthesizer.render([plan])[0], synthesizer.still(plan)
    outside = ~synthesizer.renderer(plan).changed
    assert 0.2 < outside.mean() < 0.9
    assert (frames[:, outside] == still[outside]).all()
    assert (frames[0] == still).all()
    assert (frames[len(frames) // 2] != still).any()


def test_the_same_plan_gives_the_same_pixels(
    synthesizer: Synthesizer, astronaut_picture: Picture
) -> None:
    """Alone or among others, twice, after JSON, in a copy for another process."""
    plans = [
        synthesizer.plan(rule, astronaut_picture, _rng(rule))
        for rule in ("rule:positive", "rule:surprise", "rule:negative")
    ]
    together = synthesizer.render(plans)
    alone = [synthesizer.render([p])[0] for p in reversed(plans)][::-1]
    copy = pickle.loads(pickle.dumps(synthesizer))  # noqa: S301  our own object
    again = copy.render([Plan.from_json(json.loads(json.dumps(p.to_json()))) for p in plans])
    for a, b, c in zip(together, alone, again, strict=True):
        assert (a == b).all()
        assert (a == c).all()


def test_the_seed_decides_what_is_drawn(
    synthesizer: Synthesizer, astronaut_picture: Picture
) -> None:
    first = synthesizer.plan("rule:negative", astronaut_picture, _rng("a"))
    again = synthesizer.plan("rule:negative", astronaut_picture, _rng("a"))
    other = synthesizer.plan("rule:negative", astronaut_picture, _rng("b"))
    assert first.key == again.key
    assert first.key != other.key


@pytest.mark.slow
def test_another_process_renders_from_the_path(tmp_path: Path, astronaut_picture: Picture) -> None:
    """A plan is enough: picture by path and digest, same pixels in a fresh process with other
    numbers of threads."""
    path = tmp_path / "face.png"
    Image.fromarray(astronaut_picture).save(path)
    synthesizer = Synthesizer(size=128)
    plan = synthesizer.plan("rule:surprise", str(path), _rng("path"))
    (tmp_path / "plan.json").write_text(json.dumps(plan.to_json()))
    code = f"""
import json, hashlib, torch
from dataclasses import asdict
from pathlib import Path
from famaug import Plan, Synthesizer
for threads in (2, 1):
    torch.set_num_threads(threads)
    plan = Plan.from_json(json.loads(Path({str(tmp_path / "plan.json")!r}).read_text()))
    renderer = Synthesizer(size=128, faces={str(tmp_path)!r})
    print(hashlib.sha256(renderer.render([plan])[0].tobytes()).hexdigest())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    import hashlib

    mine = hashlib.sha256(synthesizer.render([plan])[0].tobytes()).hexdigest()
    assert done.stdout.split() == [mine, mine]
    with pytest.raises(RenderError, match=r"not below a folder given as Synthesizer\(faces="):
        Synthesizer(size=128).render([plan])
    Image.fromarray(astronaut_picture[::-1].copy()).save(path)
    with pytest.raises(RenderError, match="not that picture"):
        Synthesizer(size=128, faces=tmp_path).render([plan])


def test_a_real_clip_drives_another_face(
    smile_video: tuple[Frames, float], astronaut_picture: Picture
) -> None:
    frames, fps = smile_video
    ref = ClipRef("sample", "man", "smile", fps=fps, onset=0, emotion="positive")
    synthesizer = Synthesizer(size=128, peak=2.0)
    plan = synthesizer.plan(Clip(ref, frames[:24]), astronaut_picture, _rng())
    assert plan.driver["subject"] == "man"
    assert plan.driver["label"] == "positive"
    assert plan.fps == fps
    assert plan.intensity.max() == pytest.approx(2.0, abs=1e-3)
    assert plan.intensity[-4:].mean((0, 1)).argmax() == AU_INDEX[12]
    assert len(synthesizer.render([plan])[0]) == 24


def test_own_size_keeps_the_picture(astronaut_picture: Picture) -> None:
    synthesizer = Synthesizer(size=None)
    plan = synthesizer.plan("aus:12=2", astronaut_picture, _rng())
    frames = synthesizer.render([plan])[0]
    assert frames.shape[1:] == astronaut_picture.shape
    assert (frames[:, :40] == astronaut_picture[:40]).all()


def test_bad_input(synthesizer: Synthesizer, astronaut_picture: Picture, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no generator"):
        Synthesizer(generator="magic")
    with pytest.raises(InputError, match="size"):
        Synthesizer(size=3)
    with pytest.raises(FaceError, match="no face"):
        synthesizer.plan("rule:positive", np.full((200, 200, 3), 99, np.uint8), _rng())
    with pytest.raises(InputError, match="rule"):
        synthesizer.plan("rule:sleepy", astronaut_picture, _rng())
    with pytest.raises(MediaError, match="no such file"):
        synthesizer.plan(tmp_path / "missing.mp4", astronaut_picture, _rng())
    with pytest.raises(InputError, match="driver is a"):
        synthesizer.plan(3.5, astronaut_picture, _rng())
    (tmp_path / "broken.png").write_bytes(b"\x89PNG not really")
    with pytest.raises(MediaError, match="not a picture"):
        synthesizer.plan("rule:positive", tmp_path / "broken.png", _rng())


def test_a_plan_of_another_version_is_refused(
    synthesizer: Synthesizer, astronaut_picture: Picture
) -> None:
    plan = synthesizer.plan("rule:positive", astronaut_picture, _rng())
    old = Plan.from_json({**plan.to_json(), "weights": "0" * 64})
    assert old.key != plan.key
    with pytest.raises(RenderError, match="asks for"):
        synthesizer.render([old])


def test_by_default_a_data_sets_framing_is_kept(
    astronaut_picture: Picture, mesher: FaceMesher
) -> None:
    """Its own faces keep their pictures' size, loose ones are framed as the driver's clip is."""
    tight = np.ascontiguousarray(astronaut_picture[20:220, 130:306])
    driver = Clip(ClipRef("casme2", "sub01", "c", onset=0, fps=50), _smile_of(tight))
    face = Clip(ClipRef("casme2", "sub02", "c"), astronaut_picture[:230, 100:320][None])
    synthesizer = Synthesizer(modulation=Modulation(n=0))

    own = synthesizer.plan(driver, face, _rng())
    loose = synthesizer.plan(driver, astronaut_picture, _rng())
    neither = synthesizer.plan("aus:12=1", astronaut_picture, _rng())
    shapes = [f.shape[1:3] for f in synthesizer.render([own, loose, neither])]
    assert shapes == [face.frames.shape[1:3], tight.shape[:2], (256, 256)]

    theirs = Framing.of(mesher.track(tight[None]).mesh[0], tight.shape[:2])
    still = synthesizer.still(loose)
    ours = Framing.of(mesher.track(still[None]).mesh[0], still.shape[:2])
    assert asdict(ours) == pytest.approx(asdict(theirs), abs=0.01)
    assert synthesizer.renderer(loose).mesh == pytest.approx(
        mesher.track(still[None]).mesh[0], abs=3
    )

    again = Synthesizer(modulation=Modulation(n=0))  # from the plan alone, as a worker does
    again.keep_picture(astronaut_picture)
    assert np.array_equal(again.render([loose])[0], synthesizer.render([loose])[0])
    bare = Synthesizer(size=None, modulation=Modulation(n=0))
    assert "frame" not in bare.plan(driver, astronaut_picture, _rng()).params


def _smile_of(picture: Picture) -> Frames:
    maker = Synthesizer(size=None, fps=50)
    return maker.render([maker.plan("aus:12=2", picture, _rng("smile"))])[0][:10]


def test_everybody_in_a_drawn_expression_reaches_the_guard(
    synthesizer: Synthesizer, astronaut_picture: Picture, tmp_path: Path
) -> None:
    """By the track, also read again from a table, and of networks' files that name people."""
    wave = np.sin(np.linspace(0, np.pi, 20))[:, None, None]
    measured = [AUTrack.of(np.full((2, 17), k) * wave, estimator="t", fps=50) for k in (1.0, 1.5)]
    people = ["CASME II/1", "samm/006"]
    pool = pair_pool(measured, subjects=people, training={"casme2/sub01"})
    drawn = pool.draw(_rng("pool"), fps=50)
    statistics = fit_statistics(measured, subjects=people).draw(_rng("statistics"), fps=50)
    table = read_aus(write_table(drawn, tmp_path / "drawn.csv"))[0]
    annotated = facs_track("12B", length=40, apex=20, fps=50, subjects=["casme2/sub01"])
    for track in (drawn, statistics, table, annotated):
        plan = synthesizer.plan(track, astronaut_picture, _rng())
        story = Provenance(plan, "", "", "happiness", "driver")
        assert Guard({"casme2/01"}).reason(story) == DRIVER
        assert Guard({"casme2/02"}).reason(story) is None
        assert Plan.from_json(json.loads(json.dumps(plan.to_json()))).key == plan.key
    assert Guard({"samm/6"}).reason(story) is None
    assert statistics.subjects == tuple(people)


def test_weights_that_name_whom_they_were_trained_on(
    tmp_path: Path, astronaut_picture: Picture
) -> None:
    path = tmp_path / "own.safetensors"
    network = GanimationGenerator(width=8, blocks=1)
    save_generator(path, network, subjects=["CASME2/sub1"], size=128)
    plan = Synthesizer(size=96, generator=str(path)).plan("aus:12=1", astronaut_picture, _rng())
    assert plan.params["trained_on"] == ["casme2/sub01"]
    story = Provenance(plan, "", "", None, "rule")
    assert Guard({"casme2/01"}).reason(story) == WEIGHTS
    save_generator(path, network, subjects="casme2/sub01")
    with pytest.raises(WeightsError, match="no list of names"):
        subjects_of(path)


def test_a_sharpened_clip_of_a_data_set_keeps_its_size(astronaut_picture: Picture) -> None:
    face = Clip(ClipRef("casme2", "sub02", "c"), astronaut_picture[:230, 100:320][None])
    sharp = Synthesizer(superres="compact", fps=20)
    plan = sharp.plan("aus:12=1.5", face, _rng("sharp"))
    with pytest.warns(SmallFaceWarning):
        frames = sharp.render([plan])[0]
    assert frames.shape[1:] == face.frames.shape[1:]
    plain = Synthesizer(fps=20)
    same = plain.render([plain.plan("aus:12=1.5", face, _rng("sharp"))])[0]
    assert (frames != same).any(), "it went through the network"
    explicit = Synthesizer(superres="compact", size=None, fps=20)
    plan = explicit.plan("aus:12=1.5", face, _rng("sharp"))
    with pytest.warns(SmallFaceWarning):
        assert explicit.render([plan])[0].shape[1] == 4 * face.frames.shape[1]
