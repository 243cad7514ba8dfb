"""Groups of look-alikes, as scikit-learn's estimators."""

from lookalike.cluster.choosing import Choice, choose_k
from lookalike.cluster.hierarchical import HierarchicalKMeans, Node
from lookalike.cluster.kmeans import KMeans

__all__ = ["Choice", "HierarchicalKMeans", "KMeans", "Node", "choose_k"]
