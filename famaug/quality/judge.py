"""Scores of one synthetic clip against what was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray

from famaug.aus.flow_and_points import Measurement, measure_aus
from famaug.errors import FaceError, FetchError, InputError, MissingPackageError, WeightsError
from famaug.faces.mesher import FaceMesher
from famaug.perception.identity import WEIGHTS, FaceIdentity
from famaug.quality.agreement import Agreement, agreement
from famaug.quality.pixels import SHORTEST, pixel_scores
from famaug.shown.lines import one_line
from famaug.types import AUTrack, Floats, Frames, Picture, Plan
from famaug.weights.fetch import fetch, find_stored

LOPSIDED = 0.4
"""Intensity by which a unit must be asked stronger on one side for the sides to be compared."""
MEANING: dict[str, str] = {
    "au_r": "asked against re-measured AUs, Pearson r over all units, frames and sides",
    "au_r_sides": "the same of left minus right",
    "au_gain": "how much of what was asked is read: the slope of read over asked intensities",
    "au_error": "mean absolute difference of the units that were asked, intensity 0-5",
    "au_false": "strongest mean reading of a unit that was not asked, intensity 0-5",
    "identity_mean": "cosine to the identity's face at rest (SFace), mean over the frames",
    "identity_min": "the same in the worst frame",
    "flicker": "noise from frame to frame within the face, grey levels",
    "outside": "mean change outside the face in the worst frame, grey levels",
    "seam": "extra jump of the change across the face's midline, grey levels",
    "sharpness": "fine detail against the face at rest, in the worst frame",
    "faces_lost": "share of frames without a face",
}
"""What each score says. High is good for r, identity and sharpness, low for the rest."""
_LOOK = ("flicker", "outside", "seam", "sharpness")


@dataclass(frozen=True, eq=False)
class Quality:
    """What was found.

    Attributes:
        scores: by name, see `MEANING`; finite. A score that could not be had is not in it.
        missing: name of each score that could not be had, and why.
        agreement: unit by unit, or None where no AUs were asked or measured.
        measured: the clip's AUs measured again (missing in frames that were not looked at), or
            None where no face was found.
    """

    scores: Mapping[str, float]
    missing: Mapping[str, str] = field(default_factory=dict)
    agreement: Agreement | None = None
    measured: AUTrack | None = None

    def __repr__(self) -> str:
        told = [f"{name} {value:.2f}" for name, value in self.scores.items()]
        missing = f"{len(self.missing)} missing" if self.missing else ""
        return one_line(self, missing, *told)


class ClipJudge:
    """Scores clips; keeps its networks between them.

    Args:
        mesher: a `FaceMesher` to use again.
        at_most: measure AUs and identity in so many frames of a clip, evenly spaced, the apex among
            them; None measures all. The time a clip takes is nearly proportional to it.
        device: where the identity network runs.
        may_fetch: fetch the identity network's weights (11 MB) where they are not stored; without
            it its scores are then missing.
    """

    def __init__(
        self,
        *,
        mesher: FaceMesher | None = None,
        at_most: int | None = None,
        device: str = "cpu",
        may_fetch: bool = False,
    ) -> None:
        if at_most is not None and at_most < 3:
            raise InputError(f"at_most must be 3 frames or more, or None for all; got {at_most}")
        self._mesher, self.device, self.may_fetch = mesher, device, may_fetch
        self.at_most = at_most
        self._identity: FaceIdentity | str | None = None

    @property
    def mesher(self) -> FaceMesher:
        if self._mesher is None:
            self._mesher = FaceMesher(device=self.device)
        return self._mesher

    def judge_plan(self, frames: Frames, plan: Plan, *, rest: Picture | None = None) -> Quality:
        """`judge` for a clip rendered from a plan; a plan with a look says so itself."""
        return self.judge(frames, asked=plan.asked, rest=rest, look=plan.look is not None)

    def judge(
        self,
        frames: Frames,
        *,
        asked: AUTrack | None = None,
        rest: Picture | None = None,
        look: bool = False,
        seen: Measurement | None = None,
    ) -> Quality:
        """Scores of a clip.

        Args:
            frames: uint8 `T H W 3`.
            asked: what it should show, of the clip's length; without it the AU scores are missing.
            rest: uint8 `H W 3`, the identity's face at rest in the clip's framing. Without it the
                clip's first frame serves, and a clip that never showed that person passes.
            look: the clip was given a data set's noise, blur and head motion: the scores that
                would measure these are missing.
            seen: what `measure_aus` gave for all frames of the clip, where that was done already.

        Raises:
            InputError: frames, rest or the length of `asked` do not fit.
        """
        if asked is not None and len(asked) != len(frames):
            raise InputError(f"{len(asked)} frames were asked for, the clip has {len(frames)}")
        neutral = frames[0] if rest is None else rest
        picked = _picked(len(frames), asked, None if seen is not None else self.at_most)
        try:
            if seen is None:
                seen = measure_aus(frames[picked], neutral_picture=neutral, mesher=self.mesher)
            mesh = self.mesher.find(neutral)
        except FaceError as e:
            every = dict.fromkeys(MEANING, f"no face: {e}")
            del every["faces_lost"]
            return Quality({"faces_lost": 1.0}, every)
        meshes = seen.faces.mesh
        held = np.isfinite(meshes[:, 0, 0])
        scores: dict[str, float] = {"faces_lost": float(1 - held.mean())}
        missing: dict[str, str] = {}
        track = _spread(seen.track, picked, len(frames))
        found = _compare(asked, track, scores, missing)
        self._add_identity(frames[picked][held], meshes[held], neutral, mesh, scores, missing)
        if look:
            why = "the clip has a data set's look (noise, blur, head motion)"
            missing |= dict.fromkeys(_LOOK, why)
        else:
            curves = None if asked is None else asked.intensity
            scores |= pixel_scores(frames, neutral, mesh, curves)
        if not look and "flicker" not in scores:
            missing["flicker"] = f"fewer than {SHORTEST} frames"
        if not look and "outside" not in scores:
            missing["outside"] = "the face fills the picture"
        return Quality(scores, missing, found, track)

    def _add_identity(
        self,
        frames: Frames,
        meshes: Floats,
        rest: Picture,
        rest_mesh: Floats,
        scores: dict[str, float],
        missing: dict[str, str],
    ) -> None:
        names = ("identity_mean", "identity_min")
        net = self.identity()
        if isinstance(net, str) or not len(frames):
            missing |= dict.fromkeys(names, net if isinstance(net, str) else "no frame with a face")
            return
        with torch.inference_mode():
            wanted = net(self._images(rest[None]), rest_mesh[None])[0]
            cosines = [
                net(self._images(frames[i : i + 16]), meshes[i : i + 16]) @ wanted
                for i in range(0, len(frames), 16)
            ]
        every = torch.cat(cosines)
        scores |= dict(zip(names, (float(every.mean()), float(every.min())), strict=True))

    def _images(self, frames: Frames) -> torch.Tensor:
        x = torch.from_numpy(np.ascontiguousarray(frames)).to(self.device)
        return x.permute(0, 3, 1, 2).float() / 127.5 - 1

    def identity(self) -> FaceIdentity | str:
        """The identity network, or why there is none."""
        if self._identity is None:
            self._identity = self._open_identity()
        return self._identity

    def _open_identity(self) -> FaceIdentity | str:
        try:
            path = fetch(WEIGHTS) if self.may_fetch else find_stored(WEIGHTS)
            if path is None:
                return f"the identity network is not here: famaug weights fetch {WEIGHTS}"
            return FaceIdentity(weights=path, device=self.device)
        except (FetchError, MissingPackageError, WeightsError) as e:
            return f"the identity network cannot be used: {e}"


def _picked(length: int, asked: AUTrack | None, at_most: int | None) -> NDArray[np.intp]:
    """Numbers of the frames to measure: the apex, and others evenly spaced."""
    if at_most is None or length <= at_most:
        return np.arange(length)
    apex = length // 2
    if asked is not None:
        apex = int(np.nan_to_num(asked.intensity).sum((1, 2)).argmax())
    even = np.rint(np.linspace(0, length - 1, at_most - 1)).astype(np.intp)
    return np.unique([*even, apex])


def _spread(track: AUTrack, picked: NDArray[np.intp], length: int) -> AUTrack:
    """The track at the clip's length, missing in the frames that were not looked at."""
    wide = np.full((length, *track.intensity.shape[1:]), np.nan, np.float32)
    sure = np.zeros_like(wide)
    wide[picked], sure[picked] = track.intensity, track.confidence
    return replace(track, intensity=wide, confidence=sure)


def lopsided(asked: AUTrack) -> bool:
    """Whether left and right differ by more than reading them does: a measured driver is never
    quite even, and a correlation of such remainders is one of noise."""
    apart = np.abs(np.diff(asked.intensity, axis=1))
    return bool(np.nanmax(apart, initial=0.0) >= LOPSIDED)


def _compare(
    asked: AUTrack | None, measured: AUTrack, scores: dict[str, float], missing: dict[str, str]
) -> Agreement | None:
    """Adds the AU scores."""
    names = ("au_r", "au_r_sides", "au_gain", "au_error", "au_false")
    if asked is None:
        missing |= dict.fromkeys(names, "nobody said what was asked (no plan)")
        return None
    found = agreement([(asked, measured)])
    errors = [u.mae for u in found.units if u.asked_peak and u.mae is not None]
    gain = _gain(asked, measured)
    values: dict[str, float | None] = {
        # a clip in which nothing moves has no correlation, and shows nothing of what was asked
        "au_r": 0.0 if found.r is None and gain == 0 else found.r,
        "au_r_sides": found.r_sides if lopsided(asked) else None,
        "au_gain": gain,
        "au_error": float(np.mean(errors)) if errors else None,
        "au_false": found.false_reading_worst,
    }
    why = {
        "au_r_sides": f"no unit was asked {LOPSIDED:g} stronger on one side, or both read alike",
        "au_false": "every unit was asked",
    }
    for name, value in values.items():
        if value is None:
            missing[name] = why.get(name, "nothing was asked, or nothing was read")
        else:
            scores[name] = float(value)
    return found


def _gain(asked: AUTrack, measured: AUTrack) -> float | None:
    """Slope through zero of what was read over what was asked; None where nothing was asked."""
    seen = np.isfinite(asked.intensity) & np.isfinite(measured.intensity)
    x = asked.intensity[seen].astype(np.float64)
    y = measured.intensity[seen].astype(np.float64)
    energy = float(x @ x)
    return float(x @ y) / energy if energy > 0 else None
