"""The user's own OpenFace as a source of AUs: its binary, run once a clip."""

from __future__ import annotations

import hashlib
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from famaug.aus.openface import MIN_CONFIDENCE, SCALE, OpenFaceReading, read_openface
from famaug.errors import InputError, TrackError
from famaug.types import AUTrack, Frames


@dataclass(frozen=True, kw_only=True)
class OpenFaceBinary:
    """The user's own OpenFace (its licence is not ours): a clip is measured in one call.

    Attributes:
        path: the FeatureExtraction program, or the folder it lies in.
        timeout_s: after that many seconds a call is given up.
        min_confidence: as in `read_openface`.
    """

    path: Path
    timeout_s: float = 600.0
    min_confidence: float = MIN_CONFIDENCE

    @property
    def program(self) -> Path:
        """The program itself.

        Raises:
            InputError: it is not there.
        """
        base = Path(self.path)
        names = ("FeatureExtraction", "FeatureExtraction.exe", "bin/FeatureExtraction")
        found = [p for p in (base, *(base / n for n in names)) if p.is_file()]
        if not found:
            raise InputError(
                f"no OpenFace at {base}: give the FeatureExtraction program or its folder. "
                "famaug's embedded estimator needs nothing of the kind"
            )
        return found[0].resolve()

    @property
    def version(self) -> str:
        """OpenFace names no version: the first 12 hex digits of the program's sha256 do."""
        return hashlib.sha256(self.program.read_bytes()).hexdigest()[:12]

    def __call__(self, frames: Frames) -> AUTrack:
        """As an estimator: frames `T H W 3` to a track; errors as in `measure`."""
        return self.measure(frames).track

    def measure(self, frames: Frames, *, fps: float | None = None) -> OpenFaceReading:
        """Run FeatureExtraction once on all frames (uint8 RGB `T H W 3`).

        Raises:
            InputError: the program is missing, fails, takes too long or writes nothing; the
                message ends with what it said.
            TrackError: as `read_openface`, for what it wrote.
        """
        with tempfile.TemporaryDirectory(prefix="famaug-openface-") as folder:
            pictures, out = Path(folder, "frames"), Path(folder, "out")
            _write_pictures(frames, pictures)
            said = self._run(pictures, out)
            table = out / "clip.csv"
            if not table.is_file():
                raise InputError(f"OpenFace ended well but wrote no table; it said: {said}")
            reading = read_openface(table, min_confidence=self.min_confidence, fps=fps)
        return _whole(reading, len(frames), f"openface-binary/{self.version}", fps)

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


def _whole(
    reading: OpenFaceReading, length: int, estimator: str, fps: float | None
) -> OpenFaceReading:
    """The reading under the binary's name; OpenFace numbers frames from 1 and must give all."""
    if len(reading.track) != length:
        raise TrackError(f"OpenFace wrote {len(reading.track)} frames of {length}")
    track = AUTrack(reading.track.intensity, reading.track.confidence, estimator, False, SCALE, fps)
    return OpenFaceReading(track, reading.presence)
