"""Affinities: how much a row counts as another's neighbour, by Gaussians as wide as a perplexity wants them.

The perplexity is about the number of neighbours that count: 2 to the entropy of a row's Gaussian, in bits.
Three times as many are looked up; beyond, a Gaussian holds next to nothing.

References
----------
L. van der Maaten and G. Hinton, "Visualizing Data using t-SNE", JMLR 2008, section 2.
L. van der Maaten, "Accelerating t-SNE using Tree-Based Algorithms", JMLR 2014, section 4.1: 3 u neighbours.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lookalike.projection import tsne_kernels
from lookalike.projection.threads import Threads
from lookalike.types import Metric, Vectors


def count_neighbors(perplexity: float, n: int) -> int:
    """Return how many neighbours are looked up, of n others."""
    return min(n, max(1, int(np.ceil(3 * perplexity))))


def gaussian(distances: Vectors, perplexity: float, metric: Metric, threads: Threads) -> Vectors:
    """Return p(j|i) of rows at some distances, (n, k) float32, nearest first; each row's sum is 1."""
    distances = np.ascontiguousarray(distances)
    are_squares, entropy = metric == "cosine", np.log(min(perplexity, distances.shape[1]))
    affinities = np.empty_like(distances)

    def fill(begin: int, end: int) -> None:
        tsne_kernels.fill_affinities(distances, are_squares, entropy, affinities, begin, end)

    threads.each_part(len(distances), fill)
    return affinities


def joint(graph: Any, perplexity: float, metric: Metric, threads: Threads) -> Any:
    """Return the affinities of pairs from the distances of each row's k nearest others.

    Returns
    -------
    (n, n) scipy.sparse.csr_array of float32
        Symmetric, of sum 1.
    """
    from scipy.sparse import csr_array

    n = graph.shape[0]
    rows = gaussian(graph.data.reshape(n, -1), perplexity, metric, threads)
    one_way = csr_array((rows.ravel(), graph.indices, graph.indptr), shape=(n, n))
    pairs = (one_way + one_way.T).tocsr()
    pairs.data /= np.float32(2 * n)
    return pairs
