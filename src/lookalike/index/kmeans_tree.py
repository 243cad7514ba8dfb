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
less than 4e-6 · (1 + |q|), from some 4,000 dimensions on less than 4 · sqrt((d + 128) · 2.2e-16) · (1 + |q|);
and the last sum, of four terms in float32 that are each at most (2 + |q|)²: with less than 10 roundings of
6e-8, less than 4e-6 · (1 + |q|)². The integers of whole rows are bounded in the same way, with neither axes
nor tails, and e of each row; the query's are small enough for d products to fit into 32 bits, and what they
lose is measured, too. Queries longer than 1,000 are compared with every row.

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

from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from lookalike import lloyd
from lookalike.index import kmeans_tree_kernels as kernels
from lookalike.index import tuning
from lookalike.index.contract import DEFAULT_RECALL, check_filled, check_k, check_queries, check_recall
from lookalike.index.folder import Arrays
from lookalike.index.parallel import sealed, share
from lookalike.index.principal_axes import PrincipalAxes, centered_blocks, fit_principal_axes, to_heads
from lookalike.index.saved_facts import read_scale
from lookalike.index.tree import ALWAYS_EXACT, Doubles, Mask, Numbers, Tree
from lookalike.system.chance import RANDOM_STATE
from lookalike.system.checked_calls import checked
from lookalike.system.memory import rows_at_once
from lookalike.system.progress import UNWATCHED, Watch
from lookalike.types import Metric, Neighbors, Vectors

_HEAD = 128
_LARGEST_CODE = 127
_LEAST_STEP = 1 / 64  # of the largest axis's: finer ones would be lost in the query's 16 bits
_USUAL = 0.999  # the share of rows whose codes are usual on an axis
_BEYOND_USUAL = 1.5  # codes end at so many times the usual: rows beyond are cut
_STEPS_ROWS = 8_192  # rows from which the usual is taken
_LONGEST = 2.0  # of an added row, for the bounds; see above

_CELLS_PER_ROOT = 8  # cells = 8 · √n
_ROWS_PER_CELL = 12  # at least
_CELL_DIMENSIONS = 64  # of a head, that the cells are made from
_CELL_SAMPLE = 64  # rows a cell, that it is made from
_CELL_ROUNDS = 5
_BLOCK_ROWS = 4_096

_TUNED_ROWS = 800  # held out, up to 100,000 vectors; of more, fewer: each is compared with all
_FEWEST_TUNED_ROWS = 250
_PROVED_AT_ONCE = 64
_GATHERED = 0.2  # allowed rows are copied together up to this share, above it the others are masked
_ROW_COST = 0.25e-9  # seconds a dimension, of measuring a row; only their proportion matters
_SLOT_COST = 6e-9  # of scanning one
_LONG_ROW = 256  # dimensions, from which on rows are kept as bytes, too


@dataclass(frozen=True, slots=True)
class _Coding(PrincipalAxes):
    """How a vector becomes the codes of a head."""

    axes32: Vectors  # (d, HEAD), the axes
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


_CODING_ARRAYS = ("centre", "axes", "axes32", "steps", "row_steps")  # as files have them
_CODING_FIELDS = ("center", *_CODING_ARRAYS[1:])
_LISTS_ARRAYS = tuple(field.name for field in fields(_Lists))


@checked
class KMeansTree(Tree):
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
    file_format = 3
    file_arrays = (*_CODING_ARRAYS, *_LISTS_ARRAYS)

    def __init__(
        self, metric: Metric = "euclidean", random_state: int = RANDOM_STATE, n_jobs: int | None = None
    ) -> None:
        super().__init__(metric, random_state, n_jobs)

    @property
    def cells(self) -> npt.NDArray[np.int64]:
        """(n,) int64: the cell that each row lies in, in the order of `ids`."""
        cells = np.empty(len(self._ids), np.int64)
        cells[self._lists.order] = np.repeat(np.arange(self.n_cells), np.diff(self._lists.starts))
        return cells if self._alive is None else cells[self._alive]

    @property
    def n_cells(self) -> int:
        """How many cells there are."""
        return len(self._lists.cell_squares) if self._n else 0

    def search(
        self,
        queries: npt.ArrayLike,
        k: int = 10,
        recall: float = DEFAULT_RECALL,
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
            return self._search_exactly(rows, k, self._frame_of(self._only(self._is_allowed(allowed))))
        if effort.n_cells == 0:
            return self._search_exactly(rows, k, self._frame)
        n = len(rows)
        ids = np.empty((n, k), np.int64)
        ids.fill(-1)
        distances = np.empty((n, k), np.float32)
        distances.fill(np.inf)
        if n == 1:  # nothing to share, and no time to lose
            status = kernels.search(self._frame, rows, k, effort.n_cells, effort.n_rows, ids, distances)
        else:
            status = share(
                n,
                self.n_jobs,
                lambda part: kernels.search(
                    self._frame, rows[part], k, effort.n_cells, effort.n_rows, ids[part], distances[part]
                ),
            )
        if status == kernels.SHORT:
            short = np.flatnonzero(ids[:, -1] < 0)
            found = self._search_exactly(sealed(rows[short]), k, self._frame)
            ids[short], distances[short] = found.ids, found.distances
        elif status:
            check_queries(rows, self.metric, rows.shape[1])  # says what is wrong
        return Neighbors(ids, distances)

    def _clear(self) -> None:
        super()._clear()
        self._coding, self._lists = _empty_coding(), _empty_lists()

    def _grow(self, rows: Vectors, random: np.random.Generator, watch: Watch) -> None:
        found = fit_principal_axes(rows, self._row_lengths, _HEAD, _HEAD, random)
        heads, tails = to_heads(found, rows, self._row_lengths, watch)
        centroids, labels = _make_cells(heads, random, watch)
        self._lists, steps = _make_lists(heads, tails, centroids, labels)
        self._coding = _Coding(
            found.scale,
            found.center,
            found.axes,
            found.axes.astype(np.float32),
            np.stack([steps, found.middle]),
            np.empty(0),
        )
        del heads, tails
        if self._rows.dtype == np.float32 and rows.shape[1] >= _LONG_ROW:
            self._keep_row_codes(rows, watch)
        self._seal()
        if self._n > ALWAYS_EXACT:
            watch.say("tuning", f"measuring what the {self.kind} index takes for each recall")
            self._efforts = self._measure_efforts(random, watch)

    def _keep_row_codes(self, rows: Vectors, watch: Watch) -> None:
        n_chosen = rows_at_once(rows.shape[1], _STEPS_ROWS)
        chosen = np.arange(0, len(rows), max(1, len(rows) // n_chosen))
        some = np.abs(_centered(self._coding, rows, self._row_lengths, chosen))
        steps = np.quantile(some, _USUAL, axis=0).astype(np.float64) * (_BEYOND_USUAL / _LARGEST_CODE)
        steps = np.maximum(steps, steps.max() * _LEAST_STEP)
        steps = steps if steps.max() > 0 else np.ones_like(steps)
        self._coding = replace(self._coding, row_steps=steps)
        codes, facts = _encode_rows(self._coding, rows, self._row_lengths, self._lists.order, watch)
        self._lists = replace(self._lists, row_codes=codes, row_facts=facts)

    def _insert(self, rows: Vectors, lengths: Doubles, numbers: Numbers) -> bool:
        heads, tails = to_heads(self._coding, rows, lengths)
        from_mean = np.sqrt((heads.astype(np.float64) ** 2).sum(axis=1) + tails.astype(np.float64) ** 2)
        if not from_mean.max() < _LONGEST:  # the bounds were made for shorter ones
            return False
        lists = self._lists
        steps = self._coding.steps[0]
        centroids = (lists.cell_codes * steps).astype(np.float32)
        labels = lloyd.assign(heads, centroids)
        by_label = np.argsort(labels, kind="stable")
        labels = labels[by_label]
        codes, facts, errors = _encode(heads[by_label], tails[by_label], steps)
        places = lists.starts[labels + 1]
        row_codes, row_facts = np.empty((len(rows), 0), np.int8), np.empty((len(rows), 0), np.float32)
        if lists.row_codes.shape[1]:
            row_codes, row_facts = _encode_rows(self._coding, rows, lengths, by_label)
        cell_errors = lists.cell_errors.copy()
        np.maximum.at(cell_errors, labels, errors)
        cell_radii = lists.cell_radii.copy()
        np.maximum.at(cell_radii, labels, _from_centroids(codes, lists.cell_codes, labels, steps))
        starts = lists.starts + np.concatenate([[0], np.cumsum(np.bincount(labels, minlength=self.n_cells))])
        self._lists = _Lists(
            np.insert(lists.codes, places, codes, axis=0),
            np.insert(lists.facts, places, facts, axis=0),
            np.insert(lists.row_codes, places, row_codes, axis=0),
            np.insert(lists.row_facts, places, row_facts, axis=0),
            np.insert(lists.order, places, numbers[by_label]),
            starts,
            lists.cell_codes,
            lists.cell_squares,
            cell_errors,
            cell_radii,
        )
        return True

    def _hide(self, alive: Mask) -> None:
        facts = self._lists.facts.copy()
        facts[~alive[self._lists.order], 0] = np.inf
        self._lists = replace(self._lists, facts=facts)

    def _dropped(self, alive: Mask) -> Self:
        dropped = type(self)(self.metric, self.random_state, self.n_jobs)
        lists, kept = self._lists, alive[self._lists.order]
        number = np.cumsum(alive) - 1
        before = np.concatenate([[0], np.cumsum(kept)])
        dropped._coding = self._coding
        dropped._lists = replace(
            lists,
            codes=lists.codes[kept],
            facts=lists.facts[kept],
            row_codes=lists.row_codes[kept],
            row_facts=lists.row_facts[kept],
            order=number[lists.order[kept]],
            starts=before[lists.starts],
        )
        return dropped

    def _to_file(self) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
        values = (getattr(self._coding, name) for name in _CODING_FIELDS)
        arrays = dict(zip(_CODING_ARRAYS, values, strict=True))
        arrays |= {name: getattr(self._lists, name) for name in _LISTS_ARRAYS}
        return {"scale": self._coding.scale}, arrays

    def _from_file(self, facts: dict[str, Any], arrays: Arrays) -> None:
        self._coding = _Coding(read_scale(facts), *(arrays[name] for name in _CODING_ARRAYS))
        # Earlier versions saved these in float32.
        self._coding = replace(self._coding, row_steps=self._coding.row_steps.astype(np.float64))
        self._lists = _Lists(*(arrays[name] for name in _LISTS_ARRAYS))

    @classmethod
    def _from_facts(cls, facts: dict[str, Any]) -> Self:
        return cls(facts["metric"], facts["random_state"])

    def _seal_tree(self) -> None:
        """Make every array what the kernels were compiled for, and gather them."""
        coding = self._coding
        self._coding = _Coding(coding.scale, *(sealed(getattr(coding, name)) for name in _CODING_FIELDS))
        self._lists = _Lists(*(sealed(getattr(self._lists, name)) for name in _LISTS_ARRAYS))
        self._frame = self._frame_of(self._lists)

    def _frame_of(self, lists: _Lists) -> kernels.Frame:
        return kernels.Frame(self._coding, lists, self._rows, self._more_rows, self._row_lengths, self._ids)

    def _find_effort(self, k: int, recall: float) -> tuning.Effort:
        effort = self._efforts.find(k, recall)
        # Where most of the cells or many rows would be looked at, a proof costs no more.
        if effort.n_cells * 2 > self.n_cells or effort.n_rows * 16 > self._n or effort.n_rows < k:
            effort = tuning.EXACT
        return self._keep_effort(k, recall, effort)

    def _search_exactly(self, rows: Vectors, k: int, frame: kernels.Frame) -> Neighbors:
        return self._named(*self._prove(rows, k, frame))

    def _prove(self, rows: Vectors, k: int, frame: kernels.Frame) -> tuple[Doubles, Numbers, Numbers]:
        """Return squared distances and row numbers, (n, k), nearest first, and how many there are, (n,)."""
        n = len(rows)
        squares, numbers = np.empty((n, k)), np.empty((n, k), np.int64)
        counts = np.zeros(n, np.int64)
        status = share(
            n,
            self.n_jobs,
            lambda part: kernels.search_exactly(
                frame, rows[part], k, squares[part], numbers[part], counts[part]
            ),
        )
        if status:
            check_queries(rows, self.metric, self._dimension)  # says what is wrong
        return squares, numbers, counts

    def _find_within(self, query: Vectors, limit: float, squares: Doubles, numbers: Numbers) -> int:
        return kernels.find_within(self._frame, query, limit, squares, numbers)

    def _only(self, is_allowed: Mask) -> _Lists:
        """Return the lists of the allowed rows alone."""
        lists = self._lists
        kept = is_allowed[lists.order]
        slots = np.flatnonzero(kept)
        if len(slots) > _GATHERED * len(kept):
            facts = lists.facts.copy()
            facts[~kept, 0] = np.inf
            return replace(lists, facts=sealed(facts))
        parts = (
            lists.codes[slots], lists.facts[slots], lists.row_codes[slots], lists.row_facts[slots],
            lists.order[slots], np.array([0, len(slots)]),
            np.zeros((1, _HEAD), np.int8), np.zeros(1, np.float32), lists.cell_errors.max(keepdims=True),
            np.full(1, np.inf, np.float32),
        )  # fmt: skip
        return _Lists(*map(sealed, parts))

    def _measure_efforts(self, random: np.random.Generator, watch: Watch) -> tuning.Efforts:
        """Find out what it takes to find the neighbours of some rows."""
        n_slots = len(self._lists.order)
        slot_of = np.empty(n_slots, np.int64)
        slot_of[self._lists.order] = np.arange(n_slots)
        n_tuned = max(_FEWEST_TUNED_ROWS, min(_TUNED_ROWS, 100_000 * _TUNED_ROWS // self._n))
        chosen = np.sort(random.choice(len(self._rows), n_tuned, replace=False))
        k = min(tuning.LARGEST_K, self._n - 1)
        queries = sealed(self._rows[chosen].astype(np.float32))
        numbers = self._nearest_to(chosen, queries, k + 1, watch)
        cell_ranks, row_ranks = np.empty((2, len(chosen), k), np.int64)

        def measure(part: slice) -> int:
            for i in watch.each(range(part.start, part.stop)):
                # Among many equal rows, it may not be in its own answer.
                others = numbers[i][numbers[i] != chosen[i]][:k]
                slots = slot_of[others]
                cells = np.searchsorted(self._lists.starts, slots, side="right") - 1
                kernels.rank(
                    self._frame, queries[i], slots, cells, slot_of[chosen[i]], cell_ranks[i], row_ranks[i]
                )
            return 0

        share(len(chosen), self.n_jobs, measure)
        row_cost = _ROW_COST * self._rows.shape[1]
        cell_cost = _SLOT_COST * n_slots / self.n_cells
        return tuning.measure(cell_ranks, row_ranks, cell_cost, row_cost)

    def _nearest_to(self, chosen: Numbers, queries: Vectors, k: int, watch: Watch) -> Numbers:
        """Return the rows nearest to some of the rows, nearest first, up to rounding: (len(chosen), k).

        Bounds leave a few hundred rows of pixels to be measured, but thousands of an embedding's: there,
        products of all with all are quicker.
        """
        if not self._lists.row_codes.shape[1]:
            starts = watch.each(range(0, len(queries), _PROVED_AT_ONCE))
            parts = (sealed(queries[start : start + _PROVED_AT_ONCE]) for start in starts)
            return np.concatenate([self._prove(part, k, self._frame)[1] for part in parts])
        queries = _centered(self._coding, self._rows, self._row_lengths, chosen)
        keys, numbers = np.empty((len(chosen), k), np.float32), np.empty((len(chosen), k), np.int64)
        sizes = np.zeros(len(chosen), np.int64)
        step = rows_at_once(self._rows.shape[1], _BLOCK_ROWS)
        for start in watch.each(range(0, len(self._rows), step)):
            part = slice(start, start + step)
            rows = _centered(self._coding, self._rows, self._row_lengths, part)
            estimates = queries @ rows.T
            estimates *= -2
            estimates += np.einsum("ij,ij->i", rows, rows)
            kernels.keep_nearest(estimates, start, keys, numbers, sizes)
        return np.take_along_axis(numbers, np.argsort(keys, axis=1, kind="stable"), axis=1)


def _empty_coding() -> _Coding:
    axes = np.empty((0, _HEAD))
    return _Coding(1.0, np.empty((2, 0)), axes, axes.astype(np.float32), np.ones((2, _HEAD)), np.empty(0))


def _empty_lists() -> _Lists:
    return _Lists(
        np.empty((0, _HEAD), np.int8), np.empty((0, 2), np.float32), np.empty((0, 0), np.int8),
        np.empty((0, 0), np.float32), np.empty(0, np.int64), np.zeros(1, np.int64),
        np.empty((0, _HEAD), np.int8), *(np.empty(0, np.float32) for _ in range(3)),
    )  # fmt: skip


def _centered(coding: _Coding, rows: npt.NDArray[Any], lengths: Doubles, part: Any) -> Vectors:
    """Return some rows as their principal axes have them, before they are turned: (n, d) float32."""
    block: Vectors = rows[part].astype(np.float32)
    if len(lengths):
        block /= lengths[part, None].astype(np.float32)
    block -= (coding.center[0] + coding.center[1] / coding.scale).astype(np.float32)
    block *= np.float32(coding.scale)
    return block


def _encode_rows(
    coding: _Coding,
    rows: Vectors,
    lengths: Doubles,
    order: npt.NDArray[np.int64],
    watch: Watch = UNWATCHED,
) -> tuple[npt.NDArray[np.int8], Vectors]:
    """Return rows in some order as codes (n, d), and facts (n, 2): |x'|², and what the codes lost."""
    places = np.empty(len(order), np.int64)
    places[order] = np.arange(len(order))
    codes, facts = np.empty(rows.shape, np.int8), np.empty((len(rows), 2), np.float32)
    for part, block, _ in watch.each(centered_blocks(rows, lengths, coding.scale, coding.center)):
        some_codes, some_facts = np.empty(block.shape, np.int8), np.empty((len(block), 2), np.float32)
        kernels.encode_rows(block, sealed(coding.row_steps), some_codes, some_facts)
        codes[places[part]], facts[places[part]] = some_codes, some_facts
    return codes, facts


def _make_cells(
    heads: Vectors, random: np.random.Generator, watch: Watch
) -> tuple[Vectors, npt.NDArray[np.int64]]:
    """Return centroids (cells, HEAD) and the cell of each head (n,)."""
    n = len(heads)
    n_cells = int(max(1, min(_CELLS_PER_ROOT * n**0.5, n / _ROWS_PER_CELL)))
    sample = heads
    if n > _CELL_SAMPLE * n_cells:
        sample = heads[np.sort(random.choice(n, _CELL_SAMPLE * n_cells, replace=False))]
    sample = np.ascontiguousarray(sample[:, :_CELL_DIMENSIONS])
    tree = lloyd.fit_tree(sample, n_cells, _CELL_ROUNDS, random, watch)
    part = heads[:, :_CELL_DIMENSIONS]
    # Empty cells would be visited for nothing.
    filled, labels = np.unique(tree.assign(part, watch), return_inverse=True)
    return lloyd.means(heads, labels, np.zeros((len(filled), _HEAD), np.float32), watch), labels


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
    heads: Vectors, tails: Vectors, centroids: Vectors, labels: Numbers
) -> tuple[_Lists, Doubles]:
    """Put the heads in the order of their cells, as integers; return also the steps of these, (HEAD,)."""
    some = np.abs(heads[:: max(1, len(heads) // _STEPS_ROWS)])
    usual = np.quantile(some, _USUAL, axis=0) * _BEYOND_USUAL
    largest = np.maximum(heads.max(axis=0), -heads.min(axis=0))
    steps = np.minimum(np.where(usual > 0, usual, largest), largest).astype(np.float64) / _LARGEST_CODE
    steps = np.maximum(steps, steps.max() * _LEAST_STEP)
    if not steps.max() > 0:
        steps = np.ones_like(steps)
    order = np.argsort(labels, kind="stable")
    codes, facts, errors = _encode(heads, tails, steps)
    cell_codes, cell_facts, _ = _encode(centroids, np.zeros(len(centroids), np.float32), steps)
    cell_errors = np.zeros(len(centroids), np.float32)
    np.maximum.at(cell_errors, labels, errors)
    cell_radii = np.zeros(len(centroids), np.float32)
    np.maximum.at(cell_radii, labels, _from_centroids(codes, cell_codes, labels, steps))
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
    return lists, steps
