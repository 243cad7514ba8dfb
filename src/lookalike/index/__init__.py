"""Nearest neighbours: one contract, and the indexes that keep it."""

from lookalike.index.annoy import Annoy
from lookalike.index.contract import Index
from lookalike.index.exact import Exact
from lookalike.index.graph import neighbor_graph, radius_graph
from lookalike.index.hnsw import HNSW
from lookalike.index.kdtree import KDTree
from lookalike.index.kmeans_tree import KMeansTree

__all__ = [
    "HNSW",
    "Annoy",
    "Exact",
    "Index",
    "KDTree",
    "KMeansTree",
    "neighbor_graph",
    "radius_graph",
]
