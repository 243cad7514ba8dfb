"""The compiled part of `pruned_lloyd`: one round for a block of rows.

The arrays are described there. Inputs are already checked. Distances are sums of squared differences in
float32; where two are closer than that can tell apart, both are measured in float64 against the centres in
float64, and the lower number wins if they are equal. So the labels are those of a plain round in float64.
"""

from __future__ import annotations

import numpy as np

from lookalike.index.kernels import compiled

HEAD = 64

# Nothing that comes here is NaN, and without that promise no minimum is vectorised; infinity may come.
_FAST = {"reassoc", "contract", "arcp", "nsz", "nnan"}
_EXACT = {"reassoc", "nsz"}

ROUNDING = np.float32(
    1e-5
)  # of lifted vectors and of sums in float32, relative; 20 to 100 times what is usual
_DECAY = np.float32(1 - 2e-7)  # a bound is rounded once a round


@compiled(_FAST)
def _squared(row, center):
    total = np.float32(0)
    for j in range(row.shape[0]):
        difference = row[j] - center[j]
        total += difference * difference
    return total


@compiled(_FAST)
def _squared_heads(head, center):
    total = np.float32(0)
    for j in range(HEAD):
        difference = head[j] - center[j]
        total += difference * difference
    return total


@compiled(_EXACT)
def _squared_exactly(row, center):
    total = 0.0
    for j in range(row.shape[0]):
        difference = np.float64(row[j]) - center[j]
        total += difference * difference
    return total


@compiled(_EXACT)
def _is_nearer(row, new, old, centers, numbers):
    """Tell whether a row belongs to centre `new` rather than to `old`, in float64."""
    to_new, to_old = _squared_exactly(row, centers[new]), _squared_exactly(row, centers[old])
    return to_new < to_old or (to_new == to_old and numbers[new] < numbers[old])


@compiled(_FAST)
def _margin(square, rounded):
    """Return how far a squared distance in float32 may be from the true one."""
    return ROUNDING * square + 4 * rounded * (np.sqrt(square) + rounded)


@compiled(_FAST)
def _below(square, rounded):
    """Return a distance that is surely not above the true one, of its square in float32."""
    return np.sqrt(max(square, np.float32(0))) * (1 - ROUNDING) - 2 * rounded


@compiled(_FAST)
def check_groups(
    rows, heads, tails, row_slacks, labels, squares, lower,
    centers32, centers, center_heads, center_tails, center_slacks, rounded,
    numbers, group_of, starts, drifts,
):  # fmt: skip
    """Give rows to their nearest centres, measuring only the groups whose bounds allow it.

    Returns how many centres were looked at.
    """
    n_seen = 0
    n_groups = len(starts) - 1
    for i in range(len(rows)):
        row, bounds = rows[i], lower[i]
        label = np.int64(labels[i])
        best = _squared(row, centers32[label])
        reach = np.sqrt(best + _margin(best, rounded)) + 2 * rounded
        least = np.float32(np.inf)
        for group in range(n_groups):
            bound = bounds[group] * _DECAY - drifts[group]
            bounds[group] = bound  # OUT
            least = min(least, bound)
        if least > reach:
            squares[i] = best  # OUT
            continue
        margin = _margin(best, rounded)
        for group in range(n_groups):
            if bounds[group] > reach:
                continue
            low = np.float32(np.inf)
            n_seen += starts[group + 1] - starts[group]
            for j in range(starts[group], starts[group + 1]):
                if j == label:
                    continue
                if len(heads):
                    difference = tails[i] - center_tails[j]
                    bound = (
                        _squared_heads(heads[i], center_heads[j])
                        + difference * difference
                        - row_slacks[i]
                        - center_slacks[j]
                    )
                    if bound > best + margin:
                        low = min(low, bound)
                        continue
                square = _squared(row, centers32[j])
                if square < best - margin or (
                    square <= best + margin and _is_nearer(row, j, label, centers, numbers)
                ):
                    former = group_of[label]
                    if former == group:
                        low = min(low, best)
                    else:
                        bounds[former] = min(bounds[former], _below(best, rounded))
                    best, label = square, j
                    margin = _margin(best, rounded)
                    reach = np.sqrt(best + margin) + 2 * rounded
                else:
                    low = min(low, square)
            bounds[group] = _below(low, rounded)
        labels[i], squares[i] = label, best  # OUT
    return n_seen


@compiled(_FAST)
def check_all(
    products, rows, row_squares, row_slacks, labels, squares, lower,
    centers32, centers, center_squares, center_slacks, rounded, numbers, group_of, starts,
):  # fmt: skip
    """Give rows to their nearest centres, all of which are compared by a bound.

    Parameters
    ----------
    products : (m, k) float32
        -2 times the products of lifted rows and lifted centres; used up.
    """
    n_groups = len(starts) - 1
    offsets = center_squares - center_slacks
    for i in range(len(rows)):
        row, bounds, product = rows[i], lower[i], products[i]
        own = row_squares[i] - row_slacks[i]
        nearest, least = 0, np.float32(np.inf)
        for group in range(n_groups):
            low = np.float32(np.inf)
            part, plus = (
                product[starts[group] : starts[group + 1]],
                offsets[starts[group] : starts[group + 1]],
            )
            for j in range(len(part)):
                bound = part[j] + plus[j]
                part[j] = bound
                low = min(low, bound)
            bounds[group] = low
            if low < least:
                least, nearest = low, group
        label = starts[nearest]
        for j in range(starts[nearest], starts[nearest + 1]):
            if product[j] == least:
                label = j
        best = _squared(row, centers32[label])
        margin = _margin(best, rounded)
        for group in range(n_groups):
            if bounds[group] + own > best + margin and group != group_of[label]:
                bounds[group] = _below(bounds[group] + own, rounded)  # OUT
                continue
            low = np.float32(np.inf)
            for j in range(starts[group], starts[group + 1]):
                if j == label:
                    continue
                bound = product[j] + own
                if bound > best + margin:
                    low = min(low, bound)
                    continue
                square = _squared(row, centers32[j])
                if square < best - margin or (
                    square <= best + margin and _is_nearer(row, j, label, centers, numbers)
                ):
                    former = group_of[label]
                    if former == group:
                        low = min(low, best)
                    elif former < group:  # a later one is bounded with all its centres still
                        bounds[former] = min(bounds[former], _below(best, rounded))
                    best, label = square, j
                    margin = _margin(best, rounded)
                else:
                    low = min(low, square)
            bounds[group] = _below(low, rounded)
        labels[i], squares[i] = label, best  # OUT


@compiled(_EXACT)
def move_rows(rows, before, after, first, last, sums, counts):
    """Take rows whose label changed from one sum to the other; only sums `first` to `last` - 1.

    Parameters
    ----------
    before, after : (n,) int32
        Labels; -1 for none.
    sums : (k, d) float64
        OUT.
    counts : (k,) int64
        OUT.
    """
    for i in range(len(rows)):
        old, new = np.int64(before[i]), np.int64(after[i])
        if old == new:
            continue
        row = rows[i]
        if first <= old < last:
            counts[old] -= 1
            total = sums[old]
            for j in range(row.shape[0]):
                total[j] -= row[j]
        if first <= new < last:
            counts[new] += 1
            total = sums[new]
            for j in range(row.shape[0]):
                total[j] += row[j]


@compiled(_FAST)
def potentials(products, squares, candidate_squares, nearest, totals):
    """Write what the sum of squared distances would be with each candidate as one more centre.

    Parameters
    ----------
    products : (n, m) float32
        Of rows and candidates; OUT, each row's squared distance to its nearest centre then.
    squares : (n,) float32
        Of the rows' lengths.
    nearest : (n,) float32
        Squared distance to the nearest centre so far.
    totals : (m,) float64
        OUT.
    """
    totals[:] = 0
    for i in range(len(products)):
        product, square, least = products[i], squares[i], nearest[i]
        for j in range(len(candidate_squares)):
            distance = square + candidate_squares[j] - 2 * product[j]
            distance = max(min(distance, least), np.float32(0))
            product[j] = distance
            totals[j] += distance
