"""The faces of a folder that studies render on: those that look into the camera."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from famaug.aus.basis import head_pose
from famaug.errors import FaceError
from famaug.faces.mesher import FaceMesher
from famaug.faces.pose import angles
from famaug.media.clips import read_picture
from famaug.types import Floats, Picture

FARTHEST = 30.0
"""Degrees of yaw or pitch beyond which a face is left out."""


def usable_faces(paths: Sequence[Path]) -> list[tuple[Picture, Floats]]:
    """Pictures and meshes of the faces that are turned by 30 degrees at most."""
    mesher, found = FaceMesher(), []
    for path in paths:
        picture = read_picture(path)
        try:
            mesh = mesher.find(picture)
        except FaceError:
            continue
        yaw, pitch, _ = angles(head_pose(mesh).rotation)
        if max(abs(yaw), abs(pitch)) <= FARTHEST:
            found.append((picture, mesh))
    return found
