"""What was measured of drivers and faces, kept on disk: a run that goes on does not measure again.

One JSON file each, under a digest of the source and of how it is measured. A file appears whole or
not at all; the first one written stays, so that all workers and all runs use the same numbers.
"""

from __future__ import annotations

import base64
import errno
import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np

from famaug.errors import CacheError, CacheFullError
from famaug.files.limits import read_json
from famaug.files.whole import write_whole
from famaug.media.pictures import decode_picture
from famaug.seeding import digest
from famaug.types import AUS, AUTrack, Floats, Picture

FORMAT = 2
MAX_BYTES = 256 << 20
"""Of one file: a face may be kept with its picture."""
Kind = Literal["drivers", "faces", "gate"]


@dataclass(frozen=True, eq=False)
class DriverRecord:
    """A measured driver.

    Attributes:
        driver: as `Plan.driver`, and in "frame" what `Synthesizer.frame_of` says.
        label: class label of the clip in its dataset's terms.
        track: what was measured or read.
    """

    driver: dict[str, Any]
    label: str | int | None
    track: AUTrack


@dataclass(frozen=True, eq=False)
class FaceRecord:
    """A face at rest.

    Attributes:
        identity: as `Plan.identity`, with the mesh.
        shape: height and width of the picture.
        picture: only where it cannot be read again from `identity["source"]`.
    """

    identity: dict[str, Any]
    shape: tuple[int, int]
    picture: Picture | None


class MeasuredStore:
    """The folder of these files; made when something is first put."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @contextmanager
    def claimed(self, name: str) -> Iterator[None]:
        """One process at a time measures what `name` stands for. Where no lock can be kept (a
        folder that may only be read) nobody waits."""
        try:
            (self.root / "locks").mkdir(parents=True, exist_ok=True)
            file = (self.root / "locks" / name[:2]).open("ab")
        except OSError:
            yield
            return
        with file:  # the lock goes with the file, and with the process
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def has(self, kind: Kind, name: str) -> bool:
        """Whether a whole record is there."""
        return self._read(kind, name) is not None

    def refusal(self, kind: Kind, name: str) -> str | None:
        """Why nothing could be measured, where that was found before."""
        value = self._read(kind, name)
        return None if value is None else value.get("refused")

    def refuse(self, kind: Kind, name: str, reason: str) -> None:
        """Notes that the source is unusable, so that it is not tried again."""
        self._write(kind, name, {"refused": reason})

    def driver(self, name: str) -> DriverRecord | None:
        """The record, or None when it is missing or damaged."""
        value = self._read("drivers", name)
        if value is None or "refused" in value:
            return None
        track = value["track"]
        return DriverRecord(
            value["driver"],
            value["label"],
            AUTrack(
                _floats(track["intensity"]),
                _floats(track["confidence"]),
                track["estimator"],
                track["sided"],
                track["scale"],
                track["fps"],
                track["modulated"],
                tuple(track.get("subjects", ())),
            ),
        )

    def face(self, name: str) -> FaceRecord | None:
        """The record, or None when it is missing or damaged."""
        value = self._read("faces", name)
        if value is None or "refused" in value:
            return None
        height, width = value["shape"]
        return FaceRecord(value["identity"], (height, width), _picture(value["picture"]))

    def put_driver(self, name: str, record: DriverRecord) -> None:
        track = record.track
        self._write(
            "drivers",
            name,
            {
                "driver": record.driver,
                "label": record.label,
                "track": {
                    "intensity": _text(track.intensity),
                    "confidence": _text(track.confidence),
                    "estimator": track.estimator,
                    "sided": track.sided,
                    "scale": track.scale,
                    "fps": track.fps,
                    "modulated": track.modulated,
                    "subjects": list(track.subjects),
                },
            },
        )

    def put_face(self, name: str, record: FaceRecord) -> None:
        value = {
            "identity": record.identity,
            "shape": list(record.shape),
            "picture": None if record.picture is None else _png(record.picture),
        }
        self._write("faces", name, value)

    def _path(self, kind: Kind, name: str) -> Path:
        return self.root / kind / f"{name}.json"

    def _read(self, kind: Kind, name: str) -> dict[str, Any] | None:
        try:
            value = read_json(self._path(kind, name), at_most=MAX_BYTES, error=CacheError)
            record: dict[str, Any] = value["record"]
            whole = value["format"] == FORMAT and value["digest"] == digest(record)
        except (CacheError, ValueError, KeyError, TypeError):
            return None
        return record if whole else None

    def _write(self, kind: Kind, name: str, record: dict[str, Any]) -> None:
        """The first one written stays; a damaged one is replaced.

        Raises:
            CacheFullError, CacheError: it cannot be kept, so nothing made from it could be made
                again: that ends a run, and is no reason to leave a driver or a face out.
        """
        path = self._path(kind, name)
        text = json.dumps({"format": FORMAT, "digest": digest(record), "record": record})
        try:
            if self._read(kind, name) is None:
                write_whole(path, text)
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
            failure = CacheFullError if full else CacheError
            raise failure(f"a measurement cannot be kept: {error}; then run it again") from error


def _text(values: Floats) -> str:
    return base64.b64encode(values.astype("<f4").tobytes()).decode()


def _floats(text: str) -> Floats:
    values = np.frombuffer(base64.b64decode(text), "<f4").astype(np.float32)
    return values.reshape(-1, 2, len(AUS))


def _png(picture: Picture) -> str:
    done, data = cv2.imencode(".png", np.ascontiguousarray(picture[..., ::-1]))
    if not done:
        raise ValueError(f"OpenCV could not write a picture of shape {picture.shape} as PNG")
    return base64.b64encode(bytes(data)).decode()


def _picture(text: str | None) -> Picture | None:
    if text is None:
        return None
    return decode_picture(base64.b64decode(text), "a face that was kept")
