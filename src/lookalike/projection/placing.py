"""New rows on a map that stays as it is: each goes where its nearest rows lie, or most of them.

A row's nearest neighbours need not lie together on the map; their mean may be a place where nothing is. So a
new row starts at the point of that neighbour which has the others nearest, as t-SNE counts nearness:
1 / (1 + d²), d in units of how far neighbours lie apart on this map. From there it is drawn to their mean,
the near ones counting most (mean shift). What it is placed with does not matter.

Held-out digits land as well as by openTSNE's way, an optimisation of some hundred steps (see
docs/benchmarks.md), and it serves for any map.

References
----------
P. Poličar, M. Stražar, B. Zupan, "Embedding to Reference t-SNE Space Addresses Batch Effects in Single-Cell
Classification", Machine Learning 2021: each new row by itself, from its neighbours' points.
D. Comaniciu and P. Meer, "Mean Shift: A Robust Approach Toward Feature Space Analysis", 2002.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lookalike.index.exact import Exact
from lookalike.index.kmeans_tree import KMeansTree
from lookalike.projection import affinities
from lookalike.projection.contract import Projection
from lookalike.projection.threads import Threads
from lookalike.system.progress import Progress, Watch
from lookalike.types import Metric, Vectors

_NEIGHBORS = 30
_ROUNDS = 10
_SCANNED = 256  # new rows, up to which it does not pay to build an index
_SAMPLE = 1_000  # points of which the neighbours on the map are measured
_BLOCK_ROWS = 256

Doubles = npt.NDArray[np.float64]


def place(new_rows: Vectors, rows: Vectors, projection: Projection, metric: Metric, watch: Watch) -> Vectors:
    """Return the points of new rows, (m, 2) float32; a copy of a row lies where the row does.

    Parameters
    ----------
    new_rows, rows : (m, d), (n, d) float32
        Checked.
    projection : Projection
        Of `rows`.
    metric : {"euclidean", "cosine"}
    watch : Watch
    """
    points, k = projection.points, min(_NEIGHBORS, len(rows))
    placed = np.empty((len(new_rows), 2), np.float32)
    reach = max(_distance_on_map(points, min(k, len(points) - 1)), 1e-30)
    kind = Exact if len(new_rows) <= _SCANNED else KMeansTree
    index = kind(metric).build(rows, **watch.quiet().told)
    with Threads() as threads:
        for start in range(0, len(new_rows), _BLOCK_ROWS):
            watch(Progress("placing", start, len(new_rows), "placing on the map"))
            block = slice(start, start + _BLOCK_ROWS)
            found = index.search(new_rows[block], k=k, recall=1.0)
            weights = affinities.gaussian(found.distances, max(1.0, k / 3), metric, threads)
            placed[block] = _settle(points[found.ids].astype(np.float64) / reach, weights) * reach
            copies = found.distances[:, 0] == 0
            placed[block][copies] = points[found.ids[copies, 0]]
    return placed


def _distance_on_map(points: Vectors, k: int) -> float:
    """Return how far the k-th nearest point is from a point, on the whole."""
    from scipy.spatial import KDTree

    if not k:
        return 0.0
    some = points[:: -(-len(points) // _SAMPLE)]
    return float(np.median(KDTree(points).query(some, k=[k + 1])[0]))


def _settle(neighbors: Doubles, weights: Vectors) -> Doubles:
    """Return where rows with weighted neighbours on the map, (m, k, 2) and (m, k), come to lie, (m, 2)."""
    squares = np.square(neighbors[:, :, None] - neighbors[:, None]).sum(axis=3)  # (m, k, k)
    best = (weights[:, None] / (1 + squares)).sum(axis=2).argmax(axis=1)
    placed: Doubles = neighbors[np.arange(len(neighbors)), best]
    for _ in range(_ROUNDS):
        squares = np.square(placed[:, None] - neighbors).sum(axis=2)
        pull = weights / (1 + squares) ** 2
        placed = (pull[:, :, None] * neighbors).sum(axis=1) / pull.sum(axis=1)[:, None]
    return placed
