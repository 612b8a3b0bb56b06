"""`famaug upscale`: sharpen a picture, a folder of frames or a video."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from famaug.commands import options, terminal
from famaug.errors import InputError, UsageError

if TYPE_CHECKING:
    from famaug.superres.upscale import Upscaler
    from famaug.types import Frames

WRITTEN = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")


def register(app: typer.Typer) -> None:
    """Add the command to famaug's."""
    app.command("upscale", epilog="Example: famaug upscale clip.mp4 --out large.mp4 --scale 2")(
        options.grouped(upscale_command)
    )


@dataclass(frozen=True)
class Sharpening:
    """How frames are made larger, and how large.

    Attributes:
        model: faces, compact, realsr, realsr-jpeg, realesrgan, or a file of weights.
        scale: Size of the result, times the source's; 1 gives the source's size.
        size: Longer side of the result in pixels, instead of --scale.
        temporal: full, or reuse: of a clip only what changes is computed.
        tolerance: With reuse: grey levels that count as unchanged.
        neutral: Number of the clip's neutral frame, from 0: the reference.
        precision: fp32, or bf16: faster, a little off.
        memory: MiB that the network may take, roughly.
        fps: Frame rate of the video, where the source has none.
        check: Measure AUs before and after.
    """

    model: str = "faces"
    scale: float | None = None
    size: int | None = None
    temporal: str = "full"
    tolerance: int = 0
    neutral: int = 0
    precision: str = "fp32"
    memory: int = 1024
    fps: float | None = None
    check: bool = True
    device: options.Device = "cpu"

    def upscaler(self) -> Upscaler:
        """Raises InputError as `Upscaler`."""
        from famaug.superres.upscale import Precision, Temporal, Upscaler

        return Upscaler(
            self.model,
            temporal=cast(Temporal, self.temporal),
            tolerance=self.tolerance,
            precision=cast(Precision, self.precision),
            memory=self.memory << 20,
            device=self.device,
        )


def upscale_command(
    source: Annotated[Path, typer.Argument(help="Picture, folder of frames, or video.")],
    out: Annotated[Path, typer.Option(help="Picture, folder (no suffix) or .mp4 to write.")],
    sharpening: Sharpening,
    dry_run: Annotated[bool, typer.Option(help="Read and report, write nothing.")] = False,
    as_json: options.AsJson = False,
) -> None:
    """Sharpen to four times the size, and tell how far AUs moved by it."""
    from famaug.media.clips import read_frames

    frames, own_fps = read_frames(source)  # first: that it is no picture explains the most
    check_target(source, out)
    rate, neutral = sharpening.fps or own_fps, sharpening.neutral
    if out.suffix.lower() == ".mp4" and rate is None:
        raise UsageError(f"--out {out}: a video needs --fps, since {source} has no frame rate")
    target = target_size(frames.shape[1:3], sharpening.scale, sharpening.size)
    if not 0 <= neutral < len(frames):
        raise UsageError(f"--neutral {neutral}: the clip has {len(frames)} frames, from 0")
    upscaler = sharpening.upscaler()
    figures: dict[str, Any] = {
        "model": sharpening.model,
        "frames": len(frames),
        "source": [frames.shape[2], frames.shape[1]],
        "out": None,
        "aus": None,
    }
    if dry_run:
        seen = f"{len(frames)} frames of {frames.shape[2]} x {frames.shape[1]}"
        terminal.echo(f"{seen}, {sharpening.model}")
        terminal.end(as_json, "upscale", figures)
        return
    with terminal.bar("sharpening") as show:
        made = upscaler.frames(frames, size=target, reference=neutral, progress=show)
    write(out, made, source, rate)
    figures |= {"out": str(out), "made": [made.shape[2], made.shape[1]]}
    terminal.echo(f"wrote {len(made)} frames of {made.shape[2]} x {made.shape[1]} to {out}")
    if sharpening.temporal == "reuse":
        figures["computed"] = upscaler.computed
        terminal.echo(f"{upscaler.computed:.0%} of the pixels were computed, the rest reused")
    if sharpening.check:
        figures["aus"] = _checked(frames, made, neutral)
    terminal.end(as_json, "upscale", figures)


def check_target(source: Path, out: Path) -> None:
    """Refuse early what cannot be written.

    Raises:
        InputError: a kind of output that does not fit the input, or a folder in use.
    """
    from famaug.media.clips import PICTURES

    suffix = out.suffix.lower()
    picture = source.is_file() and source.suffix.lower() in PICTURES
    if picture and suffix not in WRITTEN:
        raise UsageError(f"--out {out}: a picture becomes a picture ({', '.join(WRITTEN)})")
    if not picture and suffix not in ("", ".mp4"):
        raise UsageError(f"--out {out}: a clip becomes a folder (no suffix) or a video (.mp4)")
    if out.exists() and source.exists() and out.samefile(source):
        raise UsageError(f"--out {out} is the source; choose another")
    if not suffix and out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"--out {out}: is there already and not an empty folder")


def target_size(
    shape: tuple[int, int], scale: float | None, size: int | None
) -> tuple[int, int] | None:
    """Height and width of the result; None for the network's own.

    Raises:
        InputError: both are given, or a size of nothing.
    """
    if scale is not None and size is not None:
        raise UsageError("--scale and --size say the same thing twice; give one of them")
    factor = scale if size is None else size / max(shape)
    if factor is None:
        return None
    if not 0 < factor <= 16:
        raise UsageError(f"the result must be up to 16 times the source; got {factor}")
    return max(1, round(shape[0] * factor)), max(1, round(shape[1] * factor))


def write(out: Path, frames: Frames, source: Path, fps: float | None) -> None:
    """A picture, a folder of PNGs named as the source's frames, or a video; whole or not at all."""
    from PIL import Image

    from famaug.files.whole import clear_parts, whole_file, whole_folder
    from famaug.media.clips import frame_paths, write_clip

    if out.suffix.lower() == ".mp4":
        write_clip(out, frames, fps=fps or 25.0, plan=None)
        return
    clear_parts(out)
    if out.suffix:
        with whole_file(out) as made:
            Image.fromarray(frames[0]).save(made, quality=95)
        return
    with whole_folder(out) as made:
        if source.is_dir():
            names = [p.stem for p in frame_paths(source)]
        else:
            digits = max(3, len(str(len(frames))))
            names = [f"img{i:0{digits}d}" for i in range(1, len(frames) + 1)]
        if len(set(names)) < len(names):
            raise InputError(f"{source}: frames that differ in their suffix only")
        for stem, frame in zip(names, frames, strict=True):
            Image.fromarray(frame).save(made / f"{stem}.png")


def _checked(before: Frames, after: Frames, neutral: int) -> dict[str, Any] | None:
    from famaug.errors import FaceError
    from famaug.superres.check import au_change

    try:
        with terminal.working():
            found = au_change(before, after, neutral=neutral)
    except FaceError as error:
        terminal.echo(f"AUs are not compared: {error}")
        return None
    terminal.echo(str(found))
    return found.to_json()
