"""Some frames of a planned clip, rendered without the others."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from famaug.errors import InputError
from famaug.look.files import load_look
from famaug.look.look import Look
from famaug.pipeline import Synthesizer
from famaug.pipeline.excerpt import at_frames
from famaug.samples import face
from famaug.seeding import keyed_generator
from famaug.types import Plan


def planned(look: Look | None) -> tuple[Synthesizer, Plan]:
    maker = Synthesizer(size=128 if look is None else "auto", look=look, fps=50)
    rng = keyed_generator(3, "excerpt")
    return maker, maker.plan("rule:surprise", str(face("woman_31")), rng)


@pytest.fixture(scope="module")
def moving() -> Look:
    """A look with all that changes from frame to frame, and no grain."""
    found = load_look("casme2")
    assert isinstance(found, Look)
    found = replace(found, fps=50.0, size=(96, 96))
    found = replace(found, noise=((0.0, 0.0), (255.0, 0.0)), chroma=0.0, jpeg=None)
    found = replace(found, paths=(), drift=(0.02, 0.5, 0.005), turns=(2.0, 1.0))
    return replace(found, misalign=(0.01, 0.5, 0.002), flicker=(0.02, 0.01))


@pytest.mark.parametrize("with_look", [False, True])
def test_pixels_are_those_of_the_whole_clip(moving: Look, with_look: bool) -> None:
    maker, plan = planned(moving if with_look else None)
    onset, apex, offset = plan.key_frames
    whole = maker.render([plan])[0]
    for picked in ((onset, apex), (0, apex, offset), (apex,)):
        part = maker.render([at_frames(plan, picked)])[0]
        apart = np.abs(part.astype(int) - whole[list(picked)].astype(int))
        # softness is measured on the first frame, and that of (apex,) is another
        assert apart.max() <= (0 if picked[0] == 0 or not with_look else 6)
    assert not np.array_equal(whole[onset], whole[apex])


@pytest.mark.parametrize("profile", ["casme2", "samm", "smic", "composite"])
def test_every_profile_is_rendered(profile: str) -> None:
    maker = Synthesizer(look=profile)
    plan = maker.plan("stats:positive", str(face("man_30")), keyed_generator(0, profile))
    onset, apex, _ = plan.key_frames
    assert len(maker.render([at_frames(plan, (onset, apex))])[0]) == 2


@pytest.mark.parametrize("picked", [(), (2, 1), (1, 1), (-1, 2), (0, 10_000)])
def test_frames_that_are_not_there(picked: tuple[int, ...]) -> None:
    plan = Plan({}, {}, [[[0.0] * 17] * 2] * 5, "g", "w", None, 10.0)
    with pytest.raises(InputError, match=r"frames must be rising numbers from 0 to 4; got \["):
        at_frames(plan, picked)
