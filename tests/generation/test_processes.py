"""R1, R23: a killed generation goes on as if nothing had been; what fails names clip and reason."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from famaug.data import ClipFolder
from famaug.errors import InputError, RenderError
from famaug.generation import Generation, generate
from famaug.generation.resources import Resources
from famaug.seeding import keyed_generator
from famaug.store import ClipCache, verify
from tests.generation.generation_builders import (
    BadSynthesizer,
    QuickSynthesizer,
    content,
    growing,
    quick,
    write_clips,
    write_pictures,
)

pytestmark = pytest.mark.slow

CLIPS = 160


def many(tmp: Path, name: str) -> Generation:
    return quick(tmp, name, per_rule=CLIPS // 2, synthesizer=QuickSynthesizer(pause_s=0.004))


def run_and_tell(tmp: Path, name: str, workers: int, pipe: Connection) -> None:
    """In a process that will be killed: says how many clips are acknowledged."""

    def say(stage: str, done: int, total: int) -> None:
        if stage == "rendering":
            pipe.send(done)

    generate(many(tmp, name), Resources(workers=workers), progress=say)


def test_killed_generation_goes_on(tmp_path: Path) -> None:
    whole = many(tmp_path, "whole")
    assert generate(whole).made == CLIPS
    out, rng, kills = tmp_path / "killed", keyed_generator(0, "kill"), 0
    context = multiprocessing.get_context("forkserver")
    for number in range(10):
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(
            target=run_and_tell, args=(tmp_path, "killed", 1 + number % 2, theirs)
        )
        process.start()
        theirs.close()
        acknowledged = ours.recv()  # as many as were there
        aim = acknowledged + int(rng.integers(1, 14))
        while acknowledged < aim:
            acknowledged = ours.recv()
        time.sleep(float(rng.uniform(0, 0.02)))
        process.kill()
        process.join()
        kills += process.exitcode == -signal.SIGKILL
        while ours.poll():
            try:
                acknowledged = ours.recv()
            except EOFError:
                break
        report = verify(out)
        assert report.good, report
        assert acknowledged <= report.clips
    assert kills == 10
    assert report.clips < CLIPS, "no kill came in the middle: make more clips"
    deadline = time.monotonic() + 10  # a worker whose parent was killed ends its batch
    rest = generate(many(tmp_path, "killed"), Resources(workers=2))
    assert rest.made <= CLIPS - report.clips  # what the orphan did not end by itself
    assert time.monotonic() < deadline + 20
    assert content(out) == content(whole.out)
    assert len(ClipCache(out)) == CLIPS


def bad_drivers(tmp_path: Path, word: str) -> Generation:
    names = [f"s{i}/{n}" for i, n in enumerate(("ok", word, "fine"))]
    data = ClipFolder(write_clips(tmp_path / "data", {n: growing(i) for i, n in enumerate(names)}))
    return Generation(
        out=tmp_path / "c",
        dataset=data,
        own_faces=False,
        pictures=[write_pictures(tmp_path / "p", 1)],
        synthesizer=BadSynthesizer(),
    )


def test_a_killed_worker_is_replaced_and_its_clip_named(tmp_path: Path) -> None:
    report = generate(bad_drivers(tmp_path, "dies"))
    assert report.made == 2
    (skip,) = report.skipped
    assert "/dies on " in skip.name
    assert skip.reason == "its worker was killed by SIGKILL (out of memory?), 2 times"
    assert report.lost_workers >= 2


def test_a_hung_worker_is_ended_and_its_clip_named(tmp_path: Path) -> None:
    report = generate(bad_drivers(tmp_path, "hangs"), Resources(clip_limit_s=0.7))
    assert report.made == 2
    (skip,) = report.skipped
    assert "/hangs on " in skip.name
    assert "took more than 0.7 seconds" in skip.reason


class NoNets(QuickSynthesizer):
    """Cannot be set up in a worker."""

    def __setstate__(self, state: dict[str, object]) -> None:
        raise RuntimeError("the weights are gone")


def test_workers_that_cannot_start_end_the_run(tmp_path: Path) -> None:
    with pytest.raises(RenderError, match="workers cannot be started"):
        generate(quick(tmp_path, synthesizer=NoNets()))


def test_a_dataset_that_cannot_travel_is_told(tmp_path: Path) -> None:
    root = write_clips(tmp_path / "data", {"s/c": growing(0)})
    data = ClipFolder(root)
    data.transform = lambda frames: frames  # type: ignore[attr-defined]
    settings = Generation(out=tmp_path / "c", dataset=data, synthesizer=QuickSynthesizer())
    with pytest.raises(InputError, match="cannot be sent to a worker process"):
        generate(settings)


def test_a_full_disk_stops_the_run_and_keeps_what_is_there(tmp_path: Path) -> None:
    job = Path(__file__).with_name("full_disk_job.py")
    done = subprocess.run(
        [sys.executable, str(job), str(tmp_path)], capture_output=True, text=True, timeout=120
    )
    assert "CacheFullError" in done.stdout, done.stderr
    assert "free some space" in done.stdout
    settings = many(tmp_path, "cache")
    there = verify(settings.out)
    assert there.good
    assert 0 < there.clips < CLIPS
    rest = generate(settings)
    assert (rest.there, rest.there + rest.made) == (there.clips, CLIPS)


YAML = """
out: {tmp}/cache
drivers: {{rules: ["rule:positive", "rule:surprise"], per_rule: 100}}
identities: {{pictures: [{tmp}/pictures]}}
render: {{size: 64, fps: 20}}
gate: {{enabled: false}}
"""


def test_ctrl_c_ends_cleanly_and_the_same_command_goes_on(tmp_path: Path) -> None:
    from PIL import Image
    from skimage.data import astronaut

    (tmp_path / "pictures").mkdir()
    Image.fromarray(astronaut()[:256, 96:352]).save(tmp_path / "pictures" / "a.png")
    config = tmp_path / "c.yaml"
    config.write_text(YAML.format(tmp=tmp_path))
    command = [sys.executable, "-c", "from famaug.cli import main; main()", "pregenerate"]
    process = subprocess.Popen(
        [*command, str(config), "--workers", "2"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    shards = tmp_path / "cache" / "shards"
    while not any(p.stat().st_size > 150_000 for p in shards.glob("*.lmdb")):
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the workers too
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "the same command goes on" in err
    assert "Traceback" not in err
    made = int(out.split()[0])
    assert 0 < made < 200
    assert verify(tmp_path / "cache").clips == made
    rest = subprocess.run(
        [*command, str(config), f"drivers.per_rule={made // 2 + 2}", "--json"],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert rest.returncode == 0, rest.stderr
    assert verify(tmp_path / "cache").good


def plan_and_tell(tmp: Path, pipe: Connection) -> None:
    """As the command does: plans far more than there is time for, until Ctrl-C."""
    from famaug.commands.pregenerate import _until_stopped

    def say(stage: str, done: int, total: int) -> None:
        if stage == "planning" and done % 100 == 0:
            pipe.send((done, total))

    with _until_stopped() as stop:
        report = generate(quick(tmp, per_rule=10**6), dry_run=True, progress=say, stop=stop)
    pipe.send((report.stopped, report.made))


def test_ctrl_c_while_planning_is_answered_at_once_and_in_little_memory(tmp_path: Path) -> None:
    ours, theirs = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("forkserver").Process(
        target=plan_and_tell, args=(tmp_path, theirs)
    )
    process.start()
    theirs.close()
    seen, held = [], []
    while len(seen) < 8:
        assert ours.poll(60)
        seen.append(ours.recv())
        status = Path(f"/proc/{process.pid}/statm")
        held.append(int(status.read_text().split()[1]) * 4096 if status.exists() else 0)
    assert seen[0] == (100, 2 * 10**6)  # clips, not drivers: one rule is not one long step
    assert process.pid is not None
    os.kill(process.pid, signal.SIGINT)
    asked, last = time.monotonic(), seen[-1]
    while True:  # what was said before
        try:
            last = ours.recv()
        except EOFError:
            break
    assert time.monotonic() - asked < 2
    assert last == (True, 0)
    process.join(10)
    assert process.exitcode == 0
    assert held[-1] - held[2] < 500 * 8_000  # 8 kB a clip at most, planning's own work included
