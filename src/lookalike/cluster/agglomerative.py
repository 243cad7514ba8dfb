"""Agglomerative clustering: the two clusters that are most alike become one, until so many are left.

Only clusters that are neighbours in the graph may join. That makes it quick, some n · log n steps instead
of n² distances, and keeps clusters connected. The merging is scikit-learn's; the graph is ours, its
components joined by their shortest edges first, so that every number of clusters can be reached.

References
----------
J. Ward, "Hierarchical Grouping to Optimize an Objective Function", 1963.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from lookalike.cluster.algorithms import N_NEIGHBORS
from lookalike.cluster.base import NeighborClustering, check_count
from lookalike.cluster.spanning_tree import joined
from lookalike.errors import InvalidInputError
from lookalike.index.graph import neighbor_graph
from lookalike.system.checked_calls import shown
from lookalike.system.progress import Watch
from lookalike.types import Metric, Vectors

Linkage = Literal["ward", "complete", "average", "single"]


class AgglomerativeClustering(NeighborClustering):
    """Clusters that were joined from the bottom up.

    Parameters
    ----------
    n_clusters : int
    linkage : {"ward", "complete", "average", "single"}
        How alike two clusters are: by the growth of the sum of squared distances to the mean, or by the
        largest, mean or smallest distance between their images.
    n_neighbors : int
        Nearest others that each image may join.
    metric : {"euclidean", "cosine"}
        With cosine, Ward's sum is that of the rows made unit.
    recall : float
        Of the neighbour search; see `neighbor_graph`.

    Attributes
    ----------
    labels_ : (n,) int64
    children_ : (n - 1, 2) int64
        The two that were joined in each step; below n an image, from n on the result of step i - n.

    Examples
    --------
    >>> labels = AgglomerativeClustering(2, n_neighbors=1).fit_predict([[0], [1], [1.5], [8], [9], [9.5]])
    >>> (labels == labels[0]).tolist()
    [True, True, True, False, False, False]
    """

    labels_: npt.NDArray[np.intp]
    children_: npt.NDArray[np.intp]

    def __init__(
        self,
        n_clusters: int = 2,
        linkage: Linkage = "ward",
        n_neighbors: int = N_NEIGHBORS,
        metric: Metric = "euclidean",
        recall: float = 1.0,
    ) -> None:
        self.n_clusters = n_clusters
        self.linkage = linkage
        self.n_neighbors = n_neighbors
        self.metric = metric
        self.recall = recall

    def _fit(self, rows: Vectors, watch: Watch) -> None:
        from sklearn import cluster

        n = len(rows)
        n_clusters = check_count(self.n_clusters, "n_clusters", 1, n)
        n_neighbors = check_count(self.n_neighbors, "n_neighbors", 1, n - 1, n)
        if str(self.linkage) not in get_args(Linkage):
            raise InvalidInputError(
                f"linkage is {shown(self.linkage)}; expected one of {', '.join(get_args(Linkage))}",
                field="linkage",
            )
        graph = neighbor_graph(
            rows,
            n_neighbors,
            self.metric,
            self.recall,
            **watch.told,
        )
        points = rows.astype(np.float64)
        if self.metric == "cosine":
            points /= np.linalg.norm(points, axis=1, keepdims=True)
        links = joined(rows, graph, self.metric, watch=watch)
        watch.say("clustering", "merging what is near")
        found = cluster.AgglomerativeClustering(
            n_clusters=n_clusters,
            linkage=self.linkage,
            metric="euclidean" if self.linkage == "ward" else self.metric,
            connectivity=links,
            compute_full_tree=True,
        ).fit(points)
        self.labels_, self.children_ = found.labels_.astype(np.intp), found.children_
