"""One step of Catmull-Clark subdivision as a sparse matrix that keeps the given vertices in place.

The plain scheme shrinks what it smooths. Here the control points are first solved for, so that
every given vertex stays exactly where it was and only what lies between becomes round.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import splu

Ints = NDArray[np.int64]


class Subdivision:
    """Refines values on the vertices of a quad mesh.

    Attributes:
        quads: int `4n 4`, the refined quads; the first vertices are the given ones, in order.
    """

    def __init__(self, quads: Ints, count: int) -> None:
        """Args: quads int `n 4`; count: number of vertices, each used by a quad."""
        edges, edge_of = _edges(quads)
        n, e, f = count, len(edges), len(quads)
        rows = np.arange(f)
        face = _mean_matrix(rows, quads, n)
        middle = _mean_matrix(np.arange(e), edges, n)
        around = np.bincount(edge_of.ravel(), minlength=e)
        by_edge = sparse.csr_matrix(
            (np.ones(4 * f), (edge_of.ravel(), np.repeat(rows, 4))), shape=(e, f)
        )
        inner = sparse.diags((around == 2).astype(float))
        outer = sparse.diags((around != 2).astype(float))
        edge = outer @ middle + inner @ (0.5 * middle + 0.25 * (by_edge @ face))
        vertex = _vertex_rule(quads, edges, around, face, middle, n)
        self._linear = sparse.vstack([sparse.identity(n), middle, face]).tocsr()
        self._smooth = sparse.vstack([vertex, edge, face]).tocsr()
        self._solve = splu(vertex.tocsc()).solve
        self._count = n
        a, b = n + edge_of, n + np.roll(edge_of, 1, axis=1)
        centre = np.repeat(n + e + rows[:, None], 4, axis=1)
        self.quads: Ints = np.stack([quads, a, centre, b], axis=2).reshape(-1, 4)

    def smooth(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """float `n k` -> `m k` on the smooth surface; the first n rows are unchanged."""
        result: NDArray[np.float64] = self._smooth @ self._solve(np.ascontiguousarray(values))
        result[: self._count] = values
        return result

    def linear(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """float `n k` -> `m k` by plain averages (for texture coordinates and masks)."""
        result: NDArray[np.float64] = self._linear @ values
        return result


def _edges(quads: Ints) -> tuple[Ints, Ints]:
    """Unique edges int `e 2`, and for each quad the edge that leaves each corner, int `n 4`."""
    pairs = np.stack([quads, np.roll(quads, -1, axis=1)], axis=2).reshape(-1, 2)
    edges, inverse = np.unique(np.sort(pairs, axis=1), axis=0, return_inverse=True)
    return edges, inverse.reshape(-1, 4)


def _mean_matrix(rows: Ints, corners: Ints, count: int) -> Any:
    k = corners.shape[1]
    values = np.full(corners.size, 1 / k)
    return sparse.csr_matrix(
        (values, (np.repeat(rows, k), corners.ravel())), shape=(len(rows), count)
    )


def _vertex_rule(quads: Ints, edges: Ints, around: Ints, face: Any, middle: Any, n: int) -> Any:
    """Inner vertices: (F + 2 R + (k - 3) v) / k. Border vertices: 3/4 v + 1/8 of each neighbour."""
    valence = np.maximum(np.bincount(edges.ravel(), minlength=n), 1)
    faces_at = np.maximum(np.bincount(quads.ravel(), minlength=n), 1)
    to_faces = sparse.csr_matrix(
        (np.ones(quads.size), (quads.ravel(), np.repeat(np.arange(len(quads)), 4))),
        shape=(n, len(quads)),
    )
    to_edges = sparse.csr_matrix(
        (np.ones(edges.size), (edges.ravel(), np.repeat(np.arange(len(edges)), 2))),
        shape=(n, len(edges)),
    )
    mean_face = sparse.diags(1 / faces_at) @ to_faces @ face
    mean_edge = sparse.diags(1 / valence) @ to_edges @ middle
    k = valence.astype(float)
    inner = sparse.diags(1 / k) @ (mean_face + 2 * mean_edge) + sparse.diags((k - 3) / k)
    on_border = np.zeros(n, bool)
    on_border[edges[around != 2]] = True
    border_edges = to_edges @ sparse.diags((around != 2).astype(float))
    count = np.maximum(np.asarray(border_edges.sum(axis=1)).ravel(), 1)
    rim = 0.5 * sparse.identity(n) + 0.5 * sparse.diags(1 / count) @ border_edges @ middle
    pick = sparse.diags(on_border.astype(float))
    return ((sparse.identity(n) - pick) @ inner + pick @ rim).tocsr()
