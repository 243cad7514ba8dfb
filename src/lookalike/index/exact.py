"""Exact search: every query against every vector. The definition of the right answer.

Layout: the rows as they came, (n, d) float32, memory-mapped once saved; their ids; their squared lengths.

A search takes blocks of queries and rows through one matrix product each, |q - x|² = |q|² + |x|² - 2 q·x in
float32. That is quick but rounds, and rounds differently for one query than for many. So the product only
selects: the k smallest, and all within twice its largest possible rounding error of them. Those few are
measured again from the original rows in float64, and that decides. The ids are then those of exact
arithmetic, and the same whatever else was asked in the same call.

Cost: n · d multiply-adds a query; for one query the reading of the rows from memory, 10 ms for 10,000 rows
of 1,280.

References
----------
N. Higham, "Accuracy and Stability of Numerical Algorithms", 2nd edition 2002, section 3.1: the rounding error
of an inner product of d terms is at most d · u / (1 - d · u) · |x|·|y|, u the unit roundoff.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt

from lookalike.errors import IndexFileError, InvalidInputError
from lookalike.index.contract import (
    METRICS,
    Index,
    as_ids,
    check_ids,
    check_k,
    check_queries,
    check_radius,
    check_recall,
    check_vectors,
)
from lookalike.types import Ids, Metric, Neighborhoods, Neighbors, Vectors

_FORMAT = 1
_BLOCK_QUERIES = 256
_BLOCK_ROWS = 16_384
_UNIT_ROUNDOFF = float(np.finfo(np.float32).eps) / 2

Doubles = npt.NDArray[np.float64]


class Exact(Index):
    """Exact nearest neighbours.

    Examples
    --------
    >>> index = Exact(metric="euclidean").build([[0, 0], [3, 4], [6, 8]])
    >>> index.search([0, 0], k=2).distances
    array([[0., 5.]], dtype=float32)
    """

    kind: ClassVar[str] = "exact"

    def __init__(self, metric: Metric = "cosine") -> None:
        super().__init__(metric)
        self._adopt(np.empty((0, 0), np.float32), np.empty(0, np.int64))

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def ids(self) -> Ids:
        """(n,) int64: the id of each row."""
        return self._ids

    @property
    def vectors(self) -> Vectors:
        """(n, d) float32: the rows as they were given."""
        return self._rows

    def build(self, vectors: npt.ArrayLike, ids: npt.ArrayLike | None = None) -> Self:
        """Take in vectors; see `Index.build`."""
        rows = check_vectors(vectors, self.metric)
        self._adopt(rows, check_ids(ids, len(rows)))
        return self

    def search(
        self,
        queries: npt.ArrayLike,
        k: int = 10,
        recall: float = 1.0,
        allowed: npt.ArrayLike | None = None,
    ) -> Neighbors:
        """Find the k nearest vectors to each query; see `Index.search`. The recall is always 1."""
        k = check_k(k, len(self))
        check_recall(recall)
        queries = check_queries(queries, self.metric, self._rows.shape[1])
        rows = self._rows_of(allowed)
        kept = min(k, len(rows))
        ids = np.full((len(queries), k), -1, np.int64)
        distances = np.full((len(queries), k), np.inf, np.float32)
        for start in range(0, len(queries), _BLOCK_QUERIES):
            block = queries[start : start + _BLOCK_QUERIES]
            estimates, slack = self._estimate(block, rows)  # (block, len(rows)), (block,)
            for i, query in enumerate(block):
                if kept == 0:
                    continue
                bound = np.partition(estimates[i], kept - 1)[kept - 1] + slack[i]
                candidates = rows[np.flatnonzero(estimates[i] <= bound)]
                exact = self._measure(query, candidates)
                order = np.lexsort((candidates, exact))[:kept]
                ids[start + i, :kept] = self._ids[candidates[order]]
                distances[start + i, :kept] = exact[order]
        return Neighbors(ids, distances)

    def radius(self, queries: npt.ArrayLike, r: float) -> Neighborhoods:
        """Find all vectors at most `r` away from each query; see `Index.radius`."""
        r = check_radius(r)
        queries = check_queries(queries, self.metric, self._rows.shape[1] if len(self) else 0)
        rows = self._rows_of(None)
        # Estimates are squared euclidean distances; for cosine of unit rows that is twice the distance.
        limit = 2 * r if self.metric == "cosine" else r * r
        ids, distances, counts = [], [], [0]
        for start in range(0, len(queries), _BLOCK_QUERIES):
            block = queries[start : start + _BLOCK_QUERIES]
            estimates, slack = self._estimate(block, rows)
            for i, query in enumerate(block):
                candidates = rows[np.flatnonzero(estimates[i] <= limit + slack[i])]
                exact = self._measure(query, candidates)
                order = np.lexsort((candidates, exact))
                order = order[exact[order] <= r]
                ids.append(self._ids[candidates[order]])
                distances.append(exact[order].astype(np.float32))
                counts.append(len(order))
        return Neighborhoods(
            np.cumsum(counts, dtype=np.int64),
            np.concatenate(ids) if ids else np.empty(0, np.int64),
            np.concatenate(distances) if distances else np.empty(0, np.float32),
        )

    def add(self, ids: npt.ArrayLike, vectors: npt.ArrayLike) -> None:
        """Add vectors under new ids; see `Index.add`."""
        rows = check_vectors(vectors, self.metric, self._rows.shape[1] if len(self) else None)
        new = check_ids(ids, len(rows))
        there = np.intersect1d(new, self._ids)
        if len(there):
            raise InvalidInputError(f"id {there[0]} is in the index already; remove it first")
        base = self._rows if len(self) else rows[:0]
        self._adopt(np.concatenate([base, rows]), np.concatenate([self._ids, new]))

    def remove(self, ids: npt.ArrayLike) -> None:
        """Remove vectors; see `Index.remove`."""
        gone = as_ids(ids)
        missing = np.setdiff1d(gone, self._ids)
        if len(missing):
            raise InvalidInputError(f"id {missing[0]} is not in the index")
        kept = ~np.isin(self._ids, gone)
        self._adopt(self._rows[kept], self._ids[kept])

    def save(self, folder: Path) -> None:
        """Write the index to a folder; see `Index.save`."""
        partial = folder.with_name(f"{folder.name}.{os.getpid()}.part")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        try:
            np.save(partial / "rows.npy", self._rows)
            np.save(partial / "ids.npy", self._ids)
            np.save(partial / "lengths.npy", self._lengths)
            facts = {"kind": self.kind, "format": _FORMAT, "metric": self.metric, "shape": self._rows.shape}
            (partial / "index.json").write_text(json.dumps(facts), encoding="utf-8")
            _swap(partial, folder)
        finally:
            shutil.rmtree(partial, ignore_errors=True)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Open a saved index, memory-mapped; see `Index.load`."""
        try:
            facts = json.loads((folder / "index.json").read_text(encoding="utf-8"))
            if facts["kind"] != cls.kind or facts["format"] != _FORMAT or facts["metric"] not in METRICS:
                raise ValueError(f"it is of kind {facts['kind']!r}, format {facts['format']!r}")
            rows = np.load(folder / "rows.npy", mmap_mode="r")
            ids = np.load(folder / "ids.npy", mmap_mode="r")
            lengths = np.load(folder / "lengths.npy", mmap_mode="r")
            n = len(ids)
            expected = (tuple(facts["shape"]), (n,), (n,), np.float32, np.int64, np.float64)
            found = (rows.shape, ids.shape, lengths.shape, rows.dtype, ids.dtype, lengths.dtype)
            if expected != found or len(rows) != n:
                raise ValueError("its files do not fit together")
        except FileNotFoundError as error:
            raise IndexFileError(
                f"there is no index in {folder} ({Path(error.filename).name} is missing)"
            ) from error
        except (OSError, ValueError, KeyError, TypeError, AttributeError, EOFError) as error:
            raise IndexFileError(
                f"the index in {folder} cannot be read: {error}; delete the folder and build it again"
            ) from error
        index = cls(facts["metric"])
        index._rows, index._ids, index._lengths = rows, ids, lengths
        return index

    def _adopt(self, rows: Vectors, ids: Ids) -> None:
        self._rows = rows
        self._ids = ids
        lengths = [
            np.einsum("ij,ij->i", block, block, dtype=np.float64)
            for start in range(0, len(rows), _BLOCK_ROWS)
            if (block := rows[start : start + _BLOCK_ROWS]) is not None
        ]
        self._lengths: Doubles = np.sqrt(np.concatenate(lengths)) if lengths else np.empty(0)

    def _rows_of(self, allowed: npt.ArrayLike | None) -> npt.NDArray[np.intp]:
        if allowed is None:
            return np.arange(len(self))
        return np.flatnonzero(np.isin(self._ids, as_ids(allowed)))

    def _estimate(
        self, queries: Vectors, rows: npt.NDArray[np.intp]
    ) -> tuple[npt.NDArray[np.float32], Doubles]:
        """Return squared distances up to rounding, and a bound on how far two of a query's can be wrong.

        For cosine they are those of the rows scaled to length 1.
        """
        if self.metric == "cosine":
            queries = _to_unit(queries, np.linalg.norm(queries.astype(np.float64), axis=1))
        squared = np.einsum("ij,ij->i", queries, queries, dtype=np.float64)
        estimates = np.empty((len(queries), len(rows)), np.float32)
        for start in range(0, len(rows), _BLOCK_ROWS):
            columns = slice(start, start + _BLOCK_ROWS)
            chosen = rows[columns]
            is_whole = len(rows) == len(self)
            block = self._rows[columns] if is_whole else self._rows[chosen]
            lengths = self._lengths[columns] if is_whole else self._lengths[chosen]
            product = queries @ block.T
            if self.metric == "cosine":
                product /= lengths.astype(np.float32)
                lengths = np.ones(len(lengths))
            estimates[:, columns] = (lengths**2 + squared[:, None] - 2 * product).astype(np.float32)
        longest = 1.0 if self.metric == "cosine" else float(self._lengths.max(initial=0))
        d = queries.shape[1]
        # Of the product, then of the handful of roundings around it.
        relative = (d + 8) * _UNIT_ROUNDOFF / (1 - d * _UNIT_ROUNDOFF)
        slack = 2 * relative * (np.sqrt(squared) + longest) ** 2
        return estimates, slack

    def _measure(self, query: Vectors, rows: npt.NDArray[np.intp]) -> Doubles:
        """Return the distances from a query to some rows, from the original numbers, in float64."""
        chosen = self._rows[rows].astype(np.float64)
        exact = query.astype(np.float64)
        distances: Doubles
        if self.metric == "euclidean":
            difference = chosen - exact
            distances = np.sqrt(np.einsum("ij,ij->i", difference, difference))
        else:
            products = np.einsum("ij,j->i", chosen, exact)
            distances = np.maximum(1 - products / (self._lengths[rows] * np.linalg.norm(exact)), 0.0)
        return distances


def _to_unit(rows: Vectors, lengths: Doubles) -> Vectors:
    return (rows / lengths[:, None]).astype(np.float32)


def _swap(new: Path, place: Path) -> None:
    """Put the folder `new` in the place of another. Those who have the old one mapped keep it."""
    old = new.with_name(new.name + ".old")
    if place.exists():
        place.rename(old)
    new.rename(place)
    shutil.rmtree(old, ignore_errors=True)
