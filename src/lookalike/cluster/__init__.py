"""Groups of look-alikes, as scikit-learn's estimators."""

from lookalike.cluster.kmeans import KMeans

__all__ = ["KMeans"]
