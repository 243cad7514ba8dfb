"""Clusters are where images lie densely; what lies thinly between them is noise, labelled -1.

DBSCAN: an image with at least `min_samples` images within `eps`, itself counted, is a core image. Core images
within `eps` of each other share a cluster; an image within `eps` of a core image belongs to its cluster, to
the first one where there are several. All pairs within `eps` come from `radius_graph`: that is nearly all the
cost, n² / 2 short products.

HDBSCAN: clusters at every `eps` at once, as a tree, and of these the ones that last longest. It needs each
image's distance to its `min_samples`-th neighbour (its core distance) and the minimum spanning tree of the
mutual reachability distances. scikit-learn finds the tree by measuring all pairs; here it is that of a
neighbour graph, with further looks only where they could change it (see `spanning_tree`), so it is the same
tree. From there on it is scikit-learn's.

References
----------
M. Ester, H.-P. Kriegel, J. Sander, X. Xu, "A Density-Based Algorithm for Discovering Clusters in Large
Spatial Databases with Noise", KDD 1996: DBSCAN, section 4.1; the sorted k-distance curve, section 4.2.
R. Campello, D. Moulavi, J. Sander, "Density-Based Clustering Based on Hierarchical Density Estimates", PAKDD
2013: HDBSCAN.
V. Satopaa, J. Albrecht, D. Irwin, B. Raghavan, "Finding a 'Kneedle' in a Haystack", 2011: the knee as the
point farthest from the chord.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from lookalike.cluster.algorithms import MIN_SAMPLES
from lookalike.cluster.base import NeighborClustering, check_count, check_distinct
from lookalike.cluster.spanning_tree import Edges, spanning_tree
from lookalike.errors import InvalidInputError
from lookalike.index.graph import neighbor_graph, radius_graph
from lookalike.system.checked_calls import checked, shown
from lookalike.system.progress import CancelToken, ProgressReport, Watch
from lookalike.system.watching import watching
from lookalike.types import Metric, Vectors

Labels = npt.NDArray[np.intp]


class DBSCAN(NeighborClustering):
    """Density-based clusters at one density.

    Parameters
    ----------
    eps : float
        How far neighbours may be; euclidean distance, or 1 - cosine. `suggest_eps` proposes one.
    min_samples : int
        Neighbours within `eps` that make a core image, itself counted.
    metric : {"euclidean", "cosine"}

    Attributes
    ----------
    labels_ : (n,) int64
        -1 for noise. Clusters are numbered by their first core image, as scikit-learn does.
    core_sample_indices_ : (n_core,) int64

    Examples
    --------
    >>> DBSCAN(eps=1, min_samples=2).fit_predict([[0], [1], [5], [6], [9]]).tolist()
    [0, 0, 1, 1, -1]
    """

    labels_: Labels
    core_sample_indices_: Labels

    def __init__(
        self, eps: float = 0.5, min_samples: int = MIN_SAMPLES, metric: Metric = "euclidean"
    ) -> None:
        self.eps = eps
        self.min_samples = min_samples
        self.metric = metric

    def _fit(self, rows: Vectors, watch: Watch) -> None:
        from scipy.sparse.csgraph import connected_components

        n = len(rows)
        is_number = isinstance(self.eps, int | float | np.integer | np.floating)
        if not is_number or isinstance(self.eps, bool) or not 0 < self.eps <= sys.float_info.max:
            raise InvalidInputError(
                f"eps is {shown(self.eps)}; expected a distance above 0, as suggest_eps gives", field="eps"
            )
        min_samples = check_count(self.min_samples, "min_samples", 1, n)
        graph = radius_graph(rows, self.eps, self.metric, **watch.told)
        is_core = np.diff(graph.indptr) + 1 >= min_samples
        core = np.flatnonzero(is_core)
        labels = np.full(n, n, np.intp)
        if len(core):
            graph.data = np.ones(len(graph.data), np.bool_)  # distances of 0 are no edges to scipy
            _, components = connected_components(graph[core][:, core], directed=False)
            _, first, components = np.unique(components, return_index=True, return_inverse=True)
            labels[core] = np.argsort(np.argsort(first))[components]
            near = np.repeat(np.arange(n), np.diff(graph.indptr))
            touches = ~is_core[near] & is_core[graph.indices]
            np.minimum.at(labels, near[touches], labels[graph.indices[touches]])
        labels[labels == n] = -1
        self.labels_, self.core_sample_indices_ = labels, core


class HDBSCAN(NeighborClustering):
    """Density-based clusters, each at the density that suits it.

    Parameters
    ----------
    min_cluster_size : int
        What is smaller is no cluster of its own; from 2.
    min_samples : int, optional
        The core distance is that to so many-th nearest image, itself counted; `min_cluster_size` by default.
    metric : {"euclidean", "cosine"}
    cluster_selection_method : {"eom", "leaf"}
        The clusters that last longest, or the smallest ones.
    recall : float
        Of the neighbour search; see `neighbor_graph`. Below 1 it is quicker, and the tree only nearly right.

    Attributes
    ----------
    labels_ : (n,) int64
        -1 for noise.
    probabilities_ : (n,) float64
        How firmly each image belongs to its cluster; 0 for noise.

    Examples
    --------
    >>> labels = HDBSCAN(min_cluster_size=2).fit_predict([[0], [1], [9], [10], [30], [31], [90]])
    >>> len(set(labels) - {-1}), labels[-1]
    (3, np.int64(-1))
    """

    labels_: Labels
    probabilities_: npt.NDArray[np.float64]

    def __init__(
        self,
        min_cluster_size: int = MIN_SAMPLES,
        min_samples: int | None = None,
        metric: Metric = "euclidean",
        cluster_selection_method: Literal["eom", "leaf"] = "eom",
        recall: float = 1.0,
    ) -> None:
        self.min_cluster_size = min_cluster_size
        self.min_samples = min_samples
        self.metric = metric
        self.cluster_selection_method = cluster_selection_method
        self.recall = recall

    def _fit(self, rows: Vectors, watch: Watch) -> None:
        from scipy.sparse import coo_array
        from sklearn import cluster

        n = len(rows)
        size = check_count(self.min_cluster_size, "min_cluster_size", 2, n)
        given = size if self.min_samples is None else self.min_samples
        min_samples = check_count(given, "min_samples", 1, n)
        if str(self.cluster_selection_method) not in ("eom", "leaf"):
            raise InvalidInputError(
                f"cluster_selection_method is {shown(self.cluster_selection_method)}; expected eom or leaf",
                field="cluster_selection_method",
            )
        _, tree = _reachability(rows, min_samples, self.metric, self.recall, watch)
        weights = tree.weights.astype(np.float64)
        if not weights.any():
            alike = "point the same way" if self.metric == "cosine" else "are the same"
            raise InvalidInputError(
                f"all {n:,} vectors {alike}; expected two that differ, to find groups among"
            )
        # A weight of 0 is no edge to scipy: copies are taken to be very near.
        weights[weights == 0] = weights[weights > 0].min() / 1_000
        a, b = np.concatenate([tree.a, tree.b]), np.concatenate([tree.b, tree.a])
        graph = coo_array((np.tile(weights, 2), (a, b)), shape=(n, n)).tocsr()
        watch.say("clustering", "choosing clusters")
        # With min_samples 1, core distances are those to the nearest in the tree, and change nothing.
        found = cluster.HDBSCAN(
            min_cluster_size=size,
            min_samples=1,
            metric="precomputed",
            cluster_selection_method=self.cluster_selection_method,
            copy=True,
        ).fit(graph)
        self.labels_ = found.labels_.astype(np.intp)
        self.probabilities_ = found.probabilities_


@checked
@dataclass(frozen=True, slots=True)
class KDistances:
    """How far each image's `min_samples`-th nearest is, itself counted, and what that suggests.

    Attributes
    ----------
    distances : (n,) float32
        Rising.
    min_samples : int
    metric : {"euclidean", "cosine"}
    knee : float
        Where the curve turns upwards: beyond, images are ever more alone.
    eps : float
        The suggestion.
    joins : (n - 1,) float32
        Rising: the distances at which what was apart becomes one cluster.
    largest : (n - 1,) int64
        The core images of the largest cluster after each of them.
    """

    distances: npt.NDArray[np.float32]
    min_samples: int
    metric: Metric
    knee: float
    eps: float
    joins: npt.NDArray[np.float32]
    largest: npt.NDArray[np.int64]

    def __repr__(self) -> str:
        count = f"{len(self.distances):,} images"
        return f"<KDistances: eps {self.eps:.4g} suggested, {count}, min_samples {self.min_samples}>"

    def at(self, eps: float) -> AtDistance:
        """Say what `DBSCAN` makes of a distance, without running it.

        Examples
        --------
        >>> found = suggest_eps([[0], [1], [2], [10], [11], [12], [50]], min_samples=2)
        >>> found.at(1), found.at(9).n_clusters
        (AtDistance(eps=1, n_core=6, n_clusters=2, n_largest=3), 1)
        """
        n_core = int(np.searchsorted(self.distances, eps, side="right"))
        # A join within eps is one of two core images, so that each leaves one cluster less.
        n_joins = int(np.searchsorted(self.joins, eps, side="right"))
        n_largest = max(int(self.largest[n_joins - 1]) if n_joins else 0, min(n_core, 1))
        return AtDistance(eps, n_core, n_core - n_joins, n_largest)


@dataclass(frozen=True, slots=True)
class AtDistance:
    """What `DBSCAN` makes of a distance: core images, clusters, and core images of the largest of these."""

    eps: float
    n_core: int
    n_clusters: int
    n_largest: int

    def to_dict(self) -> dict[str, Any]:
        """Return it as a document of JSON."""
        return {
            "eps": self.eps,
            "core_images": self.n_core,
            "clusters": self.n_clusters,
            "largest": self.n_largest,
        }


@checked
def suggest_eps(
    vectors: npt.ArrayLike,
    min_samples: int = MIN_SAMPLES,
    metric: Metric = "euclidean",
    *,
    report: ProgressReport | None = None,
    cancel: CancelToken | None = None,
) -> KDistances:
    """Suggest an `eps` for `DBSCAN`, from the sorted distances to the `min_samples`-th nearest image.

    It is the knee of that curve, as Ester et al. propose. Embeddings often have none worth the name: at the
    knee nearly all images have flowed together. So, where more than half of them are one cluster there, it is
    the distance at which most images are in clusters other than the largest.

    Parameters
    ----------
    vectors : (n, d) array-like
        At least two that differ.
    min_samples : int
        As for `DBSCAN`; 2 to n.
    metric : {"euclidean", "cosine"}
    report, cancel : optional
        Who is told how far it has come, and may stop it; see `Collection.sync`.

    Raises
    ------
    InvalidInputError
        For vectors that cannot be clustered, or a `min_samples` out of range.

    Examples
    --------
    >>> suggest_eps([[0], [1], [2], [10], [11], [12], [50]], min_samples=2).eps
    4.5
    """
    rows = check_distinct(vectors, metric)
    min_samples = check_count(min_samples, "min_samples", 2, len(rows))
    with watching(report, cancel) as watch:
        cores, tree = _reachability(rows, min_samples, metric, 1.0, watch)
    distances = np.sort(cores)
    knee = _between(distances, _find_knee(distances))
    eps = _before_the_flood(tree, min_samples, knee)
    return KDistances(distances, min_samples, metric, knee, eps, tree.weights, _growth(tree, 1)[0])


def _reachability(
    rows: Vectors, min_samples: int, metric: Metric, recall: float, watch: Watch
) -> tuple[npt.NDArray[np.float32], Edges]:
    """Return core distances, (n,) float32, and the spanning tree of mutual reachability distances."""
    n = len(rows)
    # Twice as many neighbours as the core distance takes: the tree's edges are nearly all among them.
    k = min(n - 1, max(2 * min_samples, 10))
    graph = neighbor_graph(rows, k, metric, recall, **watch.told)
    cores = np.zeros(n, np.float32)
    if min_samples > 1:
        cores = graph.data.reshape(n, k)[:, min_samples - 2].copy()
    return cores, spanning_tree(rows, graph, metric, cores, watch=watch)


def _find_knee(distances: npt.NDArray[np.float32]) -> int:
    """Return where a rising curve is farthest below its chord."""
    chord = np.linspace(distances[0], distances[-1], len(distances))
    return int(np.argmax(chord - distances))


def _between(distances: npt.NDArray[np.float32], at: int) -> float:
    """Return the middle of a distance and the next larger one; at either, rounding would decide."""
    here = float(distances[at])
    larger = distances[distances > distances[at]]
    return (here + float(larger.min())) / 2 if len(larger) else here * (1 + 1e-6)


def _before_the_flood(tree: Edges, min_samples: int, knee: float) -> float:
    """Return the knee, or the distance at which most images are in clusters beside the largest."""
    largest, beside = _growth(tree, min_samples)
    n = len(tree.a) + 1
    at_knee = int(np.searchsorted(tree.weights, knee, side="right")) - 1
    if at_knee < 0 or largest[at_knee] <= n / 2 or beside.max() == 0:
        return knee
    beside[:-1][tree.weights[:-1] == tree.weights[1:]] = 0  # edges of one weight come together
    return _between(tree.weights, int(np.argmax(beside)))


def _growth(tree: Edges, least: int) -> npt.NDArray[np.int64]:
    """Return the rows of the largest component after each edge, and of others that count; (2, n - 1)."""
    from lookalike.index import graph_kernels

    n = len(tree.a) + 1
    sizes = np.empty((2, n - 1), np.int64)
    graph_kernels.sizes_beside_largest(n, tree.a, tree.b, least, *sizes)
    return sizes
