"""t-SNE: a map on which near neighbours stay near, whatever else has to give way.

Each pair of rows has an affinity p, from the neighbour graph (`affinities`), and on the map a similarity q,
(1 + d²)⁻¹ over the sum of these over all pairs. Gradient descent minimises the Kullback-Leibler divergence of
p from q. Its gradient is an attraction along the graph, and a repulsion between all points (`repulsion`).

The points start in the plane of the first two principal components, within a ten-thousandth of each other:
what is far apart tends to stay so. A little chance is added, since equal coordinates would stay equal. In the
first rounds all affinities are exaggerated twelvefold: groups move through each other and find together.

The two forces are computed at the same time, one thread for the grid and the others for the graph. All sums
are taken in an order that does not depend on the threads, or else the map would: small differences grow.

Cost: an iteration is 8 bytes and some arithmetic for each of the graph's entries (some 125 an image), and the
grid's two FFTs; 60,000 images take some 15 ms on two cores.

References
----------
L. van der Maaten and G. Hinton, "Visualizing Data using t-SNE", JMLR 2008.
R. Jacobs, "Increased Rates of Convergence Through Learning Rate Adaptation", 1988: the gains.
A. Belkina et al., "Automated Optimized Parameters for T-Distributed Stochastic Neighbor Embedding Improve
Visualization and Analysis of Large Datasets", Nature Communications 2019: the learning rate, n over the
exaggeration.
D. Kobak and P. Berens, "The Art of Using t-SNE for Single-Cell Transcriptomics", Nature Communications 2019:
the start, and perplexity 30 for any n.
P. Poličar, M. Stražar, B. Zupan, "openTSNE: A Modular Python Library for t-SNE Dimensionality Reduction and
Embedding", 2019: the library whose defaults these are, but for the number of early rounds.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.index.graph import neighbor_graph
from lookalike.projection import affinities, pca, tsne_kernels
from lookalike.projection.contract import Projection, ProjectionRequest
from lookalike.projection.methods import PERPLEXITY
from lookalike.projection.repulsion import Repulsion
from lookalike.projection.threads import Threads
from lookalike.system.progress import Progress, Watch
from lookalike.types import Vectors

_EARLY, _LATE = (100, 12.0), (500, 1.0)  # iterations, exaggeration
_MOMENTUM = 0.8
_FARTHEST = 5.0  # that a point may go in an iteration
_START = 1e-4  # the deviation of the first coordinate
_CHANCE = 0.01  # that of what is added, as a share
_RECALL = 0.99  # of the neighbours; at 0.95, the map of 60,000 digits mixes labels a little more

Doubles = npt.NDArray[np.float64]


def project(rows: Vectors, request: ProjectionRequest) -> Projection:
    """Return the map of rows, (n, d) float32, checked."""
    n, metric, watch = len(rows), request.metric, request.watch
    perplexity = min(request.perplexity or PERPLEXITY, most_perplexity(n))
    n_iter = _EARLY[0] + _LATE[0]
    parameters = {"perplexity": perplexity, "iterations": float(n_iter), "early_exaggeration": _EARLY[1]}
    start = pca.start(rows, metric, watch)
    if n < 3 or not start.any():  # any two points are as good as others
        return Projection(start.astype(np.float32), "tsne", parameters, {"kl_divergence": 0.0}, {})

    n_near = affinities.count_neighbors(perplexity, n - 1)
    graph = neighbor_graph(rows, n_near, metric, _RECALL, **watch.told)
    with Threads(request.n_jobs) as threads:
        pairs = affinities.joint(graph, perplexity, metric, threads)
        chance = np.random.default_rng(request.random_state).standard_normal((n, 2))
        points = np.ascontiguousarray((_START * (start + _CHANCE * chance)).T)
        divergence = minimize(points, pairs, threads, watch)
    return Projection(
        np.ascontiguousarray(points.T, np.float32), "tsne", parameters, {"kl_divergence": divergence}, {}
    )


def most_perplexity(n: int) -> float:
    """Return the largest perplexity for n rows: a third of the others, or for very few about half of all."""
    return max((n - 1) / 3, min(n / 2, 3.0))


def minimize(points: Doubles, pairs: Any, threads: Threads, watch: Watch) -> float:
    """Move points, (2, n), OUT, until their similarities are like the affinities; return the divergence."""
    n = points.shape[1]
    repulsion = Repulsion()
    graph = pairs.indptr, pairs.indices, pairs.data
    pull = np.empty((2, n), np.float32)
    potential, slopes = np.empty(n), np.empty((2, n))
    state = np.zeros((2, n)), np.ones((2, n))  # updates, gains

    def attract(begin: int, end: int) -> None:
        tsne_kernels.attract(short, *graph, pull, begin, end)

    def read(begin: int, end: int) -> None:
        repulsion.read(potential, slopes, begin, end)

    def sum_logarithms(begin: int, end: int) -> float:
        return tsne_kernels.sum_logarithms(short, *graph, begin, end)

    total = _EARLY[0] + _LATE[0]
    for iteration in range(total + 1):
        taken = threads.start(repulsion.take, points)
        short = points.astype(np.float32)
        if iteration < total:
            threads.each_part(n, attract)
        taken.result()
        threads.each_part(n, read)
        normalizer = max(float(potential.sum()) - n, 1e-300)  # without each point's own
        if iteration < total:
            exaggeration = _EARLY[1] if iteration < _EARLY[0] else _LATE[1]
            factors = exaggeration, 0.5 / normalizer
            pace = n / exaggeration, _MOMENTUM, _FARTHEST
            tsne_kernels.step(points, pull, slopes, factors, state, pace)
            watch(Progress("arranging", iteration + 1, total, "arranging the points"))
    return float(sum(threads.each_part(n, sum_logarithms)) + np.log(normalizer))
