"""`SynthClip`: the same as `SynthTransform` for albumentations, on its target "images"."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from famaug.data.sister import KEYS, Kind, Sister, Unusable
from famaug.modulation.modulate import Modulation
from famaug.packages import need

# importing it would ask a registry for newer versions
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
ImageOnlyTransform: Any = need("albumentations", "SynthClip").ImageOnlyTransform


class SynthClip(ImageOnlyTransform):  # type: ignore[misc]
    """Replaces the clip in `images` (uint8 `T H W 3`), with probability p, by a synthetic sister.

        albumentations.Compose([SynthClip(p=0.3), albumentations.HorizontalFlip()])(images=clip)

    A single `image` has no expression and passes through. Whether and what is drawn follows from
    albumentations' generators, so `Compose.set_random_seed` and `ReplayCompose` hold. Args: as
    `Sister`; with `seed=` what is drawn (not whether) follows from (seed, epoch, pixels).
    """

    def __init__(
        self,
        p: float = 0.3,
        kind: Kind = "vary",
        identities: str | os.PathLike[str] | None = None,
        gain: Sequence[float] = (0.7, 1.4),
        neutral: int = 0,
        modulation: Modulation | Mapping[str, Any] | None = None,
        sizes: Sequence[int] = (0,),
        device: str = "cpu",
        unusable: Unusable = "keep",
        held_out: Iterable[str] | None = None,
        seed: int | None = None,
    ) -> None:
        sister = Sister(  # first: it says better what is wrong
            p=p,
            kind=kind,
            identities=identities,
            gain=gain,
            neutral=neutral,
            modulation=modulation,
            sizes=sizes,
            device=device,
            unusable=unusable,
            held_out=held_out,
            seed=seed,
        )
        super().__init__(p=p)
        self.sister = sister

    def set_epoch(self, epoch: int) -> None:
        """With a seed: draws others from now on. Without: nothing."""
        self.sister.set_epoch(epoch)

    @property
    def unusable_count(self) -> int:
        """How many clips stayed as they are since they could not be measured, in all workers."""
        return self.sister.unusable_count

    def get_transform_init_args(self) -> dict[str, Any]:
        """Called by albumentations for `to_dict` and `repr`."""
        return {k: v for k, v in self.sister.to_json().items() if k != "p"}  # p is the base's

    def get_params_dependent_on_data(
        self, params: dict[str, Any], data: dict[str, Any]
    ) -> dict[str, Any]:
        """Called by albumentations when the transform is applied: the draw."""
        if self.sister.seed is not None and "images" in data:
            return {"draw": self.sister.draw(np.ascontiguousarray(data["images"]))}
        return {"draw": int(self.random_generator.integers(KEYS))}

    def apply(self, img: NDArray[Any], *args: Any, **params: Any) -> NDArray[Any]:
        """A single picture stays."""
        return img

    def apply_to_images(self, images: NDArray[Any], *args: Any, **params: Any) -> NDArray[Any]:
        """The clip's sister."""
        return self.sister.made(np.ascontiguousarray(images), params["draw"])
