"""Lloyd's algorithm, exactly, without most of its distances.

Idea
----
A row that lay far nearer to its own centre than to all others cannot have changed if the centres moved
little. So every row keeps, for each of some k / 8 groups of centres, a lower bound of its distance to the
group's nearest centre other than its own. A round takes from it how far the group's centres moved at most,
and measures the distance to the row's own centre. Groups whose bound is still above that are left alone.

Within the others, and where there are no bounds yet, the *lifted* vectors come first: what a vector has
along the 64 principal axes, and the length of the rest. They are never farther apart than the vectors
(Cauchy-Schwarz), and a tenth as long. Only centres that could be nearest by that are measured on full rows.
Where most groups would have to be looked at, as in the first round, a block of rows is compared with all
centres by one matrix product of lifted vectors.

Bounds are computed in float32, with a slack for its rounding; two distances that float32 cannot tell apart
are measured in float64. So the labels are those that a plain round finds in float64, the lower number first
where two centres are equally near. Sums of the rows of each centre are kept in float64, and only rows whose
label changed are moved from one to the other.

A centre that loses all its rows is put onto the row that lies farthest from its own centre.

Layout
------
    rows (n, d) float32 · heads (n, 64) and tails (n,) float32, where d is 97 or more · labels (n,) int32
    lower (n, groups) float32: distances, not squared · centres (k, d) float64, group after group; numbers
    (k,): what each was called · starts (groups + 1,) · sums (k, d) float64, counts (k,)

Cost: the first round n · k products of 65 terms, the later ones n · (d + k / 8), and 65 for each centre in
a group that had to be looked at. Memory: n · (64 + groups) numbers beside the rows.

References
----------
S. Lloyd, "Least squares quantization in PCM", 1957, published 1982.
C. Elkan, "Using the Triangle Inequality to Accelerate k-Means", 2003.
G. Hamerly, "Making k-means Even Faster", 2010.
Y. Ding et al., "Yinyang K-Means: A Drop-In Replacement of the Classic K-Means with Consistent Speedup", 2015:
the groups.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lookalike import lloyd
from lookalike.cluster import pruned_lloyd_kernels as kernels
from lookalike.errors import InvalidInputError
from lookalike.pca import principal_axes
from lookalike.system.blas_threads import one_blas_thread
from lookalike.system.memory import rows_at_once
from lookalike.system.progress import UNWATCHED, Watch
from lookalike.types import Vectors

_HEAD = kernels.HEAD
_LEAST_DIMENSIONS = 97  # of rows that have heads; shorter ones are compared as they are
_AXES_ROWS = 8_192
_CENTERS_PER_GROUP = 8
_CENTERS_PER_BLOCK = 32
_GROUP_ROUNDS = 5
_LOWER_VALUES = 1 << 28  # of all lower bounds: 1 GB
_BLOCK_VALUES = 1 << 21  # of a block of rows against all centres: 8 MB
_BLOCK_ROWS = 2_048
_DENSE = 0.25  # where so many of the centres were looked at, all are compared in the next round

Doubles = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int32]


class Workers:
    """Threads that share blocks of rows, each of them with one thread for its matrix products."""

    def __init__(self, n_jobs: int, watch: Watch = UNWATCHED) -> None:
        self.n_jobs, self.watch = n_jobs, watch
        self._pool = ThreadPoolExecutor(n_jobs) if n_jobs > 1 else None

    def share(self, work: Callable[[slice], object], n: int, step: int) -> None:
        """Call `work` for slices of at most `step` of n."""
        parts = [slice(start, min(start + step, n)) for start in range(0, n, step)]
        for _ in map(work, parts) if self._pool is None else self._pool.map(work, parts):
            self.watch.check()

    def close(self) -> None:
        """End the threads."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)


@contextmanager
def working(n_jobs: int, watch: Watch = UNWATCHED) -> Iterator[Workers]:
    """Start threads, and keep the matrix library from starting its own meanwhile."""
    workers = Workers(int(n_jobs), watch)  # NumPy's small ones would overflow
    try:
        with one_blas_thread():
            yield workers
    finally:
        workers.close()


@dataclass(frozen=True, slots=True)
class Lift:
    """How a vector becomes its head and tail.

    Attributes
    ----------
    mean : (d,) float64
    axes : (d, m) float64
        Orthonormal columns, at most 64; heads end in zeros where there are fewer.
    """

    mean: Doubles
    axes: Doubles

    def apply(self, rows: npt.NDArray[np.floating]) -> tuple[Vectors, Vectors]:
        """Return heads (n, 64) and tails (n,), computed in float64 and then rounded."""
        block = rows - self.mean
        head = block @ self.axes
        rest = np.einsum("ij,ij->i", block, block) - np.einsum("ij,ij->i", head, head)
        heads = np.zeros((len(rows), _HEAD), np.float32)
        heads[:, : head.shape[1]] = head
        return heads, np.sqrt(np.maximum(rest, 0)).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows, and what is known of them before any centre is.

    Attributes
    ----------
    values : (n, d) float32
    lift : Lift or None
        None for short rows, which need no heads.
    heads : (n, 64) or (0, 64) float32
    tails : (n,) or (0,) float32
    squares : (n,) float32
        Squared lengths of the lifted rows.
    """

    values: Vectors
    lift: Lift | None
    heads: Vectors
    tails: Vectors
    squares: Vectors

    @classmethod
    def of(cls, values: Vectors, lift: Lift | None, workers: Workers) -> Rows:
        """Lift the rows."""
        n = 0 if lift is None else len(values)
        heads, tails = np.empty((n, _HEAD), np.float32), np.empty(n, np.float32)
        squares = np.empty(len(values), np.float32)

        def work(part: slice) -> None:
            with np.errstate(over="ignore", invalid="ignore"):
                if lift is None:
                    squares[part] = np.einsum("ij,ij->i", values[part], values[part])
                else:
                    heads[part], tails[part] = lift.apply(values[part])
                    squares[part] = np.einsum("ij,ij->i", heads[part], heads[part]) + np.square(tails[part])

        workers.share(work, len(values), rows_at_once(values.shape[1], _BLOCK_ROWS))
        if not np.isfinite(squares).all():
            raise InvalidInputError(
                "X holds rows too far from those that the clusters were made of; expected squared distances"
                " within float32"
            )
        return cls(values, lift, heads, tails, squares)


def find_lift(values: Vectors, random: np.random.Generator) -> Lift | None:
    """Return the lift that suits the rows; None if they are short."""
    n, d = values.shape
    if d < _LEAST_DIMENSIONS:
        return None
    chosen = np.sort(random.choice(n, min(n, rows_at_once(d, _AXES_ROWS)), replace=False))
    sample = values[chosen].astype(np.float64)
    mean = sample.mean(axis=0)
    return Lift(mean, principal_axes(sample - mean, _HEAD, random))


class PrunedLloyd:
    """The state of Lloyd's algorithm between two rounds.

    Parameters
    ----------
    rows : Rows
    centers : (k, d) float64
    workers : Workers
    once : bool
        There will be one round only: groups are made without looking.

    Attributes
    ----------
    squares : (n,) float32
        Squared distance of each row to the centre that the last `assign` gave it to.
    """

    def __init__(self, rows: Rows, centers: Doubles, workers: Workers, once: bool = False) -> None:
        n, k = len(rows.values), len(centers)
        self.rows = rows
        self.workers = workers
        if once:
            groups = np.arange(k) // _CENTERS_PER_BLOCK
        else:
            groups = _group(centers, max(1, min(k // _CENTERS_PER_GROUP, _LOWER_VALUES // n)), rows.lift)
        self._numbers = np.argsort(groups, kind="stable")
        self._group_of = groups[self._numbers]
        self._starts = np.searchsorted(self._group_of, np.arange(int(groups.max()) + 2))
        self._centers = np.ascontiguousarray(centers[self._numbers], np.float64)
        self._labels = np.full(n, -1, np.int32)
        self._counted = self._labels.copy()  # the labels that sums and counts are of
        self._sums, self._counts = np.zeros(self._centers.shape), np.zeros(k, np.int64)
        self._lower = np.empty((n, len(self._starts) - 1), np.float32)
        self._drifts = np.zeros(len(self._starts) - 1, np.float32)
        self._step = max(1, min(_BLOCK_ROWS, _BLOCK_VALUES // k))
        self._is_dense = np.ones(-(-n // self._step), bool)
        self.squares = np.empty(n, np.float32)

    @property
    def centers(self) -> Doubles:
        """(k, d) float64: the centres, in the order they were given."""
        ordered = np.empty_like(self._centers)
        ordered[self._numbers] = self._centers
        return ordered

    @property
    def labels(self) -> Labels:
        """(n,) int32: the centre of each row."""
        return self._numbers.astype(np.int32)[self._labels]

    @property
    def inertia(self) -> float:
        """The sum of squared distances of the last `assign`."""
        return float(self.squares.sum(dtype=np.float64))

    def assign(self) -> int:
        """Give each row to its nearest centre; return how many changed."""
        rows, starts = self.rows, self._starts
        centers32 = self._centers.astype(np.float32)
        rounded = np.float32(np.sqrt(np.square(self._centers - centers32).sum(axis=1).max()) * 1.01)
        if rows.lift is None:
            lifted, heads, tails = centers32, np.empty((0, _HEAD), np.float32), np.empty(0, np.float32)
        else:
            heads, tails = rows.lift.apply(self._centers)
            lifted = np.column_stack([heads, tails])
        center_squares = np.einsum("ij,ij->i", lifted, lifted)
        center_slacks = center_squares * kernels.ROUNDING
        doubled = np.ascontiguousarray(-2 * lifted.T)
        before = self._labels.copy()

        def work(part: slice) -> None:
            values = rows.values[part]
            slacks = rows.squares[part] * kernels.ROUNDING
            state = self._labels[part], self.squares[part], self._lower[part]
            block = part.start // self._step
            if self._is_dense[block]:
                own = values
                if rows.lift is not None:
                    own = np.column_stack([rows.heads[part], rows.tails[part]])
                kernels.check_all(
                    own @ doubled, values, rows.squares[part], slacks, *state,
                    centers32, self._centers, center_squares, center_slacks, rounded,
                    self._numbers, self._group_of, starts,
                )  # fmt: skip
                self._is_dense[block] = False
            else:
                n_seen = kernels.check_groups(
                    values, rows.heads[part], rows.tails[part], slacks, *state,
                    centers32, self._centers, heads, tails, center_slacks, rounded,
                    self._numbers, self._group_of, starts, self._drifts,
                )  # fmt: skip
                self._is_dense[block] = n_seen > _DENSE * len(values) * len(self._centers)

        self.workers.share(work, len(rows.values), self._step)
        return int(np.count_nonzero(before != self._labels))

    def move(self) -> float:
        """Put each centre into the mean of its rows; return the sum of the squares of how far they moved."""
        self._sum_up()
        if not self._counts.all():
            self._fill_empty()
            self._sum_up()
        filled = self._counts > 0
        moved = self._centers.copy()
        moved[filled] = self._sums[filled] / self._counts[filled, None]
        return self._put(moved)

    def put(self, centers: Doubles) -> None:
        """Put the centres, (k, d) in the order they were given, where they are said to be."""
        self._put(centers[self._numbers])

    def _put(self, moved: Doubles) -> float:
        squares = np.square(moved - self._centers).sum(axis=1)
        ways = np.sqrt(squares).astype(np.float32) * (1 + kernels.ROUNDING)
        self._drifts = np.maximum.reduceat(ways, self._starts[:-1])
        self._centers = moved
        return float(squares.sum())

    def _sum_up(self) -> None:
        """Bring the sums of rows up to date with the labels."""
        add_up(self.rows.values, self._counted, self._labels, self._sums, self._counts, self.workers)
        self._counted = self._labels.copy()

    def _fill_empty(self) -> None:
        """Give each centre without rows the row that lies farthest from its own, unless it lies upon it."""
        empty = np.flatnonzero(self._counts == 0)
        empty = empty[np.argsort(self._numbers[empty])]
        counts = self._counts.copy()
        farthest = iter(np.argsort(-self.squares, kind="stable"))
        for label in empty:
            for row in farthest:
                old = self._labels[row]
                if counts[old] > 1:
                    break
            else:
                return
            if self.squares[row] == 0:
                return
            group = self._group_of[old]
            distance = np.sqrt(self.squares[row]) * (1 - kernels.ROUNDING)
            self._lower[row, group] = min(self._lower[row, group], distance)
            counts[old] -= 1
            counts[label] = 1
            self._labels[row] = label


def add_up(
    values: Vectors,
    before: Labels,
    after: Labels,
    sums: Doubles,
    counts: npt.NDArray[np.int64],
    workers: Workers,
) -> None:
    """Move rows whose label changed from the sum of one label to that of the other.

    Parameters
    ----------
    values : (n, d) float32
    before, after : (n,) int32
        Labels; -1 for none.
    sums : (k, d) float64
        OUT.
    counts : (k,) int64
        OUT.
    workers : Workers
        Each has labels of its own, so that sums do not depend on who was first.
    """
    k = len(counts)
    workers.share(
        lambda part: kernels.move_rows(values, before, after, part.start, part.stop, sums, counts),
        k,
        -(-k // workers.n_jobs),
    )


def _group(centers: Doubles, n_groups: int, lift: Lift | None) -> npt.NDArray[np.int64]:
    """Return a group for each centre, near ones together; none is empty."""
    if n_groups == 1:
        return np.zeros(len(centers), np.int64)
    points = centers.astype(np.float32) if lift is None else lift.apply(centers)[0]
    # Whatever the groups are, the labels are the same.
    middles = lloyd.fit(points, n_groups, _GROUP_ROUNDS, np.random.default_rng(0))
    groups: npt.NDArray[np.int64] = np.unique(lloyd.assign(points, middles), return_inverse=True)[1]
    return groups
