"""The kernels of `KDTree`: one query's whole path in one call; see native/kdtree.cpp.

The arrays are described in ``kdtree``. Inputs are already checked.
"""

from __future__ import annotations

import ctypes
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.index import rows_kernels
from lookalike.index.forest import Forest
from lookalike.index.rows_kernels import Doubles, checked
from lookalike.system.native import at, kernel, kernels_of
from lookalike.types import Ids, Vectors

_search = kernels_of("kdtree_search", "f4 u1", "aa iiii aa", "i")
_search_exactly = kernels_of("kdtree_search_exactly", "f4 u1", "aa iib aaaa", "i")
find_within = partial(rows_kernels.find_within, kernels_of("kdtree_find_within", "f4 u1", "aa d aa", "i"))
_leaves_of = kernel("kdtree_leaves_of", "aai a", "i")
_rank = kernel("kdtree_rank", "aaaa i aa", "i")

_LIFTING_ARRAYS = ("center", "axes", "mean_head")
_FOREST_ARRAYS = {
    "lifted": np.float32, "order": np.int64, "live": np.bool_, "members": np.int64, "starts": np.int64,
    "boxes": np.float32, "split_axes": np.int64, "split_values": np.float32,
}  # fmt: skip
_OTHER_ARRAYS = ("rows", "more_rows", "row_lengths", "ids")


class _Tree(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_void_p) for name in (*_LIFTING_ARRAYS, *_FOREST_ARRAYS, *_OTHER_ARRAYS)),
        *((name, ctypes.c_double) for name in ("scale", "rounding", "longest")),
        *((name, ctypes.c_int64) for name in ("d", "n_rows", "n_slots", "n_trees", "n_leaves", "fullest")),
        ("is_cosine", ctypes.c_bool),
    )


class Frame(rows_kernels.Frame):
    """Where the arrays of a tree lie in memory; see `rows_kernels.Frame`.

    Parameters
    ----------
    lifting, longest
        As in `kdtree`.
    forest : Forest
    rows, more_rows : (n, d) float32 or uint8
        Both of one type.
    row_lengths : (n,) float64
        For cosine; (0,) for euclidean.
    ids : (n,) int64
    """

    def __init__(
        self, lifting: Any, longest: float, forest: Forest, rows: npt.NDArray[Any],
        more_rows: npt.NDArray[Any], row_lengths: Doubles, ids: Ids,
    ) -> None:  # fmt: skip
        tree = _Tree()
        for name in _LIFTING_ARRAYS:
            setattr(tree, name, at(getattr(lifting, name), np.float64))
        for name, dtype in _FOREST_ARRAYS.items():
            setattr(tree, name, at(getattr(forest, name), dtype))
        tree.rows, tree.more_rows = at(rows, rows.dtype.type), at(more_rows, rows.dtype.type)
        tree.is_cosine = len(row_lengths) > 0
        tree.row_lengths = at(row_lengths, np.float64) if tree.is_cosine else None
        tree.ids = at(ids, np.int64)
        tree.scale, tree.rounding, tree.longest = lifting.scale, lifting.rounding, longest
        tree.n_rows, tree.d = rows.shape
        tree.n_trees, tree.n_slots = forest.members.shape
        tree.n_leaves = forest.starts.shape[1] - 1
        tree.fullest = int(np.diff(forest.starts).max())
        super().__init__(tree, rows, lifting, longest, forest, rows, more_rows, row_lengths, ids)


def search(
    frame: Frame, queries: Vectors, k: int, n_leaves: int, n_rows: int, out_ids: Ids, out_distances: Vectors
) -> int:
    """Answer queries best bin first: the `n_leaves` nearest leaves of all trees, `n_rows` rows measured.

    More leaves are visited where these hold fewer than k rows.

    Parameters
    ----------
    queries : (n_queries, d) float32
    out_ids : (n_queries, k) int64
        OUT, -1 where there are no more.
    out_distances : (n_queries, k) float32
        OUT, infinite there.

    Returns
    -------
    int
        0, or what is wrong with a query.
    """
    return checked(_search[frame.rows.dtype](
        frame.address, at(queries, np.float32), len(queries), k, n_leaves, n_rows,
        at(out_ids, np.int64), at(out_distances, np.float32),
    ))  # fmt: skip


def search_exactly(
    frame: Frame,
    queries: Vectors,
    only_leaf: bool,
    best: Doubles,
    best_rows: Ids,
    counts: Ids,
    visits: Ids,
) -> int:
    """Find the k nearest of all rows by bounds that hold, or of those in the query's leaf; ties by row.

    Parameters
    ----------
    queries : (n_queries, d) float32
    only_leaf : bool
        Look into the leaf that the query falls into, and no other.
    best : (n_queries, k) float64
        OUT, squared distances.
    best_rows : (n_queries, k) int64
        OUT, row numbers.
    counts : (n_queries,) int64
        OUT, how many were found.
    visits : (n_queries,) int64
        OUT, how many leaves were looked into.

    Returns
    -------
    int
        0, or what is wrong with a query.
    """
    return checked(_search_exactly[frame.rows.dtype](
        frame.address, at(queries, np.float32), len(queries), best.shape[1], only_leaf,
        at(best, np.float64), at(best_rows, np.int64), at(counts, np.int64), at(visits, np.int64),
    ))  # fmt: skip


def leaves_of(frame: Frame, queries: Vectors, leaves: Ids) -> int:
    """Write the leaf that each query, (n_queries, d), falls into; return 0, or what is wrong with one."""
    return checked(_leaves_of(frame.address, at(queries, np.float32), len(queries), at(leaves, np.int64)))


def rank(frame: Frame, lifted: Vectors, neighbors: Ids, leaves: Ids, leaf_ranks: Ids, row_ranks: Ids) -> None:
    """Find out what it takes to find each of a query's neighbours.

    Parameters
    ----------
    lifted : (WIDTH,) float32
        The query.
    neighbors : (k,) int64
        Their slots.
    leaves : (trees, k) int64
        The leaves of those.
    leaf_ranks, row_ranks : (k,) int64
        OUT, how many leaves come before the first of its own, and how many rows look nearer than it does; at
        worst, where some are equally near.
    """
    checked(_rank(
        frame.address, at(lifted, np.float32), at(neighbors, np.int64), at(leaves, np.int64), len(neighbors),
        at(leaf_ranks, np.int64), at(row_ranks, np.int64),
    ))  # fmt: skip
