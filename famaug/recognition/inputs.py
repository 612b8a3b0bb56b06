"""What a recogniser wants to see of a clip, and how it is made from the clip's frames.

Every input is a uint8 array, so that a whole data set fits in memory and on disk; networks see it
scaled to `low ... high`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from famaug.errors import InputError
from famaug.flow.pictures import METHODS, FlowMethod, flow_features, flow_pictures
from famaug.types import Clip, ClipRef, Frames, Picture, key_frames

Kind = Literal["flow", "pair", "dynamic", "clip"]
KINDS: tuple[Kind, ...] = ("flow", "pair", "dynamic", "clip")
Bytes = NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class InputSpec:
    """The input of a recogniser.

    Attributes:
        kind: "flow": u, v and strain from onset to apex, `3 S S`;
            "pair": onset and apex frame, RGB, `6 S S`;
            "dynamic": the dynamic image of onset to offset, `3 S S`;
            "clip": frames spread evenly over onset to offset, RGB, `3 T S S`.
        size: S, pixels.
        frames: T, for "clip".
        low, high: what 0 and 255 become when the network sees them.
        flow: method for "flow".
    """

    kind: Kind
    size: int
    frames: int = 1
    low: float = 0.0
    high: float = 1.0
    flow: FlowMethod = "tvl1"

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InputError(f"an input is one of {', '.join(KINDS)}; got {self.kind!r}")
        if self.flow not in METHODS:
            raise InputError(f"flow must be one of {', '.join(METHODS)}; got {self.flow!r}")
        if self.kind != "clip" and self.frames != 1:
            raise InputError(f"frames={self.frames} has no effect on {self.kind!r} inputs")
        if self.size < 4 or self.frames < 1:
            raise InputError(f"size >= 4 and frames >= 1; got {self.size} and {self.frames}")

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one input, without the batch."""
        side = (self.size, self.size)
        if self.kind == "clip":
            return (3, self.frames, *side)
        return (6 if self.kind == "pair" else 3, *side)

    def to_json(self) -> dict[str, Any]:
        """What the input's values depend on (not how the network scales them)."""
        value = {k: v for k, v in asdict(self).items() if k not in ("low", "high")}
        if self.kind != "flow":
            del value["flow"]
        if self.kind != "clip":
            del value["frames"]
        return value


@dataclass(frozen=True)
class as_input:
    """`as_item` of a `famaug.MicroExpressionSynth`: an item as (input, label), for a plain loop.

        net, spec = build_recogniser("ststnet", classes=3)
        train = MicroExpressionSynth(fold.train, as_item=as_input(spec), ...)

    The input is a float32 tensor `spec.shape` from `spec.low` to `spec.high`, made from the item's
    onset, apex and offset as `make_input` does.

    Raises:
        InputError: as `make_input`.
    """

    spec: InputSpec

    def __call__(self, item: dict[str, Any]) -> tuple[Any, Any]:
        import torch

        onset, apex, offset = (
            None if item[k] < 0 else int(item[k]) for k in ("onset", "apex", "offset")
        )
        ref = ClipRef("", "", str(item["clip"]), onset=onset, apex=apex, offset=offset)
        made = make_input(Clip(ref, np.asarray(item["frames"], np.uint8)), self.spec)
        span = self.spec.high - self.spec.low
        return torch.from_numpy(made).float() / 255 * span + self.spec.low, item["label"]


def make_input(clip: Clip, spec: InputSpec) -> Bytes:
    """The input of one clip, uint8 `spec.shape`.

    Onset and offset default to the first and last frame; an apex that is unknown, on the onset or
    outside the expression is the frame that differs most from the onset.

    Raises:
        UnusableClipError: onset and offset are not in the clip's frames, or it has one frame only.
    """
    onset, apex, offset = key_frames(clip)
    if spec.kind == "flow":
        pair = clip.frames[onset], clip.frames[apex]
        return flow_features(*pair, method=spec.flow, size=spec.size)
    if spec.kind == "pair":
        return np.concatenate([_planes(clip.frames[i], spec.size) for i in (onset, apex)])
    if spec.kind == "dynamic":
        return dynamic_image(clip.frames[onset : offset + 1], spec.size)
    picked = np.linspace(onset, offset, spec.frames).round().astype(int)
    return np.stack([_planes(clip.frames[i], spec.size) for i in picked], axis=1)


def make_inputs(clips: Sequence[Clip], spec: InputSpec) -> list[Bytes]:
    """What `make_input` makes of every clip; flows of clips of one size are computed together.

    Raises:
        UnusableClipError: as `make_input`.
    """
    if spec.kind != "flow":
        return [make_input(clip, spec) for clip in clips]
    pairs = []
    for clip in clips:
        onset, apex, _ = key_frames(clip)
        pairs.append((clip.frames[onset], clip.frames[apex]))
    return flow_pictures(pairs, method=spec.flow, size=spec.size)


def needed(clip: Clip, spec: InputSpec) -> Clip:
    """The clip with no more frames than its input is made of.

    Raises:
        UnusableClipError: as `make_input`.
    """
    if spec.kind not in ("flow", "pair"):
        return clip
    onset, apex, _ = key_frames(clip)
    return Clip(replace(clip.ref, onset=0, apex=1, offset=1), clip.frames[[onset, apex]])


def dynamic_image(frames: Frames, size: int) -> Bytes:
    """Motion of a clip as one picture, uint8 `3 size size`: the sum of frames weighted 2t - T - 1
    (approximate rank pooling, Bilen et al. 2016), min-max over all channels to 0-255."""
    count = len(frames)
    weights = 2.0 * np.arange(1, count + 1) - count - 1
    pooled = np.tensordot(weights, frames, axes=(0, 0))
    low, high = pooled.min(), pooled.max()
    stretched = (pooled - low) * (255 / max(high - low, 1e-12))
    return _planes(stretched.round().clip(0, 255).astype(np.uint8), size)


def _planes(picture: Picture, size: int) -> Bytes:
    """uint8 `3 size size`."""
    way = cv2.INTER_AREA if min(picture.shape[:2]) >= size else cv2.INTER_LINEAR
    resized = cv2.resize(picture, (size, size), interpolation=way)
    return np.ascontiguousarray(resized.transpose(2, 0, 1))
