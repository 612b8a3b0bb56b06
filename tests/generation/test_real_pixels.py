"""The whole way with the real nets and the real renderer: what the workers make is what the
`Synthesizer` makes, and the work can be cut in any way."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from famaug.data import ClipFolder
from famaug.generation import Generation, generate
from famaug.generation.resources import Resources
from famaug.modulation.modulate import Modulation
from famaug.pipeline import Synthesizer
from famaug.seeding import keyed_generator
from famaug.store import ClipCache
from famaug.types import Picture
from tests.generation.generation_builders import content, write_clips

SETTINGS = {"size": 72, "fps": 25.0, "peak": 1.5, "modulation": Modulation(n=0)}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> ClipFolder:
    """Two people (the astronaut, and her mirror image in other colours), a clip each."""
    import skimage.data

    portrait: Picture = np.asarray(skimage.data.astronaut()[:224, 112:336], np.uint8)
    other = np.ascontiguousarray(portrait[:, ::-1, ::-1])
    synthesizer = Synthesizer(size=200, fps=25.0, peak=2.5)
    clips = {}
    for name, face, rule in (("a", portrait, "aus:12=2,6=1"), ("b", other, "aus:1=2,2=2")):
        plan = synthesizer.plan(rule, face, keyed_generator(1, name))
        clips[f"{name}/c"] = synthesizer.render([plan])[0][:8]
    return ClipFolder(
        write_clips(tmp_path_factory.mktemp("clips"), clips),
        dataset="d",
    )


def settings(dataset: ClipFolder, out: Path) -> Generation:
    return Generation(
        out=out, dataset=dataset, rules=["rule:positive"], per_rule=3, seed=5,
        synthesizer=Synthesizer(**SETTINGS),  # type: ignore[arg-type]
    )  # fmt: skip


@pytest.mark.slow
def test_cut_in_any_way_and_equal_to_the_synthesizer(dataset: ClipFolder, tmp_path: Path) -> None:
    found = []
    for number, workers in enumerate((1, 2)):
        report = generate(settings(dataset, tmp_path / f"c{number}"), Resources(workers=workers))
        assert report.complete, report
        assert report.measured == 4, "each with measurements of its own"
        found.append(content(tmp_path / f"c{number}"))
    assert found[0] == found[1]
    assert len(found[0]) == 2 + 3
    cache, here = ClipCache(tmp_path / "c0"), Synthesizer(**SETTINGS)  # type: ignore[arg-type]
    for key in cache.keys():  # noqa: SIM118
        clip = cache.read(key)
        assert clip.provenance is not None
        assert clip.frames.shape[1:] == (72, 72, 3)
        assert (clip.frames[0] != clip.frames).any(), "it moves"
        if clip.provenance.driver_subject:
            driver, face = (dataset[i][0] for i in _places(dataset, clip.provenance))
            plan = here.plan(driver, face, keyed_generator(0), seed=5)
            assert plan.key == key, "planned online, the clip has the same key"
            assert np.array_equal(here.render([plan])[0], clip.frames)


def _places(dataset: ClipFolder, story: object) -> list[int]:
    subjects = [f"d/{r.subject}" for r in dataset.refs]
    return [subjects.index(getattr(story, f"{s}_subject")) for s in ("driver", "identity")]


def test_pictures_that_cannot_be_read_again_are_kept(dataset: ClipFolder, tmp_path: Path) -> None:
    """A dataset that changes its pixels: workers render from the kept picture."""
    base = settings(dataset, tmp_path / "c")
    made = Generation(**(vars(base) | {"dataset": Darker(dataset), "rules": ()}))
    assert generate(made).made == 2
    cache = ClipCache(made.out)
    first = cache.read(cache.keys()[0]).frames
    assert first.max() < 140


class Darker:
    """A dataset whose pixels are not those of its files."""

    def __init__(self, dataset: ClipFolder) -> None:
        self.dataset, self.refs = dataset, dataset.refs

    def __len__(self) -> int:
        return len(self.refs)

    def __getitem__(self, index: int) -> object:
        clip, label = self.dataset[index]
        return type(clip)(clip.ref, clip.frames // 2), label


def test_a_table_drives(dataset: ClipFolder, tmp_path: Path) -> None:
    from famaug.aus.table import write_table
    from famaug.modulation.rules import parse_expression

    track = parse_expression("aus:4=2").draw(keyed_generator(0), fps=25.0)
    write_table(track, tmp_path / "a.csv")
    picture = tmp_path / "face.png"
    Image.fromarray(dataset[0][0].frames[0]).save(picture)
    report = generate(
        Generation(
            out=tmp_path / "c",
            tables=[tmp_path / "a.csv"],
            pictures=[picture],
            synthesizer=Synthesizer(**SETTINGS),  # type: ignore[arg-type]
        )
    )
    assert report.made == 1


def test_loose_faces_are_framed_as_the_data_sets_clips_are(
    dataset: ClipFolder, tmp_path: Path
) -> None:
    import skimage.data

    Image.fromarray(skimage.data.astronaut()[:260, 90:360]).save(tmp_path / "loose.png")
    keep = {k: v for k, v in SETTINGS.items() if k != "size"}
    report = generate(
        Generation(
            out=tmp_path / "c", dataset=dataset, clips=True, own_faces=False,
            pictures=[tmp_path / "loose.png"], rules=["rule:positive"], per_rule=1,
            synthesizer=Synthesizer(**keep),  # type: ignore[arg-type]
        )
    )  # fmt: skip
    assert report.complete, report
    cache = ClipCache(tmp_path / "c")
    want = dataset[0][0].frames.shape[1:3]
    kinds = set()
    for key in cache.keys():  # noqa: SIM118
        clip = cache.read(key)
        assert clip.frames.shape[1:3] == want
        assert clip.provenance is not None
        kinds.add(clip.provenance.plan.driver["kind"])
        assert clip.provenance.plan.params["frame"]["size"] == list(want)
    assert kinds == {"clip", "rule"}
