"""pyfaceau, a Python OpenFace, as a source of AUs. Only called: nothing of it ships here.

It is CC BY-NC, and its models are OpenFace's, fetched by the user under OpenFace's licence
(`pyfaceau-download-models --accept-license`). Its scale is OpenFace's; it knows no sides.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from famaug.aus.openface import MIN_CONFIDENCE, OpenFaceReading, reading_of
from famaug.errors import InputError, TrackError
from famaug.packages import installed, need
from famaug.types import AUTrack, Frames

CODEC_FPS = 30


def measure_pyfaceau(
    frames: Frames, *, fps: float | None = None, min_confidence: float = MIN_CONFIDENCE
) -> OpenFaceReading:
    """AUs of a clip (uint8 RGB `T H W 3`) by pyfaceau; the reading has no presence.

    Raises:
        MissingPackageError: pyfaceau is not installed.
        InputError: its models are not installed, or it failed.
        TrackError: what it gave is no track, or has not as many frames as the clip.
    """
    package = need("pyfaceau", "measure_pyfaceau")
    with tempfile.TemporaryDirectory(prefix="famaug-pyfaceau-") as folder:
        video = Path(folder, "clip.avi")
        write_lossless(frames, video)
        try:
            table = package.FullPythonAUPipeline(verbose=False).process_video(str(video))
        except Exception as error:  # whatever a foreign package raises, the user gets one kind
            raise InputError(
                f"pyfaceau failed: {error}. If its models are missing: "
                "pyfaceau-download-models, under OpenFace's licence"
            ) from error
    reading = reading_of(
        table.rename(columns=str),
        source=Path("pyfaceau"),
        estimator=f"pyfaceau/{installed('pyfaceau') or 'unknown'}",
        min_confidence=min_confidence,
        fps=fps,
    )
    if len(reading.track) != len(frames):
        raise TrackError(f"pyfaceau gave {len(reading.track)} frames of {len(frames)}")
    return OpenFaceReading(
        AUTrack.of(
            reading.track.intensity,
            confidence=reading.track.confidence,
            estimator=reading.track.estimator,
            sided=False,
            scale=reading.track.scale,
            fps=fps,
        ),
        reading.presence,
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
