"""The compiled part of `KMeansTree`: one query's whole path in one call.

A query is rotated to its head and turned into 16-bit integers; the cells' codes, then the codes of the
rows in the nearest cells, are each one 8-bit dot product; the best by that estimate are measured on their
full rows in float64. The arrays are described in ``kmeans_tree``. Inputs are already checked.

What makes it quick, measured on 512-bit x86, 128 dimensions a row:

- The length of a head is a constant, so that LLVM unrolls the dot product and multiplies 16-bit by 8-bit
  integers in pairs: 3.6 ns a row. With a length known only when it runs it is 5.2 ns, in float32 8.0 ns.
- The loop over rows does nothing but dot products; what is done with them comes after. With the comparison
  inside, or a call a row, it is 9 to 11 ns.
- Removed and filtered rows have an infinite square in `facts`: skipping them costs nothing.
"""

from __future__ import annotations

import numpy as np

from lookalike.index.kernels import (
    COSINE_OF_TAILS,
    FAST,
    OK,
    SHORT,
    compiled,
    give_out,
    keep,
    measure_row,
    push,
    rank_among,
    sift_down,
    sort_heap,
    take,
)

HEAD = 128  # dimensions of a head; shorter vectors are filled up with zeros
LARGEST_CODE = 127
LARGEST_QUERY_CODE = 32_767  # 128 · 127 · 32,767 stays within int32
LARGEST_SUM = 2**31 - 1
EPSILON = 2.0**-52

_TOO_FAR = 1e3  # of a query's length in units of the longest row's: beyond, bounds in float32 tell nothing
_ROUNDING = 4e-6  # of a lifted vector, relative to the lengths: see the story in kmeans_tree
_BUCKETS = 256  # that cells are sorted into by distance
_FIRST_CELLS = 32  # looked at before all others, for a first reach, where the answer is to be exact


@compiled(FAST)
def _dots(query_codes, codes, out):
    """Write the dot product of each row of codes.

    A loop that does nothing else: with the comparison in it, or one call a row, it takes 9 to 11 ns a row.
    """
    for i in range(len(codes)):
        row, total = codes[i], np.int32(0)
        for j in range(HEAD):
            total += np.int32(query_codes[j]) * np.int32(row[j])
        out[i] = total  # OUT


@compiled(FAST)
def _rotate(query, scale, center, axes, middle, head):
    """Write the head of a query, (d,) float64, and return its squared length about the mean.

    `axes` and `head` are float32, or float64 where an answer has to be proved.
    """
    head[:] = -middle  # OUT
    length_squared = 0.0
    for j in range(query.shape[0]):
        difference = (query[j] - center[0, j]) * scale - center[1, j]
        length_squared += difference * difference
    weights, chosen = np.empty(len(query) + 3, axes.dtype), np.empty(len(query) + 3, np.int64)
    n_chosen = 0
    for j in range(query.shape[0]):
        value = (query[j] - center[0, j]) * scale
        if value != 0:  # the background of pictures is 0, and nearly free
            weights[n_chosen], chosen[n_chosen] = value, j
            n_chosen += 1
    weights[n_chosen : n_chosen + 3] = 0
    chosen[n_chosen : n_chosen + 3] = 0
    for first in range(0, n_chosen, 4):  # by fours, so that the head is read and written less often
        a, b, c, d = (
            axes[chosen[first]],
            axes[chosen[first + 1]],
            axes[chosen[first + 2]],
            axes[chosen[first + 3]],
        )
        s, t, u, v = weights[first], weights[first + 1], weights[first + 2], weights[first + 3]
        for i in range(HEAD):
            head[i] += s * a[i] + t * b[i] + u * c[i] + v * d[i]
    return length_squared


@compiled(FAST)
def _encode(head, length_squared, steps, query_codes):
    """Write a head as integers; return their unit, its squared lifted length, its tail, and what was lost.

    The integers stand for the products of the query's coordinates and the rows' steps, so that their dot
    product with a row's codes is that of the vectors.
    """
    largest, tail_squared = 0.0, length_squared
    for i in range(HEAD):
        largest = max(largest, abs(np.float64(head[i]) * steps[i]))
        tail_squared -= np.float64(head[i]) * np.float64(head[i])
    tail_squared = max(tail_squared, 0.0)
    unit = largest / LARGEST_QUERY_CODE
    inverse = 1 / unit if unit > 0 else 0.0
    squared, lost = tail_squared, 0.0
    for i in range(HEAD):
        value = np.float64(head[i])
        step = np.float64(steps[i])
        code = np.rint(value * step * inverse)
        query_codes[i] = np.int16(code)  # OUT
        kept = code * unit / step
        squared += kept * kept
        lost += (value - kept) * (value - kept)
    return unit, squared, np.sqrt(tail_squared), np.sqrt(lost)


@compiled(FAST)
def _encode_whole(query, scale, center, steps, query_codes):
    """Write a query, (d,) float64, as integers; return their unit, squared length, and what was lost."""
    largest = 0.0
    for j in range(query.shape[0]):
        value = (query[j] - center[0, j]) * scale - center[1, j]
        largest = max(largest, abs(value * steps[j]))
    unit = largest / min(LARGEST_QUERY_CODE, LARGEST_SUM // (LARGEST_CODE * len(query)))
    inverse = 1 / unit if unit > 0 else 0.0
    squared, lost = 0.0, 0.0
    for j in range(query.shape[0]):
        value = (query[j] - center[0, j]) * scale - center[1, j]
        code = np.rint(value * steps[j] * inverse)
        query_codes[j] = np.int16(code)  # OUT
        kept = code * unit / steps[j]
        squared += kept * kept
        lost += (value - kept) * (value - kept)
    return unit, squared, np.sqrt(lost)


@compiled(FAST)
def _dot(query_codes, row):
    """Return the dot product of two vectors of integers, of any length."""
    total = np.int32(0)
    for j in range(row.shape[0]):
        total += np.int32(query_codes[j]) * np.int32(row[j])
    return total


@compiled(FAST)
def _sort_by_bound(query_codes, unit, squared, row_codes, row_facts, keys, slots, size):
    """Sort slots by what whole rows tell, nearest first; return the most that one of them lost."""
    lost = np.float32(0)
    square, double = np.float32(squared), np.float32(2 * unit)
    for i in range(size):
        slot = slots[i]
        key = square + row_facts[slot, 0] - double * np.float32(_dot(query_codes, row_codes[slot]))
        lost = max(lost, row_facts[slot, 1])
        push(keys, slots, i, key, slot)
    sort_heap(keys, slots, size)
    return lost


@compiled(FAST)
def _nearest_cells(query_codes, unit, cell_codes, cell_squares, dots, keys, cells):
    """Write the cells whose centroids are nearest, nearly in order; as many as `cells` has room for.

    They are sorted into buckets by distance; where the room ends within a bucket, its nearest are taken.
    """
    n, room = len(cell_squares), len(cells)
    double = np.float32(2 * unit)
    _dots(query_codes, cell_codes, dots)
    least, most = np.float32(np.inf), np.float32(-np.inf)
    for cell in range(n):
        key = cell_squares[cell] - double * np.float32(dots[cell])
        keys[cell] = key
        least, most = min(least, key), max(most, key)
    per_key = np.float32(_BUCKETS - 1) / (most - least) if most > least else np.float32(0)
    starts = np.zeros(_BUCKETS + 1, np.int64)
    buckets = np.empty(n, np.int64)
    for cell in range(n):
        place = (keys[cell] - least) * per_key
        bucket = np.int64(place) if 0 <= place < _BUCKETS else _BUCKETS - 1
        buckets[cell] = bucket
        starts[bucket + 1] += 1
    last = 0  # the bucket where the room ends
    while starts[last] + starts[last + 1] < room:
        starts[last + 1] += starts[last]
        last += 1
    first = starts[last]
    rest, rest_keys = cells[first:], np.empty(room - first, np.float32)
    size = 0
    for cell in range(n):
        bucket = buckets[cell]
        if bucket < last:
            cells[starts[bucket]] = cell  # OUT
            starts[bucket] += 1
        elif bucket == last:
            size = keep(rest_keys, rest, size, len(rest), keys[cell], cell)


@compiled(FAST)
def _scan(query_codes, unit, tail, codes, facts, first, dots, keys, slots, size):
    """Keep the slots that look nearest: a max-heap of estimates, as many as `slots` has room for.

    `codes` and `facts` are those of one cell, `first` its first slot.
    """
    room = len(slots)
    double, weight = np.float32(2 * unit), np.float32(2 * COSINE_OF_TAILS * tail)
    limit = keys[0] if size == room else np.float32(np.inf)
    _dots(query_codes, codes, dots)
    for i in range(len(codes)):
        key = facts[i, 0] - double * np.float32(dots[i]) - weight * facts[i, 1]
        if key < limit:
            if size < room:
                push(keys, slots, size, key, first + i)
                size += 1
            else:
                keys[0], slots[0] = key, first + i
                sift_down(keys, slots, size, 0)
            if size == room:
                limit = keys[0]
    return size


@compiled(FAST)
def encode_rows(block, steps, codes, facts):
    """Write centred rows, (n, d), as integers; of each the squared length, and what was lost."""
    inverse = 1 / steps
    for i in range(len(block)):
        row, out, squared, lost = block[i], codes[i], 0.0, 0.0
        for j in range(row.shape[0]):
            code = min(max(np.rint(row[j] * inverse[j]), -LARGEST_CODE), LARGEST_CODE)
            out[j] = np.int8(code)  # OUT
            kept = code * steps[j]
            squared += kept * kept
            lost += (row[j] - kept) * (row[j] - kept)
        facts[i, 0], facts[i, 1] = squared, np.sqrt(lost)  # OUT


@compiled(FAST)
def _largest(starts):
    """Return the number of rows in the fullest cell."""
    largest = 0
    for cell in range(len(starts) - 1):
        largest = max(largest, starts[cell + 1] - starts[cell])
    return largest


@compiled(FAST)
def _limit(distance_squared, scale, lost, length):
    """Return the largest computed lifted distance, squared, of what may lie within a true distance."""
    reach = np.sqrt(distance_squared) * scale + lost + _ROUNDING * (1 + length)
    return reach * reach + _ROUNDING * (1 + length) * (1 + length)


@compiled(FAST)
def _beyond_rounding(dimension):
    """Return by how much more than _ROUNDING tails, the roots of sums of so many terms, are rounded."""
    return max(4 * np.sqrt((dimension + HEAD) * EPSILON) - _ROUNDING, 0.0)


@compiled(FAST)
def _measure_slots(
    query, bounds, slots, size, k, is_bounded, scale, lost, length,
    order, rows, more_rows, row_lengths, best, best_rows,
):  # fmt: skip
    """Keep the k nearest of some slots, a max-heap, and return their number.

    Where `bounds` are bounds, in rising order, the rows beyond reach are left out: the answer is the same.
    """
    found, limit = 0, np.inf
    for i in range(size):
        if bounds[i] > limit:
            break
        row = order[slots[i]]
        distance = measure_row(query, row, rows, more_rows, row_lengths)
        found = keep(best, best_rows, found, k, distance, row)
        if is_bounded and found == k:
            limit = _limit(best[0], scale, lost, length)
    return found


@compiled(FAST)
def search(
    queries, k, n_cells, n_rows, is_cosine, scale, center, axes, steps,
    codes, facts, row_codes, row_facts, row_steps, order, cell_codes, cell_squares, starts,
    rows, more_rows, row_lengths, ids, out_ids, out_distances,
):  # fmt: skip
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
    worst = OK
    query, head = np.empty(queries.shape[1], np.float64), np.empty(HEAD, np.float32)
    query_codes, whole_codes = np.empty(HEAD, np.int16), np.empty(queries.shape[1], np.int16)
    cell_keys, cells = np.empty(len(cell_squares), np.float32), np.empty(n_cells, np.int64)
    is_bounded, lost = row_codes.shape[1] > 0, 0.0
    keys, slots = np.empty(n_rows, np.float32), np.empty(n_rows, np.int64)
    dots = np.empty(max(len(cell_squares), _largest(starts)), np.int32)
    best, best_rows = np.empty(k, np.float64), np.empty(k, np.int64)
    for i in range(len(queries)):
        status = take(queries[i], is_cosine, query)
        if status != OK:
            return status
        length_squared = _rotate(query, scale, center, axes, steps[1], head)
        unit, _, tail, _ = _encode(head, length_squared, steps[0], query_codes)
        _nearest_cells(query_codes, unit, cell_codes, cell_squares, dots, cell_keys, cells)
        size = 0
        for cell in cells:
            lo, hi = starts[cell], starts[cell + 1]
            size = _scan(query_codes, unit, tail, codes[lo:hi], facts[lo:hi], lo, dots, keys, slots, size)
        if size < k:
            worst = SHORT
            continue
        if is_bounded:
            unit, squared, lost = _encode_whole(query, scale, center, row_steps, whole_codes)
            lost += _sort_by_bound(whole_codes, unit, squared, row_codes, row_facts, keys, slots, size)
        found = _measure_slots(
            query, keys, slots, size, k, is_bounded, scale, lost, np.sqrt(length_squared),
            order, rows, more_rows, row_lengths, best, best_rows,
        )  # fmt: skip
        give_out(best, best_rows, found, is_cosine, ids, out_ids[i], out_distances[i])
    return worst


@compiled(FAST)
def search_exactly(
    queries, k, is_cosine, scale, center, axes, steps,
    codes, facts, row_codes, row_facts, row_steps, order,
    cell_codes, cell_squares, cell_errors, cell_radii, starts,
    rows, more_rows, row_lengths, best, best_rows, counts,
):  # fmt: skip
    """Find the k nearest of all rows by bounds that hold; equal distances by row.

    Parameters
    ----------
    queries : (n_queries, d) float32
    axes : (d, HEAD) float64
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
    query, head = np.empty(queries.shape[1], np.float64), np.empty(HEAD, np.float64)
    query_codes, whole_codes = np.empty(HEAD, np.int16), np.empty(queries.shape[1], np.int16)
    cells = np.empty(min(_FIRST_CELLS, len(cell_squares)), np.int64)
    cell_keys = np.empty(len(cell_squares), np.float32)
    is_bounded = row_codes.shape[1] > 0
    n_rows = 4 * k
    keys, slots = np.empty(n_rows, np.float32), np.empty(n_rows, np.int64)
    dots = np.empty(max(len(cell_squares), _largest(starts)), np.int32)
    for i in range(len(queries)):
        status = take(queries[i], is_cosine, query)
        if status != OK:
            return status
        length_squared = _rotate(query, scale, center, axes, steps[1], head)
        length = np.sqrt(length_squared)
        is_far = not length < _TOO_FAR
        reach, squared, tail, lost, unit = np.inf, 0.0, 0.0, 0.0, 0.0
        whole_unit, whole_squared, whole_lost = 0.0, 0.0, 0.0
        if not is_far:
            unit, squared, tail, lost = _encode(head, length_squared, steps[0], query_codes)
            lost += _beyond_rounding(len(query)) * (1 + length)
            _nearest_cells(query_codes, unit, cell_codes, cell_squares, dots, cell_keys, cells)
            size = 0
            for cell in cells:
                lo, hi = starts[cell], starts[cell + 1]
                size = _scan(query_codes, unit, tail, codes[lo:hi], facts[lo:hi], lo, dots, keys, slots, size)
            most_lost = 0.0
            if is_bounded:
                whole_unit, whole_squared, whole_lost = _encode_whole(
                    query, scale, center, row_steps, whole_codes
                )
                most_lost = whole_lost + _sort_by_bound(
                    whole_codes, whole_unit, whole_squared, row_codes, row_facts, keys, slots, size
                )
            found = _measure_slots(
                query, keys, slots, size, k, is_bounded, scale, most_lost, length,
                order, rows, more_rows, row_lengths, best[i], best_rows[i],
            )  # fmt: skip
            if found == k:
                reach = best[i, 0]
        # That reach is at least the true one. What follows starts anew, so that no row is counted twice.
        found = 0
        squared32 = np.float32(squared)
        double, double_tail = np.float32(2 * unit), np.float32(2 * tail)
        head_squared, rounding = squared - tail * tail, _ROUNDING * (1 + length) * (1 + length)
        whole_squared32, whole_double = np.float32(whole_squared), np.float32(2 * whole_unit)
        for cell in range(len(starts) - 1):
            error = lost + cell_errors[cell]
            limit = np.float32(_limit(reach, scale, error, length))
            if not is_far:
                from_centroid = np.sqrt(max(cell_keys[cell] + head_squared - rounding, 0.0))
                gap = from_centroid - cell_radii[cell]
                if gap > 0 and gap * gap > limit:  # no row of the cell is within reach
                    continue
            lo, hi = starts[cell], starts[cell + 1]
            if not is_far:
                _dots(query_codes, codes[lo:hi], dots)
            members, places = facts[lo:hi], order[lo:hi]
            for j in range(len(members)):
                square = members[j, 0]
                bound = squared32 + square - double * np.float32(dots[j]) - double_tail * members[j, 1]
                if (bound > limit and not is_far) or square == np.inf:
                    continue
                if is_bounded and not is_far:
                    dot = np.float32(_dot(whole_codes, row_codes[lo + j]))
                    bound = whole_squared32 + row_facts[lo + j, 0] - whole_double * dot
                    if bound > _limit(reach, scale, whole_lost + row_facts[lo + j, 1], length):
                        continue
                row = places[j]
                distance = measure_row(query, row, rows, more_rows, row_lengths)
                found = keep(best[i], best_rows[i], found, k, distance, row)
                if found == k and best[i, 0] < reach:
                    reach = best[i, 0]
                    limit = np.float32(_limit(reach, scale, error, length))
        sort_heap(best[i], best_rows[i], found)
        counts[i] = found
    return OK


@compiled(FAST)
def find_within(
    given, reach, is_cosine, scale, center, axes, steps,
    codes, facts, order, cell_errors, starts, rows, more_rows, row_lengths, distances, found_rows,
):  # fmt: skip
    """Find all rows whose squared distance is at most `reach`; return how many, or -1 - what is wrong."""
    head = np.empty(HEAD, np.float64)
    query_codes = np.empty(HEAD, np.int16)
    query = np.empty(rows.shape[1], np.float64)
    status = take(given, is_cosine, query)
    if status != OK:
        return -1 - status
    length_squared = _rotate(query, scale, center, axes, steps[1], head)
    length = np.sqrt(length_squared)
    is_far = not length < _TOO_FAR
    squared, tail, lost, unit = 0.0, 0.0, 0.0, 0.0
    if not is_far:
        unit, squared, tail, lost = _encode(head, length_squared, steps[0], query_codes)
        lost += _beyond_rounding(len(query)) * (1 + length)
    squared32, double, double_tail = np.float32(squared), np.float32(2 * unit), np.float32(2 * tail)
    dots = np.empty(_largest(starts), np.int32)
    found = 0
    for cell in range(len(starts) - 1):
        limit = np.float32(_limit(reach, scale, lost + cell_errors[cell], length))
        lo, hi = starts[cell], starts[cell + 1]
        if not is_far:
            _dots(query_codes, codes[lo:hi], dots)
        members, places = facts[lo:hi], order[lo:hi]
        for j in range(len(members)):
            square = members[j, 0]
            bound = squared32 + square - double * np.float32(dots[j]) - double_tail * members[j, 1]
            if (bound > limit and not is_far) or square == np.inf:
                continue
            row = places[j]
            distance = measure_row(query, row, rows, more_rows, row_lengths)
            if distance <= reach:
                distances[found], found_rows[found] = distance, row  # OUT
                found += 1
    return found


@compiled(FAST)
def keep_nearest(estimates, first, keys, numbers, sizes):
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
    room = keys.shape[1]
    for i in range(len(estimates)):
        size = sizes[i]
        limit = keys[i, 0] if size == room else np.float32(np.inf)
        row = estimates[i]
        for j in range(row.shape[0]):
            if row[j] < limit:
                size = keep(keys[i], numbers[i], size, room, row[j], first + j)
                limit = keys[i, 0] if size == room else np.float32(np.inf)
        sizes[i] = size


@compiled(FAST)
def rank(
    given, is_cosine, scale, center, axes, steps,
    codes, facts, cell_codes, cell_squares, starts, neighbors, cell_of, itself, cell_ranks, row_ranks,
):  # fmt: skip
    """Find out what it takes to find each of a query's neighbours.

    Parameters
    ----------
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
    head = np.empty(HEAD, np.float32)
    query_codes = np.empty(HEAD, np.int16)
    query = np.empty(len(given), np.float64)
    take(given, is_cosine, query)
    length_squared = _rotate(query, scale, center, axes, steps[1], head)
    unit, _, tail, _ = _encode(head, length_squared, steps[0], query_codes)
    double, weight = np.float32(2 * unit), np.float32(2 * COSINE_OF_TAILS * tail)
    dots = np.empty(max(starts[-1], len(cell_squares)), np.int32)
    _dots(query_codes, codes, dots)
    estimates = np.empty(len(facts), np.float32)
    for slot in range(len(facts)):
        estimates[slot] = facts[slot, 0] - double * np.float32(dots[slot]) - weight * facts[slot, 1]
    estimates[itself] = np.inf
    rank_among(estimates, neighbors, row_ranks)
    _dots(query_codes, cell_codes, dots)
    keys = np.empty(len(cell_squares), np.float32)
    for cell in range(len(cell_squares)):
        keys[cell] = cell_squares[cell] - double * np.float32(dots[cell])
    rank_among(keys, cell_of, cell_ranks)
