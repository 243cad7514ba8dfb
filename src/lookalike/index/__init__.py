"""Nearest neighbours: one contract, and the indexes that keep it."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from lookalike.index.kinds import KINDS

if TYPE_CHECKING:
    from lookalike.index.annoy import Annoy
    from lookalike.index.contract import Index, Searcher
    from lookalike.index.exact import Exact
    from lookalike.index.hnsw import HNSW
    from lookalike.index.ivf_rq import IvfRq
    from lookalike.index.kdtree import KDTree
    from lookalike.index.kmeans_tree import KMeansTree

__all__ = ["HNSW", "Annoy", "Exact", "Index", "IvfRq", "KDTree", "KMeansTree", "Searcher"]

_HOMES = {
    **{row.home.partition(":")[2]: row.home.partition(":")[0] for row in KINDS},
    "Index": "lookalike.index.contract",
    "Searcher": "lookalike.index.contract",
}


def __getattr__(name: str) -> object:
    """Import a class when it is first used: the table of kinds is read without any."""
    if name not in _HOMES:
        raise AttributeError(f"module 'lookalike.index' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
