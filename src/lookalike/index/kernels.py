"""What the compiled parts of the trees share: heaps of the best, and distances as they are given out.

Heaps are pairs of arrays, keys and values, with the largest key first, the larger value before where keys
are equal. Distances are sums in float64 of the original numbers. Inputs are already checked.

Compiled kernels are kept on disk, by the time stamp of the file that they stand in, not of those that they
call: after a change here, `make clean`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np

OK, SHORT, NOT_FINITE, ZERO_ROW = 0, 1, 2, 3  # the larger one wins

# Sums may be taken in any order and fused. NaN and infinity keep their meaning.
FAST = {"reassoc", "contract", "arcp", "nsz"}
# Rows are divided by their lengths, not multiplied by what is nearly 1 / length: of neighbours by cosine, the
# last bits may be all that tells them apart.
EXACT = {"reassoc", "nsz"}

COSINE_OF_TAILS = 0.5  # what lies outside the axes of two neighbours is taken to be so much alike


def compiled(fastmath: set[str]) -> Callable[..., Any]:
    """Return the decorator that compiles a kernel; kept on disk where there is a place for it."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": fastmath}
        kernel: Callable[..., Any]
        try:
            kernel = numba.njit(cache=True, **options)(function)
        except RuntimeError:  # neither the package's folder nor the user's can be written to
            kernel = numba.njit(**options)(function)
        return kernel

    return decorate


@compiled(FAST)
def sift_down(keys, values, size, at):
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
def push(keys, values, size, key, value):
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
def sort_heap(keys, values, size):
    """Turn a max-heap into rising order."""
    for last in range(size - 1, 0, -1):
        keys[0], keys[last] = keys[last], keys[0]
        values[0], values[last] = values[last], values[0]
        sift_down(keys, values, last, 0)


@compiled(FAST)
def keep(keys, values, size, room, key, value):
    """Put a pair into a max-heap of the `room` smallest; return the heap's size."""
    if size < room:
        push(keys, values, size, key, value)
        return size + 1
    if key < keys[0] or (key == keys[0] and value < values[0]):
        keys[0], values[0] = key, value
        sift_down(keys, values, size, 0)
    return size


@compiled(EXACT)
def measure(query, row, length):
    """Return the squared distance of a query, (d,) float64, and a row divided by `length`."""
    total = 0.0
    if length == 1:
        for j in range(row.shape[0]):
            difference = np.float64(row[j]) - query[j]
            total += difference * difference
    else:
        for j in range(row.shape[0]):
            difference = np.float64(row[j]) / length - query[j]
            total += difference * difference
    return total


@compiled(EXACT)
def length_squared(query):
    """Return the sum of squares, in float64."""
    total = 0.0
    for j in range(query.shape[0]):
        value = np.float64(query[j])
        total += value * value
    return total


@compiled(EXACT)
def take(query, is_cosine, out):
    """Write a query as float64, for cosine over its length; return whether it can be one."""
    squared = length_squared(query)
    if not squared < np.inf:
        return NOT_FINITE
    if is_cosine and squared == 0:
        return ZERO_ROW
    length = np.sqrt(squared) if is_cosine else 1.0
    for j in range(query.shape[0]):
        out[j] = np.float64(query[j]) / length  # OUT
    return OK


@compiled(EXACT)
def measure_row(query, row, rows, more_rows, row_lengths):
    """Return the squared distance to a row, by its number."""
    length = row_lengths[row] if len(row_lengths) else 1.0
    if row < len(rows):
        return measure(query, rows[row], length)
    return measure(query, more_rows[row - len(rows)], length)


@compiled(EXACT)
def measure_lengths(rows, lengths):
    """Write the length of each row.

    Rows and queries go through the same code: a row that is also a query has to be found at distance 0.
    """
    for i in range(len(rows)):
        lengths[i] = np.sqrt(length_squared(rows[i]))  # OUT


@compiled(EXACT)
def center_rows(rows, lengths, scale, center, block, squares):
    """Write centred rows, which are to be turned to the axes, (n, d) float64, and their squared lengths."""
    for i in range(len(rows)):
        row, out, total = rows[i], block[i], 0.0
        length = lengths[i] if len(lengths) else 1.0
        for j in range(row.shape[0]):
            value = (np.float64(row[j]) / length - center[0, j]) * scale - center[1, j]
            out[j] = value  # OUT
            total += value * value
        squares[i] = total  # OUT


@compiled(FAST)
def measure_slots(query, slots, order, rows, more_rows, row_lengths, best, best_rows):
    """Measure the rows in some slots; keep the nearest in a max-heap, and return how many they are."""
    found = 0
    for slot in slots:
        row = order[slot]
        distance = measure_row(query, row, rows, more_rows, row_lengths)
        found = keep(best, best_rows, found, len(best), distance, row)
    return found


@compiled(FAST)
def give_out(best, best_rows, found, is_cosine, ids, out_ids, out_distances):
    """Write the ids and distances of what is in a heap, nearest first."""
    sort_heap(best, best_rows, found)
    for j in range(found):
        out_ids[j] = ids[best_rows[j]]  # OUT
        out_distances[j] = best[j] / 2 if is_cosine else np.sqrt(best[j])  # OUT


@compiled(FAST)
def rank_among(keys, chosen, ranks):
    """Write how many keys come before each of the chosen ones, (k,) of (n,); at worst, among equal ones.

    What does not count has an infinite key.
    """
    of_chosen = np.sort(keys[chosen])
    # counts[c]: keys above that of chosen c - 1, in the order of keys, and not above its own
    counts = np.zeros(len(chosen) + 1, np.int64)
    largest = of_chosen[-1]
    for key in keys:
        if key <= largest:
            counts[np.searchsorted(of_chosen, key, side="left")] += 1
    for j in range(len(chosen)):
        ranks[j] = counts[: np.searchsorted(of_chosen, keys[chosen[j]], side="right")].sum() - 1  # OUT
