"""py-feat 2 as an estimator. Only called: its models are fetched by it, under its licences.

It gives the *probability* that an AU is there (0-1), not its intensity. Here it fills 0-5 under
a scale of its own, "pyfeat", so that it is never taken for an intensity. It knows no sides, and
AU45 only in some of its models: what it does not give is missing.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from famaug.errors import InputError, TrackError
from famaug.packages import installed, need
from famaug.types import AU_NAMES, AUTrack, Frames

SCALE = "pyfeat"


class PyFeat:
    """py-feat's `Detectorv2`, the surest face a frame.

    Raises:
        MissingPackageError: py-feat is not installed.
    """

    name, licence, scale = "pyfeat", "MIT; its models under their own terms", SCALE

    def __init__(self, *, device: str = "cpu") -> None:
        self.device, self._package = device, need("feat", "the estimator pyfeat")

    @property
    def version(self) -> str:
        """Of the package."""
        return installed("py-feat") or "unknown"

    @cached_property
    def _detector(self) -> Any:
        return self._package.Detectorv2(device=self.device, identity_model=None)

    def measure(self, frames: Frames, neutral: int = 0) -> AUTrack:
        """AUs of a clip, uint8 RGB `T H W 3`; no neutral frame is needed.

        Raises:
            InputError: it failed.
            TrackError: no face in any frame, or AU columns famaug does not know.
        """
        import torch

        pictures = torch.from_numpy(np.ascontiguousarray(frames)).permute(0, 3, 1, 2)
        try:
            table = self._detector.detect(pictures, data_type="tensor", progress_bar=False)
        except Exception as error:  # whatever a foreign package raises, the user gets one kind
            raise InputError(f"py-feat failed: {error}") from error
        return _track(table, len(frames))


def _track(table: Any, length: int) -> AUTrack:
    known = [i for i, name in enumerate(AU_NAMES) if name in table.columns]
    if not known:
        raise TrackError(f"py-feat gave none of famaug's AUs; columns: {list(table.columns)[:8]}")
    score = np.nan_to_num(np.asarray(table["FaceScore"], np.float64))
    frame = np.asarray(table["frame"], np.int64)
    best = np.lexsort((score, frame))
    best = best[np.r_[np.diff(frame[best]) > 0, True]]
    x = np.full((length, len(AU_NAMES)), np.nan)
    chance = np.asarray(table[[AU_NAMES[i] for i in known]], np.float64)
    chance = np.where((score > 0)[:, None], chance, np.nan)
    x[frame[best][:, None], known] = 5 * np.clip(chance[best], 0, 1)
    if not np.isfinite(x).any():
        raise TrackError(f"py-feat found no face in any of {length} frames")
    trust = np.zeros(length)
    trust[frame[best]] = np.clip(score[best], 0, 1)
    confidence = np.where(np.isfinite(x), trust[:, None], 0)
    return AUTrack.of(
        np.repeat(x[:, None], 2, axis=1),
        confidence=np.repeat(confidence[:, None], 2, axis=1),
        estimator="pyfeat",
        sided=False,
        scale=SCALE,
    )
