"""Groups of look-alikes, found in embedding space: scikit-learn's manners, our own k-means and neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lookalike.system.on_demand import public_names

if TYPE_CHECKING:
    from lookalike.cluster.agglomerative import AgglomerativeClustering
    from lookalike.cluster.density import DBSCAN, HDBSCAN, AtDistance, KDistances, suggest_eps
    from lookalike.cluster.hierarchical import HierarchicalKMeans, Node
    from lookalike.cluster.kmeans import KMeans
    from lookalike.cluster.number_of_clusters import Choice, choose_k
    from lookalike.cluster.spectral import SpectralClustering

__all__ = [
    "DBSCAN",
    "HDBSCAN",
    "AgglomerativeClustering",
    "AtDistance",
    "Choice",
    "HierarchicalKMeans",
    "KDistances",
    "KMeans",
    "Node",
    "SpectralClustering",
    "choose_k",
    "suggest_eps",
]

__getattr__, __dir__ = public_names(
    __name__,
    {
        "AgglomerativeClustering": "agglomerative",
        "AtDistance": "density",
        "Choice": "number_of_clusters",
        "DBSCAN": "density",
        "HDBSCAN": "density",
        "HierarchicalKMeans": "hierarchical",
        "KDistances": "density",
        "KMeans": "kmeans",
        "Node": "hierarchical",
        "SpectralClustering": "spectral",
        "choose_k": "number_of_clusters",
        "suggest_eps": "density",
    },
)
