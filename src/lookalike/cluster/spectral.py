"""Spectral clustering: groups that are linked much within, and little between.

The graph joins each image with its nearest ones; two that name each other by a link of 1, two of which only
one names the other by 1/2. The leading eigenvectors of that matrix, each link divided by the root of its
ends' sums (the same as the smallest ones of the normalised Laplacian), are nearly constant on each group, so
k-means on them finds the groups, of whatever shape. This is scikit-learn's ``affinity="nearest_neighbors"``,
on our own neighbour graph, and with Lanczos iterations on the matrix itself: scikit-learn's shift-and-invert
factors it, which fills up with the square of the number of images.

Components of the graph are joined by their shortest edges first, with next to no weight: each stays a group
where there are enough of them, and small ones go to the nearest where there are too many.

References
----------
U. von Luxburg, "A Tutorial on Spectral Clustering", Statistics and Computing 17, 2007: section 4.
J. Shi, J. Malik, "Normalized Cuts and Image Segmentation", 2000.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.cluster.algorithms import N_NEIGHBORS
from lookalike.cluster.base import NeighborClustering, check_count
from lookalike.cluster.spanning_tree import joined
from lookalike.index.graph import neighbor_graph
from lookalike.system.blas_threads import eigh, one_blas_thread
from lookalike.system.chance import RANDOM_STATE, check_seed
from lookalike.system.progress import Progress, Watch
from lookalike.types import Metric, Vectors

_DENSE = 500  # up to so many images, all eigenvectors are found at once
_BRIDGE = 1e-2  # weight of an edge that joins components: too little to blur them
_MOST_STARTS = 10_000  # of k-means
_TOLERANCE = 1e-8  # of an eigenvalue: those that bridges make are close to 1


class SpectralClustering(NeighborClustering):
    """Clusters of a neighbour graph.

    Parameters
    ----------
    n_clusters : int
    n_neighbors : int
        Images that each one is linked with, itself counted, as scikit-learn does.
    n_init : int
        Runs of k-means on the eigenvectors, of which the best is kept.
    random_state : int
    metric : {"euclidean", "cosine"}
    recall : float
        Of the neighbour search; see `neighbor_graph`.

    Attributes
    ----------
    labels_ : (n,) int64
    embedding_ : (n, n_clusters) float64
        What k-means was run on.

    Examples
    --------
    >>> labels = SpectralClustering(2, n_neighbors=3).fit_predict([[0], [1], [1.5], [8], [9], [9.5]])
    >>> (labels == labels[0]).tolist()
    [True, True, True, False, False, False]
    """

    labels_: npt.NDArray[np.intp]
    embedding_: npt.NDArray[np.float64]

    def __init__(
        self,
        n_clusters: int = 8,
        n_neighbors: int = N_NEIGHBORS,
        n_init: int = 10,
        random_state: int = RANDOM_STATE,
        metric: Metric = "euclidean",
        recall: float = 1.0,
    ) -> None:
        self.n_clusters = n_clusters
        self.n_neighbors = n_neighbors
        self.n_init = n_init
        self.random_state = random_state
        self.metric = metric
        self.recall = recall

    def _fit(self, rows: Vectors, watch: Watch) -> None:
        n = len(rows)
        n_clusters = check_count(self.n_clusters, "n_clusters", 1, n)
        n_neighbors = check_count(self.n_neighbors, "n_neighbors", 2, n)
        n_init = check_count(self.n_init, "n_init", 1, _MOST_STARTS, n)
        random_state = check_seed(self.random_state)
        graph = neighbor_graph(
            rows,
            n_neighbors - 1,
            self.metric,
            self.recall,
            **watch.told,
        )
        links = joined(rows, graph, self.metric, _BRIDGE, watch)
        self.embedding_ = _embed(links, n_clusters, random_state, watch)
        self.labels_ = _cluster(self.embedding_, n_clusters, n_init, random_state, watch)


def _cluster(
    points: npt.NDArray[np.float64], n_clusters: int, n_init: int, random_state: int, watch: Watch
) -> npt.NDArray[np.intp]:
    """Return the best of several clusterings by scikit-learn's k-means: what it finds with so many starts."""
    from sklearn.cluster import k_means
    from sklearn.utils import check_random_state

    random = check_random_state(random_state)  # goes on from start to start, as within one call
    least, best = np.inf, np.zeros(len(points), np.intp)
    for number in range(n_init):
        watch(Progress("clustering", number, n_init, "clustering the embedding"))
        _, labels, inertia = k_means(points, n_clusters, random_state=random, n_init=1)
        is_another = len(np.unique(np.column_stack([labels, best]), axis=0)) != len(np.unique(best))
        if number == 0 or (inertia < least and is_another):
            least, best = inertia, labels
    return best


def _embed(links: Any, n_vectors: int, random_state: int, watch: Watch) -> npt.NDArray[np.float64]:
    """Return the leading eigenvectors of the normalised graph, over the root of each row's sum."""
    from scipy.sparse import diags_array
    from scipy.sparse.linalg import LinearOperator, eigsh

    watch.say("embedding", "finding the eigenvectors")
    n = links.shape[0]
    root = np.sqrt(links.sum(axis=1))
    matrix = diags_array(1 / root) @ links @ diags_array(1 / root)
    if n <= max(_DENSE, 5 * n_vectors):
        vectors = eigh(matrix.toarray())[1][:, -n_vectors:]
    else:
        start = np.random.default_rng(random_state).uniform(-1, 1, n)

        def multiply(vector: npt.NDArray[np.float64]) -> Any:
            watch.check()
            return matrix @ vector

        with one_blas_thread():
            _, vectors = eigsh(
                LinearOperator(matrix.shape, multiply, dtype=np.float64),
                n_vectors,
                which="LA",
                v0=start,
                tol=_TOLERANCE,
                ncv=min(n, max(4 * n_vectors, 40)),
            )
    embedding = vectors[:, ::-1] / root[:, None]
    # An eigenvector's sign means nothing: the largest coordinate is made positive.
    largest = np.abs(embedding).argmax(axis=0)
    signed: npt.NDArray[np.float64] = embedding * np.sign(embedding[largest, np.arange(n_vectors)])
    return signed
