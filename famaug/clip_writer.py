"""A clip to disk: a folder of PNG frames with its plan, or an MP4. Whole or not at all."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

from famaug.errors import InputError
from famaug.files import clear_parts, whole_file, whole_folder
from famaug.types import Frames, Plan


def check_target(out: Path) -> None:
    """Refuse early what cannot be written.

    Raises:
        InputError: another suffix than .mp4, or a folder that holds something else.
    """
    if out.suffix and out.suffix.lower() != ".mp4":
        raise InputError(f"--out {out}: write a video (.mp4) or a folder (no suffix)")
    if not out.suffix and out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"--out {out}: is there already and not an empty folder")


def write_clip(out: Path, frames: Frames, *, fps: float, plan: Plan | None) -> None:
    """Write frames (uint8 `T H W 3`) as `img001.png ...` and `plan.json` (where there is a
    plan), or as an MP4."""
    check_target(out)
    clear_parts(out)
    if out.suffix:
        with whole_file(out) as made:
            _video(made, frames, fps)
        return
    with whole_folder(out) as made:
        _pictures(made, frames)
        if plan is not None:
            (made / "plan.json").write_text(json.dumps(plan.to_json(), indent=1))


def _pictures(folder: Path, frames: Frames) -> None:
    from PIL import Image

    digits = max(3, len(str(len(frames))))
    for i, frame in enumerate(frames, 1):
        Image.fromarray(frame).save(folder / f"img{i:0{digits}d}.png")


def _video(path: Path, frames: Frames, fps: float) -> None:
    import av

    height, width = frames.shape[1:3]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(fps).limit_denominator(1001))
        stream.width, stream.height = width - width % 2, height - height % 2
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": "14"}
        for frame in frames[:, : stream.height, : stream.width]:
            for packet in stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
