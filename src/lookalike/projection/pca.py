"""The map by the two principal components: quick, linear, and of the large differences only.

Vectors that all lie on one line, or in one point, have a map, too: a missing component is zero everywhere.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lookalike.errors import InvalidInputError
from lookalike.pca import PCA
from lookalike.projection.contract import Projection, ProjectionRequest
from lookalike.system.memory import rows_at_once
from lookalike.system.progress import Watch
from lookalike.types import Metric, Vectors

_BLOCK_ROWS = 8_192

Doubles = npt.NDArray[np.float64]


def project(rows: Vectors, request: ProjectionRequest) -> Projection:
    """Return the map of rows, (n, d) float32, checked; for cosine, of unit rows."""
    return _project(rows, request.metric, request.watch)


def _project(rows: Vectors, metric: Metric, watch: Watch) -> Projection:
    rows = _compared(rows, metric)
    d = rows.shape[1]
    components, shares = np.zeros((2, d)), np.zeros(2)
    mean = rows[0].astype(np.float64)
    if (rows != rows[0]).any():
        pca = PCA(min(2, len(rows) - 1, d)).fit(rows, **watch.told)
        mean, n_found = pca.mean_, pca.n_components_
        components[:n_found], shares[:n_found] = pca.components_, pca.explained_variance_ratio_
    state = {"mean": mean, "components": components}
    figures = {f"explained_variance_{axis}": float(share) for axis, share in enumerate(shares, 1)}
    return Projection(_apply(rows, mean, components, watch), "pca", {}, figures, state)


def place(new_rows: Vectors, rows: Vectors, projection: Projection, metric: Metric, watch: Watch) -> Vectors:
    """Return the points of new rows, (m, 2) float32; what the map was made of has no say."""
    dimension = projection.state["components"].shape[1]
    if new_rows.shape[1] != dimension:
        raise InvalidInputError(
            f"vectors have {new_rows.shape[1]} dimensions; the map was made of {dimension}"
        )
    return _apply(
        _compared(new_rows, metric), projection.state["mean"], projection.state["components"], watch
    )


def start(rows: Vectors, metric: Metric, watch: Watch) -> Doubles:
    """Return where another method may begin, (n, 2): the map, with a deviation of 1 along the first axis."""
    points = _project(rows, metric, watch).points.astype(np.float64)
    deviation = float(points[:, 0].std())
    return points / deviation if deviation > 0 else points


def _apply(rows: Vectors, mean: Doubles, components: Doubles, watch: Watch) -> Vectors:
    points = np.empty((len(rows), 2), np.float32)
    step = rows_at_once(rows.shape[1], _BLOCK_ROWS)
    for begin in watch.each(range(0, len(rows), step)):
        block = rows[begin : begin + step].astype(np.float64)
        points[begin : begin + len(block)] = (block - mean) @ components.T
    return points


def _compared(rows: Vectors, metric: Metric) -> Vectors:
    """Return rows whose euclidean distances are what the metric compares."""
    if metric == "euclidean":
        return rows
    lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows, dtype=np.float64))
    return np.asarray(rows / lengths[:, None], np.float32)
