"""Weights in TensorFlow.js's form: a JSON file that lists the arrays, and their bytes in order."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from famaug.errors import WeightsError
from famaug.files.limits import member, opened_zip, parse_json, translated

_MOST = 64 << 20
_KINDS: dict[str, np.dtype[Any]] = {
    "float32": np.dtype("<f4"),
    "int32": np.dtype("<i4"),
    "uint8": np.dtype("u1"),
}


def read_tfjs_weights(path: Path, listing: str, values: str) -> dict[str, NDArray[np.float32]]:
    """Arrays by name, float32, laid out as TensorFlow does (kernels are `H W in out`).

    Args:
        path: zip archive of both files, as `famaug.weights.fetch` stores it.
        listing: the JSON file in it: a manifest, or a graph with one under `weightsManifest`.
        values: the binary file in it. Arrays of 8 bits are `value * scale + min`.

    Raises:
        WeightsError: another file, or too few or too many bytes.
    """
    what = f"{path}: no TensorFlow.js weights {listing} and {values}"
    with translated(what, WeightsError):
        with opened_zip(path, at_most=_MOST, unpacked=_MOST, error=WeightsError) as archive:
            manifest = parse_json(member(archive, listing), listing, error=WeightsError)
            stored = member(archive, values)
        groups = manifest["weightsManifest"] if isinstance(manifest, dict) else manifest
        return _arrays([w for group in groups for w in group["weights"]], stored, path)


def _arrays(
    listed: list[dict[str, Any]], stored: bytes, path: Path
) -> dict[str, NDArray[np.float32]]:
    out, at = {}, 0
    for entry in listed:
        eighth = entry.get("quantization")
        kind = _KINDS[eighth["dtype"] if eighth else entry["dtype"]]
        shape = tuple(int(n) for n in entry["shape"])
        size = math.prod(shape) * kind.itemsize
        if min(shape, default=1) < 0 or at + size > len(stored):
            raise WeightsError(
                f"{path}: {entry['name']} of shape {shape} ends beyond the {len(stored)} bytes"
            )
        values = np.frombuffer(stored[at : at + size], kind).reshape(shape).astype(np.float32)
        if eighth:
            values = values * np.float32(eighth["scale"]) + np.float32(eighth["min"])
        out[str(entry["name"])] = values
        at += size
    if at != len(stored):
        raise WeightsError(f"{path}: {len(stored)} bytes seen, {at} listed")
    return out
