"""The driver's own way from rest to apex, found by intensity, his head held still."""

from __future__ import annotations

import numpy as np
import pytest

from famaug import samples
from famaug.aus.curves import onset_apex_offset
from famaug.demo.driver import LENGTH, ceilings, held_still, onset_to_apex, show_driver
from famaug.errors import InputError
from famaug.faces.mesher import FaceMesher
from famaug.media.clips import read_picture
from famaug.pipeline import Synthesizer
from famaug.pipeline.inputs import Driver, Identity
from famaug.seeding import keyed_generator
from famaug.types import AU_INDEX, AUS, AUTrack, Clip, ClipRef, Frames


def track(au12: np.ndarray, au45: float = 0.0) -> AUTrack:
    x = np.zeros((len(au12), 2, len(AUS)), np.float32)
    x[:, :, AU_INDEX[12]] = au12[:, None]
    x[3, :, AU_INDEX[45]] = au45
    return AUTrack.of(x, estimator="test", fps=30)


def test_rest_and_hold_of_any_length_do_not_matter() -> None:
    rise = onset_apex_offset(10, apex=9) * 5
    for rest, hold in ((5, 0), (40, 90)):
        curve = np.concatenate([np.zeros(rest), rise, np.full(hold, 5.0)])
        first, last = onset_to_apex(track(curve, au45=5))
        assert first in (rest, rest + 1)
        assert curve[first] <= 0.05 * 5
        assert last == rest + int(np.flatnonzero(rise >= 0.93 * 5)[0])


def test_a_face_that_does_not_move() -> None:
    with pytest.raises(InputError, match="does not move"):
        onset_to_apex(track(np.zeros(9)))


def test_the_ceiling_is_said() -> None:
    assert ceilings(track(np.linspace(0, 4, 9))) == ()
    (words,) = ceilings(track(np.array([0, 2, 5, 5, 5.0])))
    assert words.startswith("AU12 lies at the scale's ceiling of 5 in 3 of 5 frames")


def test_a_head_that_slides_is_held_still(mesher: FaceMesher) -> None:
    picture = read_picture(samples.face("woman_62"))
    frames = np.stack([np.roll(picture, 6 * i, 1) for i in range(3)])
    out = held_still(frames, mesher.track(frames).mesh, 128)
    assert out.shape == (3, 128, 128, 3)
    middle = out[:, 30:100, 40:90].astype(float)
    assert np.abs(middle[2] - middle[0]).mean() < 3
    moved = frames[:, 100:300, 150:300].astype(float)
    assert np.abs(moved[2] - moved[0]).mean() > 8


def test_a_mans_smile_on_another_face(smile_video: tuple[Frames, float]) -> None:
    """Both lip corners at the strength asked, lips parting in proportion, left ahead as his is."""
    frames, fps = smile_video
    maker = Synthesizer(size=128, fps=100, peak=1.5)
    clip = Clip(ClipRef("sample", "man", "smile", fps=fps, onset=0), frames[:34])
    shown = show_driver(clip, size=128, fps=100, mesher=maker.mesher)
    assert 13 <= shown.first <= 16
    assert 20 <= shown.last <= 25
    assert len(shown.track) == LENGTH
    assert len(shown.frames) == shown.last - shown.first + 1
    driver = Driver("track", shown.track, "smile", "man", "sample")
    plan = maker.plan(driver, Identity.of(samples.face("man_30")), keyed_generator(0))
    smile, lips = (plan.intensity[:, :, AU_INDEX[au]] for au in (12, 25))
    assert (smile[-1] > 1.35).all()
    assert smile.max() == pytest.approx(1.5, abs=1e-3)
    assert (lips[-1] > 0.7).all()
    assert (lips[-1] < 1.3).all()
    assert smile[8, 0] > smile[8, 1]
    assert np.abs(np.diff(plan.intensity, axis=0)).max() < 0.2  # no unit snaps on
