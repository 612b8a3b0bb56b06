"""Measure the AU basis as the face mesh sees it.

    python recipes/studies/measure_seen_basis.py --out seen_basis.safetensors --identities 8

The mesh net is no ruler: it damps some units, misses others, and spreads one-sided motion of the
mouth over both sides. So faces whose truth is known are rendered, one unit on one side at a time,
and what the mesh does is written down: centimetres in the head frame at intensity 5, averaged over
people, left and right made mirror images. The table compares it with the true motion of the same
points.

Columns of the table:
    gain      observed motion projected on the true one, over the side that moves (1: seen in full)
    likeness  cosine between the two over the whole face (1: the right shape)
    wrong     size of the observed motion on the other side, over that on the side that moves
    spread    how much people differ: rms deviation from the mean motion, over its rms
    max mm    largest observed motion of a point
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from head import truth_clip
from numpy.typing import NDArray
from safetensors.numpy import save_file

from famaug.aus.basis import head_pose, modelled_basis, to_head_axes
from famaug.faces.mesher import FaceMesher
from famaug.faces.pose import fit_similarity
from famaug.types import AU_NAMES, AUS, LEFT, RIGHT

Array = NDArray[np.float64]

FIRST_IDENTITY = 500
INTENSITIES = (2.0, 4.0)
FULL = 5.0
IRIS_MIRROR = {468: 473, 469: 476, 470: 475, 471: 474, 472: 477}


def single_units() -> Array:
    """float `1 + 34 n  2 17`: neutral, then each unit on each side at each intensity."""
    rows = [np.zeros((2, len(AUS)))]
    for unit in range(len(AUS)):
        for side in (LEFT, RIGHT):
            for intensity in INTENSITIES:
                row = np.zeros((2, len(AUS)))
                row[side, unit] = intensity
                rows.append(row)
    return np.stack(rows)


def in_head_frame(meshes: NDArray[np.float32]) -> Array:
    """float `T 478 3`: motion against the first mesh, centimetres, heads laid on each other."""
    basis = modelled_basis()
    first = to_head_axes(meshes[0])
    laid = head_pose(meshes[0]).inverse
    neutral = laid.apply(first)
    motion = []
    for mesh in meshes:
        points = to_head_axes(mesh)
        motion.append(fit_similarity(points, neutral, basis.rest).apply(points) - neutral)
    return np.stack(motion)


def per_unit(motion: Array) -> Array:
    """float `17 2 478 3` at intensity 5: slope through the origin over the intensities."""
    strengths = np.array(INTENSITIES)
    table = motion[1:].reshape(len(AUS), 2, len(strengths), *motion.shape[1:])
    slope: Array = FULL * np.einsum("usnpk,n->uspk", table, strengths) / (strengths**2).sum()
    return slope


def mirrored(field: Array, mirror: NDArray[np.int64]) -> Array:
    """A field `... 478 3` seen in a mirror."""
    order = np.arange(field.shape[-2])
    order[: len(mirror)] = mirror
    for right, left in IRIS_MIRROR.items():
        order[right], order[left] = left, right
    turned: Array = field[..., order, :] * np.array([-1, 1, 1])
    return turned


def symmetric(seen: Array, mirror: NDArray[np.int64]) -> Array:
    """Left and right made mirror images of each other: `17 2 478 3`."""
    left = (seen[:, LEFT] + mirrored(seen[:, RIGHT], mirror)) / 2
    return np.stack([left, mirrored(left, mirror)], axis=1)


def print_table(seen: Array, people: Array, true: Array, x: Array) -> None:
    """One line a unit; depth is left out, the mesh net hardly knows it."""
    own, other = x > 0.05, x < -0.05
    print(f"{'':5} {'gain':>6} {'likeness':>9} {'wrong':>6} {'spread':>7} {'max mm':>7}")
    for unit, name in enumerate(AU_NAMES):
        s, t = seen[unit, LEFT, :468, :2], true[unit, LEFT, :468, :2]
        gain = (s[own] * t[own]).sum() / (t[own] ** 2).sum()
        likeness = (s * t).sum() / np.linalg.norm(s) / np.linalg.norm(t)
        wrong = np.linalg.norm(s[other]) / np.linalg.norm(s[own])
        off = people[:, unit, LEFT, :468, :2] - s
        spread = np.sqrt((off**2).mean() / (s**2).mean())
        largest = 10 * np.linalg.norm(s, axis=1).max()
        print(f"{name:5} {gain:6.2f} {likeness:9.2f} {wrong:6.2f} {spread:7.2f} {largest:7.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--out", type=Path, required=True, help="safetensors file to write")
    parser.add_argument("--identities", type=int, default=8, help="how many people (at least 6)")
    parser.add_argument("--size", type=int, default=400, help="side of the pictures, pixels")
    options = parser.parse_args()
    torch.set_num_threads(1)
    basis, mesher, asked = modelled_basis(), FaceMesher(), single_units()
    people = []
    for seed in range(FIRST_IDENTITY, FIRST_IDENTITY + options.identities):
        clip = truth_clip(seed, asked, size=options.size, noise=0)
        track = mesher.track(clip.frames)
        if not np.isfinite(track.mesh).all():
            print(f"person {seed}: the mesh was lost in some frames; left out", flush=True)
            continue
        people.append(symmetric(per_unit(in_head_frame(track.mesh)), basis.mirror))
        print(f"person {seed}: {len(asked)} pictures measured", flush=True)
    each = np.stack(people)
    seen = each.mean(axis=0)
    print_table(seen, each, basis.motion, basis.neutral[:468, 0])
    save_file({"seen": seen.astype(np.float16)}, options.out)
    print(f"{options.out}: seen float16 {seen.shape}, {len(people)} people")


if __name__ == "__main__":
    main()
