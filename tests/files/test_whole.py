"""A file or folder whole, or not at all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from famaug.errors import FamaugError, OutputError
from famaug.files.whole import clear_parts, whole_file, whole_folder, write_whole


def test_what_is_written_is_there_and_nothing_else(tmp_path: Path) -> None:
    write_whole(tmp_path / "a" / "x.json", "é")
    write_whole(tmp_path / "a" / "x.json", b"two")
    write_whole(tmp_path / "a" / "x.json", b"three", only_if_new=True)
    with whole_file(tmp_path / "v.mp4") as draft:
        assert draft.suffix == ".mp4"
        draft.write_bytes(b"video")
    (tmp_path / "empty").mkdir()
    with whole_folder(tmp_path / "empty") as draft:
        (draft / "1.png").write_bytes(b"1")
    assert (tmp_path / "a" / "x.json").read_bytes() == b"two"
    mask = os.umask(0)
    os.umask(mask)
    for path in (tmp_path / "a" / "x.json", tmp_path / "v.mp4"):
        assert path.stat().st_mode & 0o777 == 0o666 & ~mask
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["1.png", "a", "empty", "v.mp4", "x.json"]


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_an_error_leaves_what_was_there(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "out"
    if kind == "folder":
        path.mkdir()
        (path / "old").touch()
        with pytest.raises(OutputError, match="out cannot be written"), whole_folder(path) as draft:
            (draft / "new").touch()
        assert [p.name for p in path.iterdir()] == ["old"]
    else:
        path.write_text("old")
        with pytest.raises(OutputError), whole_file(path) as draft:
            draft.write_text((tmp_path / "none").read_text())
        assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_a_full_disk_is_an_error_of_the_projects_own(tmp_path: Path) -> None:
    code = f"""
import resource
from pathlib import Path
from famaug.errors import OutputError
from famaug.files.whole import write_whole
path = Path({str(tmp_path / "x")!r})
write_whole(path, b"old")
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
try:
    write_whole(path, bytes(1000))
except OutputError as error:
    assert error.errno, error
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "cannot be written: File too large; free some space" in done.stdout, done.stderr
    assert (tmp_path / "x").read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["x"]
    assert issubclass(OutputError, FamaugError)
    assert issubclass(OutputError, OSError)


def test_the_next_writer_clears_what_a_killed_one_left_and_nothing_else(tmp_path: Path) -> None:
    code = f"""
import os, signal
from pathlib import Path
from famaug.files.whole import whole_file, whole_folder
folder = Path({str(tmp_path)!r})
with whole_file(folder / "x.mp4") as a, whole_folder(folder / "x"):
    a.write_bytes(b"half")
    os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", code])
    assert done.returncode == -signal.SIGKILL
    others = [
        ".x.part",
        ".x.notes.txt",
        ".x.mp4.settings.mp4",
        ".y.abcdefgh.part",
        "x.abcdefgh.part",
    ]
    for name in others:
        (tmp_path / name).touch()
    assert len([*tmp_path.iterdir()]) == len(others) + 2
    clear_parts(tmp_path / "x.mp4")
    clear_parts(tmp_path / "x")
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(others)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_command_leaves_no_parts(tmp_path: Path, how: signal.Signals) -> None:
    code = f"""
import signal, time
from pathlib import Path
from famaug.commands import terminal
from famaug.files.whole import whole_file, whole_folder
signal.signal(signal.SIGINT, signal.default_int_handler)  # jobs behind a shell's & ignore it
def work():
    with whole_file(Path({str(tmp_path / "x.tar")!r})), whole_folder(Path({str(tmp_path / "x")!r})):
        print("ready", flush=True)
        time.sleep(20)
terminal.run(work)
"""
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as job:
        assert job.stdout is not None
        job.stdout.readline()
        assert len([*tmp_path.iterdir()]) == 2
        job.send_signal(how)
        job.wait(60)
    assert job.returncode in (130, 143)
    assert not [*tmp_path.iterdir()]
