"""The kernels of `KMeansTree`: one query's whole path in one call; see native/kmeans_tree.cpp.

A query is rotated to its head and turned into 16-bit integers; the cells' codes, then the codes of the
rows in the nearest cells, are each one 8-bit dot product; the best by that estimate are measured on their
full rows in float64. The arrays are described in ``kmeans_tree``. Inputs are already checked.
"""

from __future__ import annotations

import ctypes
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.index import rows_kernels
from lookalike.index.rows_kernels import SHORT as SHORT
from lookalike.index.rows_kernels import Doubles, checked
from lookalike.system.native import at, kernel, kernels_of
from lookalike.types import Ids, Vectors

HEAD = 128  # dimensions of a head; shorter vectors are filled up with zeros

Integers = npt.NDArray[np.int16]

_search = kernels_of("kmeans_tree_search", "f4 u1", "aa iiii aa", "i")
_search_exactly = kernels_of("kmeans_tree_search_exactly", "f4 u1", "aa ii aaa", "i")
find_within = partial(
    rows_kernels.find_within, kernels_of("kmeans_tree_find_within", "f4 u1", "aa d aa", "i")
)
_encode_rows = kernel("kmeans_tree_encode_rows", "a ii aaaa")
_keep_nearest = kernel("kmeans_tree_keep_nearest", "a iii aa i a")
_rank = kernel("kmeans_tree_rank", "aa aa ii aa", "i")
_encode = kernel("kmeans_tree_encode", "aa aa")
_encode_whole = kernel("kmeans_tree_encode_whole", "ai d aaaa")
_dot = kernel("kmeans_tree_dot", "aai", "i")

_ARRAYS = (  # the fields of `struct Tree`, in order; the type of rows is as it comes
    *(("center", np.float64), ("axes", np.float64), ("axes32", np.float32)),
    *(("steps", np.float64), ("row_steps", np.float64)),
    *(("codes", np.int8), ("facts", np.float32), ("row_codes", np.int8), ("row_facts", np.float32)),
    *(("order", np.int64), ("starts", np.int64)),
    *(("cell_codes", np.int8), ("cell_squares", np.float32), ("cell_errors", np.float32)),
    *(("cell_radii", np.float32), ("rows", None), ("more_rows", None)),
    *(("row_lengths", np.float64), ("ids", np.int64)),
)
_MAY_LACK = ("row_codes", "row_lengths")  # null where they are empty


class _Tree(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_void_p) for name, _ in _ARRAYS),
        ("scale", ctypes.c_double),
        *((name, ctypes.c_int64) for name in ("d", "n_rows", "n_slots", "n_cells", "fullest")),
        ("is_cosine", ctypes.c_bool),
    )


class Frame(rows_kernels.Frame):
    """Where the arrays of a tree lie in memory; see `rows_kernels.Frame`.

    Parameters
    ----------
    coding, lists
        As in `kmeans_tree`.
    rows, more_rows : (n, d) float32 or uint8
        Both of one type.
    row_lengths : (n,) float64
        For cosine; (0,) for euclidean.
    ids : (n,) int64
    """

    def __init__(
        self, coding: Any, lists: Any, rows: npt.NDArray[Any], more_rows: npt.NDArray[Any],
        row_lengths: Doubles, ids: Ids,
    ) -> None:  # fmt: skip
        own = {"rows": rows, "more_rows": more_rows, "row_lengths": row_lengths, "ids": ids}
        tree = _Tree()
        for name, dtype in _ARRAYS:
            array = own.get(name)
            if array is None:
                array = getattr(coding if hasattr(coding, name) else lists, name)
            if array.size or name not in _MAY_LACK:
                setattr(tree, name, at(array, dtype or rows.dtype.type))
        tree.scale, tree.is_cosine = coding.scale, len(row_lengths) > 0
        tree.d, tree.n_rows = rows.shape[1], len(rows)
        tree.n_slots, tree.n_cells = len(lists.order), len(lists.cell_squares)
        tree.fullest = int(np.diff(lists.starts).max(initial=0))
        super().__init__(tree, rows, coding, lists, rows, more_rows, row_lengths, ids)


def search(
    frame: Frame, queries: Vectors, k: int, n_cells: int, n_rows: int, out_ids: Ids, out_distances: Vectors
) -> int:
    """Answer queries from their `n_cells` nearest cells, measuring `n_rows` rows each.

    Parameters
    ----------
    queries : (n_queries, d) float32
    out_ids : (n_queries, k) int64
        OUT, filled with -1 before.
    out_distances : (n_queries, k) float32
        OUT, filled with infinity before.

    Returns
    -------
    int
        `OK`; `SHORT` if the cells of some query held fewer than k; or what is wrong with a query.
    """
    status = _search[frame.rows.dtype](
        frame.address, at(queries, np.float32), len(queries), k, n_cells, n_rows,
        at(out_ids, np.int64), at(out_distances, np.float32),
    )  # fmt: skip
    return checked(status)


def search_exactly(frame: Frame, queries: Vectors, k: int, best: Doubles, best_rows: Ids, counts: Ids) -> int:
    """Find the k nearest of all rows by bounds that hold; equal distances by row.

    Parameters
    ----------
    queries : (n_queries, d) float32
    best : (n_queries, k) float64
        OUT, squared distances.
    best_rows : (n_queries, k) int64
        OUT, row numbers.
    counts : (n_queries,) int64
        OUT, how many were found.

    Returns
    -------
    int
        `OK`, or what is wrong with a query.
    """
    status = _search_exactly[frame.rows.dtype](
        frame.address, at(queries, np.float32), len(queries), k,
        at(best, np.float64), at(best_rows, np.int64), at(counts, np.int64),
    )  # fmt: skip
    return checked(status)


def encode_rows(block: Doubles, steps: Doubles, codes: npt.NDArray[np.int8], facts: Vectors) -> None:
    """Write centred rows, (n, d), as integers; of each the squared length, and what was lost.

    Parameters
    ----------
    codes : (n, d) int8
        OUT
    facts : (n, 2) float32
        OUT
    """
    inverse = 1 / steps
    _encode_rows(
        at(block, np.float64), *block.shape, at(steps, np.float64), at(inverse, np.float64),
        at(codes, np.int8), at(facts, np.float32),
    )  # fmt: skip


def keep_nearest(estimates: Vectors, first: int, keys: Vectors, numbers: Ids, sizes: Ids) -> None:
    """Keep the smallest estimates of each query, max-heaps: the columns are the rows from `first` on.

    Parameters
    ----------
    estimates : (n_queries, n) float32
    keys : (n_queries, k) float32
    numbers : (n_queries, k) int64
        OUT, the row of each key.
    sizes : (n_queries,) int64
        OUT, how many there are; 0 at first.
    """
    _keep_nearest(
        at(estimates, np.float32), *estimates.shape, first,
        at(keys, np.float32), at(numbers, np.int64), keys.shape[1], at(sizes, np.int64),
    )  # fmt: skip


def rank(
    frame: Frame, query: Vectors, neighbors: Ids, cell_of: Ids, itself: int, cell_ranks: Ids, row_ranks: Ids
) -> None:
    """Find out what it takes to find each of a query's neighbours.

    Parameters
    ----------
    query : (d,) float32
    neighbors : (k,) int64
        Their slots.
    cell_of : (k,) int64
        The cells of those.
    itself : int
        The slot of the query, which is not counted.
    cell_ranks, row_ranks : (k,) int64
        OUT, how many cells come before its cell, and how many rows look nearer than it does; at worst, where
        some look equally near.
    """
    status = _rank(
        frame.address, at(query, np.float32), at(neighbors, np.int64), at(cell_of, np.int64), len(neighbors),
        itself, at(cell_ranks, np.int64), at(row_ranks, np.int64),
    )  # fmt: skip
    checked(status)


def encode(frame: Frame, query: Doubles, codes: Integers) -> tuple[float, float, float, float]:
    """Write a query's head as integers, (HEAD,), as an exact search does, for tests of its bound.

    Returns
    -------
    unit, squared, tail, lost : float
        Their unit, their squared lifted length, the tail, and what was lost.
    """
    found = np.empty(4)
    _encode(frame.address, at(query, np.float64), at(codes, np.int16), at(found, np.float64))
    unit, squared, tail, lost = found.tolist()
    return unit, squared, tail, lost


def encode_whole(
    query: Doubles, scale: float, center: Doubles, steps: Doubles, codes: Integers
) -> tuple[float, float, float]:
    """Write a query, (d,), as integers, for tests of the bound.

    Returns
    -------
    unit, squared, lost : float
        Their unit, squared length, and what was lost.
    """
    found = np.empty(3)
    _encode_whole(
        at(query, np.float64), len(query), scale, at(center, np.float64), at(steps, np.float64),
        at(codes, np.int16), at(found, np.float64),
    )  # fmt: skip
    unit, squared, lost = found.tolist()
    return unit, squared, lost


def dot(query_codes: Integers, row: npt.NDArray[np.int8]) -> int:
    """Return the dot product of two vectors of integers, (d,)."""
    product: int = _dot(at(query_codes, np.int16), at(row, np.int8), len(row))
    return product
