"""The k-means tree: rows in cells, cells visited nearest first, and bounds that prove the answer.

Idea
----
A vector is rotated to the principal axes. Its *head* is what it has along the first 128; of the rest only
the length is kept, its *tail*. Head and tail together, 129 numbers, are the *lifted* vector, and by the
Cauchy-Schwarz inequality two lifted vectors are never farther apart than the vectors are:

    |q - x|² >= |q_head - x_head|² + (q_tail - x_tail)²

So a look at the lifted vector tells whether the full row need be read. Heads are kept in 8-bit integers,
each axis with a step of its own, |x|² and the tail beside them: 136 bytes a row, and an integer dot product
each.

Where rows are long and in float32, as embeddings are, the whole row is kept in 8-bit integers, too, each
coordinate with a step of its own, with |x|² and what the integers lost: a quarter of the row. They tell the
distance to 1 or 2 %, so that of the rows that look near few more than k are read in full.

Cells come from k-means on the heads, some 8 · √n of them, in two levels where there are many. Rows lie in
the order of their cells, so that a cell is read in one stream.

Search
------
*To a recall*: the `n_cells` nearest cells are scanned. Half of the tails' product is taken to be in common,
which estimates the distance better than the bound does; the `n_rows` rows that look nearest are measured.
(Long ones in the order of their bounds, until the next bound is out of reach: the answer is that of measuring
all.) What both numbers have to be is measured after the build, on rows that are left out of their own answers
(`tuning`).

*Exactly*, for recall 1: the nearest cells first, for a reach that is at least the right one, then the heads
of every cell that may hold a row within it (a centroid's distance less the cell's radius is a bound, too);
every row whose bound is within reach is measured, for long rows both bounds. Filtered searches are exact,
too: where the allowed rows lie far from the query, no number of nearest cells is known to hold them.

Distances are measured in float64 on the original rows, as `Exact` does it; equal ones come in the order of
rows.

Why the bound holds in spite of rounding
----------------------------------------
Lengths are scaled by a power of two, so that no row is longer than 1 from the mean. For a row, e = |y - y'|
is measured in float64, y being its head and y' what the integers stand for; likewise for the query. The
computed lifted vectors are off by no more than that, so by the triangle inequality a row within distance r
of the query has computed lifted vectors within r + e_row + e_query. e_row is taken as the largest of its
cell. (Codes end at 1.5 times what is usual on an axis: an outlier is cut there, and its e says so.) To this
come the rounding of the axes' product, in float64, and of the tails, the root of a difference: together
less than 4e-6 · (1 + |q|); and the last sum, of four terms in float32 that are each at most (2 + |q|)²:
with less than 10 roundings of 6e-8, less than 4e-6 · (1 + |q|)². The integers of whole rows are bounded in
the same way, with neither axes nor tails, and e of each row; the query's are small enough for d products to
fit into 32 bits, and what they lose is measured, too. Queries longer than 1,000 are compared
with every row.

Layout
------
    codes (n, 128) int8 · facts (n, 2) float32: |x'|² and tail · order (n,) int64: slot → row
    row_codes (n, d) int8 · row_facts (n, 2) float32: |x'|² and e; (n, 0) where d < 256 or rows are uint8
    starts (cells + 1,) int64 · cell_codes (cells, 128) int8 · cell_squares, cell_errors, cell_radii (cells,)
    float32: of the centroid, the largest e, the farthest row from the centroid
    rows (n, d) float32, as given; uint8 if they are whole numbers from 0 to 255, as pixels are: measuring a
    row is reading it from memory · more_rows, those added since · ids (n,) int64
    axes (d, 128) float64 and float32 · centre (2, d) float64: origin, mean
    steps (2, 128) float64: the unit of each axis's codes, the mean's head · row_steps (d,) float64

A removed row keeps its slot, with |x'|² infinite; an added one is put into the slots of its nearest cell.

Cost: building takes n · d · 128 products to rotate and some n · √n · 128 for the cells; a search d · 128 to
rotate the query, 8 · √n · 128 integer products for the cells, then 128 for each row of the cells visited.

References
----------
M. Muja and D. Lowe, "Scalable Nearest Neighbor Algorithms for High Dimensional Data", 2014.
D. Nistér and H. Stewénius, "Scalable Recognition with a Vocabulary Tree", 2006.
H. Jégou, M. Douze, C. Schmid, "Product Quantization for Nearest Neighbor Search", 2011: lists of cells, and
estimates that are checked on full rows.
N. Halko, P. Martinsson, J. Tropp, "Finding Structure with Randomness", 2011: the axes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from lookalike import lloyd
from lookalike.cores import usable_cores
from lookalike.errors import InvalidInputError
from lookalike.index import tuning
from lookalike.index.contract import (
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
from lookalike.types import Ids, Metric, Neighborhoods, Neighbors, Vectors

_FORMAT = 2
_HEAD = 128
_LARGEST_CODE = 127
_LEAST_STEP = 1 / 64  # of the largest axis's: finer ones would be lost in the query's 16 bits
_USUAL = 0.999  # the share of rows whose codes are usual on an axis
_BEYOND_USUAL = 1.5  # codes end at so many times the usual: rows beyond are cut
_STEPS_ROWS = 8_192  # rows from which the usual is taken
_LONGEST = 2.0  # of an added row, for the bounds; see above

_LEAST_SPREAD = 1e-7
_AXES_ROWS = 4_096  # rows from which the axes are found
_AXES_ROUNDS = 3
_CELLS_PER_ROOT = 8  # cells = 8 · √n
_ROWS_PER_CELL = 12  # at least
_CELL_DIMENSIONS = 64  # of a head, that the cells are made from
_CELL_SAMPLE = 64  # rows a cell, that it is made from
_CELL_ROUNDS = 5
_BLOCK_ROWS = 4_096
_CENTRED_ROWS = 512  # taken at once: in float64, they stay in the cache

_ALWAYS_EXACT = 4_096  # up to so many vectors: scanning all heads takes 15 µs, and no tuning pays
_TUNED_ROWS = 800  # held out, up to 100,000 vectors; of more, fewer: each is compared with all
_FEWEST_TUNED_ROWS = 250
_GATHERED = 0.2  # allowed rows are copied together up to this share, above it the others are masked
_QUERIES_A_THREAD = 16
_ROW_COST = 0.25e-9  # seconds a dimension, of measuring a row; only their proportion matters
_SLOT_COST = 6e-9  # of scanning one
_LONG_ROW = 256  # dimensions, from which on rows are kept as bytes, too

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Frame:
    """How a vector becomes a head. For cosine, vectors are divided by their lengths first."""

    scale: float
    centre: Doubles  # (2, d): what is subtracted before scaling, and the mean after
    axes: Doubles  # (d, HEAD) orthonormal columns
    axes32: Vectors  # the same
    steps: Doubles  # (2, HEAD): the unit of each axis's codes, and the mean's head
    row_steps: Doubles  # (d,): the unit of each coordinate's codes


@dataclass(frozen=True, slots=True)
class _Lists:
    """Rows in the order of their cells; a slot is a place in that order."""

    codes: npt.NDArray[np.int8]  # (slots, HEAD)
    facts: Vectors  # (slots, 2)
    row_codes: npt.NDArray[np.int8]  # (slots, d), or (slots, 0) where they are not worth their memory
    row_facts: Vectors  # (slots, 2)
    order: npt.NDArray[np.int64]  # (slots,)
    starts: npt.NDArray[np.int64]  # (cells + 1,)
    cell_codes: npt.NDArray[np.int8]  # (cells, HEAD)
    cell_squares: Vectors  # (cells,)
    cell_errors: Vectors  # (cells,)
    cell_radii: Vectors  # (cells,)


class KMeansTree(Index):
    """Nearest neighbours by hierarchical k-means.

    Parameters
    ----------
    metric : {"euclidean", "cosine"}
    random_state : int
        The same vectors and number give the same tree.
    n_jobs : int, optional
        Threads that share the queries of one call; all cores by default.

    Examples
    --------
    >>> index = KMeansTree(metric="euclidean").build([[0, 0], [3, 4], [6, 8]])
    >>> index.search([0, 0], k=2).distances
    array([[0., 5.]], dtype=float32)
    """

    kind: ClassVar[str] = "kmeans-tree"

    def __init__(
        self, metric: Metric = "euclidean", random_state: int = 0, n_jobs: int | None = None
    ) -> None:
        super().__init__(metric)
        self._ids: Ids
        self._alive: npt.NDArray[np.bool_] | None  # (rows,); None while none is removed
        self._rows: npt.NDArray[Any]  # (rows, d) float32 or uint8
        self._more_rows: npt.NDArray[Any]
        if n_jobs is not None and (isinstance(n_jobs, bool) or not isinstance(n_jobs, int) or n_jobs < 1):
            raise InvalidInputError(f"n_jobs is {n_jobs!r}; expected 1 or more, or None for all cores")
        self.random_state = random_state
        self.n_jobs = n_jobs
        self._clear()

    def __len__(self) -> int:
        return self._n

    @property
    def ids(self) -> Ids:
        """(n,) int64: the id of each row."""
        alive: Ids = self._ids if self._alive is None else self._ids[self._alive]
        return alive

    @property
    def n_cells(self) -> int:
        """How many cells there are."""
        return len(self._lists.cell_squares) if self._n else 0

    @property
    def efforts(self) -> tuning.Efforts:
        """What was found to be needed for each recall."""
        return self._efforts

    def build(self, vectors: npt.ArrayLike, ids: npt.ArrayLike | None = None) -> Self:
        """Take in vectors; see `Index.build`."""
        rows = check_vectors(vectors, self.metric)
        given = check_ids(ids, len(rows))
        self._clear()
        if len(rows) == 0:
            return self
        random = np.random.default_rng(self.random_state)
        self._ids = given
        self._n = len(rows)
        self._rows = _narrowed(rows)
        self._more_rows = self._rows[:0]
        self._row_lengths = _lengths_of(rows, self.metric)
        self._frame, heads, tails = _make_frame(rows, self._row_lengths, random)
        centroids, labels = _make_cells(heads, random)
        self._lists, self._frame = _make_lists(self._frame, heads, tails, centroids, labels)
        del heads, tails
        if self._rows.dtype == np.float32 and rows.shape[1] >= _LONG_ROW:
            self._lists, self._frame = _with_row_codes(self._lists, self._frame, rows, self._row_lengths)
        self._seal()
        if self._n > _ALWAYS_EXACT:
            self._efforts = self._measure_efforts(random)
        return self

    def search(
        self,
        queries: npt.ArrayLike,
        k: int = 10,
        recall: float = 0.99,
        allowed: npt.ArrayLike | None = None,
    ) -> Neighbors:
        """Find the k nearest vectors to each query; see `Index.search`.

        `recall` 1 is proved by bounds, and so is a filtered search, whatever its recall.
        """
        if not self._n:
            check_filled(0)
        effort = self._effort_of.get((k, recall)) if type(k) is int and type(recall) is float else None
        if effort is None:
            effort = self._find_effort(check_k(k, self._n), check_recall(recall))
        rows = self._door(queries)
        if allowed is not None:
            return self._search_exactly(rows, k, self._only(as_ids(allowed)))
        if effort.n_cells == 0:
            return self._search_exactly(rows, k, self._lists)
        n = len(rows)
        ids = np.empty((n, k), np.int64)
        ids.fill(-1)
        distances = np.empty((n, k), np.float32)
        distances.fill(np.inf)
        if n == 1:  # nothing to share, and no time to lose
            status = self._kernels.search(
                rows, k, effort.n_cells, effort.n_rows, *self._arguments, ids, distances
            )
        else:
            status = self._share(
                n,
                lambda part: self._kernels.search(
                    rows[part], k, effort.n_cells, effort.n_rows, *self._arguments, ids[part], distances[part]
                ),
            )
        if status == self._kernels.SHORT:
            short = np.flatnonzero(ids[:, -1] < 0)
            found = self._search_exactly(_sealed(rows[short]), k, self._lists)
            ids[short], distances[short] = found.ids, found.distances
        elif status:
            check_queries(rows, self.metric, rows.shape[1])  # says what is wrong
        return Neighbors(ids, distances)

    def radius(self, queries: npt.ArrayLike, r: float) -> Neighborhoods:
        """Find all vectors at most `r` away from each query, exactly; see `Index.radius`."""
        r = check_radius(r)
        check_filled(self._n)
        rows = check_queries(queries, self.metric, self._rows.shape[1])
        with np.errstate(over="ignore"):
            reach = np.float32(r)
            beyond = float(np.nextafter(reach, np.float32(np.inf)))
        frame, lists = self._frame, self._lists
        limit = 2 * beyond if self.metric == "cosine" else beyond * beyond
        squares, found = np.empty(len(lists.order)), np.empty(len(lists.order), np.int64)
        ids, distances, counts = [], [], [0]
        for query in _sealed(rows):
            n_found = self._kernels.find_within(
                query, limit, self.metric == "cosine", frame.scale, frame.centre, frame.axes, frame.steps,
                lists.codes, lists.facts, lists.order, lists.cell_errors, lists.starts,
                self._rows, self._more_rows, self._row_lengths, squares, found,
            )  # fmt: skip
            order = np.lexsort((found[:n_found], squares[:n_found]))
            measured = self._to_distances(squares[order])
            within = measured <= reach
            ids.append(self._ids[found[order[within]]])
            distances.append(measured[within])
            counts.append(len(ids[-1]))
        return Neighborhoods(
            np.cumsum(counts, dtype=np.int64),
            np.concatenate(ids) if ids else np.empty(0, np.int64),
            np.concatenate(distances) if distances else np.empty(0, np.float32),
        )

    def add(self, ids: npt.ArrayLike, vectors: npt.ArrayLike) -> None:
        """Add vectors under new ids, into the cells there are; see `Index.add`.

        A call copies the lists, 150 bytes a vector in the index: add many at once. The cells and what was
        measured for each recall stay as they are; past some 10 % of change, build again.
        """
        rows = check_vectors(vectors, self.metric, self._rows.shape[1] if self._n else None)
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
        heads, tails = _to_heads(self._frame, rows, lengths)
        from_mean = np.sqrt((heads.astype(np.float64) ** 2).sum(axis=1) + tails.astype(np.float64) ** 2)
        if not from_mean.max() < _LONGEST:  # the bounds were made for shorter ones
            self._rebuild_with(given, rows)
            return
        lists = self._lists
        steps = self._frame.steps[0]
        centroids = (lists.cell_codes * steps).astype(np.float32)
        labels = lloyd.assign(heads, centroids)
        by_label = np.argsort(labels, kind="stable")
        labels = labels[by_label]
        codes, facts, errors = _encode(heads[by_label], tails[by_label], steps)
        places = lists.starts[labels + 1]
        row_codes, row_facts = np.empty((len(rows), 0), np.int8), np.empty((len(rows), 0), np.float32)
        if lists.row_codes.shape[1]:
            row_codes, row_facts = _encode_rows(self._frame, rows, lengths, by_label)
        cell_errors = lists.cell_errors.copy()
        np.maximum.at(cell_errors, labels, errors)
        cell_radii = lists.cell_radii.copy()
        np.maximum.at(cell_radii, labels, _from_centroids(codes, lists.cell_codes, labels, steps))
        starts = lists.starts + np.concatenate([[0], np.cumsum(np.bincount(labels, minlength=self.n_cells))])
        numbers = len(self._ids) + by_label
        self._lists = _Lists(
            np.insert(lists.codes, places, codes, axis=0),
            np.insert(lists.facts, places, facts, axis=0),
            np.insert(lists.row_codes, places, row_codes, axis=0),
            np.insert(lists.row_facts, places, row_facts, axis=0),
            np.insert(lists.order, places, numbers),
            starts,
            lists.cell_codes,
            lists.cell_squares,
            cell_errors,
            cell_radii,
        )
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
        facts = self._lists.facts.copy()
        facts[~alive[self._lists.order], 0] = np.inf
        self._lists = replace(self._lists, facts=facts)
        self._alive, self._n = alive, n
        self._seal()

    def save(self, folder: Path) -> None:
        """Write the index to a folder; see `Index.save`."""
        index = self._compacted()
        frame, lists = index._frame, index._lists
        facts = {
            "kind": self.kind,
            "format": _FORMAT,
            "metric": self.metric,
            "random_state": self.random_state,
            "scale": frame.scale,
        }
        arrays = {
            "rows": index._rows, "ids": index._ids, "row_lengths": index._row_lengths,
            "centre": frame.centre, "axes": frame.axes, "axes32": frame.axes32, "steps": frame.steps,
            "row_steps": frame.row_steps, "codes": lists.codes, "facts": lists.facts,
            "row_codes": lists.row_codes, "row_facts": lists.row_facts,
            "order": lists.order, "starts": lists.starts,
            "cell_codes": lists.cell_codes, "cell_squares": lists.cell_squares,
            "cell_errors": lists.cell_errors, "cell_radii": lists.cell_radii, "efforts": index._efforts.table,
        }  # fmt: skip
        facts["arrays"] = {name: [array.dtype.str, *array.shape] for name, array in arrays.items()}
        write(folder, facts, arrays)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Open a saved index, memory-mapped; see `Index.load`."""
        facts, arrays = read(folder, cls.kind, _FORMAT, _ARRAYS)
        found = {name: [array.dtype.str, *array.shape] for name, array in arrays.items()}
        if facts.get("arrays") != found:
            raise damaged(folder, "its files do not fit together")
        try:
            index = cls(facts["metric"], facts["random_state"])
            scale = float(facts["scale"])
        except (KeyError, TypeError, ValueError) as error:
            raise damaged(folder, error) from error
        n = len(arrays["ids"])
        if n:
            index._n, index._ids, index._rows = n, arrays["ids"], arrays["rows"]
            index._more_rows = index._rows[:0]
            index._row_lengths = arrays["row_lengths"]
            index._frame = _Frame(
                scale,
                arrays["centre"],
                arrays["axes"],
                arrays["axes32"],
                arrays["steps"],
                arrays["row_steps"],
            )
            index._lists = _Lists(
                arrays["codes"], arrays["facts"], arrays["row_codes"], arrays["row_facts"], arrays["order"],
                arrays["starts"], arrays["cell_codes"], arrays["cell_squares"],
                arrays["cell_errors"], arrays["cell_radii"],
            )  # fmt: skip
            index._efforts = tuning.Efforts(arrays["efforts"])
            index._seal()
        return index

    @cached_property
    def _kernels(self) -> Any:
        """The compiled part; imported by the first search, so that a saved index is opened at once."""
        from lookalike.index import kmeans_tree_kernels

        return kmeans_tree_kernels

    def _clear(self) -> None:
        """Forget all vectors."""
        self._n = 0
        self._ids = np.empty(0, np.int64)
        self._alive = None
        self._rows = np.empty((0, 0), np.float32)
        self._more_rows = self._rows
        self._row_lengths = np.empty(0)
        self._frame, self._lists = _empty_frame(), _empty_lists()
        self._efforts = tuning.Efforts()
        self._effort_of: dict[tuple[int, float], tuning.Effort] = {}

    def _seal(self) -> None:
        """Make every array what the kernels were compiled for, and gather their arguments."""
        self._effort_of = {}
        self._ids, self._row_lengths = _sealed(self._ids), _sealed(self._row_lengths)
        self._rows, self._more_rows = _sealed(self._rows), _sealed(self._more_rows)
        frame, lists = self._frame, self._lists
        frame = _Frame(
            frame.scale,
            _sealed(frame.centre),
            _sealed(frame.axes),
            _sealed(frame.axes32),
            _sealed(frame.steps),
            _sealed(frame.row_steps),
        )
        lists = _Lists(*(_sealed(getattr(lists, name)) for name in _Lists.__slots__))
        self._frame, self._lists = frame, lists
        self._arguments = (
            self.metric == "cosine", frame.scale, frame.centre, frame.axes32, frame.steps,
            lists.codes, lists.facts, lists.row_codes, lists.row_facts, frame.row_steps, lists.order,
            lists.cell_codes, lists.cell_squares, lists.starts,
            self._rows, self._more_rows, self._row_lengths, self._ids,
        )  # fmt: skip

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
        return _sealed(check_queries(queries, self.metric, d))

    def _find_effort(self, k: int, recall: float) -> tuning.Effort:
        effort = self._efforts.find(k, recall)
        # Where most of the cells or many rows would be looked at, a proof costs no more.
        if effort.n_cells * 2 > self.n_cells or effort.n_rows * 16 > self._n or effort.n_rows < k:
            effort = tuning.EXACT
        self._effort_of[k, recall] = effort
        return effort

    def _search_exactly(self, rows: Vectors, k: int, lists: _Lists) -> Neighbors:
        squares, numbers, counts, status = self._prove(rows, k, lists)
        if status:
            check_queries(rows, self.metric, rows.shape[1])
        missing = np.arange(k) >= counts[:, None]
        numbers[missing] = 0
        ids, distances = self._ids[numbers], self._to_distances(squares)
        ids[missing], distances[missing] = -1, np.inf
        return Neighbors(ids, distances)

    def _prove(
        self, rows: Vectors, k: int, lists: _Lists
    ) -> tuple[Doubles, npt.NDArray[np.int64], npt.NDArray[np.int64], int]:
        """Return squared distances and row numbers, (n, k), how many there are, (n,), and what is wrong."""
        n = len(rows)
        squares, numbers = np.empty((n, k)), np.empty((n, k), np.int64)
        counts = np.zeros(n, np.int64)
        frame = self._frame
        status = self._share(
            n,
            lambda part: self._kernels.search_exactly(
                rows[part], k, self.metric == "cosine", frame.scale, frame.centre, frame.axes, frame.steps,
                lists.codes, lists.facts, lists.row_codes, lists.row_facts, frame.row_steps, lists.order,
                lists.cell_codes, lists.cell_squares, lists.cell_errors, lists.cell_radii, lists.starts,
                self._rows, self._more_rows, self._row_lengths,
                squares[part], numbers[part], counts[part],
            ),
        )  # fmt: skip
        return squares, numbers, counts, status

    def _share(self, n: int, answer: Callable[[slice], int]) -> int:
        """Let threads answer parts of n queries; return the worst of what they say."""
        n_jobs = self.n_jobs or usable_cores()
        n_parts = min(4 * n_jobs, n // _QUERIES_A_THREAD)
        if n_jobs == 1 or n_parts < 2:
            return answer(slice(0, n))
        edges = np.linspace(0, n, n_parts + 1).astype(int).tolist()
        # A pool of its own: it costs 0.1 ms, and neither forks nor other callers can disturb it.
        with ThreadPoolExecutor(n_jobs) as pool:
            return max(pool.map(answer, map(slice, edges[:-1], edges[1:])))

    def _to_distances(self, squares: Doubles) -> npt.NDArray[np.float32]:
        with np.errstate(over="ignore", invalid="ignore"):
            return (squares / 2 if self.metric == "cosine" else np.sqrt(squares)).astype(np.float32)

    def _only(self, allowed: Ids) -> _Lists:
        """Return the lists of the allowed ids alone."""
        is_allowed = np.isin(self._ids, allowed)
        if self._alive is not None:
            is_allowed &= self._alive
        lists = self._lists
        kept = is_allowed[lists.order]
        slots = np.flatnonzero(kept)
        if len(slots) > _GATHERED * len(kept):
            facts = lists.facts.copy()
            facts[~kept, 0] = np.inf
            return replace(lists, facts=_sealed(facts))
        parts = (
            lists.codes[slots], lists.facts[slots], lists.row_codes[slots], lists.row_facts[slots],
            lists.order[slots], np.array([0, len(slots)]),
            np.zeros((1, _HEAD), np.int8), np.zeros(1, np.float32), lists.cell_errors.max(keepdims=True),
            np.full(1, np.inf, np.float32),
        )  # fmt: skip
        return _Lists(*map(_sealed, parts))

    def _measure_efforts(self, random: np.random.Generator) -> tuning.Efforts:
        """Find out what it takes to find the neighbours of some rows."""
        n_slots = len(self._lists.order)
        slot_of = np.empty(n_slots, np.int64)
        slot_of[self._lists.order] = np.arange(n_slots)
        n_tuned = max(_FEWEST_TUNED_ROWS, min(_TUNED_ROWS, 100_000 * _TUNED_ROWS // self._n))
        chosen = np.sort(random.choice(len(self._rows), n_tuned, replace=False))
        k = min(tuning.LARGEST_K, self._n - 1)
        queries = _sealed(self._rows[chosen].astype(np.float32))
        frame, lists = self._frame, self._lists
        numbers = self._nearest_to(chosen, k + 1)
        cell_ranks, row_ranks = np.empty((2, len(chosen), k), np.int64)

        def measure(part: slice) -> int:
            for i in range(part.start, part.stop):
                # Among many equal rows, it may not be in its own answer.
                others = numbers[i][numbers[i] != chosen[i]][:k]
                slots = slot_of[others]
                cells = np.searchsorted(lists.starts, slots, side="right") - 1
                self._kernels.rank(
                    queries[i], self.metric == "cosine", frame.scale, frame.centre, frame.axes32,
                    frame.steps, lists.codes, lists.facts, lists.cell_codes, lists.cell_squares,
                    lists.starts, slots, cells, slot_of[chosen[i]], cell_ranks[i], row_ranks[i],
                )  # fmt: skip
            return 0

        self._share(len(chosen), measure)
        row_cost = _ROW_COST * self._rows.shape[1]
        cell_cost = _SLOT_COST * n_slots / self.n_cells
        return tuning.measure(cell_ranks, row_ranks, cell_cost, row_cost)

    def _nearest_to(self, chosen: npt.NDArray[np.int64], k: int) -> npt.NDArray[np.int64]:
        """Return the rows nearest to some of the rows, nearest first, up to rounding: (len(chosen), k).

        Bounds leave a few hundred rows of pixels to be measured, but thousands of an embedding's: there,
        products of all with all are quicker.
        """
        if not self._lists.row_codes.shape[1]:
            return self._prove(_sealed(self._rows[chosen].astype(np.float32)), k, self._lists)[1]
        queries = _centred(self._frame, self._rows, self._row_lengths, chosen)
        keys, numbers = np.empty((len(chosen), k), np.float32), np.empty((len(chosen), k), np.int64)
        sizes = np.zeros(len(chosen), np.int64)
        for start in range(0, len(self._rows), _BLOCK_ROWS):
            part = slice(start, start + _BLOCK_ROWS)
            rows = _centred(self._frame, self._rows, self._row_lengths, part)
            estimates = queries @ rows.T
            estimates *= -2
            estimates += np.einsum("ij,ij->i", rows, rows)
            self._kernels.keep_nearest(estimates, start, keys, numbers, sizes)
        return np.take_along_axis(numbers, np.argsort(keys, axis=1, kind="stable"), axis=1)

    def _compacted(self) -> Self:
        """Return the same index without the places of what was removed."""
        if self._alive is None and not len(self._more_rows):
            return self
        alive = np.ones(len(self._ids), bool) if self._alive is None else self._alive
        n_old = len(self._rows)
        compact = type(self)(self.metric, self.random_state, self.n_jobs)
        compact._n, compact._ids = self._n, self._ids[alive]
        compact._rows = np.concatenate([self._rows[alive[:n_old]], self._more_rows[alive[n_old:]]])
        compact._more_rows = self._more_rows[:0]
        compact._row_lengths = self._row_lengths[alive] if len(self._row_lengths) else self._row_lengths
        lists, kept = self._lists, alive[self._lists.order]
        number = np.cumsum(alive) - 1
        before = np.concatenate([[0], np.cumsum(kept)])
        compact._lists = replace(
            lists,
            codes=lists.codes[kept],
            facts=lists.facts[kept],
            row_codes=lists.row_codes[kept],
            row_facts=lists.row_facts[kept],
            order=number[lists.order[kept]],
            starts=before[lists.starts],
        )
        compact._frame, compact._efforts = self._frame, self._efforts
        return compact

    def _rebuild_with(self, ids: Ids, rows: Vectors) -> None:
        compact = self._compacted()
        self.build(np.concatenate([compact._rows, rows]), np.concatenate([compact._ids, ids]))


_ARRAYS = (
    "rows", "ids", "row_lengths", "centre", "axes", "axes32", "steps", "row_steps", "codes", "facts",
    "row_codes", "row_facts", "order", "starts", "cell_codes", "cell_squares", "cell_errors", "cell_radii",
    "efforts",
)  # fmt: skip


def _sealed(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return an array as the kernels want it: plain, contiguous, read-only. It is not copied if it can be."""
    plain = np.ascontiguousarray(array).view(np.ndarray)[...]
    plain.setflags(write=False)
    return plain


def _lengths_of(rows: Vectors, metric: Metric) -> Doubles:
    """Return what each row is divided by: (n,) for cosine, (0,) for euclidean, where it is 1."""
    if metric == "euclidean":
        return np.empty(0)
    from lookalike.index import kmeans_tree_kernels

    lengths = np.empty(len(rows))
    kmeans_tree_kernels.measure_lengths(_sealed(rows), lengths)
    return lengths


def _narrowed(rows: Vectors) -> npt.NDArray[Any]:
    """Return rows as uint8 if they are whole numbers from 0 to 255, and as they are otherwise.

    Pixels are. Measuring a row is reading it from memory, and that is a quarter then.
    """
    narrow = np.empty(rows.shape, np.uint8)
    for start in range(0, len(rows), _BLOCK_ROWS):
        block = rows[start : start + _BLOCK_ROWS]
        if block.min() < 0 or block.max() > 255:
            return rows
        narrow[start : start + _BLOCK_ROWS] = block
        if (narrow[start : start + _BLOCK_ROWS] != block).any():
            return rows
    return narrow


def _empty_frame() -> _Frame:
    return _Frame(
        1.0,
        np.empty((2, 0)),
        np.empty((0, _HEAD)),
        np.empty((0, _HEAD), np.float32),
        np.ones((2, _HEAD)),
        np.empty(0),
    )


def _empty_lists() -> _Lists:
    return _Lists(
        np.empty((0, _HEAD), np.int8), np.empty((0, 2), np.float32), np.empty((0, 0), np.int8),
        np.empty((0, 0), np.float32), np.empty(0, np.int64), np.zeros(1, np.int64),
        np.empty((0, _HEAD), np.int8), *(np.empty(0, np.float32) for _ in range(3)),
    )  # fmt: skip


def _make_frame(
    rows: Vectors, lengths: Doubles, random: np.random.Generator
) -> tuple[_Frame, Vectors, Vectors]:
    """Find the axes, and return them with the heads (n, HEAD) and tails (n,) of the rows."""
    n, d = rows.shape
    chosen = np.sort(random.choice(n, min(n, _AXES_ROWS), replace=False))
    sample = rows[chosen].astype(np.float64)
    if len(lengths):
        sample /= lengths[chosen, None]
    mean = sample.mean(axis=0)
    sample -= mean
    # What is smaller than float32 tells apart is no spread.
    least = _LEAST_SPREAD * float(np.linalg.norm(mean))
    spread = max(float(np.sqrt(np.square(sample).sum(axis=1).max())), least)
    # Where the mean is no longer than the rows are apart, zeros stay zeros, and cost a query nothing.
    origin = mean if np.linalg.norm(mean) > 4 * spread else np.zeros(d)
    axes = np.zeros((d, _HEAD))
    axes[:, : min(d, _HEAD)] = _find_axes(sample / (spread or 1.0), min(d, _HEAD), random)
    longest = least * least
    for _, _, squares in _centred_blocks(rows, lengths, 1.0, np.stack([mean, np.zeros(d)])):
        longest = max(longest, float(squares.max()))
    scale = float(np.ldexp(1.0, -int(np.frexp(np.sqrt(longest))[1]))) if longest > 0 else 1.0
    mean = (mean - origin) * scale
    steps = np.stack([np.ones(_HEAD), mean @ axes])
    frame = _Frame(scale, np.stack([origin, mean]), axes, axes.astype(np.float32), steps, np.empty(0))
    heads, tails = _to_heads(frame, rows, lengths)
    return frame, heads, tails


def _find_axes(sample: Doubles, n_axes: int, random: np.random.Generator) -> Doubles:
    """Return about the principal axes of centred rows: (d, n_axes) float64, orthonormal, by variance.

    Subspace iteration: a few products with the rows turn any start towards the axes of largest variance.
    It costs less than the covariance for large d, and never fails: axes without variance are orthonormal,
    too.
    """
    rows = sample.astype(np.float32)
    axes = random.standard_normal((rows.shape[1], n_axes))
    if n_axes < rows.shape[1]:
        for _ in range(_AXES_ROUNDS):
            axes, _ = np.linalg.qr(axes)
            axes = (rows.T @ (rows @ axes.astype(np.float32))).astype(np.float64)
            axes += 1e-30 * random.standard_normal(axes.shape)  # where there is no variance at all
    axes, _ = np.linalg.qr(axes)
    within = (rows @ axes.astype(np.float32)).astype(np.float64)
    _, turn = np.linalg.eigh(within.T @ within)
    axes, _ = np.linalg.qr(axes @ turn[:, ::-1])
    return axes


def _centred_blocks(
    rows: npt.NDArray[Any], lengths: Doubles, scale: float, centre: Doubles
) -> Iterator[tuple[slice, Doubles, Doubles]]:
    """Give the rows block by block: where, (m, d) float64 as they are before they are turned, |x|²."""
    from lookalike.index import kmeans_tree_kernels

    block = np.empty((min(_CENTRED_ROWS, len(rows)), rows.shape[1]))
    squares = np.empty(len(block))
    for start in range(0, len(rows), _CENTRED_ROWS):
        part = slice(start, min(start + _CENTRED_ROWS, len(rows)))
        m = part.stop - start
        some, their_lengths = _sealed(rows[part]), _sealed(lengths[part])
        kmeans_tree_kernels.centre_rows(some, their_lengths, scale, _sealed(centre), block[:m], squares[:m])
        yield part, block[:m], squares[:m]


def _to_heads(frame: _Frame, rows: Vectors, lengths: Doubles) -> tuple[Vectors, Vectors]:
    """Return the heads (n, HEAD) and tails (n,) of rows, computed in float64 and then rounded."""
    heads, tails = np.empty((len(rows), _HEAD), np.float32), np.empty(len(rows), np.float32)
    for part, block, squares in _centred_blocks(rows, lengths, frame.scale, frame.centre):
        head = block @ frame.axes
        heads[part] = head
        rest = squares - np.square(head, out=head).sum(axis=1)
        tails[part] = np.sqrt(np.maximum(rest, 0.0))
    return heads, tails


def _centred(frame: _Frame, rows: npt.NDArray[Any], lengths: Doubles, part: Any) -> Vectors:
    """Return some rows as the frame has them, before they are turned: (n, d) float32."""
    block: Vectors = rows[part].astype(np.float32)
    if len(lengths):
        block /= lengths[part, None].astype(np.float32)
    block -= (frame.centre[0] + frame.centre[1] / frame.scale).astype(np.float32)
    block *= np.float32(frame.scale)
    return block


def _with_row_codes(lists: _Lists, frame: _Frame, rows: Vectors, lengths: Doubles) -> tuple[_Lists, _Frame]:
    """Return lists and frame with what full rows are as integers."""
    chosen = np.arange(0, len(rows), max(1, len(rows) // _STEPS_ROWS))
    some = np.abs(_centred(frame, rows, lengths, chosen))
    steps = np.quantile(some, _USUAL, axis=0) * (_BEYOND_USUAL / _LARGEST_CODE)
    steps = np.maximum(steps, steps.max() * _LEAST_STEP)
    frame = replace(frame, row_steps=steps if steps.max() > 0 else np.ones_like(steps))
    codes, facts = _encode_rows(frame, rows, lengths, lists.order)
    return replace(lists, row_codes=codes, row_facts=facts), frame


def _encode_rows(
    frame: _Frame, rows: Vectors, lengths: Doubles, order: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int8], Vectors]:
    """Return rows in some order as codes (n, d), and facts (n, 2): |x'|², and what the codes lost."""
    places = np.empty(len(order), np.int64)
    places[order] = np.arange(len(order))
    from lookalike.index import kmeans_tree_kernels

    codes, facts = np.empty(rows.shape, np.int8), np.empty((len(rows), 2), np.float32)
    for part, block, _ in _centred_blocks(rows, lengths, frame.scale, frame.centre):
        some_codes, some_facts = np.empty(block.shape, np.int8), np.empty((len(block), 2), np.float32)
        kmeans_tree_kernels.encode_rows(block, _sealed(frame.row_steps), some_codes, some_facts)
        codes[places[part]], facts[places[part]] = some_codes, some_facts
    return codes, facts


def _make_cells(heads: Vectors, random: np.random.Generator) -> tuple[Vectors, npt.NDArray[np.int64]]:
    """Return centroids (cells, HEAD) and the cell of each head (n,)."""
    n = len(heads)
    n_cells = int(max(1, min(_CELLS_PER_ROOT * n**0.5, n / _ROWS_PER_CELL)))
    sample = heads
    if n > _CELL_SAMPLE * n_cells:
        sample = heads[np.sort(random.choice(n, _CELL_SAMPLE * n_cells, replace=False))]
    sample = np.ascontiguousarray(sample[:, :_CELL_DIMENSIONS])
    tree = lloyd.fit_tree(sample, n_cells, _CELL_ROUNDS, random)
    part = heads[:, :_CELL_DIMENSIONS]
    # Empty cells would be visited for nothing.
    filled, labels = np.unique(tree.assign(part), return_inverse=True)
    return lloyd.means(heads, labels, np.zeros((len(filled), _HEAD), np.float32)), labels


def _encode(heads: Vectors, tails: Vectors, steps: Doubles) -> tuple[npt.NDArray[np.int8], Vectors, Vectors]:
    """Return codes (n, HEAD), facts (n, 2) and what the codes lost of each head (n,)."""
    codes = np.empty(heads.shape, np.int8)
    facts, errors = np.empty((len(heads), 2), np.float32), np.empty(len(heads), np.float32)
    for start in range(0, len(heads), _BLOCK_ROWS):
        part = slice(start, start + _BLOCK_ROWS)
        block = heads[part].astype(np.float64)
        code = np.clip(np.rint(block / steps), -_LARGEST_CODE, _LARGEST_CODE)
        codes[part] = code
        code *= steps
        facts[part, 0] = np.square(code).sum(axis=1) + np.square(tails[part].astype(np.float64))
        facts[part, 1] = tails[part]
        block -= code
        errors[part] = np.sqrt(np.square(block, out=block).sum(axis=1))
    return codes, facts, errors


def _from_centroids(
    codes: npt.NDArray[np.int8],
    cell_codes: npt.NDArray[np.int8],
    labels: npt.NDArray[np.int64],
    steps: Doubles,
) -> Vectors:
    """Return how far each row's codes are from those of its cell's centroid, rounded up: (n,)."""
    squares = np.empty(len(codes))
    for start in range(0, len(codes), _BLOCK_ROWS):
        part = slice(start, start + _BLOCK_ROWS)
        apart = (codes[part].astype(np.int16) - cell_codes[labels[part]]) * steps
        squares[part] = np.square(apart, out=apart).sum(axis=1)
    return (np.sqrt(squares) * (1 + 1e-6)).astype(np.float32)


def _make_lists(
    frame: _Frame, heads: Vectors, tails: Vectors, centroids: Vectors, labels: npt.NDArray[np.int64]
) -> tuple[_Lists, _Frame]:
    """Put the heads in the order of their cells, as integers; return also the frame with their steps."""
    some = np.abs(heads[:: max(1, len(heads) // _STEPS_ROWS)])
    usual = np.quantile(some, _USUAL, axis=0) * _BEYOND_USUAL
    largest = np.maximum(heads.max(axis=0), -heads.min(axis=0))
    steps = np.minimum(np.where(usual > 0, usual, largest), largest).astype(np.float64) / _LARGEST_CODE
    steps = np.maximum(steps, steps.max() * _LEAST_STEP)
    if not steps.max() > 0:
        steps = np.ones_like(steps)
    steps = np.stack([steps, frame.steps[1]])
    order = np.argsort(labels, kind="stable")
    codes, facts, errors = _encode(heads, tails, steps[0])
    cell_codes, cell_facts, _ = _encode(centroids, np.zeros(len(centroids), np.float32), steps[0])
    cell_errors = np.zeros(len(centroids), np.float32)
    np.maximum.at(cell_errors, labels, errors)
    cell_radii = np.zeros(len(centroids), np.float32)
    np.maximum.at(cell_radii, labels, _from_centroids(codes, cell_codes, labels, steps[0]))
    starts = np.zeros(len(centroids) + 1, np.int64)
    np.cumsum(np.bincount(labels, minlength=len(centroids)), out=starts[1:])
    lists = _Lists(
        codes[order],
        facts[order],
        np.empty((len(order), 0), np.int8),
        np.empty((len(order), 0), np.float32),
        order,
        starts,
        cell_codes,
        np.ascontiguousarray(cell_facts[:, 0]),
        cell_errors,
        cell_radii,
    )
    return lists, replace(frame, steps=steps)
