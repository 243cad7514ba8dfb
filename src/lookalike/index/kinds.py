"""The kinds of index, by the names that users choose them by."""

from __future__ import annotations

from lookalike.errors import InvalidInputError
from lookalike.index.annoy import Annoy
from lookalike.index.contract import Index
from lookalike.index.exact import Exact
from lookalike.index.hnsw import HNSW
from lookalike.index.kdtree import KDTree
from lookalike.index.kmeans_tree import KMeansTree

KINDS: dict[str, type[Index]] = {kind.kind: kind for kind in (Exact, KDTree, KMeansTree, Annoy, HNSW)}


def get_kind(name: str) -> type[Index]:
    """Return the class of a kind of index.

    Raises
    ------
    InvalidInputError
        If there is no such kind.
    """
    if name not in KINDS:
        raise InvalidInputError(f"there is no index {name!r}; expected one of {', '.join(KINDS)}")
    return KINDS[name]
