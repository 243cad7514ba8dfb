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

from lookalike.errors import IndexExtraError
from lookalike.index.graph import neighbor_graph
from lookalike.projection import pca
from lookalike.projection.contract import Projection, ProjectionRequest
from lookalike.system.installing import install_command
from lookalike.types import Vectors

_NEIGHBORS = 15  # itself included, as umap-learn counts
_MIN_DIST = 0.1
_FEWEST = 4  # for fewer it makes no map
_START = 10.0  # how far from the middle the farthest point begins


def project(rows: Vectors, request: ProjectionRequest) -> Projection:
    """Return the map of rows, (n, d) float32, checked."""
    metric, watch = request.metric, request.watch
    library = import_umap()
    n = len(rows)
    n_neighbors = min(_NEIGHBORS, n)
    parameters = {"n_neighbors": float(n_neighbors), "min_dist": _MIN_DIST}
    start = pca.start(rows, metric, watch).astype(np.float32)
    if n < _FEWEST or not start.any():
        return Projection(start, "umap", parameters, {}, {})

    graph = neighbor_graph(rows, n_neighbors - 1, metric, **watch.told)
    others, distances = (each.reshape(n, n_neighbors - 1) for each in (graph.indices, graph.data))
    itself = np.arange(n, dtype=np.int32)[:, None]
    near = np.hstack([itself, others]), np.hstack([np.zeros((n, 1), np.float32), distances])
    watch.say("arranging", "arranging the points")  # which cannot be stopped before they are arranged
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what it says of a seed, of threads, and of few rows
        model = library.UMAP(
            n_neighbors=n_neighbors,
            min_dist=_MIN_DIST,
            metric=metric,
            init=start * (_START / np.abs(start).max()),
            precomputed_knn=(*near, None),
            force_approximation_algorithm=True,  # or it measures all pairs of up to 4,096 rows
            random_state=request.random_state,
            n_jobs=1,
        )
        points = model.fit_transform(rows)
    return Projection(np.asarray(points, np.float32), "umap", parameters, {}, {})


def import_umap() -> Any:
    """Return umap-learn.

    Raises
    ------
    InvalidInputError
        If it is not installed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it would do more with Tensorflow
            return importlib.import_module("umap")
    except ImportError as error:
        raise IndexExtraError(
            "UMAP needs the library umap-learn, which is not installed",
            extra="umap",
            hint=f"install it with: {install_command('umap')}",
        ) from error
