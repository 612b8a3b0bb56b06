"""Lessons of the warp renderer."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
import torch

from famaug.errors import InputError
from famaug.faces.align import crop_face
from famaug.generator.learned import open_generator
from famaug.generator.networks.compact import CompactGenerator
from famaug.generator.training.compact_config import (
    CompactConfig,
    CompactTraining,
    FacesConfig,
    NetworkConfig,
    open_compact_training,
)
from famaug.generator.training.held_out_lessons import HeldOutLessons
from famaug.generator.training.real_pairs import RealPair, pairs_of_videos, planar_move
from famaug.generator.training.teacher import FoundFace, TeacherBatches, draw_intensity
from famaug.generator.training.teacher_judges import IdentityJudge, MeshJudge
from famaug.generator.training.teacher_objective import (
    TeacherObjective,
    TeacherOptions,
    relative_error,
)
from famaug.seeding import keyed_generator
from famaug.training.engine import Engine
from famaug.types import AU_INDEX

KEYS = ("picture", "known", "target", "inside", "support", "mesh", "moved")


@pytest.fixture(scope="module")
def lessons(astronaut) -> TeacherBatches:
    return TeacherBatches([FoundFace("astronaut", *astronaut)], size=64, batch_size=6)


def test_a_batch_does_not_depend_on_who_makes_it(lessons, astronaut):
    whole = lessons.batch(3, range(6))
    again = TeacherBatches([FoundFace("astronaut", *astronaut)], size=64, batch_size=6)
    for rows in (range(2), range(2, 6)):
        part = again.batch(3, rows)
        for name, values in part.items():
            assert torch.equal(values, whole[name][rows.start : rows.stop]), name
    assert not torch.equal(lessons.batch(4, range(6))["target"], whole["target"])


def test_the_known_picture_is_the_target_but_for_the_mouth(lessons):
    b = {k: torch.cat([lessons.batch(n, range(6))[k] for n in range(4)]) for k in KEYS}
    error = relative_error(b["known"], b["target"], b["picture"], floor=1e-3)
    assert error.median() < 0.12  # a face that shows teeth
    wrong = (b["known"] - b["target"]).abs().amax(1, keepdim=True)
    assert wrong[b["inside"].amax((1, 2, 3)) == 0].max() < 0.02
    mouth = wrong > 0.1
    assert mouth.any()
    near = torch.nn.functional.max_pool2d(b["inside"], 5, stride=1, padding=2)
    assert (near[mouth] > 0.05).float().mean() > 0.95  # mirrored rows among them
    still = b["support"] == 0
    assert (b["picture"] - b["target"]).abs().amax(1, keepdim=True)[still].max() < 0.02


def test_the_mesh_of_a_mirrored_lesson_is_one_of_the_mirrored_picture(lessons, mesher):
    b = lessons.batch(5, range(6))
    for picture, mesh in zip(b["picture"], b["mesh"], strict=True):
        whole = np.asarray((picture.permute(1, 2, 0) + 1) * 127.5, np.uint8)
        found = mesher.find(np.repeat(np.repeat(whole, 2, 0), 2, 1))
        wanted = (mesh.numpy()[:, :2] + 0.5) * 2 - 0.5
        assert np.abs(found[:, :2] - wanted).mean() < 1.5


@pytest.fixture(scope="module")
def pairs(fetched, mesher) -> list[RealPair]:
    return pairs_of_videos([fetched("single_face")], mesher=mesher)


def test_real_pairs_hold_a_smile_against_a_resting_face(pairs):
    assert len(pairs) > 20
    asked = np.stack([p.intensity for p in pairs])
    assert asked.shape[1:] == (2, 17)
    assert asked.max() <= 4
    smile = asked[:, :, AU_INDEX[12]].mean(1)
    assert smile.max() > 2
    assert all("single_face#" in p.name for p in pairs)
    numbers = [[int(n) for n in p.name.split("#")[1].split("-")] for p in pairs]
    assert all(rest != moved for rest, moved in numbers)


def test_a_real_frame_is_laid_on_the_resting_one(pairs):
    """Where nothing moves (between the eyes) both pictures are the same."""
    source = TeacherBatches((), size=64, real=pairs, real_share=1)
    b = source.batch(0, range(8))
    assert (b["real"] == 1).all()
    bridge = b["mesh"][:, 6, :2].round().long()
    wrong = []
    for i, (x, y) in enumerate(bridge.tolist()):
        part = (slice(y - 2, y + 3), slice(x - 2, x + 3))
        wrong.append(float((b["target"] - b["picture"])[i, :, *part].abs().mean()))
    assert np.median(wrong) < 0.06
    assert (b["target"] - b["picture"]).abs().amax((1, 2, 3)).median() > 0.3


def test_a_frame_is_laid_on_the_crop_however_the_head_moved(astronaut):
    """The same face, turned in the picture's plane, larger and elsewhere."""
    picture, mesh = astronaut
    c, s = 1.2 * np.cos(0.15), 1.2 * np.sin(0.15)
    move = np.array([[c, -s, 20.0], [s, c, -30.0]])
    frame = cv2.warpAffine(picture, move, (320, 320), flags=cv2.INTER_CUBIC)
    there = mesh.copy()
    there[:, :2] = mesh[:, :2] @ move[:, :2].T + move[:, 2]
    found = planar_move(mesh, there)
    assert np.allclose(found, move, atol=1e-3)
    crop, _, transform = crop_face(picture, mesh, 96)
    pair = RealPair("same", picture, mesh, frame, found, np.zeros((2, 17), np.float32))
    inside = (slice(16, 80), slice(16, 80))
    assert np.abs(pair.laid(transform) - crop)[inside].mean() < 4
    still = pair._replace(to_frame=np.eye(3)[:2])
    assert np.abs(still.laid(transform) - crop)[inside].mean() > 20


def test_a_share_of_the_lessons_is_real(astronaut, pairs):
    face = FoundFace("astronaut", *astronaut)
    source = TeacherBatches([face], size=64, batch_size=20, real=pairs, real_share=0.3)
    real = source.batch(0, range(20))["real"].mean()
    assert 0.1 < real < 0.6
    with pytest.raises(InputError, match="0 given"):
        TeacherBatches([face], real_share=0.1)


@pytest.mark.parametrize("kind", [IdentityJudge, MeshJudge])
def test_judges_prefer_what_was_asked_and_their_gradient_reaches_the_picture(
    kind, lessons, fetched
):
    if kind is IdentityJudge:
        fetched("sface")
    judge = kind()
    b = {k: torch.cat([lessons.batch(n, range(6))[k] for n in range(2)]) for k in KEYS}
    mesh, moved = b["mesh"], b["moved"]
    right = judge(b["target"], b["picture"], mesh, moved).mean()
    made = b["picture"].clone() if kind is MeshJudge else b["target"].flip(1).clone()
    made.requires_grad_(True)
    wrong = judge(made, b["picture"], mesh, moved).mean()
    assert right < 0.95 * wrong
    (gradient,) = torch.autograd.grad(wrong, made)
    assert gradient.abs().sum() > 0


def test_all_losses_together_are_one_step(lessons, fetched):
    fetched("sface")
    net = CompactGenerator(width=4)
    options = TeacherOptions(identity=0.2, mesh=0.2, adversarial=0.01, judged_rows=2)
    objective = TeacherObjective(Engine(device="cpu", clip=1.0), net, options=options, size=64)
    batch = lessons.batch(0, range(6))
    before = {k: [p.clone() for p in n.parameters()] for k, n in objective.networks.items()}
    first, second = (objective.step(batch, n) for n in (0, 1))
    assert {"identity", "mesh", "adversarial", "critic", "taught"} <= set(first)
    assert "real" not in first
    assert not {"identity", "mesh"} & set(second)  # every fourth step
    for name, network in objective.networks.items():
        moved = [
            not torch.equal(a, b) for a, b in zip(before[name], network.parameters(), strict=True)
        ]
        # nothing reads the critic's regression of AUs
        assert sum(moved) >= len(moved) - 1, name


def test_expressions_are_sparse_and_often_one_sided():
    drawn = np.concatenate([draw_intensity(keyed_generator(0, "test", i)) for i in range(400)])
    assert drawn.shape == (400, 2, 17)
    assert drawn.min() >= 0
    assert drawn.max() <= 3
    active = (drawn > 0).any(1).sum(1)
    assert (active.min(), active.max()) == (1, 3)
    assert 0.3 < (drawn[:, 0] != drawn[:, 1]).any(1).mean() < 0.8
    assert ((drawn > 0).any(1).sum(0) > 15).all()  # every AU is asked for


def test_learning_lowers_the_error_on_a_lesson(lessons):
    net = CompactGenerator(width=8)
    objective = TeacherObjective(
        Engine(device="cpu", clip=1.0), net, options=TeacherOptions(learning_rate=2e-3)
    )
    batch = lessons.batch(0, range(6))
    errors = [float(objective.step(batch, n)["pixels"]) for n in range(40)]
    assert np.mean(errors[-5:]) < 0.8 * np.mean(errors[:5])


def test_the_error_is_over_the_change_asked_for():
    before, target = torch.zeros(1, 1, 4, 4), torch.full((1, 1, 4, 4), 0.5)
    assert relative_error(before, target, before, floor=0.01) == 1
    assert relative_error(target, target, before, floor=0.01) == 0
    assert relative_error(
        torch.full((1, 1, 4, 4), 0.01), before, before, floor=0.01
    ) == pytest.approx(1)


def test_held_out_lessons_are_drawn(lessons, tmp_path):
    watcher = HeldOutLessons(lessons, count=6, folder=tmp_path, every=10, name="seen")
    seen = watcher.look(10, {"generator": CompactGenerator(width=4).eval()})
    # a new network says a little everywhere, and a silent one nothing
    assert seen["error"] > 0.8
    assert 0.8 < seen["mouth"] < 3
    assert 0 < seen["attention"] < 1
    silent = CompactGenerator(width=4).eval()
    with torch.no_grad():
        silent.head.weight.zero_()
    seen = watcher.look(10, {"generator": silent})
    assert seen["error"] == pytest.approx(1, abs=1e-3)
    assert seen["mouth"] == pytest.approx(1, abs=1e-3)
    assert (tmp_path / "seen-step000010.png").stat().st_size > 1000


def test_bad_options_are_named():
    with pytest.raises(InputError, match="no face"):
        TeacherBatches([])
    with pytest.raises(InputError, match="above 0"):
        TeacherOptions(learning_rate=0)


def test_a_training_of_a_config(tmp_path, astronaut, mesher):
    """Two faces, a few steps, stopped and taken up again; another setting is refused."""
    faces = tmp_path / "faces"
    faces.mkdir()
    for name, picture in (("a", astronaut[0]), ("b", astronaut[0][:, ::-1])):
        cv2.imwrite(str(faces / f"{name}.png"), np.ascontiguousarray(picture[:, :, ::-1]))
    (faces / "c.png").write_bytes((faces / "a.png").read_bytes())

    def config(steps: int, **given: float) -> CompactConfig:
        return CompactConfig(
            out=str(tmp_path / "out"),
            faces=FacesConfig(str(faces), hold_out=3),
            network=NetworkConfig(size=64, width=4),
            training=CompactTraining(
                steps=steps, decay=2, warm_up=0, batch_size=2, log_every=1, checkpoint_every=2,
                look_every=2, device="cpu", **given,
            ),
        )  # fmt: skip

    said: list[str] = []
    for steps in (2, 4):
        training = open_compact_training(config(steps), watch=lambda r: None, progress=said.append)
        assert training.run() == steps
    assert "2 faces to learn from, 1 held out" in said
    log = [json.loads(line) for line in (tmp_path / "out" / "log.jsonl").read_text().splitlines()]
    assert [r["step"] for r in log if "pixels" in r] == [1, 2, 3, 4]
    assert any("held_out/mouth" in r for r in log)
    made = open_generator(tmp_path / "out" / "generator.safetensors")
    assert (made.kind, made.size) == ("compact", 64)
    other = open_compact_training(
        config(4, adversarial=0.1), watch=lambda r: None, progress=said.append
    )
    with pytest.raises(InputError, match="another setting"):
        other.run()
