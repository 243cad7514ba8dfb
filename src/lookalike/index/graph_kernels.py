"""The kernels of neighbour graphs: pairs that look near are measured, and put where they belong.

Estimates are squared distances from a matrix product, in float32, never larger than the true ones by more
than a slack that the limit has in it already. What is kept is measured in float64 on the original rows, and
compared as float32. Inputs are already checked. See native/graph.cpp.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lookalike.system.native import at, kernel
from lookalike.types import Ids, Vectors

CHUNK = 64  # estimates looked at together: a loop of constant length is vectorised

Doubles = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int32]

_pairs_within = kernel("graph_pairs_within", "a ii ii dd aa ii aaa", "i")
_count = kernel("graph_count", "aaia")
_fill = kernel("graph_fill", "aaaiaaa")
_nearest_outside = kernel("graph_nearest_outside", "a ii a ai aa dd aai aaa")
_unite = kernel("graph_unite", "aaaia")
_number_components = kernel("graph_number_components", "aia", "i")
_sizes_beside_largest = kernel("graph_sizes_beside_largest", "aa ii aa aa")


def pairs_within(
    estimates: Vectors, first_row: int, first_column: int, limit: np.float32, reach: np.float32,
    rows: Vectors, lengths: Doubles, a: Numbers, b: Numbers, distances: Vectors,
) -> int:  # fmt: skip
    """Write the pairs a < b of a tile that are at most `reach` apart; return how many there are.

    Parameters
    ----------
    estimates : (m, chunks, CHUNK) float32
    first_row, first_column : int
        Where the tile lies.
    limit, reach : float32
        The largest estimate, and the largest distance.
    rows : (n, d) float32
    lengths : (n,) float64
        For cosine; (0,) for euclidean.
    a, b : (room,) int32
        OUT
    distances : (room,) float32
        OUT
    """
    n_found: int = _pairs_within(
        at(estimates, np.float32), *estimates.shape[:2], first_row, first_column, float(limit), float(reach),
        at(rows, np.float32), _lengths(lengths), *rows.shape,
        at(a, np.int32), at(b, np.int32), at(distances, np.float32),
    )  # fmt: skip
    return n_found


def count(a: Numbers, b: Numbers, counts: Ids) -> None:
    """Add each pair to the counts of both its rows, (n,)."""
    _count(at(a, np.int32), at(b, np.int32), len(a), at(counts, np.int64))


def fill(a: Numbers, b: Numbers, values: Vectors, ends: Ids, indices: Numbers, data: Vectors) -> None:
    """Put each pair into both its rows, `ends` saying where the next one of a row goes."""
    _fill(
        at(a, np.int32), at(b, np.int32), at(values, np.float32), len(a), at(ends, np.int64),
        at(indices, np.int32), at(data, np.float32),
    )  # fmt: skip


def nearest_outside(
    estimates: Vectors, points: Ids, columns: Ids, component: Ids, cores: Vectors, scale: float, slack: float,
    rows: Vectors, lengths: Doubles, weights: Vectors, a: Ids, b: Ids,
) -> None:  # fmt: skip
    """Find for each component the lightest edge that leads out of it from some of its points.

    The weight of an edge is its mutual reachability distance: the largest of the distance and of the two
    points' core distances.

    Parameters
    ----------
    estimates : (m, chunks, CHUNK) float32
        Of m points against all columns, and some more at the end.
    points : (m,) int64
    columns : (n_columns,) int64
    component : (n,) int64
    cores : (n,) float32
    scale, slack : float
        Of the estimates.
    rows : (n, d) float32
    lengths : (n,) float64
        For cosine; (0,) for euclidean.
    weights : (n_components,) float32
        OUT, the lightest so far.
    a, b : (n_components,) int64
        OUT, its ends.
    """
    _nearest_outside(
        at(estimates, np.float32), *estimates.shape[:2], at(points, np.int64),
        at(columns, np.int64), len(columns), at(component, np.int64), at(cores, np.float32), scale, slack,
        at(rows, np.float32), _lengths(lengths), rows.shape[1],
        at(weights, np.float32), at(a, np.int64), at(b, np.int64),
    )  # fmt: skip


def unite(parents: Ids, a: Ids, b: Ids, is_new: npt.NDArray[np.bool_]) -> None:
    """Join the components of each pair, in this order; say which pairs were in two."""
    _unite(at(parents, np.int64), at(a, np.int64), at(b, np.int64), len(a), at(is_new, np.bool_))


def number_components(parents: Ids, component: Ids) -> int:
    """Number the components by their first points; return how many there are."""
    n_components: int = _number_components(at(parents, np.int64), len(parents), at(component, np.int64))
    return n_components


def sizes_beside_largest(n: int, a: Ids, b: Ids, least: int, largest: Ids, beside: Ids) -> None:
    """Write, for each edge of a tree in order, what there is once it is taken.

    Parameters
    ----------
    n : int
        Rows.
    a, b : (n - 1,) int64
    least : int
        Smaller components do not count.
    largest, beside : (n - 1,) int64
        OUT, the rows of the largest component, and those of all others that count.
    """
    parents, sizes = np.arange(n), np.ones(n, np.int64)
    _sizes_beside_largest(
        at(a, np.int64), at(b, np.int64), len(a), least, at(parents, np.int64), at(sizes, np.int64),
        at(largest, np.int64), at(beside, np.int64),
    )  # fmt: skip


def _lengths(lengths: Doubles) -> int | None:
    return at(lengths, np.float64) if len(lengths) else None
