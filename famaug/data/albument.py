"""`SynthClip`: the same as `SynthTransform` for albumentations, on its target "images"."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from famaug.data.sister import Sister
from famaug.packages import need

# importing it would ask a registry for newer versions
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
ImageOnlyTransform: Any = need("albumentations", "SynthClip").ImageOnlyTransform


class SynthClip(ImageOnlyTransform):  # type: ignore[misc]
    """Replaces the clip in `images` (uint8 `T H W 3`), with probability p, by a synthetic sister.

        albumentations.Compose([SynthClip(p=0.3), albumentations.HorizontalFlip()])(images=clip)

    A single `image` has no expression and passes through. Args: as `Sister`.
    """

    def __init__(self, p: float = 0.3, **options: Any) -> None:
        super().__init__(p=1.0)  # Sister draws, keyed by the clip
        self.sister = Sister(p=p, **options)

    def set_epoch(self, epoch: int) -> None:
        """Draws others from now on."""
        self.sister.set_epoch(epoch)

    def apply(self, img: NDArray[Any], *args: Any, **params: Any) -> NDArray[Any]:
        """A single picture stays."""
        return img

    def apply_to_images(self, images: NDArray[Any], *args: Any, **params: Any) -> NDArray[Any]:
        """The clip or its sister."""
        return self.sister(np.ascontiguousarray(images))
