"""The map by the two principal components: quick, linear, and of the large differences only.

Vectors that all lie on one line, or in one point, have a map, too: a missing component is zero everywhere.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lookalike.projection.contract import Projection
from lookalike.reduce import PCA
from lookalike.types import Vectors

Doubles = npt.NDArray[np.float64]


def project(rows: Vectors) -> Projection:
    """Return the map of rows, (n, d) float32, checked."""
    d = rows.shape[1]
    mean, components, shares = np.zeros(d), np.zeros((2, d)), np.zeros(2)
    if len(rows):
        mean = rows.mean(axis=0, dtype=np.float64)
    if (rows != rows[:1]).any():
        pca = PCA(min(2, len(rows) - 1, d)).fit(rows)
        mean, n_found = pca.mean_, pca.n_components_
        components[:n_found], shares[:n_found] = pca.components_, pca.explained_variance_ratio_
    state = {"mean": mean, "components": components}
    figures = {f"explained_variance_{axis}": float(share) for axis, share in enumerate(shares, 1)}
    return Projection(place(rows, mean, components), "pca", {}, figures, state)


def place(rows: Vectors, mean: Doubles, components: Doubles) -> Vectors:
    """Return the points of rows, (m, 2) float32."""
    points = np.empty((len(rows), 2), np.float32)
    for start in range(0, len(rows), 8_192):
        block = rows[start : start + 8_192].astype(np.float64)
        points[start : start + len(block)] = (block - mean) @ components.T
    return points
