"""pyfaceau, a Python OpenFace, as an estimator. Only called: nothing of it ships here.

It is CC BY-NC, and its models are OpenFace's, fetched by the user under OpenFace's licence
(`pyfaceau-download-models --accept-license`). Its scale is OpenFace's; it knows no sides.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from famaug.aus.openface import SCALE, reading_of
from famaug.errors import InputError
from famaug.packages import installed, need
from famaug.types import AUTrack, Frames

CODEC_FPS = 30


class PyFaceAU:
    """pyfaceau, asked once a clip.

    Raises:
        MissingPackageError: it is not installed.
    """

    name, licence, scale = "pyfaceau", "CC BY-NC; its models OpenFace's, academic use", SCALE

    def __init__(self) -> None:
        self._package = need("pyfaceau", "the estimator pyfaceau")

    @property
    def version(self) -> str:
        """Of the package."""
        return installed("pyfaceau") or "unknown"

    def measure(self, frames: Frames, neutral: int = 0) -> AUTrack:
        """AUs of a clip, uint8 RGB `T H W 3`; no neutral frame is needed.

        Raises:
            InputError: its models are not installed, or it failed.
            TrackError: what it gave is no track.
        """
        with tempfile.TemporaryDirectory(prefix="famaug-pyfaceau-") as folder:
            video = Path(folder, "clip.avi")
            write_lossless(frames, video)
            try:
                pipeline = self._package.FullPythonAUPipeline(verbose=False)
                table = pipeline.process_video(str(video))
            except Exception as error:  # whatever a foreign package raises, the user gets one kind
                raise InputError(
                    f"pyfaceau failed: {error}. If its models are missing: "
                    "pyfaceau-download-models, under OpenFace's licence"
                ) from error
        named = table.rename(columns=str)
        # the video's own rate was made up
        return replace(
            reading_of(named, source=Path("pyfaceau"), estimator="pyfaceau").track, fps=None
        )


def write_lossless(frames: Frames, path: Path) -> None:
    """uint8 RGB `T H W 3` as an FFV1 video.

    Raises:
        InputError: the codec is not there, or the disk is full.
    """
    import cv2

    height, width = frames.shape[1:3]
    fourcc = cv2.VideoWriter.fourcc(*"FFV1")
    writer = cv2.VideoWriter(str(path), fourcc, CODEC_FPS, (width, height))
    try:
        if not writer.isOpened():
            raise InputError(f"cannot write a lossless video to {path}: OpenCV has no FFV1")
        for frame in frames:
            writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
    finally:
        writer.release()
