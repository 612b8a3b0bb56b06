"""AUs before and after sharpening."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from famaug.errors import FaceError, SmallFaceWarning
from famaug.faces.align import crop_face
from famaug.faces.mesher import FaceMesher
from famaug.superres.check import au_change
from famaug.superres.upscale import Upscaler
from famaug.types import Frames, Picture


def enlarged(frames: Frames, by: int) -> Frames:
    return np.stack([cv2.resize(f, None, fx=by, fy=by, interpolation=cv2.INTER_CUBIC)
                     for f in frames])  # fmt: skip


def test_plain_enlargement_changes_little(brow_clip: Frames, mesher: FaceMesher) -> None:
    clip = brow_clip[::3]
    with pytest.warns(SmallFaceWarning, match="below 128"):
        found = au_change(clip, enlarged(clip, 2), mesher=mesher)
    assert found.frames == len(clip)
    assert found.mean < 0.1
    assert 60 < found.face < 128
    assert "AU" in str(found)
    assert found.to_json()["face_px"] == round(found.face, 1)


def test_another_expression_is_seen(astronaut_picture: Picture, mesher: FaceMesher) -> None:
    """A stronger clip in the place of the sharpened one."""
    from famaug import Synthesizer
    from famaug.seeding import keyed_generator

    synthesizer = Synthesizer(size=256)
    clips = []
    for text in ("aus:12=0.5", "aus:12=2"):
        plan = synthesizer.plan(text, astronaut_picture, keyed_generator(0, "check"))
        clips.append(synthesizer.render([plan])[0][::8])
    found = au_change(clips[0], clips[1], mesher=mesher)
    assert found.unit.startswith("AU12")
    assert found.largest > 0.3


def test_a_picture_and_one_without_a_face(astronaut_picture: Picture, mesher: FaceMesher) -> None:
    half = cv2.resize(astronaut_picture, (256, 256), interpolation=cv2.INTER_AREA)[None]
    with pytest.warns(SmallFaceWarning):
        found = au_change(half, enlarged(half, 2), mesher=mesher)
    assert found.mean < 0.02
    empty = np.zeros((2, 64, 64, 3), np.uint8)
    with pytest.raises(FaceError, match="no face"):
        au_change(empty, empty, mesher=mesher)


def test_the_default_redraws_least(astronaut_picture: Picture, mesher: FaceMesher) -> None:
    """On a face of 94 pixels that no network was trained on: AUs stay, and so do the colours."""
    crop = crop_face(astronaut_picture, mesher.find(astronaut_picture), 128)[0][None]
    drawn, off = {}, {}
    for model in ("faces", "compact"):
        made = Upscaler(model).frames(crop)
        with pytest.warns(SmallFaceWarning):
            drawn[model] = au_change(crop, made, mesher=mesher).mean
        back = cv2.resize(made[0], (128, 128), interpolation=cv2.INTER_AREA)
        off[model] = float(np.abs(back.astype(float) - crop[0]).mean())
    assert drawn["faces"] < 0.05 < drawn["compact"]
    assert off["faces"] < 1.5 < off["compact"]
