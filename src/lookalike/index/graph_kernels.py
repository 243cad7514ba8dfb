"""The compiled part of neighbour graphs: pairs that look near are measured, and put where they belong.

Estimates are squared distances from a matrix product, in float32, never larger than the true ones by more
than a slack that the limit has in it already. What is kept is measured in float64 on the original rows, and
compared as float32. Inputs are already checked.
"""

from __future__ import annotations

import numpy as np

from lookalike.index.kernels import compiled

CHUNK = 64  # estimates looked at together: a loop of constant length is vectorised

_FAST = {"reassoc", "contract", "arcp", "nsz"}
_EXACT = {"reassoc", "nsz"}


@compiled(_EXACT)
def _measure(rows, lengths, a, b):
    """Return the distance of two rows; 1 - cosine where there are lengths."""
    total = 0.0
    first, second = rows[a], rows[b]
    if len(lengths):
        for j in range(first.shape[0]):
            difference = np.float64(first[j]) / lengths[a] - np.float64(second[j]) / lengths[b]
            total += difference * difference
        return np.float32(total / 2)
    for j in range(first.shape[0]):
        difference = np.float64(first[j]) - np.float64(second[j])
        total += difference * difference
    return np.float32(np.sqrt(total))


@compiled(_FAST)
def _any_within(chunk, limit):
    """Tell whether any of a chunk of estimates is within the limit."""
    count = 0
    for j in range(CHUNK):
        count += chunk[j] <= limit
    return count > 0


@compiled(_FAST)
def pairs_within(estimates, first_row, first_column, limit, reach, rows, lengths, a, b, distances):
    """Write the pairs a < b of a tile that are at most `reach` apart; return how many there are.

    Parameters
    ----------
    estimates : (m, chunks, CHUNK) float32
    first_row, first_column : int
        Where the tile lies.
    limit, reach : float32
        The largest estimate, and the largest distance.
    a, b : (room,) int32
        OUT
    distances : (room,) float32
        OUT
    """
    found = 0
    n = len(rows)
    hits = np.empty(CHUNK + 1, np.int64)
    for i in range(estimates.shape[0]):
        row = first_row + i
        for chunk in range(estimates.shape[1]):
            start = first_column + chunk * CHUNK
            if start + CHUNK <= row + 1 or not _any_within(estimates[i, chunk], limit):
                continue
            n_hits, near = 0, estimates[i, chunk]
            for j in range(CHUNK):  # without a branch, which would be guessed wrong
                hits[n_hits] = j
                n_hits += near[j] <= limit
            for j in hits[:n_hits]:
                column = start + j
                if column > row and column < n:
                    distance = _measure(rows, lengths, row, column)
                    if distance <= reach:
                        a[found], b[found], distances[found] = row, column, distance  # OUT
                        found += 1
    return found


@compiled(_FAST)
def count(a, b, counts):
    """Add each pair to the counts of both its rows."""
    for i in range(len(a)):
        counts[a[i]] += 1  # OUT
        counts[b[i]] += 1


@compiled(_FAST)
def fill(a, b, values, ends, indices, data):
    """Put each pair into both its rows, `ends` saying where the next one of a row goes."""
    for i in range(len(a)):
        at = ends[a[i]]
        indices[at], data[at] = b[i], values[i]  # OUT
        ends[a[i]] = at + 1
        at = ends[b[i]]
        indices[at], data[at] = a[i], values[i]
        ends[b[i]] = at + 1


@compiled(_FAST)
def nearest_outside(
    estimates, points, columns, component, cores, scale, slack, rows, lengths, weights, a, b
):  # fmt: skip
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
    weights : (n_components,) float32
        OUT, the lightest so far.
    a, b : (n_components,) int64
        OUT, its ends.
    """
    for i in range(len(points)):
        point = points[i]
        inside = component[point]
        weight = weights[inside]
        if cores[point] >= weight:
            continue
        limit = _to_estimate(weight, len(lengths) > 0, scale, slack)
        for chunk in range(estimates.shape[1]):
            if not _any_within(estimates[i, chunk], limit):
                continue
            for j in range(CHUNK):
                at = chunk * CHUNK + j
                if at >= len(columns) or estimates[i, chunk, j] > limit:
                    continue
                other = columns[at]
                if component[other] == inside or cores[other] >= weight:
                    continue
                distance = max(_measure(rows, lengths, point, other), cores[point], cores[other])
                if distance < weight:
                    weight = distance
                    limit = _to_estimate(weight, len(lengths) > 0, scale, slack)
                    weights[inside], a[inside], b[inside] = weight, point, other  # OUT


@compiled(_FAST)
def _to_estimate(distance, is_cosine, scale, slack):
    """Return the largest estimate of what is within a distance."""
    square = 2 * np.float64(distance) if is_cosine else np.float64(distance) ** 2
    return np.float32(square * (1 + 1e-6) * scale * scale + slack)


@compiled(_FAST)
def _root(parents, point):
    while parents[point] != point:
        parents[point] = parents[parents[point]]
        point = parents[point]
    return point


@compiled(_FAST)
def unite(parents, a, b, is_new):
    """Join the components of each pair, in this order; say which pairs were in two."""
    for i in range(len(a)):
        first, second = _root(parents, a[i]), _root(parents, b[i])
        is_new[i] = first != second  # OUT
        parents[max(first, second)] = min(first, second)


@compiled(_FAST)
def number_components(parents, component):
    """Number the components by their first points; return how many there are."""
    n_components = 0
    for point in range(len(parents)):
        root = _root(parents, point)
        if root == point:  # the smallest of its component
            component[point] = n_components  # OUT
            n_components += 1
        else:
            component[point] = component[root]
    return n_components


@compiled(_FAST)
def sizes_beside_largest(n, a, b, least, largest, beside):
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
    counted, most = 0, 0
    for i in range(len(a)):
        first, second = _root(parents, a[i]), _root(parents, b[i])
        for root in (first, second):
            if sizes[root] >= least:
                counted -= sizes[root]
        parents[second] = first
        sizes[first] += sizes[second]
        if sizes[first] >= least:
            counted += sizes[first]
            most = max(most, sizes[first])
        largest[i], beside[i] = most, counted - most  # OUT
