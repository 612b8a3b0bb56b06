"""A user's own generator goes the whole way: options, plan, key, workers, cache, guard, gate."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from famaug.data.guard import Guard
from famaug.errors import InputError, RenderError
from famaug.generation import Generation, Resources, generate
from famaug.generator.options import Choice, Range, chosen
from famaug.pipeline import Synthesizer
from famaug.quality.gate import Gate
from famaug.seeding import keyed_generator
from famaug.store import ClipCache
from famaug.types import Picture

TINT = """
import numpy as np

from famaug.generator.options import Choice, Range


class Tint:
    name = "tint/1"
    options = {"strength": Range(0, 1, 0.5), "colour": Choice("red", "blue")}
    subjects = ("casme2/sub01",)

    def __init__(self, picture, mesh, *, strength, colour):
        self.picture, self.mesh = picture, mesh
        self.gain = np.ones(3)
        self.gain[0 if colour == "red" else 2] += strength

    def render(self, intensity):
        rise = intensity.max((1, 2))[:, None, None, None] / 5
        frames = self.picture * (1 + (self.gain - 1) * rise)
        return frames.clip(0, 255).astype(np.uint8)


class Wrong(Tint):
    name = "wrong/1"

    def render(self, intensity):
        return super().render(intensity)[:-1]


class Posing(Tint):
    name = "warp/4"


class Nameless:
    pass
"""


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_tints.py").write_text(TINT)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)


def maker(name: str = "Tint", **options: object) -> Synthesizer:
    return Synthesizer(generator=f"own_tints:{name}", options=options, size=96, fps=25, peak=2)


def test_a_plan_holds_its_name_and_options(astronaut_picture: Picture) -> None:
    def plan(synthesizer: Synthesizer):
        return synthesizer.plan("aus:12=2", astronaut_picture, keyed_generator(0, "own"))

    first, strong = plan(maker()), plan(maker(strength=0.9))
    assert first.generator == "tint/1"
    assert first.params["render"] == {"strength": 0.5, "colour": "red"}
    assert first.params["trained_on"] == ["casme2/sub01"]
    assert first.key == plan(maker(strength=0.5)).key
    assert len({first.key, strong.key, plan(Synthesizer(size=96, fps=25, peak=2)).key}) == 3
    mild, bold = maker(), maker(strength=0.9)
    frames, stronger = mild.render([plan(mild)])[0], bold.render([plan(bold)])[0]
    assert (frames[..., 0] <= stronger[..., 0]).all()
    assert np.abs(frames.astype(int) - stronger).max() > 5
    with pytest.raises(RenderError, match="the plan was made with"):
        maker().render([strong])
    with pytest.raises(RenderError, match="the plan asks for tint/1"):
        Synthesizer(size=96).render([first])


def test_the_whole_way(tmp_path: Path, astronaut_picture: Picture) -> None:
    Image.fromarray(astronaut_picture).save(tmp_path / "face.png")
    settings = Generation(
        out=tmp_path / "cache", rules=["aus:12=2"], pictures=[tmp_path / "face.png"], per_rule=2,
        synthesizer=maker(colour="blue"),
    )  # fmt: skip
    report = generate(settings, Resources(workers=2))
    assert report.complete, report
    cache = ClipCache(tmp_path / "cache")
    again = maker(colour="blue")
    again.keep_picture(astronaut_picture)
    for key in report.keys:
        story = cache.provenance(key)
        assert story is not None
        assert story.plan.params["render"]["colour"] == "blue"
        assert Guard({"casme2/sub01"}).reason(story) is not None
        assert Guard({"casme2/sub02"}).reason(story) is None
        assert np.array_equal(cache.read(key).frames, again.render([story.plan])[0])
    gated = generate(replace(settings, out=tmp_path / "gated", gate=Gate(), tries=1), Resources())
    assert gated.rejected == 2, "a tint is no expression, and the gate sees it"


@pytest.mark.parametrize(
    ("generator", "options", "words"),
    [
        ("own_tints:Tint", {"strength": 2}, "strength is 0 to 1; got 2"),
        ("own_tints:Tint", {"colour": "green"}, "colour is 'red' or 'blue'; got 'green'"),
        ("own_tints:Tint", {"strenght": 1}, "no option 'strenght'.*did you mean strength"),
        ("own_tints:Tinted", {}, "has no Tinted; did you mean Tint"),
        ("own_tints:Posing", {}, "calls itself 'warp/4'"),
        ("own_tints:Nameless", {}, "is no generator: it has no name"),
        ("warp", {"halves": "maps"}, "the generator warp has no option 'halves'; there are: skin"),
        ("warp", {"skin": True}, "skin is 0 to 3; got True"),
        ("warp:file", {}, "nothing behind a colon"),
        ("ganimation", {}, "needs its weights"),
    ],
)
def test_refused(generator: str, options: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        Synthesizer(generator=generator, options=options)


def test_frames_of_another_length_are_refused(astronaut_picture: Picture) -> None:
    wrong = maker("Wrong")
    plan = wrong.plan("aus:12=2", astronaut_picture, keyed_generator(0, "own"))
    with pytest.raises(RenderError, match="the generator wrong/1 gave uint8"):
        wrong.render([plan])


def test_all_that_is_wrong_with_options_is_told_together() -> None:
    options = {"a": Range(0, 1, 0), "b": Choice("x", "y")}
    assert chosen("g", options, {"a": 1}) == {"a": 1.0, "b": "x"}
    with pytest.raises(InputError, match=r"no option 'c'.*; a is 0 to 1.*; b is 'x' or 'y'"):
        chosen("g", options, {"a": "1", "b": 2, "c": 3})
