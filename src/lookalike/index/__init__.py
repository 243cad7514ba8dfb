"""Nearest neighbours: one contract, and the indexes that keep it."""

from lookalike.index.contract import Index
from lookalike.index.exact import Exact
from lookalike.index.kmeans_tree import KMeansTree

__all__ = ["Exact", "Index", "KMeansTree"]
