"""The compiled part of `ByteRows`: one query against all rows as bytes; the arrays are described there.

What makes it quick, measured on 512-bit x86 with rows of 1,280: LLVM multiplies 16-bit integers in pairs
(vpmaddwd), so that a scan takes as long as reading the bytes from memory, 15 to 25 GB/s a core; the bounds
come after each block of products, in a loop of their own.
"""

from __future__ import annotations

import numpy as np

from lookalike.index.kernels import EXACT, FAST, compiled, keep, measure

LARGEST_CODE = 127
LARGEST_QUERY_CODE = 32_767
LARGEST_SUM = 2**31 - 1

_BLOCK_ROWS = 256
_SAME = 1e-9  # sums in float64 differ by less than that share, in whichever order they are taken


@compiled(EXACT)
def encode_query(query, scale, center, steps, codes):
    """Write a query, (d,) float64, as integers.

    Their dot product with a row's integers, times their unit, is that of what both stand for.

    Returns
    -------
    unit, squared, lost, length : float
        The squared length of what the integers stand for, what they lost, and the length of the query.
    """
    largest, total = 0.0, 0.0
    for j in range(query.shape[0]):
        value = (query[j] - center[j]) * scale
        largest = max(largest, abs(value * steps[j]))
        total += value * value
    unit = largest / min(LARGEST_QUERY_CODE, LARGEST_SUM // (LARGEST_CODE * len(query)))
    inverse = 1 / unit if unit > 0 else 0.0
    squared, lost = 0.0, 0.0
    for j in range(query.shape[0]):
        value = (query[j] - center[j]) * scale
        code = np.rint(value * steps[j] * inverse)
        codes[j] = np.int16(code)  # OUT
        kept = code * unit / steps[j]
        squared += kept * kept
        lost += (value - kept) * (value - kept)
    return unit, squared, np.sqrt(lost), np.sqrt(total)


@compiled(FAST)
def _dots(query_codes, codes, out):
    for i in range(len(codes)):
        row, total = codes[i], np.int32(0)
        for j in range(row.shape[0]):
            total += np.int32(query_codes[j]) * np.int32(row[j])
        out[i] = total  # OUT


@compiled(FAST)
def _dots_of(query_codes, codes, chosen, out):
    for i in range(len(chosen)):
        row, total = codes[chosen[i]], np.int32(0)
        for j in range(row.shape[0]):
            total += np.int32(query_codes[j]) * np.int32(row[j])
        out[i] = total  # OUT


@compiled(FAST)
def scan(query_codes, unit, squared, lost, rounding, codes, facts, chosen, nearest, farthest):
    """Bound the distances of a query to rows.

    Parameters
    ----------
    rounding : float
        By how much a squared distance may be wrong, beside what codes lost.
    codes, facts
        Of all rows; those in the order of `chosen`, where that is not empty.
    nearest : (n,) float32
        OUT: no row is nearer than that.
    farthest : (k,) float64
        OUT: so many rows are no farther than its largest.

    Returns
    -------
    int
        How many of `farthest` were written.
    """
    n, k = len(nearest), len(farthest)
    double = 2 * unit
    dots, places, size = np.empty(_BLOCK_ROWS, np.int32), np.empty(k, np.int64), 0
    for start in range(0, n, _BLOCK_ROWS):
        end = min(start + _BLOCK_ROWS, n)
        if len(chosen):
            _dots_of(query_codes, codes, chosen[start:end], dots)
        else:
            _dots(query_codes, codes[start:end], dots)
        for i in range(start, end):
            row = chosen[i] if len(chosen) else i
            square = squared + facts[row, 0] - double * dots[i - start]
            off = facts[row, 1] + lost
            nearest[i] = np.sqrt(max(square - rounding, 0.0)) - off  # OUT
            size = keep(farthest, places, size, k, np.sqrt(max(square + rounding, 0.0)) + off, i)
    return size


@compiled(FAST)
def measure_near(query, scale, rounding, reach, nearest, rows, lengths, chosen, k, most):
    """Measure the rows that may be among the k nearest, in the order of their bounds.

    Parameters
    ----------
    query : (d,) float64
        For cosine of length 1.
    reach : float
        k rows are within it, by their bounds.
    rounding : float
        By how much bounds may be wrong.
    nearest, chosen
        See `scan`.

    Returns
    -------
    candidates : (m,) int64
        The k nearest, and those that may be as near but for rounding; in no order.
    is_done : bool
        False where more than `most` would have to be measured.
    """
    count = 0
    for i in range(len(nearest)):
        count += nearest[i] <= reach
    found, distances = np.empty(min(count, most), np.int64), np.empty(min(count, most), np.float64)
    if count > most:
        return found, False
    bounds, at = np.empty(count, np.float32), 0
    for i in range(len(nearest)):
        if nearest[i] <= reach:
            bounds[at], found[at] = nearest[i], chosen[i] if len(chosen) else i
            at += 1
    order = np.argsort(bounds)
    best, best_rows, size = np.empty(k, np.float64), np.empty(k, np.int64), 0
    measured = np.empty(count, np.int64)
    at = 0
    for place in order:
        if bounds[place] > reach:
            break
        row = found[place]
        distance = measure(query, rows[row], lengths[row] if len(lengths) else 1.0)
        measured[at], distances[at] = row, distance
        at += 1
        size = keep(best, best_rows, size, k, distance, row)
        if size == k:
            reach = min(reach, np.sqrt(best[0]) * scale * (1 + _SAME) + rounding)
    limit = best[0] * (1 + _SAME) if size == k else np.inf
    return measured[:at][distances[:at] <= limit], True
