"""The KD-tree: halves of halves, each with a binary code, and three ways to ask.

Idea
----
A vector is rotated to the principal axes. Its coordinates along the first 95 and the length of the rest,
its *tail*, are the *lifted* vector; by the Cauchy-Schwarz inequality two lifted vectors are never farther
apart than the vectors are. (Up to 95 dimensions nothing is left out, and they are as far apart.)

The rows are split in two at the median of the lifted axis along which they spread most, then each half
again, until no leaf holds more than `leaf_size`. All leaves lie equally deep, so the path to one, 0 for the
lower half and 1 for the upper, is a binary code of `depth_` digits. Each node keeps the box of its rows:
their smallest and largest coordinate along every axis.

Search
------
*The leaf only*: follow the splits, and look at the rows of one leaf. Quick, and often wrong: the nearest
row may lie behind the next border.

*Best bin first*: a queue of nodes, nearest box first; the rows of the `n_leaves` nearest leaves are looked
at. Half of the tails' product is taken to be in common, which estimates the distance better than the bound
does; the rows that look nearest are measured. How many leaves and rows a recall takes is found out after
the build, on rows that the boxes are made without (`tuning`).

*Exactly*: the same queue, until the nearest box is farther than the k-th row found. Of the rows in a leaf,
those are measured whose lifted distance is within reach. Filtered searches are exact, too.

Distances are measured in float64 on the original rows, as `Exact` does it; equal ones come in the order of
rows.

A forest has further trees over the same rows, which split at random along one of the 5 widest axes. One
queue holds the nodes of all. What lies behind a border in one tree lies in the midst of a leaf of another.

Why the bound holds in spite of rounding
----------------------------------------
Lengths are scaled by a power of two, so that no row is longer than 1 from the mean; one added later may be,
and `longest` says by how much. Lifted vectors are computed in float64. A tail is the root of a difference
of sums over d + 96 terms, so it is off by at most the root of their rounding, 2 · sqrt((d + 96) · 2.2e-16)
of the length; to this comes the rounding to float32. A row within distance r of the query thus has computed
lifted vectors within r + `rounding` · (longest + |q|). Their distance is a sum of 96 squares in float32,
off by less than 1e-5 of itself. Queries longer than a million are compared with every row.

Layout
------
    lifted (slots, 96) float32, in the order of the first tree's leaves · order (slots,) int64: slot → row
    members (trees, slots) int64: of each tree, the slots in the order of its leaves
    starts (trees, leaves + 1) int64 · boxes (trees, nodes, 2, 96) float32
    split_axes (trees, leaves - 1) int64 · split_values (trees, leaves - 1) float32
    rows (n, d) float32, as given · more_rows, those added since · ids (n,) int64
    axes (d, 96) float64 · centre (2, d) float64: origin, mean · middle (96,) float64: the mean, lifted

Nodes are numbered as in a heap: the halves of node i are nodes 2i + 1 and 2i + 2, so that no pointers are
kept, and the code of a leaf is its number.

Cost: building takes n · d · 96 products to rotate and, for each of the log2(n / leaf_size) levels of a
tree, one pass over the lifted rows. Memory is 384 bytes a row and 1.5 kB a leaf. A search takes d · 96 to
rotate the query, 192 a box, 96 a row.

References
----------
J. Bentley, "Multidimensional Binary Search Trees Used for Associative Searching", 1975.
J. Friedman, J. Bentley, R. Finkel, "An Algorithm for Finding Best Matches in Logarithmic Expected Time",
1977:
leaves, the widest axis, and the proof by bounds.
J. Beis and D. Lowe, "Shape Indexing Using Approximate Nearest-Neighbour Search in High-Dimensional Spaces",
1997: best bin first.
M. Muja and D. Lowe, "Scalable Nearest Neighbor Algorithms for High Dimensional Data", 2014: the forest.
N. Halko, P. Martinsson, J. Tropp, "Finding Structure with Randomness", 2011: the axes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Literal, Self, get_args

import numpy as np
import numpy.typing as npt

from lookalike.errors import InvalidInputError
from lookalike.index import tuning
from lookalike.index.calls import sealed, share
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

Mode = Literal["leaf", "bbf", "exact"]
MODES: tuple[Mode, ...] = get_args(Mode)

_FORMAT = 1
_WIDTH = 96  # of a lifted vector
_LEAF_SIZE = 128
_WIDEST = 5  # axes, that a random tree chooses among
_LONGEST = 1e3  # of an added row in units of the longest there was: beyond, the tree is built again

_LEAST_SPREAD = 1e-7
_AXES_ROWS = 8_192  # rows from which the axes are found
_AXES_ROUNDS = 4
_BLOCK_ROWS = 4_096

_ALWAYS_EXACT = 4_096  # up to so many vectors no tuning pays
_TUNED_ROWS = 1_000
_GATHERED = 0.05  # allowed rows are copied together up to this share, above it the others are masked
_GROWTH = 2  # the tree is built again when it holds so many times the rows it was made for

Doubles = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Frame:
    """How a vector is lifted."""

    scale: float
    rounding: float
    centre: Doubles  # (2, d): what is subtracted before scaling, and the mean after
    axes: Doubles  # (d, WIDTH) orthonormal columns, the last of zeros
    middle: Doubles  # (WIDTH,): the mean along the axes


@dataclass(frozen=True, slots=True)
class _Forest:
    """Rows in the order of the first tree's leaves; a slot is a place in that order."""

    lifted: Vectors  # (slots, WIDTH)
    order: Numbers  # (slots,)
    live: npt.NDArray[np.bool_]  # (slots,)
    members: Numbers  # (trees, slots)
    starts: Numbers  # (trees, leaves + 1)
    boxes: Vectors  # (trees, nodes, 2, WIDTH)
    split_axes: Numbers  # (trees, leaves - 1)
    split_values: Vectors  # (trees, leaves - 1)


class KDTree(Index):
    """Nearest neighbours by a KD-tree over principal axes, or a forest of them.

    Parameters
    ----------
    metric : {"euclidean", "cosine"}
    leaf_size : int
        The most rows that a leaf is built with.
    n_trees : int
        Trees; those after the first are random. An exact search, and one of a single leaf, use the first.
    random_state : int
        The same vectors and number give the same trees.
    n_jobs : int, optional
        Threads that share the queries of one call; all cores by default.

    Attributes
    ----------
    depth_ : int
        How many splits lead to a leaf; the digits of a code.
    codes_ : (n,) int64
        The leaf of each row, in the order of `ids`.

    Examples
    --------
    >>> index = KDTree(metric="euclidean", leaf_size=1).build([[0, 0], [3, 4], [6, 8], [30, 40]])
    >>> index.search([0, 0], k=2).distances
    array([[0., 5.]], dtype=float32)
    >>> [index.path_of(code) for code in sorted(index.codes_)]
    ['00', '01', '10', '11']
    """

    kind: ClassVar[str] = "kd-tree"
    _longest: float  # lifted row
    _alive: npt.NDArray[np.bool_] | None  # (rows,); None while none is removed

    def __init__(
        self,
        metric: Metric = "euclidean",
        leaf_size: int = _LEAF_SIZE,
        n_trees: int = 1,
        random_state: int = 0,
        n_jobs: int | None = None,
    ) -> None:
        super().__init__(metric)
        self.leaf_size = _check_count("leaf_size", leaf_size)
        self.n_trees = _check_count("n_trees", n_trees)
        self.random_state = random_state
        self.n_jobs = None if n_jobs is None else _check_count("n_jobs", n_jobs)
        self._clear()

    def __len__(self) -> int:
        return self._n

    @property
    def ids(self) -> Ids:
        """(n,) int64: the id of each row."""
        return self._ids if self._alive is None else self._ids[self._alive]

    @property
    def depth_(self) -> int:
        """How many splits lead to a leaf."""
        return self.n_leaves_.bit_length() - 1 if self._n else 0

    @property
    def n_leaves_(self) -> int:
        """How many leaves a tree has, a power of two; 0 for an empty index."""
        return int(self._forest.starts.shape[1]) - 1

    @property
    def codes_(self) -> Numbers:
        """(n,) int64: the leaf of each row, in the order of `ids`; see `path_of`."""
        codes = np.empty(len(self._ids), np.int64)
        codes[self._forest.order] = np.repeat(np.arange(self.n_leaves_), np.diff(self._forest.starts[0]))
        return codes if self._alive is None else codes[self._alive]

    @property
    def efforts(self) -> tuning.Efforts:
        """What was found to be needed for each recall: leaves and rows."""
        return self._efforts

    def path_of(self, code: int) -> str:
        """Return the code of a leaf as its path from the root: 0 for a lower half, 1 for an upper one."""
        code = self._check_code(code)
        return f"{code:0{self.depth_}b}" if self.depth_ else ""

    def leaf_of(self, queries: npt.ArrayLike) -> Numbers:
        """Return the leaf that each query falls into, (n_queries,) int64.

        A row of the index falls into its own leaf, unless it equals rows on the other side of a split.
        """
        check_filled(self._n)
        rows = sealed(check_queries(queries, self.metric, self._dimension))
        leaves = np.empty(len(rows), np.int64)
        frame, forest = self._frame, self._forest
        self._kernels.leaves_of(
            rows, self.metric == "cosine", frame.scale, frame.centre, frame.axes, frame.middle,
            forest.split_axes[0], forest.split_values[0], leaves,
        )  # fmt: skip
        return leaves

    def ids_in(self, code: int) -> Ids:
        """Return the ids of the rows in a leaf, by row."""
        code = self._check_code(code)
        forest = self._forest
        slots = slice(forest.starts[0, code], forest.starts[0, code + 1])
        return self._ids[np.sort(forest.order[slots][forest.live[slots]])]

    def build(self, vectors: npt.ArrayLike, ids: npt.ArrayLike | None = None) -> Self:
        """Take in vectors; see `Index.build`."""
        rows = check_vectors(vectors, self.metric)
        given = check_ids(ids, len(rows))
        self._clear()
        if len(rows) == 0:
            return self
        random = np.random.default_rng(self.random_state)
        self._ids = given
        self._n = self._n_built = len(rows)
        self._rows = rows
        self._more_rows = np.empty((0, rows.shape[1]), np.float32)
        self._row_factors = _factors_of(rows, self.metric)
        self._frame = _fit_frame(rows, self._row_factors, random)
        lifted = _lift(self._frame, rows, self._row_factors)
        self._forest = _grow(lifted, self.leaf_size, self.n_trees, random)
        del lifted
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
        mode: Mode | None = None,
        n_leaves: int | None = None,
    ) -> Neighbors:
        """Find the k nearest vectors to each query; see `Index.search`.

        Parameters
        ----------
        recall : float
            1 is proved by bounds, and so is a filtered search, whatever its recall.
        mode : {"leaf", "bbf", "exact"}, optional
            How to ask, in place of what the recall takes. Where the query's leaf holds fewer than k, "leaf"
            ends the row in id -1 and distance infinity.
        n_leaves : int, optional
            How many leaves best bin first visits, in place of as many as the recall takes. Where they hold
            fewer than k rows, it goes on.
        """
        if not self._n:
            check_filled(0)
        k = check_k(k, self._n)
        recall = check_recall(recall)
        if mode is not None and mode not in MODES:
            raise InvalidInputError(f"mode is {mode!r}; expected one of {', '.join(MODES)}")
        if n_leaves is not None:
            n_leaves = _check_count("n_leaves", n_leaves)
            if mode not in (None, "bbf"):
                raise InvalidInputError(f"n_leaves is {n_leaves} with mode {mode!r}; it is for mode 'bbf'")
        rows = self._door(queries)
        if mode == "leaf":
            return self._search_exactly(rows, k, self._only(allowed, may_gather=False), only_leaf=True)
        if n_leaves is not None:
            effort = tuning.Effort(n_leaves, max(10 * k, 100))
        elif mode == "exact" or (mode is None and allowed is not None):
            effort = tuning.EXACT
        else:
            effort = self._find_effort(k, recall)
        if effort.n_cells == 0:
            return self._search_exactly(rows, k, self._only(allowed))
        return self._search_bins(rows, k, effort, self._only(allowed, may_gather=False))

    def radius(self, queries: npt.ArrayLike, r: float) -> Neighborhoods:
        """Find all vectors at most `r` away from each query, exactly; see `Index.radius`."""
        r = check_radius(r)
        check_filled(self._n)
        rows = sealed(check_queries(queries, self.metric, self._dimension))
        with np.errstate(over="ignore"):
            reach = np.float32(r)
            beyond = float(np.nextafter(reach, np.float32(np.inf)))
        limit = 2 * beyond if self.metric == "cosine" else beyond * beyond
        forest = self._forest
        squares, found = np.empty(len(forest.order)), np.empty(len(forest.order), np.int64)
        ids, distances, counts = [], [], [0]
        for query in rows:
            n_found = self._kernels.find_within(
                query, limit, *self._lifting, forest.lifted, forest.order, forest.live, forest.starts,
                forest.boxes, self._rows, self._more_rows, self._row_factors, squares, found,
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
        """Add vectors under new ids, into the leaves they fall into; see `Index.add`.

        A call copies the lifted rows, 384 bytes a vector in the index: add many at once. Leaves grow, and
        what was measured for each recall stays as it is; with twice the rows it was made for, the tree is
        built anew.
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
        factors = _factors_of(rows, self.metric)
        lifted = _lift(self._frame, rows, factors)
        longest = float(np.sqrt(np.square(lifted, dtype=np.float64).sum(axis=1).max()))
        if not longest < _LONGEST or len(self._ids) + len(rows) > _GROWTH * self._n_built:
            whole = self._compacted()
            self.build(np.concatenate([whole._rows, rows]), np.concatenate([whole._ids, given]))
            return
        self._longest = max(self._longest, longest)
        self._forest = _insert(self._forest, lifted, len(self._ids) + np.arange(len(rows)))
        self._ids = np.concatenate([self._ids, given])
        if self._alive is not None:
            self._alive = np.concatenate([self._alive, np.ones(len(rows), bool)])
        self._more_rows = np.concatenate([self._more_rows, rows])
        self._row_factors = np.concatenate([self._row_factors, factors])
        self._n += len(rows)
        self._seal()

    def remove(self, ids: npt.ArrayLike) -> None:
        """Remove vectors; see `Index.remove`. They keep their place until it is saved or built again."""
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
        self._forest = replace(self._forest, live=alive[self._forest.order])
        self._alive, self._n = alive, n
        self._seal()

    def save(self, folder: Path) -> None:
        """Write the index to a folder; see `Index.save`."""
        index = self._compacted()
        arrays: dict[str, npt.NDArray[Any]] = {
            "rows": index._rows,
            "ids": index._ids,
            "row_factors": index._row_factors,
            "efforts": index._efforts.table,
        }
        arrays |= {name: getattr(index._frame, name) for name in _FRAME_ARRAYS}
        arrays |= {name: getattr(index._forest, name) for name in _Forest.__slots__}
        facts = {
            "kind": self.kind,
            "format": _FORMAT,
            "metric": self.metric,
            "leaf_size": self.leaf_size,
            "n_trees": self.n_trees,
            "random_state": self.random_state,
            "scale": index._frame.scale,
            "rounding": index._frame.rounding,
            "longest": index._longest,
            "n_built": index._n_built,
            "arrays": {name: [array.dtype.str, *array.shape] for name, array in arrays.items()},
        }
        write(folder, facts, arrays)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Open a saved index, memory-mapped; see `Index.load`."""
        facts, arrays = read(folder, cls.kind, _FORMAT, _ARRAYS)
        if facts.get("arrays") != {name: [array.dtype.str, *array.shape] for name, array in arrays.items()}:
            raise damaged(folder, "its files do not fit together")
        try:
            index = cls(facts["metric"], facts["leaf_size"], facts["n_trees"], facts["random_state"])
            scale, rounding = float(facts["scale"]), float(facts["rounding"])
            longest, n_built = float(facts["longest"]), int(facts["n_built"])
        except (KeyError, TypeError, ValueError) as error:
            raise damaged(folder, error) from error
        if n := len(arrays["ids"]):
            index._n, index._ids, index._rows = n, arrays["ids"], arrays["rows"]
            index._n_built, index._longest = n_built, longest
            index._more_rows = np.empty((0, index._rows.shape[1]), np.float32)
            index._row_factors = arrays["row_factors"]
            index._frame = _Frame(scale, rounding, *(arrays[name] for name in _FRAME_ARRAYS))
            index._forest = _Forest(*(arrays[name] for name in _Forest.__slots__))
            index._efforts = tuning.Efforts(arrays["efforts"])
            index._seal()
        return index

    @property
    def _dimension(self) -> int:
        return int(self._rows.shape[1])

    def _check_code(self, code: int) -> int:
        if isinstance(code, bool) or not isinstance(code, int | np.integer) or not 0 <= code < self.n_leaves_:
            raise InvalidInputError(
                f"code is {code!r}; expected 0 to {self.n_leaves_ - 1}, a leaf of the tree"
            )
        return int(code)

    def _clear(self) -> None:
        """Forget all vectors."""
        self._n = self._n_built = 0
        self._longest = 1.0
        self._ids = np.empty(0, np.int64)
        self._alive = None
        self._rows = self._more_rows = np.empty((0, 0), np.float32)
        self._row_factors = np.empty(0)
        self._frame, self._forest = _empty_frame(), _empty_forest()
        self._efforts = tuning.Efforts()
        self._effort_of: dict[tuple[int, float], tuning.Effort] = {}

    def _seal(self) -> None:
        """Make every array what the kernels were compiled for, and gather their arguments."""
        from lookalike.index import kdtree_kernels

        self._kernels = kdtree_kernels
        self._effort_of = {}
        self._ids, self._row_factors = sealed(self._ids), sealed(self._row_factors)
        self._rows, self._more_rows = sealed(self._rows), sealed(self._more_rows)
        frame = self._frame
        arrays = (sealed(getattr(frame, name)) for name in _FRAME_ARRAYS)
        self._frame = _Frame(frame.scale, frame.rounding, *arrays)
        self._forest = _Forest(*(sealed(getattr(self._forest, name)) for name in _Forest.__slots__))
        frame = self._frame
        self._lifting = (
            self.metric == "cosine", frame.scale, frame.rounding, self._longest, frame.centre, frame.axes,
            frame.middle,
        )  # fmt: skip

    def _door(self, queries: npt.ArrayLike) -> Vectors:
        """Return queries as (n_queries, d) float32, read-only; whether they are finite, the kernel says."""
        d = self._dimension
        if type(queries) is np.ndarray and queries.dtype == np.float32 and queries.flags.c_contiguous:
            rows = queries[None] if queries.ndim == 1 else queries[:]
            if rows.ndim == 2 and rows.shape[1] == d:
                rows.setflags(write=False)
                return rows
        return sealed(check_queries(queries, self.metric, d))

    def _find_effort(self, k: int, recall: float) -> tuning.Effort:
        effort = self._effort_of.get((k, recall))
        if effort is None:
            effort = self._efforts.find(k, recall)
            # Where most of the leaves would be visited, a proof costs no more.
            if effort.n_cells * 2 > self.n_leaves_ * self.n_trees or effort.n_rows < k:
                effort = tuning.EXACT
            self._effort_of[k, recall] = effort
        return effort

    def _search_bins(self, rows: Vectors, k: int, effort: tuning.Effort, forest: _Forest) -> Neighbors:
        frame = self._frame
        ids = np.full((len(rows), k), -1, np.int64)
        distances = np.full((len(rows), k), np.inf, np.float32)

        def answer(part: slice) -> int:
            status: int = self._kernels.search(
                rows[part], k, effort.n_cells, effort.n_rows, self.metric == "cosine", frame.scale,
                frame.centre, frame.axes, frame.middle, forest.lifted, forest.order, forest.live,
                forest.members, forest.starts, forest.boxes, self._rows, self._more_rows,
                self._row_factors, self._ids, ids[part], distances[part],
            )  # fmt: skip
            return status

        if share(len(rows), self.n_jobs, answer):
            check_queries(rows, self.metric, self._dimension)  # says what is wrong
        return Neighbors(ids, distances)

    def _search_exactly(self, rows: Vectors, k: int, forest: _Forest, only_leaf: bool = False) -> Neighbors:
        squares, numbers, counts, _ = self._prove(rows, k, forest, only_leaf)
        missing = np.arange(k) >= counts[:, None]
        numbers[missing] = 0
        ids, distances = self._ids[numbers], self._to_distances(squares)
        ids[missing], distances[missing] = -1, np.inf
        return Neighbors(ids, distances)

    def _prove(
        self, rows: Vectors, k: int, forest: _Forest, only_leaf: bool = False
    ) -> tuple[Doubles, Numbers, Numbers, Numbers]:
        """Return squared distances and row numbers (n, k), how many there are and leaves visited (n,)."""
        n = len(rows)
        squares, numbers = np.zeros((n, k)), np.zeros((n, k), np.int64)
        counts, visits = np.zeros(n, np.int64), np.zeros(n, np.int64)

        def answer(part: slice) -> int:
            status: int = self._kernels.search_exactly(
                rows[part], only_leaf, *self._lifting, forest.lifted, forest.order, forest.live,
                forest.starts, forest.boxes, forest.split_axes, forest.split_values, self._rows,
                self._more_rows, self._row_factors, squares[part], numbers[part], counts[part], visits[part],
            )  # fmt: skip
            return status

        if share(n, self.n_jobs, answer):
            check_queries(rows, self.metric, self._dimension)
        return squares, numbers, counts, visits

    def _to_distances(self, squares: Doubles) -> npt.NDArray[np.float32]:
        with np.errstate(over="ignore", invalid="ignore"):
            return (squares / 2 if self.metric == "cosine" else np.sqrt(squares)).astype(np.float32)

    def _only(self, allowed: npt.ArrayLike | None, may_gather: bool = True) -> _Forest:
        """Return the trees with the allowed ids alone: others masked, or those few copied into one leaf."""
        forest = self._forest
        if allowed is None:
            return forest
        live = forest.live & np.isin(self._ids, as_ids(allowed))[forest.order]
        slots = np.flatnonzero(live)
        if not may_gather or len(slots) > _GATHERED * len(live):
            return replace(forest, live=sealed(live))
        return _one_leaf(forest.lifted[slots], forest.order[slots])

    def _measure_efforts(self, random: np.random.Generator) -> tuning.Efforts:
        """Find out what it takes to find the neighbours of some rows, which are left out of the boxes."""
        forest = self._forest
        n = len(forest.order)
        chosen = np.sort(random.choice(n, min(_TUNED_ROWS, n // 4), replace=False))  # slots
        live = np.ones(n, bool)
        live[chosen] = False
        boxes = _make_boxes(forest.lifted, live, forest.members, forest.starts)
        forest = replace(forest, live=sealed(live), boxes=sealed(boxes))
        k = min(tuning.LARGEST_K, self._n - len(chosen))
        queries = sealed(self._rows[forest.order[chosen]])
        _, numbers, _, _ = self._prove(queries, k, forest)
        slot_of = np.empty(n, np.int64)
        slot_of[forest.order] = np.arange(n)
        leaf_of = np.empty(forest.members.shape, np.int64)  # (trees, slots)
        for tree, members in enumerate(forest.members):
            leaf_of[tree, members] = np.repeat(np.arange(self.n_leaves_), np.diff(forest.starts[tree]))
        leaf_ranks, row_ranks = np.empty((2, len(chosen), k), np.int64)

        def measure(part: slice) -> int:
            for i in range(part.start, part.stop):
                slots = slot_of[numbers[i]]
                self._kernels.rank(
                    forest.lifted[chosen[i]], forest.lifted, forest.live, forest.boxes, slots,
                    leaf_of[:, slots], leaf_ranks[i], row_ranks[i],
                )  # fmt: skip
            return 0

        share(len(chosen), self.n_jobs, measure)
        row_cost = 0.2e-6 * self._dimension / 784  # seconds; only their proportion matters
        leaf_cost = 0.1e-6 + 8e-9 * n / self.n_leaves_
        return tuning.measure(leaf_ranks, row_ranks, leaf_cost, row_cost)

    def _compacted(self) -> Self:
        """Return the same index without the places of what was removed."""
        if self._alive is None and not len(self._more_rows):
            return self
        alive = np.ones(len(self._ids), bool) if self._alive is None else self._alive
        n_old = len(self._rows)
        compact = type(self)(self.metric, self.leaf_size, self.n_trees, self.random_state, self.n_jobs)
        compact._n, compact._ids, compact._n_built = self._n, self._ids[alive], self._n_built
        compact._longest = self._longest
        compact._rows = np.concatenate([self._rows[alive[:n_old]], self._more_rows[alive[n_old:]]])
        compact._more_rows = self._more_rows[:0]
        compact._row_factors = self._row_factors[alive] if len(self._row_factors) else self._row_factors
        compact._forest = _drop(self._forest, alive)
        compact._frame, compact._efforts = self._frame, self._efforts
        return compact


_FRAME_ARRAYS = ("centre", "axes", "middle")
_ARRAYS = ("rows", "ids", "row_factors", "efforts", *_FRAME_ARRAYS, *_Forest.__slots__)


def _check_count(name: str, value: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise InvalidInputError(f"{name} is {value!r}; expected a whole number of at least 1")
    return int(value)


def _factors_of(rows: Vectors, metric: Metric) -> Doubles:
    """Return what each row is multiplied by: (n,) for cosine, (0,) for euclidean, where it is 1."""
    if metric == "euclidean":
        return np.empty(0)
    from lookalike.index import kernels

    factors = np.empty(len(rows))
    kernels.factors_of(sealed(rows), factors)
    return factors


def _empty_frame() -> _Frame:
    return _Frame(1.0, 0.0, np.empty((2, 0)), np.empty((0, _WIDTH)), np.zeros(_WIDTH))


def _empty_forest() -> _Forest:
    return _Forest(
        np.empty((0, _WIDTH), np.float32), np.empty(0, np.int64), np.empty(0, bool),
        np.empty((1, 0), np.int64), np.zeros((1, 1), np.int64), np.empty((1, 0, 2, _WIDTH), np.float32),
        np.empty((1, 0), np.int64), np.empty((1, 0), np.float32),
    )  # fmt: skip


def _one_leaf(lifted: Vectors, order: Numbers) -> _Forest:
    parts = (
        lifted, order, np.ones(len(order), bool), np.arange(len(order))[None], np.array([[0, len(order)]]),
        np.zeros((1, 1, 2, _WIDTH), np.float32), np.empty((1, 0), np.int64), np.empty((1, 0), np.float32),
    )  # fmt: skip
    return _Forest(*(sealed(np.asarray(part)) for part in parts))


def _fit_frame(rows: Vectors, factors: Doubles, random: np.random.Generator) -> _Frame:
    """Find the axes, from a sample, and the scale."""
    n, d = rows.shape
    chosen = np.sort(random.choice(n, min(n, _AXES_ROWS), replace=False))
    sample = rows[chosen].astype(np.float64)
    if len(factors):
        sample *= factors[chosen, None]
    mean = sample.mean(axis=0)
    sample -= mean
    # What is smaller than float32 tells apart is no spread.
    least = _LEAST_SPREAD * float(np.linalg.norm(mean))
    spread = max(float(np.sqrt(np.square(sample).sum(axis=1).max())), least)
    # Where the mean is no longer than the rows are apart, zeros stay zeros, and cost a query nothing.
    origin = mean if np.linalg.norm(mean) > 4 * spread else np.zeros(d)
    n_axes = min(d, _WIDTH - 1)
    axes = np.zeros((d, _WIDTH))
    axes[:, :n_axes] = _find_axes(sample / (spread or 1.0), n_axes, random)
    longest = least * least
    for start in range(0, n, _BLOCK_ROWS):
        block = rows[start : start + _BLOCK_ROWS].astype(np.float64)
        if len(factors):
            block *= factors[start : start + _BLOCK_ROWS, None]
        block -= mean
        longest = max(longest, float(np.square(block, out=block).sum(axis=1).max()))
    scale = float(np.ldexp(1.0, -int(np.frexp(np.sqrt(longest))[1]))) if longest > 0 else 1.0
    mean = (mean - origin) * scale
    rounding = 4 * float(np.sqrt((d + _WIDTH) * np.finfo(np.float64).eps)) + 1e-6
    return _Frame(scale, rounding, np.stack([origin, mean]), axes, mean @ axes)


def _find_axes(sample: Doubles, n_axes: int, random: np.random.Generator) -> Doubles:
    """Return the principal axes of centred rows, about: (d, n_axes) float64 orthonormal columns.

    Subspace iteration: a few products with the rows turn any start towards the axes of largest variance. It
    costs less than the covariance for large d, and never fails: axes without variance are orthonormal, too.
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


def _lift(frame: _Frame, rows: Vectors, factors: Doubles) -> Vectors:
    """Return lifted rows (n, WIDTH), computed in float64 and then rounded."""
    lifted = np.empty((len(rows), _WIDTH), np.float32)
    for start in range(0, len(rows), _BLOCK_ROWS):
        part = slice(start, start + _BLOCK_ROWS)
        block = rows[part].astype(np.float64)
        if len(factors):
            block *= factors[part, None]
        block -= frame.centre[0]
        block *= frame.scale
        block -= frame.centre[1]
        head = block @ frame.axes
        lifted[part] = head
        rest = np.square(block, out=block).sum(axis=1) - np.square(head, out=head).sum(axis=1)
        lifted[part, -1] = np.sqrt(np.maximum(rest, 0.0))
    return lifted


def _grow(lifted: Vectors, leaf_size: int, n_trees: int, random: np.random.Generator) -> _Forest:
    """Make trees over lifted rows, the first of them without chance."""
    n = len(lifted)
    n_leaves = 1
    while n > leaf_size * n_leaves:
        n_leaves *= 2
    starts = np.empty((n_trees, n_leaves + 1), np.int64)
    split_axes = np.empty((n_trees, n_leaves - 1), np.int64)
    split_values = np.empty((n_trees, n_leaves - 1), np.float32)
    members = np.empty((n_trees, n), np.int64)
    for tree in range(n_trees):
        members[tree], starts[tree] = _split(
            lifted, split_axes[tree], split_values[tree], random if tree else None
        )
    order = members[0].copy()
    slot_of = np.empty(n, np.int64)
    slot_of[order] = np.arange(n)
    members, lifted = slot_of[members], lifted[order]
    live = np.ones(n, bool)
    boxes = _make_boxes(lifted, live, members, starts)
    return _Forest(lifted, order, live, members, starts, boxes, split_axes, split_values)


def _split(
    lifted: Vectors, split_axes: Numbers, split_values: Vectors, random: np.random.Generator | None
) -> tuple[Numbers, Numbers]:
    """Halve the rows until there are as many parts as leaves; return their order, and where each begins."""
    order = np.arange(len(lifted))
    edges = np.array([0, len(lifted)])
    node = 0
    while node < len(split_axes):
        middles = (edges[:-1] + edges[1:] + 1) // 2
        for start, middle, end in zip(edges[:-1], middles, edges[1:], strict=True):
            rows = order[start:end]
            coordinates = lifted[rows]
            axis = _choose_axis(coordinates, random)
            along = coordinates[:, axis]
            by_coordinate = np.argsort(along, kind="stable")
            order[start:end] = rows[by_coordinate]
            split_axes[node] = axis  # OUT
            split_values[node] = _between(along[by_coordinate], middle - start)  # OUT
            node += 1
        edges = np.insert(edges, np.arange(1, len(edges)), middles)
    return order, edges


def _choose_axis(coordinates: Vectors, random: np.random.Generator | None) -> int:
    """Return the axis of the largest variance, or one by chance of those with the largest."""
    if not len(coordinates):
        return 0
    variances = coordinates.var(axis=0)
    if random is None:
        return int(variances.argmax())
    return int(random.choice(np.argsort(-variances, kind="stable")[:_WIDEST]))


def _between(rising: Vectors, n_lower: int) -> np.float32:
    """Return a value between the lower and the upper ones, which a query goes by: upper if it is larger."""
    if not len(rising):
        return np.float32(0)
    if n_lower == len(rising):
        return np.float32(rising[-1])
    value = np.float32((np.float64(rising[n_lower - 1]) + np.float64(rising[n_lower])) / 2)
    return value if value < rising[n_lower] else np.float32(rising[n_lower - 1])


def _make_boxes(lifted: Vectors, live: npt.NDArray[np.bool_], members: Numbers, starts: Numbers) -> Vectors:
    """Return the box of the live rows below each node; that of none is infinitely far from all."""
    n_trees, n_leaves = len(starts), starts.shape[1] - 1
    boxes = np.empty((n_trees, 2 * n_leaves - 1, 2, _WIDTH), np.float32)
    boxes[:, :, 0], boxes[:, :, 1] = np.inf, -np.inf
    for tree in range(n_trees):
        slots = members[tree]
        leaves = np.repeat(np.arange(n_leaves), np.diff(starts[tree]))[live[slots]]
        slots = slots[live[slots]]
        present, first = np.unique(leaves, return_index=True)
        nodes = present + n_leaves - 1
        coordinates = lifted[slots]
        boxes[tree, nodes, 0] = np.minimum.reduceat(coordinates, first)
        boxes[tree, nodes, 1] = np.maximum.reduceat(coordinates, first)
        for node in range(n_leaves - 2, -1, -1):
            halves = boxes[tree, 2 * node + 1 : 2 * node + 3]
            boxes[tree, node, 0] = halves[:, 0].min(axis=0)
            boxes[tree, node, 1] = halves[:, 1].max(axis=0)
    return boxes


def _fall(lifted: Vectors, split_axes: Numbers, split_values: Vectors) -> Numbers:
    """Return the leaf of each lifted row, by the splits."""
    nodes = np.zeros(len(lifted), np.int64)
    n_inner = len(split_axes)
    while n_inner and nodes[0] < n_inner:  # all leaves lie equally deep
        above = lifted[np.arange(len(lifted)), split_axes[nodes]] > split_values[nodes]
        nodes = 2 * nodes + 1 + above
    return nodes - n_inner


def _insert(forest: _Forest, lifted: Vectors, numbers: Numbers) -> _Forest:
    """Put rows, with their numbers, at the end of the leaves they fall into; boxes grow to hold them."""
    n_trees, n_leaves = len(forest.starts), forest.starts.shape[1] - 1
    leaves = np.stack(
        [_fall(lifted, *splits) for splits in zip(forest.split_axes, forest.split_values, strict=True)]
    )
    by_leaf = np.argsort(leaves[0], kind="stable")
    lifted, numbers, leaves = lifted[by_leaf], numbers[by_leaf], leaves[:, by_leaf]
    places = forest.starts[0, leaves[0] + 1]
    old_slots = np.arange(len(forest.order))
    old_slots += np.searchsorted(places, old_slots, side="right")
    new_slots = places + np.arange(len(places))
    members = np.empty((n_trees, len(old_slots) + len(new_slots)), np.int64)
    starts, boxes = forest.starts.copy(), forest.boxes.copy()
    for tree in range(n_trees):
        sorted_by = np.argsort(leaves[tree], kind="stable")
        at = forest.starts[tree, leaves[tree, sorted_by] + 1]
        members[tree] = np.insert(old_slots[forest.members[tree]], at, new_slots[sorted_by])
        starts[tree, 1:] += np.cumsum(np.bincount(leaves[tree], minlength=n_leaves))
        nodes = leaves[tree] + n_leaves - 1
        while True:
            np.minimum.at(boxes[tree, :, 0], nodes, lifted)
            np.maximum.at(boxes[tree, :, 1], nodes, lifted)
            if nodes[0] == 0:
                break
            nodes = (nodes - 1) // 2
    return _Forest(
        np.insert(forest.lifted, places, lifted, axis=0),
        np.insert(forest.order, places, numbers),
        np.insert(forest.live, places, True),
        members,
        starts,
        boxes,
        forest.split_axes,
        forest.split_values,
    )


def _drop(forest: _Forest, alive: npt.NDArray[np.bool_]) -> _Forest:
    """Return the trees without the rows that are gone; (rows,) bool says which stay."""
    kept = alive[forest.order]
    new_slot, new_row = np.cumsum(kept) - 1, np.cumsum(alive) - 1
    members = [new_slot[slots[kept[slots]]] for slots in forest.members]
    before = [np.concatenate([[0], np.cumsum(kept[slots])]) for slots in forest.members]
    return replace(
        forest,
        lifted=forest.lifted[kept],
        order=new_row[forest.order[kept]],
        live=np.ones(int(kept.sum()), bool),
        members=np.stack(members),
        starts=np.stack([counts[starts] for counts, starts in zip(before, forest.starts, strict=True)]),
    )
