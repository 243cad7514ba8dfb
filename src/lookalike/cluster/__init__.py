"""Groups of images, found in embedding space: scikit-learn's manners, on our own neighbours."""

from lookalike.cluster.agglomerative import AgglomerativeClustering
from lookalike.cluster.density import DBSCAN, HDBSCAN, KDistances, suggest_eps
from lookalike.cluster.spectral import SpectralClustering

__all__ = ["DBSCAN", "HDBSCAN", "AgglomerativeClustering", "KDistances", "SpectralClustering", "suggest_eps"]
