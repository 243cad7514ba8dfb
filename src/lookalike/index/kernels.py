"""What the compiled parts of several indexes share: heaps of the best, and distances as they are given out.

Heaps are pairs of arrays, keys and values, with the largest key first, the larger value before where keys
are equal. Distances are sums in float64 of the original numbers. Inputs are already checked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np

OK, NOT_FINITE, ZERO_ROW = 0, 1, 2

# Distances are sums of squares, which may be summed in any order and fused. NaN and infinity keep their
# meaning.
FAST = {"reassoc", "contract", "arcp", "nsz"}
# x · s - q · s must be 0 where x is q, which a fused multiply-subtract breaks.
UNFUSED = {"reassoc", "nsz"}


def compiled(fastmath: set[str]) -> Callable[..., Any]:
    """Return the decorator that compiles a kernel; kept on disk where there is a place for it."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        options = {"nogil": True, "error_model": "numpy", "fastmath": fastmath}
        try:
            return numba.njit(cache=True, **options)(function)  # type: ignore[no-any-return]
        except RuntimeError:  # neither the package's folder nor the user's can be written to
            return numba.njit(**options)(function)  # type: ignore[no-any-return]

    return decorate


@compiled(FAST)
def sift_down(keys, values, size, at):  # type: ignore[no-untyped-def]
    """Restore the max-heap of pairs, the pair at `at` being perhaps too small."""
    key, value = keys[at], values[at]
    while True:
        child = 2 * at + 1
        if child >= size:
            break
        right = child + 1
        if right < size and (
            keys[right] > keys[child] or (keys[right] == keys[child] and values[right] > values[child])
        ):
            child = right
        if keys[child] < key or (keys[child] == key and values[child] <= value):
            break
        keys[at], values[at] = keys[child], values[child]
        at = child
    keys[at], values[at] = key, value


@compiled(FAST)
def push(keys, values, size, key, value):  # type: ignore[no-untyped-def]
    """Add a pair to a max-heap with room for it."""
    at = size
    while at > 0:
        parent = (at - 1) // 2
        if keys[parent] > key or (keys[parent] == key and values[parent] >= value):
            break
        keys[at], values[at] = keys[parent], values[parent]
        at = parent
    keys[at], values[at] = key, value


@compiled(FAST)
def sort_heap(keys, values, size):  # type: ignore[no-untyped-def]
    """Turn a max-heap into rising order."""
    for last in range(size - 1, 0, -1):
        keys[0], keys[last] = keys[last], keys[0]
        values[0], values[last] = values[last], values[0]
        sift_down(keys, values, last, 0)


@compiled(FAST)
def keep(keys, values, size, room, key, value):  # type: ignore[no-untyped-def]
    """Put a pair into a max-heap of the `room` smallest; return the heap's size."""
    if size < room:
        push(keys, values, size, key, value)
        return size + 1
    if key < keys[0] or (key == keys[0] and value < values[0]):
        keys[0], values[0] = key, value
        sift_down(keys, values, size, 0)
    return size


@compiled(UNFUSED)
def measure(query, factor, row, row_factor):  # type: ignore[no-untyped-def]
    """Return the squared distance, in float64, of two vectors each times a factor."""
    total = 0.0
    for j in range(row.shape[0]):
        difference = np.float64(row[j]) * row_factor - np.float64(query[j]) * factor
        total += difference * difference
    return total


@compiled(UNFUSED)
def measure_row(query, factor, row, rows, more_rows, row_factors):  # type: ignore[no-untyped-def]
    """Return the squared distance to a row, by its number."""
    row_factor = row_factors[row] if len(row_factors) else 1.0
    if row < len(rows):
        return measure(query, factor, rows[row], row_factor)
    return measure(query, factor, more_rows[row - len(rows)], row_factor)


@compiled(FAST)
def length_squared(query):  # type: ignore[no-untyped-def]
    """Return the sum of squares, in float64."""
    total = 0.0
    for j in range(query.shape[0]):
        value = np.float64(query[j])
        total += value * value
    return total


@compiled(FAST)
def factor_of(query, is_cosine):  # type: ignore[no-untyped-def]
    """Return what a query is multiplied by, and whether it can be a query."""
    squared = length_squared(query)
    if not squared < np.inf:
        return 1.0, NOT_FINITE
    if not is_cosine:
        return 1.0, OK
    if squared == 0:
        return 1.0, ZERO_ROW
    return 1 / np.sqrt(squared), OK


@compiled(FAST)
def factors_of(rows, factors):  # type: ignore[no-untyped-def]
    """Write 1 / the length of each row.

    Rows and queries go through the same code: a row that is also a query has to be found at distance 0.
    """
    for i in range(len(rows)):
        factors[i] = 1 / np.sqrt(length_squared(rows[i]))  # OUT
