"""UMAP by umap-learn, from our neighbour graph. Needs the extra ``umap``.

References
----------
L. McInnes, J. Healy, J. Melville, "UMAP: Uniform Manifold Approximation and Projection for Dimension
Reduction", 2018.
"""

from __future__ import annotations

import importlib
import warnings
from typing import Any

import numpy as np

from lookalike.errors import InvalidInputError
from lookalike.index.graph import neighbor_graph
from lookalike.projection import pca
from lookalike.projection.contract import Projection, Report
from lookalike.types import Metric, Vectors

_NEIGHBORS = 15  # itself included, as umap-learn has it
_FEWEST = 5  # for fewer the graph's eigenvectors, from which UMAP starts, do not exist


def project(rows: Vectors, metric: Metric, random_state: int, report: Report) -> Projection:
    """Return the map of rows, (n, d) float32, checked."""
    library = import_umap()
    n = len(rows)
    n_neighbors = min(_NEIGHBORS, n)
    parameters = {"n_neighbors": float(n_neighbors), "min_dist": 0.1}
    if n < _FEWEST or (rows == rows[0]).all():
        return Projection(pca.project(rows).points, "umap", parameters, {}, {})
    graph = neighbor_graph(
        rows, n_neighbors - 1, metric, report=lambda done, total: report("neighbours", done / total / 4)
    )
    others, distances = (each.reshape(n, n_neighbors - 1) for each in (graph.indices, graph.data))
    near = np.column_stack([np.arange(n, dtype=np.int32), others])
    far = np.column_stack([np.zeros(n, np.float32), distances])
    report("UMAP", 0.25)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a seed means one thread, and what it thinks of small sets
        points = library.UMAP(
            n_neighbors=n_neighbors,
            min_dist=parameters["min_dist"],
            metric=metric,
            init=np.ascontiguousarray(_start(rows)),
            precomputed_knn=(near, far, None),
            force_approximation_algorithm=True,
            random_state=random_state,
            transform_seed=random_state,
            n_jobs=1,
        ).fit_transform(rows)
    return Projection(np.asarray(points, np.float32), "umap", parameters, {}, {})


def import_umap() -> Any:
    """Return umap-learn.

    Raises
    ------
    InvalidInputError
        If it is not installed.
    """
    try:
        return importlib.import_module("umap")
    except ImportError as error:
        raise InvalidInputError(
            "UMAP needs the library umap-learn, which is not installed; "
            "install it with: pip install 'lookalike[umap]'"
        ) from error


def _start(rows: Vectors) -> Vectors:
    points = pca.project(rows).points
    return points * np.float32(10 / max(np.abs(points).max(), 1e-30))
