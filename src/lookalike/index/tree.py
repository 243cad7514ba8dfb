"""What the trees share: rows and their ids, what changes them, and distances; everything but the tree.

Rows are kept as given, or as bytes where they are whole numbers from 0 to 255, as pixels are: measuring a
row is reading it from memory. Those added since the build stand in an array of their own. A removed row
keeps its place until the index is saved.
"""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from lookalike.errors import InvalidInputError
from lookalike.index import tuning
from lookalike.index.contract import (
    Index,
    as_ids,
    check_filled,
    check_ids,
    check_queries,
    check_radius,
    check_vectors,
)
from lookalike.index.folder import Arrays, damaged, read, write
from lookalike.index.id_order import IdOrder
from lookalike.index.parallel import sealed
from lookalike.system.chance import check_seed
from lookalike.system.checked_calls import checked, shown
from lookalike.system.progress import CancelToken, ProgressReport, Watch
from lookalike.system.watching import watching
from lookalike.types import Ids, Metric, Neighborhoods, Neighbors, Vectors

_MOST = 2**31  # of anything that is counted
_MOST_EFFORTS = 1_000  # that are remembered: there are as many recalls as one likes
ALWAYS_EXACT = 4_096  # up to so many vectors: an exact search takes some 15 µs, and no tuning pays
_BLOCK_ROWS = 4_096
_OWN_ARRAYS = ("rows", "ids", "row_lengths", "efforts")

Doubles = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@checked
class Tree(Index):
    """A tree over rows. A subclass says how it is made, asked, changed and kept."""

    file_format: ClassVar[int]
    file_arrays: ClassVar[tuple[str, ...]]  # beside those that all trees have
    _ids: Ids
    _alive: Mask | None  # (rows,); None while none is removed
    _rows: npt.NDArray[Any]  # (rows, d) float32 or uint8
    _more_rows: npt.NDArray[Any]
    _row_lengths: Doubles  # (rows,) for cosine

    def __init__(self, metric: Metric, random_state: int, n_jobs: int | None) -> None:
        super().__init__(metric)
        if n_jobs is not None:
            check_count("n_jobs", n_jobs)
        self.random_state = check_seed(random_state)
        self.n_jobs = n_jobs
        self._clear()

    @abstractmethod
    def _grow(self, rows: Vectors, random: np.random.Generator, watch: Watch) -> None:
        """Make the tree of rows (n, d) float32, which are here already, and tune it."""

    @abstractmethod
    def _insert(self, rows: Vectors, lengths: Doubles, numbers: Numbers) -> bool:
        """Put more rows into the tree; return False, and change nothing, if it has to be made anew."""

    @abstractmethod
    def _hide(self, alive: Mask) -> None:
        """Have the tree pass over rows; (rows,) says which are left."""

    @abstractmethod
    def _dropped(self, alive: Mask) -> Self:
        """Return a new index that has only the tree, without the places of rows that are gone."""

    @abstractmethod
    def _seal_tree(self) -> None:
        """Make every array of the tree what the kernels were compiled for."""

    @abstractmethod
    def _find_within(self, query: Vectors, limit: float, squares: Doubles, numbers: Numbers) -> int:
        """Write squared distances up to `limit`, and the numbers of those rows; return how many."""

    @abstractmethod
    def _to_file(self) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
        """Return the facts and arrays of the tree."""

    @abstractmethod
    def _from_file(self, facts: dict[str, Any], arrays: Arrays) -> None:
        """Take the tree from what was saved; the index is not empty."""

    @classmethod
    @abstractmethod
    def _from_facts(cls, facts: dict[str, Any]) -> Self:
        """Return an empty index like the one that was saved."""

    def __len__(self) -> int:
        return self._n

    @property
    def ids(self) -> Ids:
        """(n,) int64: the id of each row."""
        alive: Ids = self._ids if self._alive is None else self._ids[self._alive]
        return alive

    @property
    def efforts(self) -> tuning.Efforts:
        """What was found to be needed for each recall."""
        return self._efforts

    def vector_of(self, key: int) -> Vectors | None:
        """Return the vector of an id, (d,) float32, as it was given; see `Searcher.vector_of`."""
        row = self._order.row_of(key)
        if row is None:
            return None
        n = len(self._rows)
        kept = self._rows[row] if row < n else self._more_rows[row - n]
        return np.array(kept, np.float32)

    def build(
        self,
        vectors: npt.ArrayLike,
        ids: npt.ArrayLike | None = None,
        *,
        report: ProgressReport | None = None,
        cancel: CancelToken | None = None,
    ) -> Self:
        """Take in vectors; see `Index.build`."""
        rows = check_vectors(vectors, self.metric)
        given = check_ids(ids, len(rows))
        self._clear()
        if len(rows) == 0:
            return self
        self._ids = given
        self._n = len(rows)
        self._rows = _narrowed(rows)
        self._more_rows = self._rows[:0]
        self._row_lengths = _lengths_of(rows, self.metric)
        try:
            with watching(report, cancel) as watch:
                watch.say("building", f"building the {self.kind} index")
                self._grow(rows, np.random.default_rng(self.random_state), watch)
        except BaseException:
            self._clear()
            raise
        return self

    def radius(self, queries: npt.ArrayLike, r: float) -> Neighborhoods:
        """Find all vectors at most `r` away from each query, exactly; see `Index.radius`."""
        r = check_radius(r)
        check_filled(self._n)
        rows = check_queries(queries, self.metric, self._dimension)
        with np.errstate(over="ignore"):
            reach = np.float32(r)
            beyond = float(np.nextafter(reach, np.float32(np.inf)))
        limit = 2 * beyond if self.metric == "cosine" else beyond * beyond
        squares, found = np.empty(len(self._ids)), np.empty(len(self._ids), np.int64)
        hits = []
        for query in sealed(rows):
            n_found = self._find_within(query, limit, squares, found)
            order = np.lexsort((found[:n_found], squares[:n_found]))
            measured = self._to_distances(squares[order])
            within = measured <= reach
            hits.append((self._ids[found[order[within]]], measured[within]))
        return Neighborhoods.join(hits)

    def add(self, ids: npt.ArrayLike, vectors: npt.ArrayLike) -> None:
        """Add vectors under new ids, into the tree there is; see `Index.add`.

        A call copies what the tree keeps of each row: add many at once. What was measured for each recall
        stays as it is; past some 10 % of change, build again.
        """
        rows = check_vectors(vectors, self.metric, self._dimension if self._n else None)
        given = check_ids(ids, len(rows))
        present = given[np.isin(given, self.ids)]
        if len(present):
            raise InvalidInputError(f"id {present[0]} is in the index already")
        if not self._n:
            self.build(rows, given)
            return
        if not len(rows):
            return
        lengths = _lengths_of(rows, self.metric)
        if not self._insert(rows, lengths, len(self._ids) + np.arange(len(rows))):
            whole = self._compacted()
            self.build(np.concatenate([whole._rows, rows]), np.concatenate([whole._ids, given]))
            return
        self._ids = np.concatenate([self._ids, given])
        if self._alive is not None:
            self._alive = np.concatenate([self._alive, np.ones(len(rows), bool)])
        narrow = _narrowed(rows)
        if narrow.dtype != self._rows.dtype:
            narrow = rows
            self._rows, self._more_rows = self._rows.astype(np.float32), self._more_rows.astype(np.float32)
        self._more_rows = np.concatenate([self._more_rows, narrow])
        self._row_lengths = np.concatenate([self._row_lengths, lengths])
        self._n += len(rows)
        self._seal()

    def remove(self, ids: npt.ArrayLike) -> None:
        """Remove vectors; see `Index.remove`.

        They keep their place until the index is saved or built again.
        """
        gone = as_ids(ids)
        missing = np.setdiff1d(gone, self.ids)
        if len(missing):
            raise InvalidInputError(f"id {missing[0]} is not in the index")
        if not len(gone):
            return
        alive = np.ones(len(self._ids), bool) if self._alive is None else self._alive
        alive = alive & ~np.isin(self._ids, gone)
        n = int(alive.sum())
        if n == 0:
            self._clear()
            return
        self._hide(alive)
        self._alive, self._n = alive, n
        self._seal()

    def save(self, folder: Path) -> None:
        """Write the index to a folder; see `Index.save`."""
        index = self._compacted()
        facts, arrays = index._to_file()
        own = (index._rows, index._ids, index._row_lengths, index._efforts.table)
        facts |= {
            "kind": self.kind,
            "format": self.file_format,
            "metric": self.metric,
            "random_state": self.random_state,
        }
        write(folder, facts, arrays | dict(zip(_OWN_ARRAYS, own, strict=True)))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Open a saved index, memory-mapped; see `Index.load`."""
        facts, arrays = read(folder, cls.kind, cls.file_format, _OWN_ARRAYS + cls.file_arrays)
        try:
            index = cls._from_facts(facts)
            if len(arrays["ids"]):
                index._rows, index._ids, index._row_lengths, table = (arrays[name] for name in _OWN_ARRAYS)
                index._n, index._efforts = len(index._ids), tuning.Efforts(table)
                index._more_rows = index._rows[:0]
                index._from_file(facts, arrays)
                index._seal()
        except (KeyError, TypeError, ValueError) as error:
            raise damaged(folder, error) from error
        return index

    @property
    def _dimension(self) -> int:
        return int(self._rows.shape[1])

    def _clear(self) -> None:
        """Forget all vectors."""
        self._n = 0
        self._ids = np.empty(0, np.int64)
        self._order = IdOrder(self._ids)
        self._alive = None
        self._rows = self._more_rows = np.empty((0, 0), np.float32)
        self._row_lengths = np.empty(0)
        self._efforts = tuning.Efforts()
        self._effort_of: dict[tuple[int, float], tuning.Effort] = {}

    def _seal(self) -> None:
        """Make every array what the kernels were compiled for."""
        self._effort_of = {}
        self._ids, self._row_lengths = sealed(self._ids), sealed(self._row_lengths)
        self._order = IdOrder(self._ids, self._alive)
        self._rows, self._more_rows = sealed(self._rows), sealed(self._more_rows)
        self._seal_tree()

    def _keep_effort(self, k: int, recall: float, effort: tuning.Effort) -> tuning.Effort:
        """Remember what was worked out, and return it; any thread may, as all work out the same."""
        if len(self._effort_of) >= _MOST_EFFORTS:
            self._effort_of = {}
        self._effort_of[k, recall] = effort
        return effort

    def _door(self, queries: npt.ArrayLike) -> Vectors:
        """Return queries as (n_queries, d) float32, read-only.

        The short way leaves it to the kernel to find out whether they are finite.
        """
        d = self._rows.shape[1]
        if type(queries) is np.ndarray and queries.dtype == np.float32 and queries.flags.c_contiguous:
            rows = queries[None] if queries.ndim == 1 else queries[:]
            if rows.ndim == 2 and rows.shape[1] == d:
                rows.setflags(write=False)
                return rows
        return sealed(check_queries(queries, self.metric, d))

    def _named(self, squares: Doubles, numbers: Numbers, counts: Numbers) -> Neighbors:
        """Return what was found, from squared distances and row numbers (n, k); `counts` (n,) are there."""
        missing = np.arange(squares.shape[1]) >= counts[:, None]
        numbers[missing] = 0
        ids, distances = self._ids[numbers], self._to_distances(squares)
        ids[missing], distances[missing] = -1, np.inf
        return Neighbors(ids, distances)

    def _to_distances(self, squares: Doubles) -> npt.NDArray[np.float32]:
        with np.errstate(over="ignore", invalid="ignore"):
            return (squares / 2 if self.metric == "cosine" else np.sqrt(squares)).astype(np.float32)

    def _is_allowed(self, allowed: npt.ArrayLike) -> Mask:
        """Return whether each row, (rows,), is among the allowed ids, and not removed."""
        mask: Mask = np.isin(self._ids, as_ids(allowed, "allowed ids"))
        return mask if self._alive is None else mask & self._alive

    def _compacted(self) -> Self:
        """Return the same index without the places of what was removed."""
        if self._alive is None and not len(self._more_rows):
            return self
        alive = np.ones(len(self._ids), bool) if self._alive is None else self._alive
        n_old = len(self._rows)
        compact = self._dropped(alive)
        compact._n, compact._ids = self._n, self._ids[alive]
        compact._rows = np.concatenate([self._rows[alive[:n_old]], self._more_rows[alive[n_old:]]])
        compact._more_rows = self._more_rows[:0]
        compact._row_lengths = self._row_lengths[alive] if len(self._row_lengths) else self._row_lengths
        compact._efforts = self._efforts
        return compact


def check_count(name: str, value: int) -> int:
    """Return a number of things, checked to be whole and at least 1."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not 1 <= value < _MOST:
        raise InvalidInputError(
            f"{name} is {shown(value)}; expected a whole number of at least 1", field=name
        )
    return int(value)


def _lengths_of(rows: Vectors, metric: Metric) -> Doubles:
    """Return what each row is divided by: (n,) for cosine, (0,) for euclidean, where it is 1."""
    if metric == "euclidean":
        return np.empty(0)
    from lookalike.index.rows_kernels import measure_lengths

    return measure_lengths(sealed(rows))


def _narrowed(rows: Vectors) -> npt.NDArray[Any]:
    """Return rows as uint8 if they are whole numbers from 0 to 255, and as they are otherwise."""
    narrow = np.empty(rows.shape, np.uint8)
    for start in range(0, len(rows), _BLOCK_ROWS):
        block = rows[start : start + _BLOCK_ROWS]
        if block.min() < 0 or block.max() > 255:
            return rows
        narrow[start : start + _BLOCK_ROWS] = block
        if (narrow[start : start + _BLOCK_ROWS] != block).any():
            return rows
    return narrow
