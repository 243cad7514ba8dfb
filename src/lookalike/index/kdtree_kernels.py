"""The compiled part of `KDTree`: one query's whole path in one call.

A query is lifted (rotated to the axes, with the length of the rest beside), then led through the tree by a
queue of nodes, nearest box first. The arrays are described in ``kdtree``. Inputs are already checked.
"""

from __future__ import annotations

import numpy as np

from lookalike.index.forest import WIDTH  # a constant, so that sums over it are unrolled
from lookalike.index.kernels import (
    COSINE_OF_TAILS,
    FAST,
    OK,
    compiled,
    give_out,
    keep,
    measure_row,
    measure_slots,
    push,
    rank_among,
    sift_down,
    sort_heap,
    take,
)

_SUMMED = 1e-5  # relative: what float32 loses in the sum of WIDTH squares, twice
_TOO_FAR = 1e6  # of a query's length in units of the longest row's: beyond, float32 cannot tell rows apart


@compiled(FAST)
def lift(query, scale, center, axes, middle, head, lifted):
    """Write a query, (d,) float64, lifted, (WIDTH,) float32; return its length about the mean.

    `head` is (WIDTH,) float64, for work.
    """
    head[:] = 0.0
    length_squared = 0.0
    for j in range(query.shape[0]):
        value = (query[j] - center[0, j]) * scale
        difference = value - center[1, j]
        length_squared += difference * difference
        if value != 0:  # the background of pictures is 0, and nearly free
            for i in range(WIDTH):
                head[i] += value * axes[j, i]
    rest = length_squared
    for i in range(WIDTH - 1):
        value = head[i] - middle[i]
        rest -= value * value
        lifted[i] = np.float32(value)  # OUT
    lifted[WIDTH - 1] = np.float32(np.sqrt(max(rest, 0.0)))  # OUT
    return np.sqrt(length_squared)


@compiled(FAST)
def _box_distance(lifted, box):
    """Return the squared distance from a lifted query to a box, (2, WIDTH): its lower and upper corner."""
    lower, upper = box[0], box[1]
    total = np.float32(0)
    for j in range(WIDTH):
        below, above = lower[j] - lifted[j], lifted[j] - upper[j]
        outside = below if below > above else above
        outside = outside if outside > np.float32(0) else np.float32(0)
        total += outside * outside
    return total


@compiled(FAST)
def _distance(lifted, row):
    total = np.float32(0)
    for j in range(WIDTH):
        difference = lifted[j] - row[j]
        total += difference * difference
    return total


@compiled(FAST)
def _distances(lifted, rows, out):
    """Write the squared distance to each lifted row. A loop that does nothing else is the quickest."""
    for i in range(len(rows)):
        out[i] = _distance(lifted, rows[i])  # OUT


@compiled(FAST)
def _limit(distance_squared, scale, slack):
    """Return the largest computed lifted distance, squared, of what may lie within a true distance."""
    reach = np.sqrt(distance_squared) * scale + slack
    return np.float32(reach * reach * (1 + _SUMMED))


@compiled(FAST)
def _pop(keys, nodes, size):
    """Take the first pair off a heap of `size` pairs; it is returned, and the heap is one shorter."""
    key, node = keys[0], nodes[0]
    keys[0], nodes[0] = keys[size - 1], nodes[size - 1]
    sift_down(keys, nodes, size - 1, 0)
    return key, node


@compiled(FAST)
def _descend(lifted, split_axes, split_values):
    """Return the number of the leaf that a query falls into, by the splits alone."""
    node, n_inner = 0, len(split_axes)
    while node < n_inner:
        node = 2 * node + (2 if lifted[split_axes[node]] > split_values[node] else 1)
    return node - n_inner


@compiled(FAST)
def _largest(starts):
    """Return the number of rows in the fullest leaf of any tree."""
    largest = 0
    for tree in range(starts.shape[0]):
        for leaf in range(starts.shape[1] - 1):
            largest = max(largest, starts[tree, leaf + 1] - starts[tree, leaf])
    return largest


@compiled(FAST)
def _settle(
    query, scale, slack, reach, distances, first, order, live,
    rows, more_rows, row_lengths, best, best_rows, found,
):  # fmt: skip
    """Measure the rows of a leaf that may be within reach; return how many are kept, and the new reach.

    `distances` are the lifted ones, `first` is the slot of the first.
    """
    limit = _limit(reach, scale, slack)
    for i in range(len(distances)):
        if distances[i] > limit or not live[first + i]:
            continue
        row = order[first + i]
        distance = measure_row(query, row, rows, more_rows, row_lengths)
        found = keep(best, best_rows, found, len(best), distance, row)
        if found == len(best) and best[0] < reach:
            reach = best[0]
            limit = _limit(reach, scale, slack)
    return found, reach


@compiled(FAST)
def search_exactly(
    queries, only_leaf, is_cosine, scale, rounding, longest, center, axes, middle,
    lifted_rows, order, live, starts, boxes, split_axes, split_values,
    rows, more_rows, row_lengths, best, best_rows, counts, visits,
):  # fmt: skip
    """Find the k nearest of all rows by bounds that hold, or of those in the query's leaf; ties by row.

    Parameters
    ----------
    queries : (n_queries, d) float32
    only_leaf : bool
        Look into the leaf that the query falls into, and no other.
    live : (slots,) bool
        Which rows to find.
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
        `OK`, or what is wrong with a query.
    """
    query = np.empty(queries.shape[1], np.float64)
    head, lifted = np.empty(WIDTH, np.float64), np.empty(WIDTH, np.float32)
    distances = np.empty(_largest(starts[:1]), np.float32)
    n_leaves = starts.shape[1] - 1
    n_inner = n_leaves - 1
    keys, nodes = np.empty(n_leaves + 1, np.float32), np.empty(n_leaves + 1, np.int64)
    for i in range(len(queries)):
        status = take(queries[i], is_cosine, query)
        if status != OK:
            return status
        length = lift(query, scale, center, axes, middle, head, lifted)
        slack = rounding * (longest + length)
        is_far = not length < _TOO_FAR
        if is_far:
            lifted[:] = 0
        reach, found = np.inf, 0
        visits[i] = 0
        keys[0], nodes[0], size = np.float32(0), 0, 1
        if only_leaf:
            nodes[0] = n_inner + _descend(lifted, split_axes[0], split_values[0])
        limit = np.float32(np.inf)
        while size > 0:
            key, node = _pop(keys, nodes, size)
            size -= 1
            if -key > limit:
                break
            if node < n_inner:
                for child in range(2 * node + 1, 2 * node + 3):
                    bound = np.float32(0) if is_far else _box_distance(lifted, boxes[0, child])
                    if bound <= limit:
                        push(keys, nodes, size, -bound, child)
                        size += 1
                continue
            lo, hi = starts[0, node - n_inner], starts[0, node - n_inner + 1]
            if is_far:
                distances[:] = 0
            else:
                _distances(lifted, lifted_rows[lo:hi], distances)
            found, reach = _settle(
                query, scale, slack, reach, distances[: hi - lo], lo, order, live,
                rows, more_rows, row_lengths, best[i], best_rows[i], found,
            )  # fmt: skip
            limit = _limit(reach, scale, slack)
            visits[i] += 1
        sort_heap(best[i], best_rows[i], found)
        counts[i] = found
    return OK


@compiled(FAST)
def search(
    queries, k, n_leaves, n_rows, is_cosine, scale, center, axes, middle,
    lifted_rows, order, live, members, starts, boxes,
    rows, more_rows, row_lengths, ids, out_ids, out_distances,
):  # fmt: skip
    """Answer queries best bin first: the `n_leaves` nearest leaves of all trees, `n_rows` rows measured.

    More leaves are visited where these hold fewer than k rows.

    Parameters
    ----------
    queries : (n_queries, d) float32
    members : (trees, slots) int64
        Of each tree, the slots in the order of its leaves; of the first, all in order.
    out_ids : (n_queries, k) int64
        OUT, filled with -1 before.
    out_distances : (n_queries, k) float32
        OUT, filled with infinity before.

    Returns
    -------
    int
        `OK`, or what is wrong with a query.
    """
    query = np.empty(queries.shape[1], np.float64)
    head, lifted = np.empty(WIDTH, np.float64), np.empty(WIDTH, np.float32)
    n_trees, n_inner = starts.shape[0], starts.shape[1] - 2
    n_nodes = boxes.shape[1]
    room = n_trees * (n_inner + 1) + 1
    queue_keys, queue = np.empty(room, np.float32), np.empty(room, np.int64)
    keys, slots = np.empty(n_rows, np.float32), np.empty(n_rows, np.int64)
    best, best_rows = np.empty(k, np.float64), np.empty(k, np.int64)
    distances = np.empty(_largest(starts), np.float32)
    seen = np.zeros(len(order) if n_trees > 1 else 0, np.int64)  # the last query that met a slot
    for i in range(len(queries)):
        status = take(queries[i], is_cosine, query)
        if status != OK:
            return status
        length = lift(query, scale, center, axes, middle, head, lifted)
        if not length < _TOO_FAR:  # all are about as far
            lifted /= np.float32(length)
        weight = np.float32(2 * (1 - COSINE_OF_TAILS)) * lifted[WIDTH - 1]
        waiting, visited, size = 0, 0, 0
        for tree in range(n_trees):
            push(queue_keys, queue, waiting, np.float32(0), tree * n_nodes)
            waiting += 1
        while waiting > 0 and (visited < n_leaves or size < k):
            _, place = _pop(queue_keys, queue, waiting)
            waiting -= 1
            tree, node = place // n_nodes, place % n_nodes
            if node < n_inner:
                for child in range(2 * node + 1, 2 * node + 3):
                    bound = _box_distance(lifted, boxes[tree, child])
                    push(queue_keys, queue, waiting, -bound, tree * n_nodes + child)
                    waiting += 1
                continue
            visited += 1
            lo, hi = starts[tree, node - n_inner], starts[tree, node - n_inner + 1]
            if tree == 0:
                _distances(lifted, lifted_rows[lo:hi], distances)
            limit = keys[0] if size == n_rows else np.float32(np.inf)
            for j in range(hi - lo):
                slot = lo + j
                if tree > 0:
                    slot = members[tree, lo + j]
                    if seen[slot] == i + 1:
                        continue
                    distances[j] = _distance(lifted, lifted_rows[slot])
                if n_trees > 1:
                    if seen[slot] == i + 1:
                        continue
                    seen[slot] = i + 1
                estimate = distances[j] + weight * lifted_rows[slot, WIDTH - 1]
                if estimate < limit and live[slot]:
                    size = keep(keys, slots, size, n_rows, estimate, slot)
                    if size == n_rows:
                        limit = keys[0]
        found = measure_slots(query, slots[:size], order, rows, more_rows, row_lengths, best, best_rows)
        give_out(best, best_rows, found, is_cosine, ids, out_ids[i], out_distances[i])
    return OK


@compiled(FAST)
def find_within(
    given, reach, is_cosine, scale, rounding, longest, center, axes, middle,
    lifted_rows, order, live, starts, boxes, rows, more_rows, row_lengths, distances, found_rows,
):  # fmt: skip
    """Find all rows whose squared distance is at most `reach`; return how many, or -1 - what is wrong."""
    head, lifted = np.empty(WIDTH, np.float64), np.empty(WIDTH, np.float32)
    query = np.empty(len(given), np.float64)
    status = take(given, is_cosine, query)
    if status != OK:
        return -1 - status
    length = lift(query, scale, center, axes, middle, head, lifted)
    limit = _limit(reach, scale, rounding * (longest + length))
    if not length < _TOO_FAR:
        lifted[:] = 0
        limit = np.float32(np.inf)
    n_inner = starts.shape[1] - 2
    stack = np.empty(n_inner + 2, np.int64)
    stack[0], size, found = 0, 1, 0
    while size > 0:
        size -= 1
        node = stack[size]
        if _box_distance(lifted, boxes[0, node]) > limit:
            continue
        if node < n_inner:
            stack[size], stack[size + 1] = 2 * node + 2, 2 * node + 1
            size += 2
            continue
        for slot in range(starts[0, node - n_inner], starts[0, node - n_inner + 1]):
            if live[slot] and _distance(lifted, lifted_rows[slot]) <= limit:
                row = order[slot]
                distance = measure_row(query, row, rows, more_rows, row_lengths)
                if distance <= reach:
                    distances[found], found_rows[found] = distance, row  # OUT
                    found += 1
    return found


@compiled(FAST)
def leaves_of(
    queries, is_cosine, scale, center, axes, middle, split_axes, split_values, leaves,
):  # fmt: skip
    """Write the leaf that each query falls into; return `OK`, or what is wrong with one."""
    query = np.empty(queries.shape[1], np.float64)
    head, lifted = np.empty(WIDTH, np.float64), np.empty(WIDTH, np.float32)
    for i in range(len(queries)):
        status = take(queries[i], is_cosine, query)
        if status != OK:
            return status
        lift(query, scale, center, axes, middle, head, lifted)
        leaves[i] = _descend(lifted, split_axes, split_values)  # OUT
    return OK


@compiled(FAST)
def rank(lifted, lifted_rows, live, boxes, neighbors, leaves, leaf_ranks, row_ranks):
    """Find out what it takes to find each of a query's neighbours.

    Parameters
    ----------
    lifted : (WIDTH,) float32
    neighbors : (k,) int64
        Their slots.
    leaves : (trees, k) int64
        The leaves of those.
    leaf_ranks, row_ranks : (k,) int64
        OUT, how many leaves come before the first of its own, and how many rows look nearer than it does; at
        worst, where some are equally near.
    """
    n_trees, n_nodes = boxes.shape[0], boxes.shape[1]
    n_inner = n_nodes // 2
    n_leaves = n_nodes - n_inner
    bounds = np.empty(n_trees * n_leaves, np.float32)
    for tree in range(n_trees):
        for leaf in range(n_leaves):
            bounds[tree * n_leaves + leaf] = _box_distance(lifted, boxes[tree, n_inner + leaf])
    first = leaves[0].copy()
    for tree in range(1, n_trees):
        for j in range(len(neighbors)):
            leaf = tree * n_leaves + leaves[tree, j]
            if bounds[leaf] < bounds[first[j]]:
                first[j] = leaf
    rank_among(bounds, first, leaf_ranks)
    weight = np.float32(2 * (1 - COSINE_OF_TAILS)) * lifted[WIDTH - 1]
    estimates = np.full(len(lifted_rows), np.inf, np.float32)
    for slot in range(len(lifted_rows)):
        if live[slot]:
            estimates[slot] = _distance(lifted, lifted_rows[slot]) + weight * lifted_rows[slot, WIDTH - 1]
    rank_among(estimates, neighbors, row_ranks)
