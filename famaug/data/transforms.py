"""`SynthTransform`: a torchvision v2 transform that replaces clips by synthetic sisters."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from famaug.data.sister import Sister
from famaug.errors import InputError
from famaug.packages import need
from famaug.types import Frames

Transform: Any = need("torchvision.transforms.v2", "SynthTransform").Transform
tv_tensors: Any = need("torchvision.tv_tensors", "SynthTransform")


class SynthTransform(Transform):  # type: ignore[misc]
    """Replaces a clip, with probability p, by a synthetic sister; labels stay what they are.

    For the uint8 video `T 3 H W` (tensor or `tv_tensors.Video`) early in a `v2.Compose`, before
    cropping and normalising; of a batch `B T 3 H W` each clip has a draw of its own. Everything
    else passes through. One call draws once, so that clips passed together change together.

        transform = v2.Compose([SynthTransform(p=0.3), v2.RandomHorizontalFlip(), ...])

    It draws from torch's generator, as torchvision's own transforms do, so `torch.manual_seed` and
    the seeds of DataLoader workers hold. Args: as `Sister`; with `seed=` what is drawn follows from
    (seed, epoch, pixels), and `set_epoch` is to be called in each epoch.
    """

    def __init__(self, p: float = 0.3, **options: Any) -> None:
        super().__init__()
        self.sister = Sister(p=p, **options)

    def set_epoch(self, epoch: int) -> None:
        """With a seed: draws others from now on. Without: nothing."""
        self.sister.set_epoch(epoch)

    @property
    def unusable_count(self) -> int:
        """How many clips stayed as they are since they could not be measured, in all workers."""
        return self.sister.unusable_count

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Called by torchvision once a call: a draw for each clip of the largest batch."""
        batches = [_clips(inpt) for inpt in flat_inputs]
        return {"draws": [self.sister.draw(clip) for clip in max(batches, key=len, default=[])]}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """Called by torchvision for each leaf of the input."""
        clips = _clips(inpt)
        drawn = list(zip(clips, params["draws"], strict=False))
        if not any(self.sister.wanted(key) for _, key in drawn):
            return inpt
        made = [self.sister.made(c, key) if self.sister.wanted(key) else c for c, key in drawn]
        stacked = np.stack(made) if inpt.ndim == 5 else made[0]
        out = torch.from_numpy(stacked).movedim(-1, -3).contiguous().to(inpt.device)
        return tv_tensors.wrap(out, like=inpt) if isinstance(inpt, tv_tensors.TVTensor) else out

    def extra_repr(self) -> str:
        s = self.sister
        return f"p={s.p}, kind={s.kind!r}, gain={s.gain}, seed={s.seed}"


def _clips(inpt: Any) -> list[Frames]:
    """The clips `T H W 3` of a video or a batch of videos; none of anything else.

    Raises:
        InputError: it looks like a video, but is of another type or layout.
    """
    video = isinstance(inpt, tv_tensors.Video) or type(inpt) is torch.Tensor
    if not video or inpt.ndim < 4:
        return []
    if inpt.dtype != torch.uint8 or inpt.ndim > 5 or inpt.shape[-3] != 3:
        raise InputError(
            "SynthTransform takes uint8 T 3 H W, or a batch B T 3 H W; got "
            f"{inpt.dtype} {tuple(inpt.shape)}: put it before conversion and normalisation, and "
            "give the dataset layout='TCHW'"
        )
    frames = np.ascontiguousarray(inpt.movedim(-3, -1).cpu().numpy())
    return list(frames) if inpt.ndim == 5 else [frames]
