"""Exact search: every query against every vector. The definition of the right answer.

Layout: the rows as they came, (n, d) float32, memory-mapped once saved; their ids; their lengths. Rows that
lie in other files already are mapped there, and not saved a second time: see `row_parts`. From the second
query on that comes alone, the rows as bytes beside them, see `byte_rows`: in the folder ``bytes`` of a saved
index, from where all processes map them, else in memory. They are derived, and follow what is added and
removed.

A search of several queries takes blocks of queries and rows through one matrix product each, |q - x|² = |q|²
+ |x|² - 2 q·x in float32. That is quick but rounds, and rounds differently for one query than for many. So
the product only selects: the k smallest, and all within twice its largest possible rounding error of them.
For one query, bytes and their bounds select. Those few are measured again from the original rows in float64,
and that decides. The ids are then those of exact arithmetic, and the same whatever else was asked in the same
call. Lengths whose squares float32 cannot hold are brought near 1 by a power of two before the product.

Cost: n · d multiply-adds a query; for one query the reading of the bytes from memory, less than 1 ms for
10,000 rows of 1,280, and until they are there of the rows, four times as much.

References
----------
N. Higham, "Accuracy and Stability of Numerical Algorithms", 2nd edition 2002, section 3.1: the rounding error
of an inner product of d terms is at most d · u / (1 - d · u) · |x|·|y|, u the unit roundoff.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from lookalike.as_numbers import as_whole_numbers
from lookalike.errors import IndexFileError, InvalidInputError, ResourceError
from lookalike.four_bits import CodedRows
from lookalike.index.byte_rows import ByteRows
from lookalike.index.contract import (
    DEFAULT_RECALL,
    Index,
    as_ids,
    check_filled,
    check_ids,
    check_k,
    check_queries,
    check_radius,
    check_recall,
    check_vectors,
)
from lookalike.index.folder import damaged, read, write
from lookalike.index.id_order import IdOrder
from lookalike.index.parallel import sealed
from lookalike.index.row_parts import RowParts, Stretch
from lookalike.system.blas_threads import one_blas_thread
from lookalike.system.checked_calls import checked, shown
from lookalike.system.cores import usable_cores
from lookalike.system.memory import free_memory, rows_at_once
from lookalike.system.progress import CancelToken, ProgressReport
from lookalike.types import Ids, Metric, Neighborhoods, Neighbors, Vectors

_FORMAT, _FORMAT_OF_PARTS = 2, 3
_ARRAYS = ("rows", "ids", "lengths")
_BLOCK_QUERIES = 256
_BLOCK_ROWS = 16_384
_BLOCK_DOUBLES = 1_024  # rows turned into float64 at once
_UNIT_ROUNDOFF = float(np.finfo(np.float32).eps) / 2
_SAFE_LENGTHS = (1e-12, 1e18)  # squares within float32's range, with room for what they lose to underflow

_BYTES = "bytes"  # the folder of the rows as bytes, in that of the index
_ASKED_BY_COMMANDS = 1  # times: to make the rows bytes, or to load compiled code, takes longer than a search
_MOST_BYTES = 1 << 30
_FEWEST_ROWS_A_HIT = 8

Doubles = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]


@checked
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
        self._bytes: ByteRows | None = None
        self._adopt(np.empty((0, 0), np.float32), np.empty(0, np.int64))

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def ids(self) -> Ids:
        """(n,) int64: the id of each row."""
        return self._ids

    @property
    def vectors(self) -> Vectors:
        """(n, d) float32: the rows as they were given; a copy where they lie in several places."""
        return self._rows if isinstance(self._rows, np.ndarray) else np.asarray(self._rows)

    @property
    def rows(self) -> Vectors | RowParts:
        """(n, d) float32: the rows as they lie."""
        return self._rows

    def vector_of(self, key: int) -> Vectors | None:
        """Return the vector of an id, (d,) float32, as it was given; see `Searcher.vector_of`."""
        row = self._order.row_of(key)
        return None if row is None else np.array(self._rows[row])

    def build(
        self,
        vectors: npt.ArrayLike,
        ids: npt.ArrayLike | None = None,
        *,
        report: ProgressReport | None = None,
        cancel: CancelToken | None = None,
    ) -> Self:
        """Take in vectors, which takes no time; see `Index.build`."""
        rows = check_vectors(vectors, self.metric)
        self._adopt(rows, check_ids(ids, len(rows)))
        return self

    def build_of_parts(self, rows: RowParts, ids: Ids) -> Self:
        """Take in rows that lie in other files, which `save_parts` names instead of copying them.

        Raises
        ------
        InvalidInputError
            If one has no length, or is not finite; see `Index.build`.
        """
        for piece in rows.pieces:
            if not isinstance(piece, CodedRows):  # which are finite, and have a length
                check_vectors(piece, self.metric)
        self._adopt(rows, check_ids(ids, len(rows)))
        return self

    def take_bytes_of(self, other: Exact) -> None:
        """Take over the rows as bytes from an index of which this one holds some rows, and then others."""
        at = other._order.rows_of(self._ids)
        n = int(np.count_nonzero(at >= 0))
        bytes_of = other._bytes_there() if n and (at[:n] >= 0).all() else None
        if bytes_of is not None:
            lengths = self._lengths[n:] if self.metric == "cosine" else np.empty(0)
            self._bytes = bytes_of.at(at[:n]).with_more(self._rows[n:], lengths)

    def search(
        self,
        queries: npt.ArrayLike,
        k: int = 10,
        recall: float = DEFAULT_RECALL,
        allowed: npt.ArrayLike | None = None,
    ) -> Neighbors:
        """Find the k nearest vectors to each query; see `Index.search`. The recall is always 1."""
        check_filled(len(self))
        k = check_k(k, len(self))
        check_recall(recall)
        queries = check_queries(queries, self.metric, self._rows.shape[1])
        rows = self._rows_of(allowed)
        kept = min(k, len(rows))
        ids = np.full((len(queries), k), -1, np.int64)
        distances = np.full((len(queries), k), np.inf, np.float32)
        for i, candidates in enumerate(self._near(queries, rows, kept)):
            exact = self._measure(queries[i], candidates)
            order = np.lexsort((candidates, exact))[:kept]
            ids[i, :kept] = self._ids[candidates[order]]
            distances[i, :kept] = _to_float32(exact[order])
        return Neighbors(ids, distances)

    def radius(self, queries: npt.ArrayLike, r: float) -> Neighborhoods:
        """Find all vectors at most `r` away from each query; see `Index.radius`."""
        r = check_radius(r)
        check_filled(len(self))
        queries = check_queries(queries, self.metric, self._rows.shape[1])
        rows = self._rows_of(None)
        # Distances are given in float32, and compared so: what a search finds at r is within r.
        reach = _to_float32(np.array(r))
        beyond = float(np.nextafter(reach, np.float32(np.inf)))
        hits = []
        for start in range(0, len(queries), _BLOCK_QUERIES):
            block = queries[start : start + _BLOCK_QUERIES]
            estimates, slack, exponent = self._estimate(block, rows)
            # Estimates are squared euclidean distances; for cosine of unit rows that is twice the distance.
            limit = 2 * beyond if self.metric == "cosine" else np.square(np.ldexp(beyond, -exponent))
            for i, query in enumerate(block):
                candidates = rows[np.flatnonzero(estimates[i] <= limit + slack[i])]
                exact = self._measure(query, candidates)
                order = np.lexsort((candidates, exact))
                found = _to_float32(exact[order])
                within = found <= reach
                hits.append((self._ids[candidates[order[within]]], found[within]))
        return Neighborhoods.join(hits)

    def add(self, ids: npt.ArrayLike, vectors: npt.ArrayLike) -> None:
        """Add vectors under new ids; see `Index.add`."""
        rows = check_vectors(vectors, self.metric, self._rows.shape[1] if len(self) else None)
        new = check_ids(ids, len(rows))
        there = np.intersect1d(new, self._ids)
        if len(there):
            raise InvalidInputError(f"id {there[0]} is in the index already", hint="remove it first")
        base, bytes_of = self.vectors if len(self) else rows[:0], self._bytes_there()
        self._adopt(np.concatenate([base, rows]), np.concatenate([self._ids, new]))
        if bytes_of is not None:
            lengths = self._lengths[len(base) :] if self.metric == "cosine" else np.empty(0)
            self._bytes = bytes_of.with_more(rows, lengths)

    def remove(self, ids: npt.ArrayLike) -> None:
        """Remove vectors; see `Index.remove`."""
        gone = as_ids(ids)
        missing = np.setdiff1d(gone, self._ids)
        if len(missing):
            raise InvalidInputError(f"id {missing[0]} is not in the index")
        kept, bytes_of = ~np.isin(self._ids, gone), self._bytes_there()
        self._adopt(self._rows[kept], self._ids[kept])
        if bytes_of is not None and len(self):
            self._bytes = bytes_of.without(~kept)

    def save(self, folder: Path) -> None:
        """Write the index to a folder; see `Index.save`."""
        facts = {"kind": self.kind, "format": _FORMAT, "metric": self.metric}
        write(folder, facts, {"rows": self.vectors, "ids": self._ids, "lengths": self._lengths})
        self._save_bytes(folder)

    def save_parts(self, folder: Path) -> None:
        """Write the index to a folder like `save`, but of rows that lie in other files only where.

        The folder and these files may be moved together. Once they are gone, it cannot be loaded.
        """
        if not isinstance(self._rows, RowParts):
            self.save(folder)
            return
        facts = {
            "kind": self.kind,
            "format": _FORMAT_OF_PARTS,
            "metric": self.metric,
            "parts": [
                ["", 0, len(piece)] if place is None else _where(folder, place)
                for piece, place in zip(self._rows.pieces, self._rows.places, strict=True)
            ],
        }
        pairs = zip(self._rows.pieces, self._rows.places, strict=True)
        own = [
            np.empty((0, self._rows.shape[1]), np.float32),
            *(np.asarray(piece) for piece, place in pairs if not place),
        ]
        write(folder, facts, {"rows": np.concatenate(own), "ids": self._ids, "lengths": self._lengths})
        self._save_bytes(folder)

    def _save_bytes(self, folder: Path) -> None:
        if self._bytes is not None:
            self._bytes.save(folder / _BYTES, self.metric, self._ids, self._rows)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Open a saved index, memory-mapped; see `Index.load`."""
        facts, arrays = read(folder, cls.kind, (_FORMAT, _FORMAT_OF_PARTS), _ARRAYS)
        index = cls(facts["metric"])
        index._rows, index._ids, index._lengths = (arrays[name] for name in _ARRAYS)
        if facts["format"] == _FORMAT_OF_PARTS:
            index._rows = _map_parts(folder, facts, arrays["rows"])
            if index._rows.shape[0] != len(index._ids):
                raise damaged(folder, "its rows do not fit its ids")
        index._order = IdOrder(index._ids)
        index._folder = folder
        return index

    def __getstate__(self) -> dict[str, Any]:
        state = vars(self).copy()
        del state["_making"]
        return state | {"_rows": np.array(self.vectors), "_ids": np.array(self._ids), "_folder": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, _making=threading.Lock())

    def _adopt(self, rows: Vectors | RowParts, ids: Ids) -> None:
        self._rows: Vectors | RowParts = rows
        self._ids = ids
        self._lengths = _measure_lengths(rows)
        self._order = IdOrder(ids)
        self._bytes = None
        self._may_have_bytes = True
        self._folder: Path | None = None  # in which exactly these rows lie
        self._asked = 0
        self._making = threading.Lock()

    def _rows_of(self, allowed: npt.ArrayLike | None) -> Rows:
        if allowed is None:
            return np.arange(len(self))
        wanted = as_ids(allowed, "allowed ids")
        rows = self._order.rows_of(wanted)
        is_allowed = np.zeros(len(self), bool)
        is_allowed[rows[rows >= 0]] = True
        return np.flatnonzero(is_allowed)

    def _near(self, queries: Vectors, rows: Rows, k: int) -> Iterator[Rows]:
        """Give the rows that are to be measured for each query: the k nearest, and what may be as near."""
        found = self._find(queries[0], rows, k) if len(queries) == 1 and k else None
        if found is not None:
            yield found
        elif k:
            for start in range(0, len(queries), _BLOCK_QUERIES):
                estimates, slack, _ = self._estimate(queries[start : start + _BLOCK_QUERIES], rows)
                for some, more in zip(estimates, slack, strict=True):
                    yield rows[np.flatnonzero(some <= np.partition(some, k - 1)[k - 1] + more)]

    def _find(self, query: Vectors, rows: Rows, k: int) -> Rows | None:
        """Find the nearest rows by their bytes; None where there are none, or they do not help."""
        if k * _FEWEST_ROWS_A_HIT > len(rows):
            return None
        bytes_of = self._byte_rows()
        if bytes_of is None:
            return None
        exact = query.astype(np.float64)
        lengths = np.empty(0)
        if self.metric == "cosine":
            exact /= _measure_lengths(query[None])
            lengths = self._lengths
        chosen = None if len(rows) == len(self) else rows
        there = self._rows if isinstance(self._rows, RowParts) else sealed(self._rows)
        return bytes_of.find(exact, k, there, sealed(lengths), chosen)

    def _byte_rows(self) -> ByteRows | None:
        """Return the rows as bytes; made, or found on the disk, when it is worth it."""
        if self._bytes is None and self._may_have_bytes:
            self._asked += 1
            # Nobody waits: who comes while they are made is answered without them.
            if self._asked > _ASKED_BY_COMMANDS and self._making.acquire(blocking=False):
                try:
                    if self._bytes is None and self._may_have_bytes:
                        self._bytes = self._find_or_make_bytes()
                        self._may_have_bytes = self._bytes is not None
                finally:
                    self._making.release()
        return self._bytes

    def _bytes_there(self) -> ByteRows | None:
        """Return the rows as bytes, if they are held, or lie on the disk."""
        if self._bytes is None and self._folder is not None:
            with contextlib.suppress(IndexFileError):
                return ByteRows.load(self._folder / _BYTES, self._ids, self._rows)
        return self._bytes

    def _find_or_make_bytes(self) -> ByteRows | None:
        there = self._bytes_there()
        if there is not None:
            return there
        place = None if self._folder is None else self._folder / _BYTES
        if not 0 < self._rows.size <= min(_MOST_BYTES, free_memory() // 2):
            return None
        made = ByteRows.make(self._rows, self._lengths if self.metric == "cosine" else np.empty(0))
        # An index that was removed meanwhile, for a newer one, is not to come back as a folder of bytes.
        if made is not None and place is not None and place.parent.is_dir():
            # A full disk, or one that is only read.
            with contextlib.suppress(IndexFileError, ResourceError, OSError):
                made.save(place, self.metric, self._ids, self._rows)
                return ByteRows.load(place, self._ids, self._rows)  # memory-mapped
        return made

    def _estimate(self, queries: Vectors, rows: Rows) -> tuple[npt.NDArray[np.float32], Doubles, int]:
        """Return squared distances up to rounding, and a bound on how far two of a query's can be wrong.

        For cosine they are those of the rows scaled to length 1. For euclidean they are in units of 4 to
        the power of the third value, which is 0 unless float32 could not hold the squares.
        """
        if self.metric == "cosine":
            queries = _to_unit(queries, _measure_lengths(queries))
            longest, exponent = 1.0, 0
        else:
            longest = float(self._lengths.max(initial=0))
            exponent = _exponent(max(longest, float(_measure_lengths(queries).max(initial=0))))
            longest = float(np.ldexp(longest, -exponent))
            queries = np.ldexp(queries, -exponent) if exponent else queries
        squared = np.einsum("ij,ij->i", queries, queries, dtype=np.float64)
        estimates = np.empty((len(queries), len(rows)), np.float32)
        is_whole = len(rows) == len(self)

        def estimate(columns: slice) -> None:
            chosen = rows[columns]
            block = self._rows[columns] if is_whole else self._rows[chosen]
            lengths = self._lengths[columns] if is_whole else self._lengths[chosen]
            if self.metric == "cosine":
                if _exponent(lengths.min()) or _exponent(lengths.max()):
                    block, lengths = _to_unit(block, lengths), np.ones(len(lengths))
                product = queries @ block.T
                product /= lengths.astype(np.float32)
                lengths = np.ones(len(lengths))
            else:
                if exponent:
                    block, lengths = np.ldexp(block, -exponent), np.ldexp(lengths, -exponent)
                product = queries @ block.T
            estimates[:, columns] = (lengths**2 + squared[:, None] - 2 * product).astype(np.float32)

        blocks = list(_blocks(self._rows if is_whole else rows, _BLOCK_ROWS))
        if isinstance(self._rows, RowParts) and len(blocks) > 1:
            # Many small products: threads that share each would mostly wait for one another.
            with one_blas_thread(), ThreadPoolExecutor(usable_cores()) as pool:
                list(pool.map(estimate, blocks))
        else:
            for columns in blocks:
                estimate(columns)
        d = queries.shape[1]
        # Of the product, then of the handful of roundings around it.
        relative = (d + 8) * _UNIT_ROUNDOFF / (1 - d * _UNIT_ROUNDOFF)
        slack = 2 * relative * (np.sqrt(squared) + longest) ** 2
        return estimates, slack, exponent

    def measure(self, query: npt.ArrayLike, rows: npt.ArrayLike) -> Doubles:
        """Return the distances from a query to some rows, from the original numbers, in float64.

        Raises
        ------
        InvalidInputError
            If the query is none, or there is no such row.
        """
        asked = check_queries(query, self.metric, self._rows.shape[1])
        numbers = as_whole_numbers(rows, "rows")
        n = len(self._rows)
        if len(asked) != 1 or numbers.ndim != 1:
            raise InvalidInputError(f"there are {len(asked)} queries; expected one, and row numbers, (n,)")
        if numbers.size and not 0 <= numbers.min() <= numbers.max() < n:
            raise InvalidInputError(
                f"rows are {shown(rows)}; expected row numbers of {n} vectors", field="rows"
            )
        return self._measure(asked[0], numbers)

    def _measure(self, query: Vectors, rows: Rows) -> Doubles:
        exact = query.astype(np.float64)
        if self.metric == "cosine":
            exact /= _measure_lengths(query[None])
        distances = np.empty(len(rows))
        step = rows_at_once(self._rows.shape[1], _BLOCK_DOUBLES)
        for start in range(0, len(rows), step):
            chosen = rows[start : start + step]
            difference = self._rows[chosen].astype(np.float64)
            if self.metric == "cosine":
                difference /= self._lengths[chosen, None]
            difference -= exact
            distances[start : start + step] = _sum_of_squares(difference)
        # Half the squared distance of unit rows is 1 - cosine, and loses no digits where that is near 0.
        return distances / 2 if self.metric == "cosine" else np.sqrt(distances)


def _measure_lengths(rows: Vectors | RowParts) -> Doubles:
    lengths = np.empty(len(rows))
    for some in _blocks(rows, rows_at_once(rows.shape[1], _BLOCK_DOUBLES)):
        lengths[some] = np.sqrt(_sum_of_squares(rows[some].astype(np.float64)))
    return lengths


def _blocks(rows: Vectors | RowParts | Rows, most: int) -> Iterator[slice]:
    """Give slices of at most so many rows, none of which has to be put together of pieces."""
    if isinstance(rows, RowParts):
        return rows.blocks(most)
    return (slice(start, start + most) for start in range(0, len(rows), most))


def _where(folder: Path, place: Stretch) -> list[str | int]:
    """Return where rows lie, seen from a folder; of rows in four bits with the number of these behind."""
    path = os.path.relpath(place.file, folder).replace(os.sep, "/")
    return [path, place.offset, place.n, *([4] if place.is_coded else [])]


def _map_parts(folder: Path, facts: dict[str, Any], own: Vectors) -> RowParts:
    """Return the rows of a saved index of parts.

    Raises
    ------
    IndexFileError
        If a file is gone, or they do not fit together.
    """
    pieces, places, at = [], [], 0
    try:
        for name, offset, n, *bits in facts["parts"]:
            file = Path(os.path.normpath(folder / name))
            place = Stretch(file, int(offset), int(n), is_coded=bits == [4]) if name else None
            pieces.append(own[at : at + n] if place is None else place.map(own.shape[1]))
            places.append(place)
            at += n if place is None else 0
        return RowParts(pieces, places)
    except (OSError, ValueError, TypeError, KeyError, IndexError) as error:
        raise damaged(folder, error) from error


def _sum_of_squares(rows: Doubles) -> Doubles:
    """Return one sum a row, in place. Unlike einsum's, it does not depend on how many rows there are."""
    sums: Doubles = np.square(rows, out=rows).sum(axis=1)
    return sums


def _exponent(length: float) -> int:
    """Return the power of two that `length` is to be divided by, 0 where float32 can hold its square."""
    if length == 0 or _SAFE_LENGTHS[0] <= length <= _SAFE_LENGTHS[1]:
        return 0
    return int(np.frexp(length)[1])


def _to_float32(distances: Doubles) -> npt.NDArray[np.float32]:
    with np.errstate(over="ignore"):  # beyond its range is infinitely far
        return distances.astype(np.float32)


def _to_unit(rows: Vectors, lengths: Doubles) -> Vectors:
    return (rows / lengths[:, None]).astype(np.float32)
