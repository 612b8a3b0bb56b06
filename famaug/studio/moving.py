"""Pictures and clips as a browser takes them."""

from __future__ import annotations

import base64
import io
import shutil
import tempfile
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
    """A zip of the frames (PNG) with their plan, and a video."""
    with tempfile.TemporaryDirectory(prefix="famaug-studio-") as folder:
        inside = Path(folder) / "all"
        write_clip(inside / name, frames, fps=plan.fps, plan=plan)
        write_clip(inside / f"{name}.mp4", frames, fps=plan.fps, plan=None)
        return Path(shutil.make_archive(f"{folder}/packed", "zip", inside)).read_bytes()
