"""Weights that ship with famaug: sha256, licence and source of each file. Torch is not loaded."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from famaug.errors import WeightsError
from famaug.files.limits import opened

FILES = Path(__file__).parent / "files"


@dataclass(frozen=True)
class ShippedWeights:
    """A file in the package: what it is, whose it is, and its digest."""

    file: str
    sha256: str
    licence: str
    source: str


SHIPPED: dict[str, ShippedWeights] = {
    "face_landmarker": ShippedWeights(
        file="face_landmarker.safetensors",
        sha256="7bcc2e68f999e9d458aa5a606d3c24130d5231e164565611b351605d5dfb2d02",
        licence="Apache-2.0",
        source="Google MediaPipe face_landmarker task (float16, 2023), converted by "
        "famaug weights import",
    ),
    "au_basis": ShippedWeights(
        file="au_basis.safetensors",
        sha256="558bf6d20b39d1da1ee118d45f7d42bfc65358213819b74e278a5013edf8a304",
        licence="CC0-1.0",
        source="derived from MakeHuman base mesh, targets and face units (CC0), registered to the "
        "478-point mesh",
    ),
    "superres_compact": ShippedWeights(
        file="superres_compact.safetensors",
        sha256="d6a1e6171b9bbf74e1070d32fcec44535a615bf0e9432a63f063fc412db6a445",
        licence="BSD-3-Clause",
        source="Real-ESRGAN's realesr-animevideov3 x4 (Xintao Wang), converted from ncnn's form",
    ),
    "superres_faces": ShippedWeights(
        file="superres_faces.safetensors",
        sha256="0072f9e5fffcc31796414a084d34c023aec52377ed36ee098cb98cdd097d6936",
        licence="BSD-3-Clause",
        source="superres_compact, fine-tuned by recipes/train_superres.py on 128 generated faces "
        "(faker-js/assets-person-portrait, CC0)",
    ),
    "flow-cnn/composite": ShippedWeights(
        file="flow_cnn_composite.safetensors",
        sha256="285c14d9ed3cda4de3a2bfd60a0e3eceb8cc5065717ed99d2dd0c51620effcf9",
        licence="Apache-2.0",
        source="trained by recipes/train_flow_cnn.py on expressions drawn on generated faces "
        "(faker-js/assets-person-portrait, CC0), on no real clip",
    ),
}


def sha256_of(path: Path) -> str:
    """sha256 (hex) of a file's bytes."""
    with opened(path, at_most=1 << 40, error=WeightsError) as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def shipped_path(name: str) -> Path:
    """Path of a file that ships with famaug.

    Raises:
        WeightsError: unknown name, or the installed file is not the one that was shipped.
    """
    if name not in SHIPPED:
        raise WeightsError(f"no weights named {name!r} ship with famaug; there are: {[*SHIPPED]}")
    path = FILES / SHIPPED[name].file
    if not path.is_file():
        raise WeightsError(f"{name}: the installed package lacks {path}; reinstall famaug")
    found = sha256_of(path)
    if found != SHIPPED[name].sha256:
        raise WeightsError(
            f"{name}: {path} has sha256 {found[:16]}..., shipped was "
            f"{SHIPPED[name].sha256[:16]}...; reinstall famaug"
        )
    return path
