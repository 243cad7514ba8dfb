"""An index of vectors as they were, and what has come and gone since: together they search what is there now.

To add a vector to a large index and write it anew takes seconds; to look through some thousand vectors beside
it takes a millisecond. So where a few come and go all the time, the index stays as it is: its hits that have
gone are left out, in whose place it is asked for more, and those among the new are put between the others.

Distances are those that either gives. Those that are equal as float32 are measured again, as an index that
holds all would; of those that are equal even so, what is in the index comes first, then what came later.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.index.contract import (
    DEFAULT_RECALL,
    Index,
    Searcher,
    as_ids,
    check_filled,
    check_k,
    check_radius,
)
from lookalike.index.exact import Exact
from lookalike.types import Ids, Neighborhoods, Neighbors, Vectors

_ASKED_MORE = 4  # times as many, where too many of the nearest have gone


class Patched(Searcher):
    """An index that is not changed, without some of its vectors, and with others.

    Parameters
    ----------
    index : Index
        Holds at least one vector that has not gone.
    gone : (m,) int64
        Of its vectors.
    ids, vectors : (n,) int64, (n, d) float32
        Those that have come. An id may be one that has gone: the vector is another.

    Examples
    --------
    >>> index = Exact("euclidean").build([[0.0], [1.0], [2.0]])
    >>> patched = Patched(index, np.array([1]), np.array([7]), np.array([[1.5]], np.float32))
    >>> patched.search([1.0], k=3).ids
    array([[7, 0, 2]])
    """

    def __init__(self, index: Index, gone: Ids, ids: Ids, vectors: Vectors) -> None:
        self.index = index
        self.metric = index.metric
        self._gone = np.sort(gone)
        self._come = Exact(index.metric)
        if len(ids):
            self._come.build(vectors, ids)

    @property
    def come(self) -> tuple[Ids, Vectors]:
        """Those that have come: their ids, and vectors, (n, d) float32."""
        return self._come.ids, self._come.vectors

    @property
    def kind(self) -> str:  # type: ignore[override]
        """That of the index."""
        return self.index.kind

    def __len__(self) -> int:
        return len(self.index) - len(self._gone) + len(self._come)

    @property
    def ids(self) -> Ids:
        """(n,) int64: the id of each row."""
        kept = self.index.ids[~self._has_gone(self.index.ids)]
        return np.concatenate([kept, self._come.ids]) if len(self._come) else kept

    def vector_of(self, key: int) -> Vectors | None:
        """Return the vector of an id; see `Searcher.vector_of`."""
        found = self._come.vector_of(key) if len(self._come) else None
        if found is not None or self._has_gone(np.array([key], np.int64))[0]:
            return found
        return self.index.vector_of(key)

    def search(
        self,
        queries: npt.ArrayLike,
        k: int = 10,
        recall: float = DEFAULT_RECALL,
        allowed: npt.ArrayLike | None = None,
        **mode: Any,
    ) -> Neighbors:
        """Find the k nearest vectors to each query; see `Searcher.search`."""
        check_filled(len(self))
        k = check_k(k, len(self))
        among = None if allowed is None else as_ids(allowed, "allowed ids")
        found = [self._search_index(queries, k, recall, among, mode)]
        if len(self._come):
            found.append(self._come.search(queries, min(k, len(self._come)), allowed=among))
        ids = np.concatenate([each.ids for each in found], axis=1)
        distances = np.concatenate([each.distances for each in found], axis=1)
        order = np.argsort(distances, axis=1, kind="stable")
        if len(found) == 2:
            self._settle(order, ids, distances, found[0].ids.shape[1], queries)
        order = order[:, :k]
        return Neighbors(np.take_along_axis(ids, order, 1), np.take_along_axis(distances, order, 1))

    def _search_index(
        self, queries: npt.ArrayLike, k: int, recall: float, among: Ids | None, mode: dict[str, Any]
    ) -> Neighbors:
        """Return the k nearest of those in the index that have not gone; (n_queries, k) at least."""
        n = k
        while True:
            n = min(n, len(self.index))
            found = self.index.search(queries, n, recall=recall, allowed=among, **mode)
            has_gone = self._has_gone(found.ids)
            n_left = n - has_gone.sum(axis=1)
            is_enough = n_left.min() >= min(k, len(self.index) - len(self._gone))
            if is_enough or n >= min(len(self.index), k + len(self._gone)):
                distances = np.where(has_gone, np.float32(np.inf), found.distances)
                ids = np.where(has_gone, -1, found.ids)
                pad = ((0, 0), (0, max(0, k - n)))
                return Neighbors(
                    np.pad(ids, pad, constant_values=-1), np.pad(distances, pad, constant_values=np.inf)
                )
            n = min(_ASKED_MORE * n, k + len(self._gone))

    def radius(self, queries: npt.ArrayLike, r: float) -> Neighborhoods:
        """Find all vectors at most `r` away from each query; see `Searcher.radius`."""
        check_filled(len(self))
        r = check_radius(r)
        found = self.index.radius(queries, r)
        come = self._come.radius(queries, r) if len(self._come) else None
        asked = np.atleast_2d(np.asarray(queries))
        hits = []
        for number in range(len(found)):
            ids, distances = found[number]
            is_there = ~self._has_gone(ids)
            ids, distances = ids[is_there], distances[is_there]
            n_in_index = len(ids)
            if come is not None:
                new_ids, new_distances = come[number]
                ids = np.concatenate([ids, new_ids])
                distances = np.concatenate([distances, new_distances])
            order = np.argsort(distances, kind="stable")
            if come is not None:
                self._settle(order[None], ids[None], distances[None], n_in_index, asked[number])
            hits.append((ids[order], distances[order]))
        return Neighborhoods.join(hits)

    def _settle(
        self,
        order: npt.NDArray[np.intp],
        ids: Ids,
        distances: npt.NDArray[np.float32],
        n_in_index: int,
        queries: npt.ArrayLike,
    ) -> None:
        """Bring into order what is of equal distance, and partly from the index, partly of what has come.

        Parameters
        ----------
        order : (n_queries, n) int64
            In which distances rise; what is from the index, the first `n_in_index`, before the rest.  # OUT
        ids, distances : (n_queries, n)
        """
        near, has_come = np.take_along_axis(distances, order, 1), order >= n_in_index
        is_between = (near[:, 1:] == near[:, :-1]) & has_come[:, 1:] & ~has_come[:, :-1]
        for row, at in zip(*np.nonzero(is_between & np.isfinite(near[:, 1:])), strict=True):
            run = slice(*(np.searchsorted(near[row], near[row, at], side) for side in ("left", "right")))
            some = order[row, run].copy()
            vectors = [self.vector_of(int(key)) for key in ids[row, some]]
            kept = [vector for vector in vectors if vector is not None]
            if len(kept) == len(some):
                query = np.atleast_2d(np.asarray(queries))[row]
                measured = Exact(self.metric).build(np.stack(kept), some)
                order[row, run] = measured.search(query, len(some)).ids[0]

    def _has_gone(self, ids: Ids) -> npt.NDArray[np.bool_]:
        if not len(self._gone):
            return np.zeros(ids.shape, bool)
        at = np.minimum(np.searchsorted(self._gone, ids), len(self._gone) - 1)
        found: npt.NDArray[np.bool_] = self._gone[at] == ids
        return found
