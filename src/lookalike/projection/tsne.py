"""t-SNE by openTSNE, from our neighbour graph, started from the principal components."""

from __future__ import annotations

from typing import Any

import numpy as np

from lookalike.cores import usable_cores
from lookalike.index.graph import neighbor_graph
from lookalike.index.kmeans_tree import KMeansTree
from lookalike.projection import pca
from lookalike.projection.contract import Projection, Report
from lookalike.types import Metric, Vectors

_ROUNDS = ((250, 12.0, 0.5), (500, 1.0, 0.8))  # iterations, exaggeration, momentum
_EVERY = 10  # iterations between two reports


def project(
    rows: Vectors, metric: Metric, perplexity: float | None, n_jobs: int | None, report: Report
) -> Projection:
    """Return the map of rows, (n, d) float32, checked."""
    import openTSNE
    from openTSNE.affinity import joint_probabilities_nn

    n = len(rows)
    perplexity = min(perplexity or 30.0, (n - 1) / 3)
    parameters = {"perplexity": perplexity, "iterations": float(sum(each for each, *_ in _ROUNDS))}
    if (rows == rows[0]).all() or n < 4:
        return Projection(pca.project(rows).points, "tsne", parameters, {"kl_divergence": 0.0}, {})
    k = min(n - 1, max(1, int(3 * perplexity)))
    graph = neighbor_graph(rows, k, metric, 1.0, lambda done, total: report("neighbours", done / total / 4))
    affinities = openTSNE.affinity.Affinities()
    affinities.P = joint_probabilities_nn(
        graph.indices.reshape(n, k), graph.data.reshape(n, k), [perplexity], n_jobs=n_jobs or usable_cores()
    )
    start = pca.project(rows).points.astype(np.float64)
    start *= 1e-4 / start[:, 0].std()
    embedding = openTSNE.TSNEEmbedding(start, affinities, n_jobs=n_jobs or usable_cores())
    before, total = 0, parameters["iterations"]
    for n_iter, exaggeration, momentum in _ROUNDS:

        def told(done: int, error: float, points: Any, before: int = before) -> None:
            report("t-SNE", 0.25 + 0.75 * (before + done) / total)

        embedding.optimize(
            n_iter,
            inplace=True,
            exaggeration=exaggeration,
            momentum=momentum,
            callbacks=told,
            callbacks_every_iters=_EVERY,
        )
        before += n_iter
    points = np.asarray(embedding, np.float32)
    return Projection(points, "tsne", parameters, {"kl_divergence": float(embedding.kl_divergence)}, {})


def place(new_rows: Vectors, rows: Vectors, projection: Projection, metric: Metric) -> Vectors:
    """Return the points of new rows, (m, 2) float32: the median of their nearest neighbours' points."""
    if not len(new_rows):
        return np.empty((0, 2), np.float32)
    found = KMeansTree(metric).build(rows).search(new_rows, k=min(10, len(rows)))
    points: Vectors = np.median(projection.points[found.ids], axis=1)
    return points
