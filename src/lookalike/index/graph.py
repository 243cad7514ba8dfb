"""Neighbour graphs: who is near to whom, for all rows at once.

`neighbor_graph` has each row's k nearest others, from a `KMeansTree`. `radius_graph` has all pairs within a
distance, which is what DBSCAN asks.

All pairs within a distance
---------------------------
Every row is *lifted* into at most 129 dimensions: what it has along the first 128 principal axes, and the
length of the rest, its tail. By the Cauchy-Schwarz inequality lifted rows are never farther apart than the
rows are, so a matrix product of lifted rows,

    |x|² + |y|² - 2 x_head·y_head - 2 x_tail·y_tail <= |x - y|²,

finds all pairs that may be within reach, tile by tile of half the square. It is computed in float32, and
lies above by no more than the slack of `Lifted`. Those few pairs are measured in float64 on the original
rows. The product costs n² / 2 · 129 multiply-adds whatever the dimension: 60,000 rows in a few seconds, and
for some hundred thousand rows still less than it takes to ask an index 60,000 times for its radius. Memory is
what the graph takes, 8 bytes an entry, and a tile a thread.

References
----------
N. Higham, "Accuracy and Stability of Numerical Algorithms", 2nd edition 2002, section 3.1: the rounding error
of an inner product of d terms.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.errors import InvalidInputError
from lookalike.index.contract import check_k, check_radius, check_recall, check_vectors
from lookalike.index.kmeans_tree import KMeansTree
from lookalike.pca import principal_axes
from lookalike.system.blas_threads import eigh, one_blas_thread
from lookalike.system.checked_calls import checked, shown
from lookalike.system.cores import usable_cores
from lookalike.system.memory import rows_at_once
from lookalike.system.progress import CancelToken, Progress, ProgressReport, Watch
from lookalike.system.watching import watching
from lookalike.types import Ids, Metric, Vectors

_HEAD = 128
_AXES_ROWS = 8_192  # rows from which the axes are found
_HEADS = (16, 32, 48, 64, 96, 128)  # numbers of axes to choose from
_CHOICE_ROWS = 512
# Of measuring one pair: as many axes of the product as take the same time, and that for each dimension.
_MEASURE_COST, _TERM_COST = 2_500, 10
_BLOCK_ROWS = 4_096
_LEAST_BATCH, _MOST_BATCH = 16, 4_096  # queries of an index between two reports
_BATCH_SECONDS = 0.3  # that these are to take
_TILE = (1_024, 512)  # 2 MB of estimates, and few enough columns that their rows stay in the cache, too
_CHUNK = 64  # as in graph_kernels
_MOST_ENTRIES = 500_000_000  # of a radius graph: 10 GB while it is made
_BEYOND = np.float32(1e30)  # the squared length of a row that is there to fill a chunk
_UNIT_ROUNDOFF = float(np.finfo(np.float32).eps) / 2

Doubles = npt.NDArray[np.float64]


@checked
def neighbor_graph(
    vectors: npt.ArrayLike,
    k: int,
    metric: Metric = "euclidean",
    recall: float = 1.0,
    *,
    report: ProgressReport | None = None,
    cancel: CancelToken | None = None,
) -> Any:
    """Return the distances of each row to its k nearest others.

    Parameters
    ----------
    vectors : (n, d) array-like
    k : int
        1 to n - 1.
    metric : {"euclidean", "cosine"}
    recall : float
        The share of true neighbours that may be expected; see `Index.search`. 1 is exact.
    report, cancel : optional
        Who is told how far it has come, and may stop it; see `Collection.sync`.

    Returns
    -------
    (n, n) scipy.sparse.csr_array of float32
        True distances, k a row, nearest first, itself left out. Distances of 0 are entries, too.

    Raises
    ------
    InvalidInputError
        For NaN, a wrong shape, or a k out of range.

    Examples
    --------
    >>> graph = neighbor_graph([[0], [1], [3]], k=1)
    >>> graph.toarray().tolist()
    [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 2.0, 0.0]]
    """
    from scipy.sparse import csr_array

    rows = check_vectors(vectors, metric)
    n = len(rows)
    check_others(n)
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or not 1 <= k < n:
        raise InvalidInputError(
            f"k is {shown(k)}; expected 1 to {n - 1}, the number of other vectors", field="k"
        )
    check_recall(recall)
    with watching(report, cancel) as watch:
        others, distances = _find_nearest(rows, k, metric, recall, watch)
    starts = np.arange(0, n * k + 1, k, dtype=np.int32 if n * k < 2**31 else np.int64)
    return csr_array((distances.ravel(), others.ravel(), starts), shape=(n, n))


def _find_nearest(
    rows: Vectors, k: int, metric: Metric, recall: float, watch: Watch
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
    """Return each row's k nearest others, and how far they are: (n, k)."""
    n = len(rows)

    def tell(done: int) -> None:
        watch(Progress("neighbors", done, n, "looking for neighbours"))

    tell(0)
    index = KMeansTree(metric).build(rows, **watch.quiet().told)
    others, distances = np.empty((n, k), np.int32), np.empty((n, k), np.float32)
    start, step = 0, _LEAST_BATCH
    while start < n:
        tell(start)
        began = time.monotonic()
        batch = slice(start, start + step)
        found = index.search(rows[batch], k=check_k(k + 1, n), recall=recall)
        numbers = np.arange(start, start + len(found.ids))
        is_other = found.ids != numbers[:, None]
        # Among many equal rows, it may not be in its own answer; then the last one goes.
        is_other[is_other.all(axis=1), -1] = False
        others[batch] = found.ids[is_other].reshape(-1, k)
        distances[batch] = found.distances[is_other].reshape(-1, k)
        start += step
        is_quick = time.monotonic() - began < _BATCH_SECONDS
        step = min(2 * step, _MOST_BATCH) if is_quick else max(step // 2, _LEAST_BATCH)
    tell(n)
    return others, distances


@checked
def radius_graph(
    vectors: npt.ArrayLike,
    r: float,
    metric: Metric = "euclidean",
    *,
    report: ProgressReport | None = None,
    cancel: CancelToken | None = None,
) -> Any:
    """Return the distances of all pairs of rows that are at most `r` apart.

    Parameters
    ----------
    vectors : (n, d) array-like
    r : float
    metric : {"euclidean", "cosine"}
    report, cancel : optional
        Who is told how far it has come, and may stop it; see `Collection.sync`.

    Returns
    -------
    (n, n) scipy.sparse.csr_array of float32
        True distances; symmetric, the row itself left out, columns rising. Distances of 0 are entries, too.

    Raises
    ------
    InvalidInputError
        For NaN, a wrong shape, a radius that is negative or infinite, or one so large that the graph would
        not fit into memory.

    Examples
    --------
    >>> radius_graph([[0], [1], [3]], r=1).toarray().tolist()
    [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
    """
    r = check_radius(r)
    rows = check_vectors(vectors, metric)
    n = len(rows)
    if not n:
        raise InvalidInputError("there are no vectors; expected at least 1")
    with watching(report, cancel) as watch:
        return _find_within(rows, r, metric, watch)


def _find_within(rows: Vectors, r: float, metric: Metric, watch: Watch) -> Any:
    """Return the graph of all pairs of rows at most `r` apart; all is checked."""
    from scipy.sparse import csr_array

    from lookalike.index import graph_kernels

    n = len(rows)
    lifted = Lifted.of(rows, metric, r)
    with np.errstate(over="ignore"):
        limit, reach = np.float32(lifted.estimate(r)), np.float32(r)
    height, width = _TILE
    strips = range(0, n, height)

    def measure(i: int) -> list[npt.NDArray[Any]]:
        """Return the pairs of some rows and all later ones."""
        left = lifted.left[i : i + height]
        # Memory is asked for once a strip: new pages would take as long as the product.
        estimates = np.empty(len(left) * width, np.float32)
        a, b = np.empty((2, estimates.size), np.int32)
        distances = np.empty(estimates.size, np.float32)
        parts = []
        for j in range(i // _CHUNK * _CHUNK, n, width):
            right = lifted.right[j : j + width]
            tile = estimates[: len(left) * len(right)].reshape(len(left), len(right))
            np.matmul(left, right.T, out=tile)
            chunks = tile.reshape(len(left), -1, _CHUNK)
            found = graph_kernels.pairs_within(
                chunks, i, j, limit, reach, rows, lifted.lengths, a, b, distances
            )
            parts.append((a[:found].copy(), b[:found].copy(), distances[:found].copy()))
        return [np.concatenate(each) for each in zip(*parts, strict=True)]

    pairs = []
    counts = np.zeros(n + 1, np.int64)
    # A strip a thread: BLAS's own threads wait for one another, and for long where the cores are shared.
    with one_blas_thread(), ThreadPoolExecutor(usable_cores()) as pool:
        try:
            for done, found in enumerate(pool.map(measure, strips), 1):
                graph_kernels.count(found[0], found[1], counts[1:])
                pairs.append(found)
                if counts.sum() > _MOST_ENTRIES:
                    last = min(done * height, n)
                    raise InvalidInputError(
                        f"a distance of {r:g} has more than {counts[: last + 1].sum() // last:,} neighbours"
                        " a vector, too many to hold in memory; expected a smaller one"
                    )
                watch(Progress("neighbors", done, len(strips), "looking for neighbours"))
        finally:
            pool.shutdown(cancel_futures=True)
    starts = np.cumsum(counts)
    ends = starts[:-1].copy()
    indices, data = np.empty(starts[-1], np.int32), np.empty(starts[-1], np.float32)
    # In this order, each row's columns rise.
    for a, b, distances in pairs:
        graph_kernels.fill(a, b, distances, ends, indices, data)
    if starts[-1] < 2**31:
        starts = starts.astype(np.int32)
    return csr_array((data, indices, starts), shape=(n, n))


def check_others(n: int) -> None:
    """Raise unless there are at least two rows."""
    if n < 2:
        there = "is only 1 vector" if n else "are no vectors"
        raise InvalidInputError(f"there {there}; expected at least 2, to be near to each other")


@dataclass(frozen=True, slots=True)
class Lifted:
    """Rows such that ``left @ right.T`` is a lower bound of their squared distances.

    Attributes
    ----------
    left, right : (n, D) float32
        The heads, the tail, and two columns for the squared lengths. `right` is filled up to whole chunks,
        with rows that are far from all.
    lengths : (n,) float64
        What a row is divided by, for cosine; (0,) for euclidean.
    scale : float
        Estimates are of distances times this.
    slack : float
        By how much an estimate may lie above the true value.
    """

    left: Vectors
    right: Vectors
    lengths: Doubles
    scale: float
    slack: float

    @classmethod
    def of(cls, rows: Vectors, metric: Metric, r: float | None = None) -> Lifted:
        """Lift rows, (n, d) float32, checked; with as many axes as serve best to find what is within `r`."""
        n = len(rows)
        step = rows_at_once(rows.shape[1], _BLOCK_ROWS)
        blocks = [slice(start, start + step) for start in range(0, n, step)]
        lengths = np.empty(0)
        if metric == "cosine":
            lengths = np.concatenate(
                [np.linalg.norm(rows[part].astype(np.float64), axis=1) for part in blocks]
            )

        def doubles(part: slice) -> Doubles:
            block = rows[part].astype(np.float64)
            return block / lengths[part, None] if len(lengths) else block

        sample = doubles(slice(0, n, max(1, n // rows_at_once(rows.shape[1], _AXES_ROWS))))
        mean = sample.mean(axis=0)
        sample -= mean
        longest = max(float(np.linalg.norm(doubles(part) - mean, axis=1).max()) for part in blocks)
        # By a power of two, so that squares are within float32's range and nothing is rounded.
        scale = float(np.ldexp(1.0, -int(np.frexp(longest)[1]))) if longest > 0 else 1.0
        sample *= scale
        if len(sample) < sample.shape[1]:
            axes = principal_axes(sample, min(_HEAD, sample.shape[1]), np.random.default_rng(0))
        else:
            axes = eigh(sample.T @ sample)[1][:, ::-1][:, :_HEAD]
        if r is not None:
            square = 2 * r if len(lengths) else r * r
            axes = axes[:, : _choose_heads(sample, axes, square * scale * scale)]
        n_heads = axes.shape[1]
        left = np.empty((n, n_heads + 3), np.float32)

        def lift(part: slice) -> None:
            left[part] = _lift((doubles(part) - mean) * scale, axes)

        with ThreadPoolExecutor(usable_cores()) as pool:
            list(pool.map(lift, blocks))
        right = np.zeros((-(-n // _CHUNK) * _CHUNK, n_heads + 3), np.float32)
        right[:n, :-2] = -2 * left[:, :-2]
        right[:, -2] = 1
        right[:n, -1], right[n:, -1] = left[:, -2], _BEYOND
        # Terms add up to at most (|x| + |y|)² = 4, each rounded once itself and at most D times in the sum.
        slack = 2 * (left.shape[1] + 8) * _UNIT_ROUNDOFF * 4
        return cls(left, right, lengths, scale, slack)

    def estimate(self, distance: float) -> float:
        """Return the largest estimate of what is within a distance."""
        square = 2 * distance if len(self.lengths) else distance * distance
        return square * (1 + 1e-6) * self.scale * self.scale + self.slack

    def against(self, points: Ids, columns: Ids) -> npt.NDArray[np.float32]:
        """Return the estimates between some rows and some others, (m, chunks, CHUNK); zeros at the end."""
        right = np.zeros((-(-len(columns) // _CHUNK) * _CHUNK, self.right.shape[1]), np.float32)
        right[: len(columns)] = self.right[columns]
        estimates = self.left[points] @ right.T
        return estimates.reshape(len(points), -1, _CHUNK)


def _lift(block: Doubles, axes: Doubles) -> Doubles:
    """Return heads, tails, squared lengths, and ones: (m, axes + 3)."""
    squares = np.square(block).sum(axis=1)
    heads = block @ axes
    tails = np.sqrt(np.maximum(squares - np.square(heads).sum(axis=1), 0.0))
    return np.column_stack([heads, tails, squares, np.ones(len(block))])


def _choose_heads(sample: Doubles, axes: Doubles, square: float) -> int:
    """Return how many axes make the product and the measuring of what it lets through cheapest together."""
    some, others = sample[: len(sample) // 8], sample[len(sample) // 8 :][:_CHOICE_ROWS]
    some = some[:_CHOICE_ROWS]
    d = axes.shape[1]
    cheapest, best = np.inf, int(d)
    for n_heads in sorted({min(d, n) for n in _HEADS}):
        left, right = _lift(some, axes[:, :n_heads]), _lift(others, axes[:, :n_heads])
        products = left[:, : n_heads + 1] @ right[:, : n_heads + 1].T
        within = left[:, -2:-1] + right[:, -2] - 2 * products <= square
        cost = n_heads + (within.mean() if within.size else 0.0) * (_MEASURE_COST + _TERM_COST * len(axes))
        if cost < cheapest:
            cheapest, best = cost, n_heads
    return best
