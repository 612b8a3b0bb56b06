"""AU45 as the lids say it."""

from __future__ import annotations

import numpy as np
import pytest

from famaug import samples
from famaug.aus.basis import FULL, to_head_axes
from famaug.aus.eyelids import WIDE, with_lids
from famaug.aus.fit import PersonBasis, fit_person
from famaug.aus.flow_and_points import measure_aus
from famaug.faces.align import crop_face
from famaug.faces.mesher import FaceMesher
from famaug.generator.warp import WarpRenderer
from famaug.media.clips import read_picture
from famaug.types import AU_INDEX, Floats, Frames

BLINK = AU_INDEX[45]


@pytest.fixture(scope="module")
def face(mesher: FaceMesher) -> tuple[WarpRenderer, PersonBasis]:
    picture = read_picture(samples.face("woman_31"))
    crop, mesh, _ = crop_face(picture, mesher.find(picture), 256, margin=1.5)
    return WarpRenderer(crop, mesh), fit_person(mesh)


def moved(person: PersonBasis, level: float, au: int, sides: tuple[int, ...] = (0, 1)) -> Floats:
    """The person's neutral mesh with a unit on, in picture axes."""
    points = person.neutral + sum(person.motion[AU_INDEX[au], s] for s in sides) * level / FULL
    out: Floats = to_head_axes(points).astype(np.float32)  # its own inverse
    return out


@pytest.mark.parametrize("backend", ["flow", "points"])
def test_a_closed_eye_of_a_real_blink_reads_nearly_five(
    smile_video: tuple[Frames, float], mesher: FaceMesher, backend: str
) -> None:
    frames = smile_video[0][[22, 24, 26, 27, 31]]
    seen = measure_aus(frames, backend=backend, mesher=mesher).track.intensity[:, :, BLINK]  # type: ignore[arg-type]
    assert seen[3].min() > 4.5
    assert seen[2].min() > 4
    assert seen[[1, 4]].max() < 1


def test_a_rendered_blink_is_read_as_asked(
    face: tuple[WarpRenderer, PersonBasis], mesher: FaceMesher
) -> None:
    track = np.zeros((4, 2, 17), np.float32)
    track[1:, :, BLINK] = [[1.0, 1.0], [2.5, 2.5], [5.0, 5.0]]
    seen = measure_aus(face[0].render(track), mesher=mesher).track.intensity[:, :, BLINK].mean(1)
    assert (np.diff(seen) > 0).all()
    assert seen[2] == pytest.approx(2.5, abs=1)
    assert seen[3] > 4


def test_lids_at_rest_change_nothing(face: tuple[WarpRenderer, PersonBasis]) -> None:
    rng = np.random.default_rng(0)
    asked = rng.uniform(0, 0.3, (17, 2))
    out = with_lids(asked, face[1], moved(face[1], 0, 45))
    assert (out == asked).all()


def test_each_eye_is_read_alone(face: tuple[WarpRenderer, PersonBasis]) -> None:
    flow = np.zeros((17, 2))
    flow[BLINK, 0] = 2.4
    out = with_lids(flow, face[1], moved(face[1], 5, 45, sides=(0,)))
    assert out[BLINK, 0] > 4.5
    assert out[BLINK, 1] == 0
    assert np.delete(out, BLINK, 0).max() == 0


def test_a_lower_lid_that_rises_is_no_blink(face: tuple[WarpRenderer, PersonBasis]) -> None:
    known = np.zeros((17, 2))
    known[AU_INDEX[7]] = 5
    mesh = moved(face[1], 5, 7)
    assert with_lids(known, face[1], mesh)[BLINK].max() < 0.5
    # without it, the same lids read as a part of a blink
    assert with_lids(np.zeros((17, 2)), face[1], mesh)[BLINK].min() > 0.5


def test_wide_eyes_are_no_blink(face: tuple[WarpRenderer, PersonBasis]) -> None:
    known = np.zeros((17, 2))
    known[AU_INDEX[5]] = 5
    assert with_lids(known, face[1], moved(face[1], 5, 5))[BLINK].max() < 0.5


def test_a_wide_eye_of_flow_is_made_larger(face: tuple[WarpRenderer, PersonBasis]) -> None:
    known = np.zeros((17, 2))
    known[AU_INDEX[5]] = 2
    out = with_lids(known, face[1], moved(face[1], 2, 5), wide=WIDE)
    assert out[AU_INDEX[5]] == pytest.approx([2.8, 2.8])
    assert known[AU_INDEX[5]].tolist() == [2, 2]  # not in place
