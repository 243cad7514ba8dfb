"""Which row an id has: by a search in the ids in order, which are sorted when they are first asked for."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lookalike.types import Ids


class IdOrder:
    """The rows of ids.

    Parameters
    ----------
    ids : (n,) int64
        Distinct, but for rows that have gone.
    is_there : (n,) bool, optional
        Which have not; by default, all.

    Examples
    --------
    >>> order = IdOrder(np.array([7, 3, 5]))
    >>> order.rows_of(np.array([5, 4, 7])), order.row_of(3)
    (array([ 2, -1,  0]), 1)
    """

    def __init__(self, ids: Ids, is_there: npt.NDArray[np.bool_] | None = None) -> None:
        self._ids, self._is_there = ids, is_there
        self._sorted: tuple[Ids, npt.NDArray[np.int64]] | None = None

    def rows_of(self, ids: Ids) -> npt.NDArray[np.int64]:
        """Return the row of each id, -1 where it is not there."""
        if self._sorted is None:  # several threads may: all find the same
            if self._is_there is None:
                order = np.argsort(self._ids)
            else:
                rows = np.flatnonzero(self._is_there)
                order = rows[np.argsort(self._ids[rows])]
            self._sorted = self._ids[order], order
        there, order = self._sorted
        if not len(there):
            return np.full(len(ids), -1)
        at = np.minimum(np.searchsorted(there, ids), len(there) - 1)
        return np.where(there[at] == ids, order[at], -1)

    def row_of(self, key: int) -> int | None:
        """Return the row of an id; None if it is not there."""
        row = int(self.rows_of(np.array([key], np.int64))[0])
        return None if row < 0 else row
