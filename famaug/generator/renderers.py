"""Generators: what one must be, the list of them, and from a plan's words to a face that moves.

A generator is asked for by a name of `GENERATORS`, by a file of GANimation's weights, or by
`module:Class` of your own.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from famaug.errors import InputError, RenderError
from famaug.generator.options import chosen
from famaug.named import import_named
from famaug.types import Floats, Frames, Picture

GENERATORS: dict[str, str] = {
    # famaug's own: moves the photograph by the AU basis (CC0), folds its skin; needs nothing else
    "warp": "famaug.generator.warp:WarpRenderer",
    # GANimation (Pumarola et al., ECCV 2018), its weights behind a colon (or their file alone):
    # trained by `famaug train generator`, or imported; the licence is that of the weights
    "ganimation": "famaug.generator.learned:LearnedGenerator",
}
WEIGHTS = ".safetensors"


class Renderer(Protocol):
    """One face, ready to show AUs.

    A generator is what makes one: a class that is called with picture (uint8 `H W 3`, the face at
    rest), mesh (`478 3`, in its pixels), its options, and `device=` where it takes that; with these
    attributes:

        name: "name/version". It is part of every plan's key: another version is rendered anew.
        options: by name a `famaug.generator.options.Range` or `Choice`; none where it is missing.
        weights: digest (hex) of what else its pixels depend on; "" where it is missing.
        subjects: "dataset/subject" of everybody it was trained on, whose clips stay out of folds
            that hold one of them out; nobody where it is missing.
    """

    picture: Picture
    mesh: Floats

    def render(self, intensity: Floats) -> Frames:
        """Frames uint8 `T H W 3` for intensities `T 2 17` (0-5; the person's left and right, AU).
        The same intensities give the same frames."""
        ...


@dataclass(frozen=True, eq=False)
class GeneratorChoice:
    """A generator with its options, as a plan says it.

    Attributes:
        asked: by what name it was found.
        name, weights, options, subjects: as of `Renderer`; the options are JSON-able, and all of
            them.
        make: the generator.
    """

    asked: str
    name: str
    weights: str
    options: Mapping[str, Any]
    subjects: tuple[str, ...]
    make: Callable[..., Renderer]

    def __reduce__(self) -> tuple[Any, ...]:
        """For another process: a class is found again by its name, a file's network travels."""
        if isinstance(self.make, type):
            return find_generator, (self.asked, dict(self.options))
        return GeneratorChoice, tuple(getattr(self, f.name) for f in fields(self))

    def renderer(self, picture: Picture, mesh: Floats, device: str) -> Renderer:
        """For one face. One that its picture cuts too tightly to be moved is rendered with the
        border repeated outwards.

        Raises:
            InputError, FaceError: the picture or the mesh will not do.
        """
        from famaug.generator.motion.face_motion import room_needed

        room = room_needed(mesh, picture.shape[:2])
        if any(room):
            return Widened(self._made, picture, mesh, device, room)
        return self._made(picture, mesh, device)

    def _made(self, picture: Picture, mesh: Floats, device: str) -> Renderer:
        takes = inspect.signature(self.make).parameters
        more = {"device": device} if "device" in takes else {}
        return self.make(picture, mesh, **self.options, **more)

    def check(self, name: str, weights: str, options: Mapping[str, Any]) -> None:
        """Raises:
        RenderError: a plan says another generator, other weights or other options.
        """
        if (name, weights) != (self.name, self.weights):
            raise RenderError(
                f"the plan asks for {name} with weights {weights[:12]}; this is {self.name} with "
                f"{self.weights[:12]}: use the generator (and famaug version) that made the plan, "
                "or plan again"
            )
        if dict(options) != dict(self.options):
            raise RenderError(
                f"the plan was made with {dict(options)}, and this is {dict(self.options)}: make "
                "the Synthesizer with the plan's options, or plan again"
            )


class Widened:
    """A face rendered in a wider picture; the frames are cut back to its own.

    Args:
        make: of picture, mesh and device.
        room: pixels to add at top, bottom, left and right.
    """

    def __init__(
        self,
        make: Callable[[Picture, Floats, str], Renderer],
        picture: Picture,
        mesh: Floats,
        device: str,
        room: tuple[int, int, int, int],
    ) -> None:
        import cv2

        top, _, left, _ = room
        wide = cv2.copyMakeBorder(picture, *room, cv2.BORDER_REPLICATE)
        moved = np.array(mesh, np.float32) + np.array([left, top, 0], np.float32)
        self.inner = make(np.asarray(wide, np.uint8), moved, device)
        self.picture, self.mesh = picture, mesh
        height, width = picture.shape[:2]
        self._cut = np.s_[:, top : top + height, left : left + width]

    def render(self, intensity: Floats) -> Frames:
        return np.ascontiguousarray(self.inner.render(intensity)[self._cut])


def find_generator(generator: str, options: Mapping[str, Any] | None = None) -> GeneratorChoice:
    """The generator of that name, with these of its options.

    Raises:
        InputError: no such generator, an option that it does not have or out of range, or a class
            that is no generator.
        WeightsError: a file that holds no generator.
    """
    kind, file = _parsed(generator)
    found = import_named(kind, "generator", GENERATORS)
    if file:
        found = found.open(Path(file))
    name = getattr(found, "name", None)
    if not isinstance(name, str) or not callable(found):
        raise InputError(
            f"{generator!r} is no generator: it has no name, or cannot be called with a picture "
            "and a mesh (famaug.generator.renderers.Renderer says what one has)"
        )
    if kind not in GENERATORS and name.partition("/")[0] in GENERATORS:
        raise InputError(f"{generator!r} calls itself {name!r}, the name of one of famaug's")
    return GeneratorChoice(
        generator,
        name,
        getattr(found, "weights", ""),
        chosen(generator, getattr(found, "options", {}), options or {}),
        tuple(getattr(found, "subjects", ())),
        found,
    )


def check_generator(generator: str, options: Mapping[str, Any] | None = None) -> None:
    """Raises InputError: no such generator, or an option that is not possible. Files are not looked
    into, and one that ships is loaded (and torch with it) only to ask for its options."""
    kind, _ = _parsed(generator)
    if options or kind not in GENERATORS:
        found = import_named(kind, "generator", GENERATORS)
        chosen(generator, getattr(found, "options", {}), options or {})


def options_of(options: Mapping[str, Any] | None, **named: Any) -> dict[str, Any]:
    """Options given as a mapping and by themselves, as one; of the latter, None is not given."""
    return {**(options or {}), **{k: v for k, v in named.items() if v is not None}}


def rendered(renderer: Renderer, intensity: Floats, generator: str) -> Frames:
    """Frames of a renderer, perhaps a user's own.

    Raises:
        RenderError: they are no frames of the picture's size, one for each row.
    """
    frames = renderer.render(intensity)
    want = (len(intensity), *renderer.picture.shape)
    if getattr(frames, "dtype", None) != np.uint8 or frames.shape != want:
        seen = f"{getattr(frames, 'dtype', type(frames).__name__)} {getattr(frames, 'shape', '')}"
        raise RenderError(f"the generator {generator} gave {seen} where uint8 {want} is asked for")
    return frames


def _parsed(generator: str) -> tuple[str, str]:
    """A name of the list (or what else was asked for), and the file behind it."""
    name, _, file = generator.partition(":")
    if name not in GENERATORS:
        return ("ganimation", generator) if generator.endswith(WEIGHTS) else (generator, "")
    if name == "ganimation" and not file:
        raise InputError("ganimation needs its weights: write ganimation:FILE.safetensors")
    if name != "ganimation" and file:
        raise InputError(f"the generator {name} takes nothing behind a colon; got {generator!r}")
    return name, file
