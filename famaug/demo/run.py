"""The whole way on sample media: measure, plan, render, cache, wrap, load, measure, report."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from famaug.aus.flow_and_points import measure_aus
from famaug.aus.table import write_table
from famaug.demo.driver import ShownDriver, show_driver
from famaug.demo.inputs import DemoInputs, gather
from famaug.demo.load import load_batches, store
from famaug.demo.page import Made, write_page
from famaug.errors import FaceError, InputError
from famaug.modulation.modulate import modulation_stages
from famaug.pipeline.inputs import Driver, Identity
from famaug.pipeline.synthesizer import Synthesizer
from famaug.quality.judge import ClipJudge
from famaug.report.lettering import drawn
from famaug.report.tracks_figure import tracks_figure
from famaug.report.values import ReportDrawing
from famaug.seeding import keyed_generator

PEAK = 1.5
"""Intensity of the strongest AU: a clear micro-expression."""
FPS = 100.0
RULES = (
    ("Surprise, by rule", "rule:surprise"),
    ("Brow lowerer and lid tightener, by hand", "aus:4=1.5,7=1"),
    ("One-sided smile (left only), by hand", "aus:12L=1.5,6L=0.8"),
    ("Positive, by rule", "rule:positive"),
    ("Negative, by rule", "rule:negative"),
)
"""Clips after the first: title, and what is shown."""
Say = Callable[[str], None]


class Stopwatch:
    """Seconds by stage."""

    def __init__(self, say: Say) -> None:
        self.seconds: dict[str, float] = {}
        self.say = say

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        self.say(stage)
        start = time.perf_counter()
        yield
        self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - start


def run_demo(
    out: Path,
    *,
    identities: Path | None = None,
    size: int = 256,
    seed: int = 0,
    offline: bool = False,
    rules: Sequence[tuple[str, str]] = RULES,
    say: Say = lambda _: None,
) -> dict[str, float | int | str | None]:
    """Run it all and write `out/report.html`, the cache `out/cache` and an AU table.

    Args:
        out: folder to write; made if it is not there.
        identities: folder of pictures whose faces are used as well.
        size: side of the synthetic clips.
        seed: of everything drawn.
        offline: fetch nothing; use what was fetched before.
        rules: clips after the first: title, and what is shown.
        say: is told what happens.

    Returns:
        Figures: r over all AUs, clips made, paths, seconds.

    Raises:
        FamaugError: bad input; nothing half-written is left.
    """
    watch = Stopwatch(say)
    out.mkdir(parents=True, exist_ok=True)
    synthesizer = Synthesizer(size=size, fps=FPS, peak=PEAK)
    with watch("Sample media"):
        media = gather(identities, offline, synthesizer)
    with watch("Measuring the driver"):
        shown = show_driver(media.driver, size=size, fps=FPS, mesher=synthesizer.mesher)
        first = _of_the_video(media, shown, synthesizer, out)
    with watch("Planning"):
        made = _plans(media, first, shown, synthesizer, rules, seed)
    with watch("Rendering"):
        for clip in made:
            clip.frames = synthesizer.render([clip.plan])[0]
    with watch("Caching"):
        store(made, out / "cache", synthesizer.engine())
    with watch("A data set and its loader"):
        loading = load_batches(out, peak=PEAK, seed=seed)
    with watch("Measuring again"):
        for clip in made:
            clip.measured = measure_aus(clip.frames, fps=clip.plan.fps, mesher=synthesizer.mesher)
    with watch("Judging"):
        judge = ClipJudge(mesher=synthesizer.mesher)
        for clip in made:
            rest = synthesizer.still(clip.plan)
            clip.quality = judge.judge(
                clip.frames, asked=clip.plan.asked, rest=rest, seen=clip.measured
            )
    watch.say("Report")
    return write_page(out, media, made, synthesizer, loading, watch.seconds)


def _of_the_video(
    media: DemoInputs, shown: ShownDriver, synthesizer: Synthesizer, out: Path
) -> Driver:
    """The first clip's driver; the AUs go to a table, their cleaning to a figure."""
    media.drawings.append(_cleaning(shown, synthesizer))
    write_table(shown.once, out / "driver_aus.csv")
    ref = media.driver.ref
    name = f"{ref.clip}, frames {shown.first} to {shown.last}"
    return Driver("track", shown.track, name, ref.subject, ref.dataset, "positive")


def _cleaning(shown: ShownDriver, synthesizer: Synthesizer) -> ReportDrawing:
    """The driver's tracks through Eq. 1, 2 and 3."""
    length = len(shown.averaged)
    once = replace(
        shown.once,
        intensity=shown.once.intensity[:length],
        confidence=shown.once.confidence[:length],
    )
    stages = modulation_stages(once, settings=synthesizer.modulation, averaged=shown.averaged)
    return ReportDrawing(
        title="How the driver's AUs are cleaned",
        caption="The driver's strongest AUs from rest to apex: measured once (raw), averaged over "
        "five sizes (Eq. 1), filtered over time (Eq. 2), taken relative to the onset and "
        f"transferred (Eq. 3). Left solid, right dashed. The first clip takes frames {shown.first} "
        f"to {shown.last} of it, scaled so that the strongest AU reaches {PEAK:g}.",
        drawing=drawn(tracks_figure(stages)),
    )


def _plans(
    media: DemoInputs,
    first: Driver,
    shown: ShownDriver,
    synthesizer: Synthesizer,
    rules: Sequence[tuple[str, str]],
    seed: int,
) -> list[Made]:
    faces = _usable(media, synthesizer)
    title = "A smile from the video" if media.real else "A rendered smile"
    drivers = [(f"{title}, onset to apex", first), *((t, Driver.of(text)) for t, text in rules)]
    made = []
    for i, (title, driver) in enumerate(drivers):
        face = faces[i % len(faces)]
        rng = keyed_generator(seed, "demo", title)
        plan = synthesizer.plan(driver, face, rng, seed=seed)
        of_video = i == 0
        made.append(
            Made(
                title=f"{title} ({face.name})",
                plan=plan,
                driver_frames=shown.frames if of_video else None,
                notes=shown.notes if of_video else (),
            )
        )
    return made


def _usable(media: DemoInputs, synthesizer: Synthesizer) -> list[Identity]:
    faces = []
    for face in media.identities:
        try:
            synthesizer.plan(Driver.of("aus:12=1"), face, keyed_generator(0, "demo", "probe"))
        except FaceError as e:
            media.notes.append(f"{face.name} was left out: {e}")
        else:
            faces.append(face)
    if not faces:
        raise InputError("none of the identity pictures shows a usable face")
    return faces
