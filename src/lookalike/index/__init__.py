"""Nearest neighbours: one contract, and the indexes that keep it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lookalike.system.on_demand import public_names

if TYPE_CHECKING:
    from lookalike.index.annoy import Annoy
    from lookalike.index.contract import Index, Searcher
    from lookalike.index.exact import Exact
    from lookalike.index.graph import neighbor_graph, radius_graph
    from lookalike.index.hnsw import HNSW
    from lookalike.index.ivf_rq import IvfRq
    from lookalike.index.kdtree import KDTree
    from lookalike.index.kmeans_tree import KMeansTree

__all__ = [
    "HNSW",
    "Annoy",
    "Exact",
    "Index",
    "IvfRq",
    "KDTree",
    "KMeansTree",
    "Searcher",
    "neighbor_graph",
    "radius_graph",
]

__getattr__, __dir__ = public_names(
    __name__,
    {
        "HNSW": "hnsw",
        "Annoy": "annoy",
        "Exact": "exact",
        "Index": "contract",
        "IvfRq": "ivf_rq",
        "KDTree": "kdtree",
        "KMeansTree": "kmeans_tree",
        "Searcher": "contract",
        "neighbor_graph": "graph",
        "radius_graph": "graph",
    },
)
