"""Groups of look-alikes, as scikit-learn's estimators."""

from lookalike.cluster.hierarchical import HierarchicalKMeans, Node
from lookalike.cluster.kmeans import KMeans

__all__ = ["HierarchicalKMeans", "KMeans", "Node"]
