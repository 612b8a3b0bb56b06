"""Pictures and clips as a browser takes them."""

from __future__ import annotations

import base64
import io
import tempfile
import zipfile
from pathlib import Path

from PIL import Image

from famaug.media.clips import write_clip
from famaug.report.animation import animated_webp, playback, slow_factor
from famaug.types import Frames, Picture, Plan

QUALITY = 92


def jpeg(picture: Picture) -> bytes:
    """A picture as JPEG."""
    out = io.BytesIO()
    Image.fromarray(picture).save(out, "JPEG", quality=QUALITY, subsampling=0)
    return out.getvalue()


def address(data: bytes, kind: str = "image/jpeg") -> str:
    """Bytes as an address that holds them itself."""
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def webp(frames: Frames, fps: float, *, slow: bool) -> bytes:
    """A clip as endless animation: at its real speed, or so slow that each frame is seen."""
    shown = playback(len(frames), fps, slow=slow_factor(fps) if slow else 1)
    return animated_webp(frames[list(shown.indices)], shown.durations, quality=80)


def packed_clip(frames: Frames, plan: Plan, name: str = "clip") -> bytes:
    """A zip of the frames (PNG), the plan and a video."""
    out = io.BytesIO()
    with (
        tempfile.TemporaryDirectory(prefix="famaug-studio-") as folder,
        zipfile.ZipFile(out, "w") as packed,
    ):
        write_clip(Path(folder) / name, frames, fps=plan.fps, plan=plan)
        write_clip(Path(folder) / f"{name}.mp4", frames, fps=plan.fps, plan=None)
        for path in sorted(Path(folder).rglob("*.*")):
            packed.write(path, path.relative_to(folder))
    return out.getvalue()
