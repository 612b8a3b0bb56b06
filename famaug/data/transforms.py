"""`SynthTransform`: a torchvision v2 transform that replaces clips by synthetic sisters."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from famaug.data.sister import Sister
from famaug.errors import InputError
from famaug.packages import need

Transform: Any = need("torchvision.transforms.v2", "SynthTransform").Transform
tv_tensors: Any = need("torchvision.tv_tensors", "SynthTransform")


class SynthTransform(Transform):  # type: ignore[misc]
    """Replaces a clip, with probability p, by a synthetic sister; labels stay what they are.

    For the uint8 video `T 3 H W` (tensor or `tv_tensors.Video`) early in a `v2.Compose`, before
    cropping and normalising. Everything else passes through. One call draws once, so that clips
    passed together change together.

        transform = v2.Compose([SynthTransform(p=0.3), v2.RandomHorizontalFlip(), ...])

    Args: as `Sister`; call `set_epoch` in each epoch.
    """

    def __init__(self, p: float = 0.3, **options: Any) -> None:
        super().__init__()
        self.sister = Sister(p=p, **options)

    def set_epoch(self, epoch: int) -> None:
        """Draws others from now on."""
        self.sister.set_epoch(epoch)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """Called by torchvision for each leaf of the input."""
        if not isinstance(inpt, torch.Tensor) or inpt.ndim != 4:
            return inpt
        if inpt.dtype != torch.uint8 or inpt.shape[1] != 3:
            raise InputError(
                f"SynthTransform takes uint8 T 3 H W; got {inpt.dtype} {tuple(inpt.shape)}: put it "
                "before conversion and normalisation, and give the dataset layout='TCHW'"
            )
        frames = np.ascontiguousarray(inpt.permute(0, 2, 3, 1).cpu().numpy())
        made = self.sister(frames)
        if made is frames:
            return inpt
        out = torch.from_numpy(made).permute(0, 3, 1, 2).contiguous().to(inpt.device)
        return tv_tensors.wrap(out, like=inpt) if isinstance(inpt, tv_tensors.TVTensor) else out

    def extra_repr(self) -> str:
        s = self.sister
        return f"p={s.p}, kind={s.kind!r}, gain={s.gain}, seed={s.seed}"
