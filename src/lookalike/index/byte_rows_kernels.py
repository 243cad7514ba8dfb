"""The kernels of `ByteRows`: one query against all rows as bytes; see native/byte_rows.cpp.

The arrays are described in `byte_rows`. Inputs are already checked.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lookalike.system.native import at, kernel
from lookalike.types import Ids, Vectors

Doubles = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int8]

_encode_query = kernel("byte_rows_encode_query", "aid aa aa")
_scan = kernel("byte_rows_scan", "ai dddd aa ai aaai", "i")
_measure_near = kernel("byte_rows_measure_near", "aiddd ai aa a iia", "i")


def encode_query(
    query: Doubles, scale: float, center: Doubles, steps: Doubles, codes: npt.NDArray[np.int16]
) -> tuple[float, float, float, float]:
    """Write a query, (d,) float64, as integers.

    Their dot product with a row's integers, times their unit, is that of what both stand for.

    Returns
    -------
    unit, squared, lost, length : float
        The squared length of what the integers stand for, what they lost, and the length of the query.
    """
    facts = np.empty(4)
    _encode_query(
        at(query, np.float64), len(query), scale, at(center, np.float64), at(steps, np.float64),
        at(codes, np.int16), at(facts, np.float64),
    )  # fmt: skip
    unit, squared, lost, length = facts.tolist()
    return unit, squared, lost, length


def scan(
    query_codes: npt.NDArray[np.int16], unit: float, squared: float, lost: float, rounding: float,
    codes: Codes, facts: Vectors, chosen: Ids, nearest: Vectors, farthest: Doubles,
) -> int:  # fmt: skip
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
    places = np.empty(len(farthest), np.int64)
    n_written: int = _scan(
        at(query_codes, np.int16), len(query_codes), unit, squared, lost, rounding,
        at(codes, np.int8), at(facts, np.float32),
        at(chosen, np.int64) if len(chosen) else None, len(nearest),
        at(nearest, np.float32), at(farthest, np.float64), at(places, np.int64), len(farthest),
    )  # fmt: skip
    return n_written


def measure_near(
    query: Doubles, scale: float, rounding: float, reach: float, nearest: Vectors,
    rows: Vectors, lengths: Doubles, chosen: Ids, k: int, most: int,
) -> tuple[Ids, bool]:  # fmt: skip
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
    found = np.empty(min(len(nearest), most), np.int64)
    n_found = _measure_near(
        at(query, np.float64), len(query), scale, rounding, reach, at(nearest, np.float32), len(nearest),
        at(rows, np.float32), at(lengths, np.float64) if len(lengths) else None,
        at(chosen, np.int64) if len(chosen) else None, k, most, at(found, np.int64),
    )  # fmt: skip
    return found[: max(n_found, 0)], n_found >= 0
