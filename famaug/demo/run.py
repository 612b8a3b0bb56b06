"""The whole way on sample media: measure, plan, render, cache, wrap, load, measure, report."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from famaug.aus.estimator import measure_aus
from famaug.aus.table import write_table
from famaug.demo.load import load_batches, store
from famaug.demo.media import Media, gather
from famaug.demo.page import Made, write_page
from famaug.errors import FaceError, InputError
from famaug.faces.mesher import PAPER_SIZES
from famaug.modulation.modulate import modulation_stages
from famaug.modulation.pools import macro_pool
from famaug.pipeline import Synthesizer
from famaug.quality.judge import ClipJudge
from famaug.report.tracks_figure import tracks_svg
from famaug.report.values import ReportDrawing
from famaug.seeding import keyed_generator
from famaug.sources import Driver, Identity
from famaug.types import AUTrack, Frames, Plan

PEAK = 1.5
"""Intensity of the strongest AU: a clear micro-expression."""
FPS = 100.0
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
    say: Say = lambda _: None,
) -> dict[str, float | int | str | None]:
    """Run it all and write `out/report.html`, the cache `out/cache` and an AU table.

    Args:
        out: folder to write; made if it is not there.
        identities: folder of pictures whose faces are used as well.
        size: side of the synthetic clips.
        seed: of everything drawn.
        offline: fetch nothing; use what was fetched before.
        say: is told what happens.

    Returns:
        Figures: r over all AUs, clips made, paths, seconds.

    Raises:
        FamaugError: bad input; nothing half-written is left.
    """
    watch = Stopwatch(say)
    out.mkdir(parents=True, exist_ok=True)
    with watch("Sample media"):
        media = gather(identities, offline)
    synthesizer = Synthesizer(size=size, fps=FPS, peak=PEAK)
    with watch("Measuring the driver"):
        tracks = _drivers(media, synthesizer, seed, out)
    with watch("Planning"):
        planned = _plans(media, tracks, synthesizer, seed)
    with watch("Rendering"):
        made = [
            Made(title, plan, frames, synthesizer.render([plan])[0])
            for title, plan, frames in planned
        ]
    with watch("Caching"):
        store(made, out / "cache")
    with watch("Loading batches"):
        loading = load_batches(made, out / "cache", seed)
    with watch("Measuring again"):
        for clip in made:
            clip.measured = measure_aus(clip.frames, fps=clip.plan.fps, mesher=synthesizer.mesher)
    with watch("Judging"):
        judge = ClipJudge(mesher=synthesizer.mesher)
        for clip in made:
            asked = AUTrack.of(clip.plan.intensity, estimator="asked", fps=clip.plan.fps)
            rest = synthesizer.still(clip.plan)
            clip.quality = judge.judge(clip.frames, asked=asked, rest=rest, seen=clip.measured)
    watch.say("Report")
    return write_page(out, media, made, synthesizer, loading, watch.seconds)


def _drivers(
    media: Media, synthesizer: Synthesizer, seed: int, out: Path
) -> list[tuple[str, Driver]]:
    """Titles and drivers: the video's smile at micro-expression strength, then the rules."""
    rules = [
        ("Surprise, by rule", "rule:surprise"),
        ("Brow lowerer and lid tightener, by hand", "aus:4=1.5,7=1"),
        ("One-sided smile (left only), by hand", "aus:12L=1.5,6L=0.8"),
        ("Positive, by rule", "rule:positive"),
        ("Negative, by rule", "rule:negative"),
    ]
    found = [(title, Driver.of(text)) for title, text in rules]
    if media.driver is None:
        return found
    clip = media.driver
    once, measured = (
        measure_aus(
            clip.frames,
            neutral=(0, 3),
            fps=clip.ref.fps,
            sizes=sizes,
            mesher=synthesizer.mesher,
        ).track
        for sizes in ((0,), PAPER_SIZES)
    )
    media.drawings.append(_cleaning(once, measured, synthesizer))
    write_table(measured, out / "driver_aus.csv")
    subject = f"{clip.ref.dataset}/{clip.ref.subject}"
    pool = macro_pool([measured], subjects=[subject], training=[subject], labels=["positive"])
    drawn = pool.draw(keyed_generator(seed, "demo", "driver"), fps=FPS)
    driver = Driver(
        "track", drawn.track, "single_face.mp4, early frames", "man", "sample", "positive"
    )
    return [("The video's smile, on another face", driver), *found]


def _cleaning(once: AUTrack, averaged: AUTrack, synthesizer: Synthesizer) -> ReportDrawing:
    """The driver's tracks through Eq. 1, 2 and 3."""
    stages = modulation_stages(once, settings=synthesizer.modulation, averaged=averaged)
    svg, width, height = tracks_svg(stages)
    return ReportDrawing(
        title="How the driver's AUs are cleaned",
        caption="The driver video's strongest AUs: measured once (raw), averaged over five sizes "
        "(Eq. 1), filtered over time (Eq. 2), taken relative to the onset and transferred (Eq. 3). "
        "Left solid, right dashed.",
        svg=svg,
        width=width,
        height=height,
    )


def _plans(
    media: Media, drivers: list[tuple[str, Driver]], synthesizer: Synthesizer, seed: int
) -> list[tuple[str, Plan, Frames | None]]:
    faces = _usable(media, synthesizer)
    plans = []
    turn = 0
    for i, (title, driver) in enumerate(drivers):
        others = [f for f in faces if f.subject != driver.subject or not f.subject] or faces
        shown = others[-1] if i == 0 and driver.subject else others[turn % len(others)]
        turn += 0 if i == 0 and driver.subject else 1
        rng = keyed_generator(seed, "demo", title)
        plan = synthesizer.plan(driver, shown, rng, seed=seed)
        video = media.driver.frames if driver.subject and media.driver is not None else None
        plans.append((f"{title} ({shown.name})", plan, video))
    return plans


def _usable(media: Media, synthesizer: Synthesizer) -> list[Identity]:
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
