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
    rows (n, d) float32, or uint8 (see `tree`) · more_rows, those added since · ids (n,) int64
    axes (d, 96) float64 · centre (2, d) float64: origin, mean · mean_head (96,) float64

Nodes are numbered as in a heap: the halves of node i are nodes 2i + 1 and 2i + 2, so that no pointers are
kept, and the code of a leaf is its number.

Cost: building takes n · d · 96 products to rotate and, for each of the log2(n / leaf_size) levels of a
tree, one pass over the lifted rows. Memory is 400 bytes a row and 1.5 kB a leaf. A search takes d · 96 to
rotate the query, 192 a box, 96 a row.

References
----------
J. Bentley, "Multidimensional Binary Search Trees Used for Associative Searching", 1975.
J. Friedman, J. Bentley, R. Finkel, "An Algorithm for Finding Best Matches in Logarithmic Expected Time",
1977: leaves, the widest axis, and the proof by bounds.
J. Beis and D. Lowe, "Shape Indexing Using Approximate Nearest-Neighbour Search in High-Dimensional Spaces",
1997: best bin first.
M. Muja and D. Lowe, "Scalable Nearest Neighbor Algorithms for High Dimensional Data", 2014: the forest.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Literal, Self, get_args

import numpy as np
import numpy.typing as npt

from lookalike.errors import InvalidInputError
from lookalike.index import kdtree_kernels as kernels
from lookalike.index import tuning
from lookalike.index.contract import DEFAULT_RECALL, check_filled, check_k, check_queries, check_recall
from lookalike.index.folder import Arrays
from lookalike.index.forest import WIDTH, Forest, drop, empty_forest, grow, insert, make_boxes, one_leaf
from lookalike.index.parallel import sealed, share
from lookalike.index.principal_axes import PrincipalAxes, fit_principal_axes, to_heads
from lookalike.index.saved_facts import read_count, read_number, read_scale
from lookalike.index.tree import ALWAYS_EXACT, Doubles, Mask, Numbers, Tree, check_count
from lookalike.system.chance import RANDOM_STATE
from lookalike.system.checked_calls import checked, shown
from lookalike.system.progress import UNWATCHED, Watch
from lookalike.types import Ids, Metric, Neighbors, Vectors

Mode = Literal["leaf", "bbf", "exact"]
MODES: tuple[Mode, ...] = get_args(Mode)

_LEAF_SIZE = 128
_LONGEST = 1e3  # of an added row in units of the longest there was: beyond, the tree is built again

_TUNED_ROWS = 1_000
_PROVED_AT_ONCE = 64
_GATHERED = 0.05  # allowed rows are copied together up to this share, above it the others are masked
_MOST_ROWS = 2**40  # that any index was ever built of
_GROWTH = 2  # the tree is built again when it holds so many times the rows it was made for


@dataclass(frozen=True, slots=True)
class _Lifting(PrincipalAxes):
    """How a vector is lifted."""

    mean_head: Doubles  # (WIDTH,)
    rounding: float  # of a lifted vector, relative to the lengths


_LIFTING_ARRAYS = ("centre", "axes", "mean_head")  # as files have them
_LIFTING_FIELDS = ("center", *_LIFTING_ARRAYS[1:])
_FOREST_ARRAYS = tuple(field.name for field in fields(Forest))


@checked
class KDTree(Tree):
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
    n_leaves_ : int
        2 to the power of `depth_`.
    codes_ : (n,) int64
        The leaf of each row, in the order of `ids`; a number from 0 to `n_leaves_` - 1.

    See Also
    --------
    path_of : a code as digits 0 and 1.
    leaf_of : the leaf that a query falls into.
    ids_in : the rows of a leaf.

    Examples
    --------
    >>> index = KDTree(metric="euclidean", leaf_size=1).build([[0, 0], [3, 4], [6, 8], [30, 40]])
    >>> index.search([0, 0], k=2).distances
    array([[0., 5.]], dtype=float32)
    >>> [index.path_of(code) for code in sorted(index.codes_)]
    ['00', '01', '10', '11']
    """

    kind: ClassVar[str] = "kdtree"
    file_format = 1
    file_arrays = (*_LIFTING_ARRAYS, *_FOREST_ARRAYS)

    def __init__(
        self,
        metric: Metric = "euclidean",
        leaf_size: int = _LEAF_SIZE,
        n_trees: int = 1,
        random_state: int = RANDOM_STATE,
        n_jobs: int | None = None,
    ) -> None:
        self.leaf_size = check_count("leaf_size", leaf_size)
        self.n_trees = check_count("n_trees", n_trees)
        super().__init__(metric, random_state, n_jobs)

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
        alive: Numbers = codes if self._alive is None else codes[self._alive]
        return alive

    def path_of(self, code: int) -> str:
        """Return the code of a leaf as its path from the root, `depth_` digits.

        0 stands for the lower half of a split, 1 for the upper one. Leaves whose paths begin alike lie in the
        same part of the tree.

        Raises
        ------
        InvalidInputError
            If there is no such leaf.
        """
        code = self._check_code(code)
        return f"{code:0{self.depth_}b}" if self.depth_ else ""

    def leaf_of(self, queries: npt.ArrayLike) -> Numbers:
        """Return the code of the leaf that each query falls into, by the splits alone.

        A row of the index falls into its own leaf, unless it equals rows on the other side of a split.

        Parameters
        ----------
        queries : (n_queries, d) array-like
            Or (d,), for one query.

        Returns
        -------
        (n_queries,) int64

        Raises
        ------
        InvalidInputError
            For a wrong dimension, NaN, or if the index is empty.
        """
        check_filled(self._n)
        rows = self._door(queries)
        leaves = np.empty(len(rows), np.int64)
        if kernels.leaves_of(self._frame, rows, leaves):
            check_queries(rows, self.metric, self._dimension)  # says what is wrong
        return leaves

    def ids_in(self, code: int) -> Ids:
        """Return the ids of the rows in a leaf, in the order of rows.

        Raises
        ------
        InvalidInputError
            If there is no such leaf.
        """
        code = self._check_code(code)
        forest = self._forest
        slots = slice(forest.starts[0, code], forest.starts[0, code + 1])
        return self._ids[np.sort(forest.order[slots][forest.live[slots]])]

    def search(
        self,
        queries: npt.ArrayLike,
        k: int = 10,
        recall: float = DEFAULT_RECALL,
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
            raise InvalidInputError(
                f"mode is {shown(mode)}; expected one of {', '.join(MODES)}", field="mode"
            )
        if n_leaves is not None:
            n_leaves = check_count("n_leaves", n_leaves)
            if mode not in (None, "bbf"):
                raise InvalidInputError(
                    f"n_leaves is {n_leaves} with mode {shown(mode)}; it is for mode 'bbf'", field="n_leaves"
                )
        rows = self._door(queries)
        if mode == "leaf":
            return self._search_exactly(rows, k, self._frame_of(allowed, may_gather=False), only_leaf=True)
        if n_leaves is not None:
            effort = tuning.Effort(n_leaves, max(10 * k, 100))
        elif mode == "exact" or (mode is None and allowed is not None):
            effort = tuning.EXACT
        else:
            effort = self._find_effort(k, recall)
        if effort.n_cells == 0:
            return self._search_exactly(rows, k, self._frame_of(allowed))
        return self._search_bins(rows, k, effort, self._frame_of(allowed, may_gather=False))

    def _check_code(self, code: int) -> int:
        check_filled(self._n)
        if isinstance(code, bool) or not isinstance(code, int | np.integer) or not 0 <= code < self.n_leaves_:
            raise InvalidInputError(
                f"code is {shown(code)}; expected 0 to {self.n_leaves_ - 1}, a leaf of the tree", field="code"
            )
        return int(code)

    def _clear(self) -> None:
        super()._clear()
        self._n_built, self._longest = 0, 1.0
        self._lifting, self._forest = _empty_lifting(), empty_forest()

    def _grow(self, rows: Vectors, random: np.random.Generator, watch: Watch) -> None:
        self._n_built = len(rows)
        found = fit_principal_axes(rows, self._row_lengths, WIDTH - 1, WIDTH, random)
        # Twice what the story above says, and float32's.
        rounding = 4 * float(np.sqrt((rows.shape[1] + WIDTH) * np.finfo(np.float64).eps)) + 1e-6
        self._lifting = _Lifting(found.scale, found.center, found.axes, found.middle, rounding)
        lifted = _lift(self._lifting, rows, self._row_lengths, watch)
        self._forest = grow(lifted, self.leaf_size, self.n_trees, random, watch)
        del lifted
        self._seal()
        if self._n > ALWAYS_EXACT:
            watch.say("tuning", f"measuring what the {self.kind} index takes for each recall")
            self._efforts = self._measure_efforts(random, watch)

    def _insert(self, rows: Vectors, lengths: Doubles, numbers: Numbers) -> bool:
        lifted = _lift(self._lifting, rows, lengths)
        longest = float(np.sqrt(np.square(lifted, dtype=np.float64).sum(axis=1).max()))
        if not longest < _LONGEST or len(self._ids) + len(rows) > _GROWTH * self._n_built:
            return False
        self._longest = max(self._longest, longest)
        self._forest = insert(self._forest, lifted, numbers)
        return True

    def _hide(self, alive: Mask) -> None:
        self._forest = replace(self._forest, live=alive[self._forest.order])

    def _dropped(self, alive: Mask) -> Self:
        dropped = type(self)(self.metric, self.leaf_size, self.n_trees, self.random_state, self.n_jobs)
        dropped._n_built, dropped._longest = self._n_built, self._longest
        dropped._lifting, dropped._forest = self._lifting, drop(self._forest, alive)
        return dropped

    def _to_file(self) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
        facts = {
            "leaf_size": self.leaf_size,
            "n_trees": self.n_trees,
            "scale": self._lifting.scale,
            "rounding": self._lifting.rounding,
            "longest": self._longest,
            "n_built": self._n_built,
        }
        values = (getattr(self._lifting, name) for name in _LIFTING_FIELDS)
        arrays = dict(zip(_LIFTING_ARRAYS, values, strict=True))
        return facts, arrays | {name: getattr(self._forest, name) for name in _FOREST_ARRAYS}

    def _from_file(self, facts: dict[str, Any], arrays: Arrays) -> None:
        center, axes, mean_head = (arrays[name] for name in _LIFTING_ARRAYS)
        self._lifting = _Lifting(read_scale(facts), center, axes, mean_head, read_number(facts, "rounding"))
        self._forest = Forest(*(arrays[name] for name in _FOREST_ARRAYS))
        self._longest = read_number(facts, "longest")
        self._n_built = read_count(facts, "n_built", _MOST_ROWS)

    @classmethod
    def _from_facts(cls, facts: dict[str, Any]) -> Self:
        return cls(facts["metric"], facts["leaf_size"], facts["n_trees"], facts["random_state"])

    def _seal_tree(self) -> None:
        lifting = self._lifting
        center, axes, mean_head = (sealed(getattr(lifting, name)) for name in _LIFTING_FIELDS)
        self._lifting = replace(lifting, center=center, axes=axes, mean_head=mean_head)
        self._forest = Forest(*(sealed(getattr(self._forest, name)) for name in _FOREST_ARRAYS))
        self._frame = self._frame_with(self._forest)

    def _find_effort(self, k: int, recall: float) -> tuning.Effort:
        known = self._effort_of.get((k, recall))
        if known is not None:
            return known
        effort = self._efforts.find(k, recall)
        return self._keep_effort(k, recall, tuning.EXACT if effort.n_rows < k else effort)

    def _search_bins(self, rows: Vectors, k: int, effort: tuning.Effort, frame: kernels.Frame) -> Neighbors:
        ids, distances = np.empty((len(rows), k), np.int64), np.empty((len(rows), k), np.float32)

        def answer(part: slice) -> int:
            return kernels.search(
                frame, rows[part], k, effort.n_cells, effort.n_rows, ids[part], distances[part]
            )

        if share(len(rows), self.n_jobs, answer):
            check_queries(rows, self.metric, self._dimension)  # says what is wrong
        return Neighbors(ids, distances)

    def _search_exactly(
        self, rows: Vectors, k: int, frame: kernels.Frame, only_leaf: bool = False
    ) -> Neighbors:
        squares, numbers, counts, _ = self._prove(rows, k, frame, only_leaf)
        return self._named(squares, numbers, counts)

    def _prove(
        self, rows: Vectors, k: int, frame: kernels.Frame, only_leaf: bool = False
    ) -> tuple[Doubles, Numbers, Numbers, Numbers]:
        """Return squared distances and row numbers (n, k), how many there are and leaves visited (n,)."""
        n = len(rows)
        squares, numbers = np.zeros((n, k)), np.zeros((n, k), np.int64)
        counts, visits = np.zeros(n, np.int64), np.zeros(n, np.int64)

        def answer(part: slice) -> int:
            return kernels.search_exactly(
                frame, rows[part], only_leaf, squares[part], numbers[part], counts[part], visits[part]
            )

        if share(n, self.n_jobs, answer):
            check_queries(rows, self.metric, self._dimension)
        return squares, numbers, counts, visits

    def _find_within(self, query: Vectors, limit: float, squares: Doubles, numbers: Numbers) -> int:
        return kernels.find_within(self._frame, query, limit, squares, numbers)

    def _frame_with(self, forest: Forest) -> kernels.Frame:
        return kernels.Frame(
            self._lifting, self._longest, forest, self._rows, self._more_rows, self._row_lengths, self._ids
        )

    def _frame_of(self, allowed: npt.ArrayLike | None, may_gather: bool = True) -> kernels.Frame:
        """Return the trees with the allowed ids alone: others masked, or those few copied into one leaf."""
        if allowed is None:
            return self._frame
        forest = self._forest
        live = self._is_allowed(allowed)[forest.order]
        slots = np.flatnonzero(live)
        if not may_gather or len(slots) > _GATHERED * len(live):
            return self._frame_with(replace(forest, live=sealed(live)))
        return self._frame_with(one_leaf(forest.lifted[slots], forest.order[slots]))

    def _measure_efforts(self, random: np.random.Generator, watch: Watch) -> tuning.Efforts:
        """Find out what it takes to find the neighbours of some rows, which are left out of the boxes."""
        forest = self._forest
        n = len(forest.order)
        chosen = np.sort(random.choice(n, min(_TUNED_ROWS, n // 4), replace=False))  # slots
        live = np.ones(n, bool)
        live[chosen] = False
        boxes = make_boxes(forest.lifted, live, forest.members, forest.starts)
        frame = self._frame_with(replace(forest, live=sealed(live), boxes=sealed(boxes)))
        k = min(tuning.LARGEST_K, self._n - len(chosen))
        queries = sealed(self._rows[forest.order[chosen]].astype(np.float32))
        starts = watch.each(range(0, len(queries), _PROVED_AT_ONCE))
        parts = (sealed(queries[start : start + _PROVED_AT_ONCE]) for start in starts)
        numbers = np.concatenate([self._prove(part, k, frame)[1] for part in parts])
        slot_of = np.empty(n, np.int64)
        slot_of[forest.order] = np.arange(n)
        leaf_of = np.empty(forest.members.shape, np.int64)  # (trees, slots)
        for tree, members in enumerate(forest.members):
            leaf_of[tree, members] = np.repeat(np.arange(self.n_leaves_), np.diff(forest.starts[tree]))
        leaf_ranks, row_ranks = np.empty((2, len(chosen), k), np.int64)

        def measure(part: slice) -> int:
            for i in watch.each(range(part.start, part.stop)):
                slots = slot_of[numbers[i]]
                kernels.rank(
                    frame,
                    forest.lifted[chosen[i]],
                    slots,
                    leaf_of.take(slots, 1),
                    leaf_ranks[i],
                    row_ranks[i],
                )
            return 0

        share(len(chosen), self.n_jobs, measure)
        row_cost = 0.2e-6 * self._dimension / 784  # seconds; only their proportion matters
        leaf_cost = 0.1e-6 + 8e-9 * n / self.n_leaves_
        return tuning.measure(leaf_ranks, row_ranks, leaf_cost, row_cost)


def _empty_lifting() -> _Lifting:
    return _Lifting(1.0, np.empty((2, 0)), np.empty((0, WIDTH)), np.zeros(WIDTH), 0.0)


def _lift(lifting: _Lifting, rows: Vectors, lengths: Doubles, watch: Watch = UNWATCHED) -> Vectors:
    """Return lifted rows (n, WIDTH): heads, the last of whose columns is empty, with the tails there."""
    lifted, tails = to_heads(lifting, rows, lengths, watch)
    lifted[:, -1] = tails
    return lifted
