"""The kernels of `pruned_lloyd`: one round for a block of rows; see native/pruned_lloyd.cpp.

The arrays are described in `pruned_lloyd`. Inputs are already checked.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lookalike.system.native import at, kernel
from lookalike.types import Ids, Vectors

HEAD = 64

ROUNDING = np.float32(
    1e-5
)  # of lifted vectors and of sums in float32, relative; 20 to 100 times what is usual

Doubles = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int32]

_check_groups = kernel("pruned_lloyd_check_groups", "aaaa ii aaa aa aaa d aaa i a", "i")
_check_all = kernel("pruned_lloyd_check_all", "aaaa ii aaa aai a d aaa i")
_move_rows = kernel("pruned_lloyd_move_rows", "aii aa ii aa")
_potentials = kernel("pruned_lloyd_potentials", "aii aaa a")


def check_groups(
    rows: Vectors, heads: Vectors, tails: Vectors, row_slacks: Vectors,
    labels: Labels, squares: Vectors, lower: Vectors,
    centers32: Vectors, centers: Doubles,
    center_heads: Vectors, center_tails: Vectors, center_slacks: Vectors,
    rounded: np.float32, numbers: Ids, group_of: Ids, starts: Ids, drifts: Vectors,
) -> int:  # fmt: skip
    """Give rows to their nearest centres, measuring only the groups whose bounds allow it.

    Returns how many centres were looked at.
    """
    lifted = (heads, tails, row_slacks, center_heads, center_tails, center_slacks)
    has_heads = len(heads) > 0
    head, tail, slack, center_head, center_tail, center_slack = (
        at(each, np.float32) if has_heads else None for each in lifted
    )
    n_seen: int = _check_groups(
        at(rows, np.float32), head, tail, slack, *rows.shape,
        at(labels, np.int32), at(squares, np.float32), at(lower, np.float32),
        at(centers32, np.float32), at(centers, np.float64), center_head, center_tail, center_slack,
        rounded, at(numbers, np.int64), at(group_of, np.int64), at(starts, np.int64), len(starts) - 1,
        at(drifts, np.float32),
    )  # fmt: skip
    return n_seen


def check_all(
    products: Vectors, rows: Vectors, row_squares: Vectors, row_slacks: Vectors,
    labels: Labels, squares: Vectors, lower: Vectors,
    centers32: Vectors, centers: Doubles, center_squares: Vectors, center_slacks: Vectors,
    rounded: np.float32, numbers: Ids, group_of: Ids, starts: Ids,
) -> None:  # fmt: skip
    """Give rows to their nearest centres, all of which are compared by a bound.

    Parameters
    ----------
    products : (m, k) float32
        -2 times the products of lifted rows and lifted centres; used up.
    """
    offsets = center_squares - center_slacks
    _check_all(
        at(products, np.float32), at(rows, np.float32),
        at(row_squares, np.float32), at(row_slacks, np.float32),
        *rows.shape, at(labels, np.int32), at(squares, np.float32), at(lower, np.float32),
        at(centers32, np.float32), at(centers, np.float64), len(centers), at(offsets, np.float32),
        rounded, at(numbers, np.int64), at(group_of, np.int64), at(starts, np.int64), len(starts) - 1,
    )  # fmt: skip


def move_rows(
    rows: Vectors, before: Labels, after: Labels, first: int, last: int, sums: Doubles, counts: Ids
) -> None:
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
    _move_rows(
        at(rows, np.float32), *rows.shape, at(before, np.int32), at(after, np.int32), first, last,
        at(sums, np.float64), at(counts, np.int64),
    )  # fmt: skip


def potentials(
    products: Vectors, squares: Vectors, candidate_squares: Vectors, nearest: Vectors, totals: Doubles
) -> None:
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
    _potentials(
        at(products, np.float32), *products.shape, at(squares, np.float32), at(candidate_squares, np.float32),
        at(nearest, np.float32), at(totals, np.float64),
    )  # fmt: skip
