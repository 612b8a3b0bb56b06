"""The user's own OpenFace as an estimator: its binary, run once a clip."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from functools import cached_property
from pathlib import Path

from famaug.aus.openface import SCALE, read_openface
from famaug.errors import InputError, MissingPackageError
from famaug.types import AUTrack, Frames

PROGRAM = "FeatureExtraction"


class OpenFaceBinary:
    """The user's own OpenFace (its licence is not ours): a clip is measured in one call.

    Args:
        program: FeatureExtraction, or the folder it lies in. None: the one on PATH.
        timeout_s: after that many seconds a call is given up.

    Raises:
        MissingPackageError: it is not there.
    """

    name, licence, scale = "openface-binary", "OpenFace's: academic use, not commercial", SCALE

    def __init__(self, program: str | Path | None = None, *, timeout_s: float = 600.0) -> None:
        self.timeout_s = timeout_s
        base = Path(shutil.which(PROGRAM) or PROGRAM) if program is None else Path(program)
        names = (PROGRAM, f"{PROGRAM}.exe", f"bin/{PROGRAM}")
        found = [p for p in (base, *(base / n for n in names)) if p.is_file()]
        if not found:
            where = "on PATH" if program is None else f"at {base}"
            raise MissingPackageError(
                f"no OpenFace {where}: name its {PROGRAM} program or the folder it lies in, "
                "openface-binary:FOLDER. famaug's own estimator (flow) needs nothing of the kind",
                name=PROGRAM,
            )
        self.program = found[0].resolve()

    @cached_property
    def version(self) -> str:
        """OpenFace names no version: the first 12 hex digits of the program's sha256 do."""
        return hashlib.sha256(self.program.read_bytes()).hexdigest()[:12]

    def measure(self, frames: Frames, neutral: int = 0) -> AUTrack:
        """Runs FeatureExtraction once on all frames (uint8 RGB `T H W 3`); it needs no neutral one.

        Raises:
            InputError: the program fails, takes too long or writes nothing; the message ends with
                what it said.
            TrackError: as `read_openface`, for what it wrote.
        """
        with tempfile.TemporaryDirectory(prefix="famaug-openface-") as folder:
            pictures, out = Path(folder, "frames"), Path(folder, "out")
            _write_pictures(frames, pictures)
            said = self._run(pictures, out)
            table = out / "clip.csv"
            if not table.is_file():
                raise InputError(f"OpenFace ended well but wrote no table; it said: {said}")
            return read_openface(table).track

    def _run(self, pictures: Path, out: Path) -> str:
        command = [str(self.program), "-fdir", str(pictures), "-aus"]
        command += ["-out_dir", str(out), "-of", "clip"]
        try:
            done = subprocess.run(command, capture_output=True, timeout=self.timeout_s, check=False)
        except subprocess.TimeoutExpired as error:
            raise InputError(
                f"OpenFace took more than {self.timeout_s:g} s: raise timeout_s or cut the clip"
            ) from error
        except OSError as error:
            raise InputError(f"cannot run {self.program}: {error}") from error
        said = (done.stdout + done.stderr).decode(errors="replace").strip()[-400:]
        if done.returncode != 0:
            raise InputError(f"OpenFace failed with exit code {done.returncode}: {said}")
        return said


def _write_pictures(frames: Frames, folder: Path) -> None:
    import cv2

    folder.mkdir()
    for number, frame in enumerate(frames):
        name = str(folder / f"{number:06d}.png")
        if not cv2.imwrite(name, cv2.cvtColor(frame, cv2.COLOR_RGB2BGR)):
            raise InputError(f"cannot write frame {number} for OpenFace to {name}")
