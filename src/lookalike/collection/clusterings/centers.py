"""Where the centres of clusters are, and how far images are from them.

Vectors are read in batches, and nothing here holds them all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from lookalike.collection.embedded import Embedded, Rows
from lookalike.collection.stored.clusterings import NOISE, StoredClustering
from lookalike.types import Metric, Vectors

_BLOCK_ROWS = 4_096
_BLOCK_DISTANCES = 1 << 22  # of rows and centres, in float64: 32 MB


def recentered(stored: StoredClustering, embedded: Embedded, numbers: Sequence[int]) -> StoredClustering:
    """Take as the centres of some clusters the means of their images."""
    wanted = np.unique(np.asarray(numbers, np.int64))
    sums = np.zeros((len(wanted), embedded.dimension))
    counts = np.zeros(len(wanted), np.int64)
    for rows, vectors in embedded.blocks(stored.ids):
        clusters = stored.clusters[rows]
        members = np.flatnonzero(np.isin(clusters, wanted))
        members = members[np.argsort(clusters[members], kind="stable")]
        found, first = np.unique(clusters[members], return_index=True)
        if len(found):
            at = np.searchsorted(wanted, found)
            sums[at] += np.add.reduceat(vectors[members].astype(np.float64), first, axis=0)
            counts[at] += np.diff([*first, len(members)])
    centers = stored.centers.copy()
    with np.errstate(invalid="ignore"):  # a cluster that has no images has no centre: NaN
        centers[wanted] = sums / counts[:, None]
    return replace(stored, centers=centers)


def measured(stored: StoredClustering, embedded: Embedded, metric: Metric) -> StoredClustering:
    """Measure how far each image is from its centre, and from the next."""
    n = len(stored.ids)
    distances, margins = np.full(n, np.inf, np.float32), np.full(n, np.nan, np.float32)
    for rows, vectors in _blocks(embedded, stored) if stored.there else ():
        clusters = stored.clusters[rows]
        nearest, gaps = nearest_centers(vectors, stored.centers)
        own = np.where(clusters == NOISE, nearest, clusters)
        each = np.arange(len(rows))
        to_own = gaps[each, own]
        gaps[each, own] = np.inf
        margins[rows] = np.where(clusters == NOISE, np.nan, gaps.min(axis=1) - to_own)
        if metric == "cosine":
            centers = stored.centers[own]
            lengths = np.linalg.norm(vectors, axis=1) * np.linalg.norm(centers, axis=1)
            to_own = 1 - np.einsum("nd,nd->n", vectors, centers) / np.maximum(lengths, 1e-30)
        distances[rows] = to_own
    return replace(stored, distances=distances, margins=margins)


def nearest_cluster(stored: StoredClustering, vector: Vectors) -> int:
    """Return the number of the cluster whose centre is nearest to a vector, (1, d)."""
    return int(nearest_centers(vector, stored.centers)[0][0])


def nearest_centers(vectors: Vectors, centers: Vectors) -> tuple[npt.NDArray[np.int32], Vectors]:
    """Return the nearest centre to each row, (n,), -1 if there is none, and all distances, (n, n_clusters).

    Euclidean, as k-means counts, whatever the metric; infinite for clusters that have no images.
    """
    distances = np.full((len(vectors), len(centers)), np.inf, np.float32)
    there = np.flatnonzero(np.isfinite(centers).all(axis=1))
    if not len(there):
        return np.full(len(vectors), NOISE, np.int32), distances
    some = centers[there].astype(np.float64)
    squares = np.einsum("kd,kd->k", some, some)
    rows = vectors.astype(np.float64)
    gaps = np.einsum("nd,nd->n", rows, rows)[:, None] + squares - 2 * (rows @ some.T)
    distances[:, there] = np.sqrt(np.maximum(gaps, 0))
    return distances.argmin(axis=1).astype(np.int32), distances


def _blocks(embedded: Embedded, stored: StoredClustering) -> Iterator[tuple[Rows, Vectors]]:
    """Read the vectors of a clustering, so few at a time that there is room for all their distances."""
    step = max(1, min(_BLOCK_ROWS, _BLOCK_DISTANCES // max(len(stored.centers), 1)))
    for rows, vectors in embedded.blocks(stored.ids):
        for start in range(0, len(rows), step):
            yield rows[start : start + step], vectors[start : start + step]
