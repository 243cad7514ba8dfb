"""Groups of look-alikes, found in embedding space: scikit-learn's manners, our own k-means and neighbours."""

from lookalike.cluster.agglomerative import AgglomerativeClustering
from lookalike.cluster.choosing import Choice, choose_k
from lookalike.cluster.density import DBSCAN, HDBSCAN, AtDistance, KDistances, suggest_eps
from lookalike.cluster.hierarchical import HierarchicalKMeans, Node
from lookalike.cluster.kmeans import KMeans
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
