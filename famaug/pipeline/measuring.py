"""Measuring drivers and finding faces, each once: kept in memory, and in a folder for other
processes and runs where one is given."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from pathlib import Path
from typing import Any

import numpy as np

from famaug.aus.basis import BASIS, head_pose
from famaug.aus.estimators import find_estimator
from famaug.aus.flow_and_points import PROFILE, Flow
from famaug.aus.protocol import Estimator, measure
from famaug.errors import CacheError, FaceError, FamaugWarning
from famaug.faces.framing import Framing
from famaug.faces.mesher import FaceMesher
from famaug.faces.packed import packed_mesh, unpacked_mesh
from famaug.faces.pose import angles
from famaug.pipeline.inputs import Driver, Identity
from famaug.pipeline.measurements import DriverRecord, FaceRecord, Kind, MeasuredStore
from famaug.pipeline.recent import Recent
from famaug.seeding import digest
from famaug.types import AUTrack, Clip, Floats
from famaug.weights.shipped import SHIPPED

Frame = dict[str, Any]
NETS = (SHIPPED["face_landmarker"].sha256, BASIS)


class Measuring:
    """The measuring of a `Synthesizer`.

    Args:
        estimator: as `find_estimator` takes it.
        sizes: shifts of the picture size that a driver is measured at and averaged over.
        device: where the face nets run.
        keep: how many faces are kept in memory.
        folder: where measurements are kept between processes and runs, or None. One that cannot
            be written to is said once and done without.
    """

    def __init__(
        self,
        *,
        estimator: str | Estimator,
        sizes: Sequence[int],
        device: str,
        keep: int,
        folder: Path | None,
    ) -> None:
        self.sizes, self.device = tuple(sizes), device
        self._asked = estimator
        found = find_estimator(estimator, sizes=sizes, device=device)
        self._found: Estimator | None = found
        self.how = [*NETS, found.name, found.version, list(self.sizes)]
        self.store = None if folder is None else MeasuredStore(folder)
        self._mesher: FaceMesher | None = None
        self._drivers: Recent[str, tuple[AUTrack, Frame | None]] = Recent(4096)
        self._meshes: Recent[str, Floats] = Recent(keep)

    def __getstate__(self) -> dict[str, Any]:
        """A copy for another process: what was measured, no networks."""
        found = None if isinstance(self._asked, str) else self._found
        return self.__dict__ | {"_mesher": None, "_found": found}

    @property
    def estimator(self) -> Estimator:
        """What measures clips; in another process it is made there."""
        if self._found is None:
            self._found = find_estimator(self._asked, sizes=self.sizes, device=self.device)
        return self._found

    def on(self, device: str) -> Measuring:
        """The same with the face nets on another device."""
        if device == self.device:
            return self
        other = copy(self)  # without networks: __getstate__
        other.device = device
        return other

    @property
    def mesher(self) -> FaceMesher:
        """The face nets, loaded when first needed."""
        if self._mesher is None:
            own = self.estimator
            if isinstance(own, Flow) and own.device == self.device:
                self._mesher = own.mesher
            else:
                self._mesher = FaceMesher(device=self.device)
        return self._mesher

    def clip(self, driver: Driver) -> tuple[AUTrack, Frame | None]:
        """Track of a driver that is a clip, and how its onset frame frames the face (`frame_like`);
        None where the face is lost there.

        Raises:
            FaceError, InputError: no usable face in the clip, or a clip of one frame.
        """
        if not isinstance(driver.content, Clip):
            raise TypeError(f"{driver.name} is no clip")
        ref = driver.content.ref
        name = digest(["driver", *self.how, ref.onset or 0, ref.fps, driver.digest])
        found = self._drivers.get(name)
        if found is not None:
            return found
        with self._once("drivers", name) as store:
            record = None if store is None else store.driver(name)
            if record is None:
                found = self._measure(driver.content)
                side = driver.to_json() | {"frame": found[1]}
                self._keep("drivers", name, DriverRecord(side, driver.label, found[0]))
            else:
                found = record.track, record.driver["frame"]
        self._drivers.put(name, found)
        return found

    def mesh(self, identity: Identity, content: str) -> Floats:
        """Mesh `478 3` of a face at rest, whose picture has the digest `content`.

        Raises:
            FaceError: no face, too small, or turned away.
        """
        name = digest(["face", *NETS, content, identity.face])
        mesh = self._meshes.get(name)
        if mesh is not None:
            return mesh
        with self._once("faces", name) as store:
            record = None if store is None else store.face(name)
            if record is None:
                mesh = self._find(identity)
                height, width = identity.picture.shape[:2]
                side = identity.to_json() | {"mesh": packed_mesh(mesh)}
                self._keep("faces", name, FaceRecord(side, (height, width), None))
            else:
                mesh = unpacked_mesh(record.identity["mesh"])
        self._meshes.put(name, mesh)
        return mesh

    @contextmanager
    def _once(self, kind: Kind, name: str) -> Iterator[MeasuredStore | None]:
        """Others that want the same wait until it is measured; a refusal is kept as well."""
        if self.store is None:
            yield None
            return
        with self.store.claimed(name):
            why = self.store.refusal(kind, name)
            if why is not None:
                raise FaceError(why)
            try:
                yield self.store
            except FaceError as error:
                self._keep(kind, name, str(error))
                raise

    def _keep(self, kind: Kind, name: str, record: DriverRecord | FaceRecord | str) -> None:
        if self.store is None:
            return
        try:
            if isinstance(record, str):
                self.store.refuse(kind, name, record)
            elif isinstance(record, DriverRecord):
                self.store.put_driver(name, record)
            else:
                self.store.put_face(name, record)
        except CacheError as error:
            root, self.store = self.store.root, None
            warnings.warn(
                f"{root}: {error}; measurements are not kept from here on", FamaugWarning,
                stacklevel=2,
            )  # fmt: skip

    def _measure(self, clip: Clip) -> tuple[AUTrack, Frame | None]:
        onset = clip.onset
        track = measure(self.estimator, clip.frames, onset, fps=clip.ref.fps)
        try:
            mesh = self.mesher.find(clip.frames[onset])
        except FaceError:  # another estimator may see one
            return track, None
        return track, frame_like(mesh, clip.frames.shape[1:3])

    def _find(self, identity: Identity) -> Floats:
        found = self.mesher.track(identity.picture[None], face=identity.face)
        mesh = np.asarray(found.mesh[0], np.float32)
        if found.faces > 1 and identity.face is None:
            warnings.warn(
                f"{identity.name}: {found.faces} faces; the largest is used", FamaugWarning,
                stacklevel=5,
            )  # fmt: skip
        yaw, pitch, _ = angles(head_pose(mesh).rotation)
        if max(abs(yaw), abs(pitch)) > PROFILE:
            raise FaceError(
                f"the identity's face is turned away (yaw {yaw:.0f}, pitch {pitch:.0f} "
                f"degrees); up to {PROFILE:.0f} degrees can be rendered"
            )
        return mesh


def frame_like(mesh: Floats, shape: tuple[int, ...]) -> Frame:
    """How a frame of (height, width) with this mesh frames its face, as `Synthesizer.frame_of`."""
    place = Framing.of(mesh, (shape[0], shape[1]))
    return {
        "size": [int(shape[0]), int(shape[1])],
        "place": [round(v, 4) for v in (place.brow_x, place.brow_y, place.mouth_x, place.mouth_y)],
    }
