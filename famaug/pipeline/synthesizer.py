"""The way from a real micro-expression to the same one on another face, in one place.

`Synthesizer.plan` makes every choice and draws everything random; `Synthesizer.render` turns
plans into pixels and draws nothing. The same plan gives the same pixels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from famaug.aus.protocol import Estimator
from famaug.clip_options import ASSUMED_FPS, CROP, Size, check_peak, check_size
from famaug.errors import FaceError, InputError, RenderError
from famaug.faces.framing import Framing, reframed
from famaug.faces.packed import packed_mesh
from famaug.files.limits import translated
from famaug.generator.renderers import Renderer, find_generator, options_of, rendered
from famaug.look.files import look_of
from famaug.look.mixture import AnyLook
from famaug.modulation.modulate import Modulation
from famaug.modulation.sources import ExpressionSource
from famaug.pipeline.crops import framing_of
from famaug.pipeline.expression import shown, with_rate
from famaug.pipeline.inputs import Driver, Identity
from famaug.pipeline.pictures import KnownPictures
from famaug.pipeline.plan_checks import check_room, frame_in, identity_of
from famaug.pipeline.recent import Recent
from famaug.shown.lines import one_line, short
from famaug.types import AUTrack, Clip, Floats, Frames, Picture, Plan

if TYPE_CHECKING:
    from famaug.faces.mesher import FaceMesher


class Synthesizer:
    """Plans and renders synthetic clips.

    Args:
        generator: how pixels are made: "warp" moves the photograph by the AU basis and folds its
            skin; a file of GANimation's weights (`.safetensors`); or `module:Class` of your own
            (`famaug.generator.renderers.Renderer`).
        skin: option of the warp: strength of furrows and shade, 0 for motion alone, at most 3.
        halves: option of GANimation: "maps", left and right in one pass, or "paper", two passes
            joined at the midline.
        options: any option of the generator by name, those two among them; None, and what is not
            given, is the generator's default.
        superres: sharpen every clip with this network (`famaug.superres`: compact, realsr, ... or
            a file): it is rendered so many times smaller, and sharpened to its size; in a data
            set's framing it is sharpened and brought back to the data set's size. None: not.
        size: "auto" keeps a data set's framing: a face of a data set keeps its picture's size and
            framing, a loose picture shown with a data set's clip is framed as that clip is, and
            with neither the crop is 256 pixels, with a look as large as that needs. A number is the
            side of a square crop round the face; None keeps every picture's own size and framing.
        modulation: Eq. 2 and Eq. 3 (`famaug.modulation.Modulation`), of measured drivers; a track
            that is modulated already (`AUTrack.modulated`) is shown as written.
        estimator: what measures drivers that are clips: a name of
            `famaug.aus.estimators.ESTIMATORS` ("flow", "points", "openface-binary:PROGRAM", ...),
            `module:Class` of your own, or an estimator.
        sizes: shifts of the picture size that a driver is averaged over (Eq. 1).
        fps: frames per second of drivers that do not say (frame folders, AU tables), and of clips
            from rules. None: 100, with an `AssumedRateWarning` where a driver does not say.
        peak: scale the driver so that its strongest AU reaches this intensity; None keeps it.
        look: makes clips look like a data set's; they then have its size, and `size` is that of
            the crop before. A profile ("composite", ...: `famaug.look.files`) or file by name.
        device: where rendering, sharpening and measuring run.
        keep: how many prepared faces are kept in memory.
        faces: folder, or folders, below which a plan may name the picture of its identity. Of
            plans that come from elsewhere (a cache, a file) no other path is looked at; pictures
            that were planned with here are in memory.
        measured: folder where measured clips and found faces are kept, so that workers, epochs and
            later runs share them. None: each process keeps its own in memory.
    """

    def __init__(
        self,
        *,
        generator: str = "warp",
        skin: float | None = None,
        halves: str | None = None,
        options: Mapping[str, Any] | None = None,
        superres: str | None = None,
        size: Size = "auto",
        modulation: Modulation | None = None,
        estimator: str | Estimator = "flow",
        sizes: Sequence[int] = (0,),
        fps: float | None = None,
        peak: float | None = None,
        look: AnyLook | str | None = None,
        device: str = "cpu",
        keep: int = 16,
        faces: str | Path | Sequence[str | Path] = (),
        measured: str | Path | None = None,
    ) -> None:
        # torch is loaded when one is made: configurations read the signature before
        from famaug.pipeline.measuring import Measuring
        from famaug.superres.sharpener import Sharpener

        self.chosen = find_generator(generator, options_of(options, skin=skin, halves=halves))
        check_size(size)
        check_peak(peak)
        self.generator, self.size, self.sizes = generator, size, tuple(sizes)
        self.modulation = modulation or Modulation()
        crop = CROP if size == "auto" else size
        self.sharpener = None if superres is None else Sharpener(superres, crop)
        if look is not None and size is None:
            raise InputError("a look frames the face anew, so it needs size=, the crop's side")
        if fps is not None and not 0 < fps < float("inf"):
            raise InputError(f"fps must be above 0; got {fps}")
        self.told_fps, self.peak, self.look = fps, peak, look_of(look)
        self._measuring = Measuring(
            estimator=estimator,
            sizes=self.sizes,
            device=device,
            keep=max(keep, 4) * 16,
            folder=None if measured is None else Path(measured),
        )
        self.pictures = KnownPictures(max(keep, 4) * 16, faces)
        self._renderers: Recent[tuple[Any, ...], Renderer] = Recent(keep)

    def __repr__(self) -> str:
        size = f"{self.size} px" if isinstance(self.size, int) else f"size {self.size}"
        sharpened = "" if self.sharpener is None else f"sharpened by {self.sharpener.name}"
        peak = "" if self.peak is None else f"peak {self.peak:g}"
        look = "" if self.look is None else "with a look"
        return one_line(self, short(self.generator), size, peak, sharpened, look, self.device)

    def __getstate__(self) -> dict[str, Any]:
        """A copy for another process: settings and pictures, no networks."""
        return self.__dict__ | {"_renderers": Recent(self._renderers.most)}

    @property
    def fps(self) -> float:
        """Frames per second of rules, and of drivers that do not say."""
        return ASSUMED_FPS if self.told_fps is None else self.told_fps

    @property
    def mesher(self) -> FaceMesher:
        """The face nets, loaded when first needed."""
        return self._measuring.mesher

    @property
    def device(self) -> str:
        """Where rendering, sharpening and measuring run."""
        return self._measuring.device

    def engine(self, device: Any = None) -> str:
        """What computes the pixels, in words; they differ by rounding between engines, and no key
        depends on it.

        Args:
            device: as of `render`.
        """
        where = str(device or self.device)
        kind = where.partition(":")[0]
        return kind if self.sharpener is None else f"{kind}, {self.sharpener.engine(where)}"

    def on(self, device: str) -> Synthesizer:
        """The same synthesizer, which renders, sharpens and measures on another device."""
        other = copy(self)
        other._measuring = self._measuring.on(device)
        return other

    @property
    def measured_how(self) -> list[Any]:
        """What a measured track depends on beside its clip: networks, estimator and sizes."""
        return self._measuring.how

    # -- PLAN ---------------------------------------------------------------------------------

    def plan(self, driver: Any, identity: Any, rng: np.random.Generator, *, seed: int = 0) -> Plan:
        """Everything that decides a clip.

        Args:
            driver: anything `Driver.of` reads: a clip, a path, an AU table, a track, a rule.
            identity: anything `Identity.of` reads: a picture, a path, a clip.
            rng: what the drawing draws from (`famaug.seeding.keyed_generator`).
            seed: noted in the plan.

        Raises:
            InputError, FaceError, MediaError, TrackError: the driver or the identity will not do.
        """
        source, face = Driver.of(driver), Identity.of(identity)
        track, side = self.measure(source), self.find_face(face)
        like = source.to_json()
        if self.size == "auto" and not side["dataset"]:
            like["frame"] = self.frame_of(source)
        return self.plan_measured(like, track, side, rng, seed=seed)

    def plan_measured(
        self,
        driver: dict[str, Any],
        source: AUTrack | ExpressionSource,
        identity: dict[str, Any],
        rng: np.random.Generator,
        *,
        seed: int = 0,
    ) -> Plan:
        """`plan` from what was measured before: no pixels are read.

        Args:
            driver: `Driver.to_json()`; "frame" is what `frame_of` gave for it, where it is known.
            source: what `measure` gave for it.
            identity: what `find_face` gave for the face.
            rng: as in `plan`.
            seed: as in `plan`.

        Raises:
            InputError, TrackError: no expression is left, or the track has too many gaps.
        """
        track = shown(
            with_rate(source, self.told_fps),
            rng,
            modulation=self.modulation,
            fps=self.fps,
            peak=self.peak,
            name=str(driver["name"]),
        )
        written = isinstance(source, ExpressionSource) or source.modulated
        mine = None if self.look is None else self.look.one(rng)
        size, frame = framing_of(
            self.size, driver, identity, mine, sharpened=self.sharpener is not None
        )
        # in a data set's framing a sharpened clip goes back to the size it had
        back = self.sharpener is not None and self.size == "auto" and size is None
        driver = {k: v for k, v in driver.items() if k != "frame"}
        people = {*track.subjects, *(source.subjects if isinstance(source, AUTrack) else ())}
        if people:
            driver["subjects"] = sorted({*driver.get("subjects", ()), *people})
        look: dict[str, Any] | None = None
        if mine is not None:
            track, look = mine.planned(track, rng, self.fps)
        return Plan(
            driver=driver,
            identity=identity,
            track=np.round(track.intensity.astype(np.float64), 4).tolist(),
            generator=self.chosen.name,
            weights=self.chosen.weights,
            size=size,
            fps=float(track.fps or self.fps),
            superres=None if self.sharpener is None else self.sharpener.name,
            look=look,
            seed=seed,
            params={
                "estimator": track.estimator,
                "modulation": "as written" if written else self.modulation.to_json(),
                "sizes": list(self.sizes),
                "peak": self.peak,
                "render": dict(self.chosen.options),
            }
            | ({} if frame is None else {"frame": frame})
            | ({"back": True} if back else {})
            | ({"trained_on": self.trained_on} if self.trained_on else {}),
        )

    @property
    def trained_on(self) -> list[str]:
        """Everybody ("dataset/subject") whom the files of generator and sharpener name."""
        others = () if self.sharpener is None else self.sharpener.subjects
        return sorted({*self.chosen.subjects, *others})

    @property
    def look_subjects(self) -> tuple[str, ...]:
        """Everybody ("dataset/subject") the look was fitted on."""
        return () if self.look is None else tuple(self.look.subjects)

    def frame_of(self, driver: Driver) -> dict[str, Any] | None:
        """How a data set's clip frames its face, JSON-able: the frames' size, and where brows and
        mouth lie in them. None for what is no clip of a data set.

        Raises:
            FaceError: no usable face in the onset frame.
        """
        if not isinstance(driver.content, Clip) or not driver.content.ref.dataset:
            return None
        frame = self._measuring.clip(driver)[1]
        if frame is None:
            raise FaceError(f"{driver.name}: the face is lost in the onset frame")
        return frame

    def find_face(self, identity: Identity) -> dict[str, Any]:
        """`Identity.to_json()` with the face's mesh; the picture is kept for rendering.

        Raises:
            FaceError: no face, too small, or turned away.
        """
        from famaug.generator.motion.face_motion import TIGHTEST, share_inside

        side = identity.to_json()
        mesh = self._measuring.mesh(identity, side["digest"])
        seen = share_inside(mesh, identity.picture.shape[:2])
        if seen < TIGHTEST:
            raise FaceError(
                f"only {seen:.0%} of the face lies in the picture {identity.name!r}; at least "
                f"{TIGHTEST:.0%} is needed"
            )
        self.pictures.keep(identity.picture)
        return side | {"mesh": packed_mesh(mesh)}

    def keep_picture(self, picture: Picture) -> None:
        """Keep an identity's picture in memory for plans that name it."""
        self.pictures.keep(picture)

    def keep_face(self, identity: dict[str, Any]) -> None:
        """`keep_picture` of an identity (of `find_face`) that the caller chose: it is read from
        its path, wherever that is."""
        self.pictures.keep_chosen(identity)

    def measure(self, driver: Driver) -> AUTrack | ExpressionSource:
        """What a driver shows: its track, measured where it is a clip; or the rule itself.

        Raises:
            FaceError, InputError: no usable face in the clip, or a clip of one frame.
        """
        if not isinstance(driver.content, Clip):
            return driver.content
        return self._measuring.clip(driver)[0]

    # -- RENDER -------------------------------------------------------------------------------

    def render(self, plans: Sequence[Plan], device: Any = None) -> list[Frames]:
        """Clips uint8 `T H W 3`, one a plan, in order. The same plan gives the same pixels,
        whatever else is rendered with it.

        Args:
            plans: what to render.
            device: where to render and sharpen; by default where this synthesizer does.

        Raises:
            RenderError: another generator, weights or options than here, or an identity picture
                that is neither in memory nor where the plan says.
        """
        where = str(device or self.device)
        return [self._rendered(p, where) for p in plans]

    def _rendered(self, plan: Plan, device: str) -> Frames:
        renderer = self.renderer(plan, device)
        frames, mesh = rendered(renderer, plan.intensity, plan.generator), renderer.mesh
        if self.sharpener is not None:
            back = "back" in plan.params
            frames, mesh = self.sharpener.sharpened(frames, mesh, device=device, back=back)
        if plan.look is None:
            return frames
        from famaug.look.applying import apply_look  # loads torch

        with translated("the plan's look", RenderError):
            height, width = plan.look["size"]
            check_room(plan, height, width)
            return apply_look(frames, mesh, plan.look)

    def still(self, plan: Plan) -> Picture:
        """The identity's face at rest, cropped (and sharpened) as in the clip, before its look."""
        picture, mesh = self._face(plan)
        if self.sharpener is None:
            return picture
        back = "back" in plan.params
        sharp, _ = self.sharpener.sharpened(picture[None], mesh, device=self.device, back=back)
        return np.asarray(sharp[0], np.uint8)

    def renderer(self, plan: Plan, device: str | None = None) -> Renderer:
        """The renderer of a plan, kept for further clips of the same face."""
        device = device or self.device
        self.chosen.check(plan.generator, plan.weights, plan.params.get("render", {}))
        mine = None if self.sharpener is None else self.sharpener.name
        if plan.superres != mine:
            raise RenderError(
                f"the plan was sharpened with {plan.superres}, and here superres is {mine}: make "
                "the Synthesizer with the same, or plan again"
            )
        frame = plan.params.get("frame")
        where = None if frame is None else repr(frame_in(frame))
        key = (identity_of(plan)[0], plan.identity["mesh"], plan.size, where, device)
        found = self._renderers.get(key)
        if found is None:
            found = self.chosen.renderer(*self._face(plan), device)
            self._renderers.put(key, found)
        return found

    def _face(self, plan: Plan) -> tuple[Picture, Floats]:
        """The identity's picture in the plan's framing, and its mesh there."""
        from famaug.faces.align import crop_face

        picture, mesh = self.pictures.of(plan), identity_of(plan)[1]
        frame = plan.params.get("frame")
        if frame is not None:
            (height, width), place = frame_in(frame)
            check_room(plan, height, width)
            return reframed(picture, mesh, Framing(*place), (height, width))
        check_room(plan, *((plan.size,) * 2 if plan.size else picture.shape[:2]))
        if plan.size is None:
            return picture, mesh
        size = plan.size if self.sharpener is None else self.sharpener.source_size
        crop, crop_mesh, _ = crop_face(picture, mesh, size)
        return crop, crop_mesh
