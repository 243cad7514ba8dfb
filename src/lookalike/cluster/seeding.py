"""Where k-means starts: k-means++, greedily; then some rounds on heads.

The first centre is a random row. Each next one is drawn with a probability in proportion to the squared
distance to the centres there are; of 2 + log k rows drawn so, the one is taken that leaves the smallest sum
of squared distances. A start need not be exact: it is made on a sample of rows, and of long rows on their
heads along the principal axes. On heads follow Lloyd's rounds, until few rows still change their centre, at
a tenth of what a round on full rows would cost. For a small k, where chance matters more and a start costs
less, three are made and the best goes on.

Cost: n · k · log k products of 64 terms, n being the rows of the sample.

References
----------
D. Arthur and S. Vassilvitskii, "k-means++: The Advantages of Careful Seeding", 2007; section 7: greedily.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from lookalike.cluster.pruned_lloyd import Doubles, PrunedLloyd, Rows, Workers, add_up
from lookalike.cluster.pruned_lloyd_kernels import potentials
from lookalike.system.progress import UNWATCHED, Progress, Watch
from lookalike.types import Vectors

_SAMPLE = 16_384  # rows that seeds are drawn from, at least
_SAMPLE_PER_CENTER = 8
_SETTLED_ON = 65_536  # rows that the rounds on heads are made with, at least
_SETTLED_ON_PER_CENTER = 32
_ROUNDS = 30  # on heads, at most
_SETTLED = 1 / 200  # of the rows still change their centre
_STARTS = 3
_FEW = 256  # centres, of which so many starts are made


def start(rows: Rows, k: int, random: np.random.Generator, workers: Workers) -> Doubles:
    """Return k centres to start from; (k, d) float64."""
    values, points = rows.values, rows.values if rows.lift is None else rows.heads
    settled_on = _some(len(values), max(_SETTLED_ON, _SETTLED_ON_PER_CENTER * k), random)
    if settled_on is not None:
        values, points = values[settled_on], points[settled_on]
    n = len(values)
    sample = _some(n, max(_SAMPLE, _SAMPLE_PER_CENTER * k), random)
    seeds_of = points if sample is None else points[sample]

    def spread() -> npt.NDArray[np.int64]:
        chosen = spread_out(seeds_of, k, random, workers.watch)
        return chosen if sample is None else sample[chosen]

    if rows.lift is None:
        return values[spread()].astype(np.float64)
    heads = Rows.of(points, None, workers)
    least, labels, seeds = math.inf, np.empty(0, np.int32), np.empty(0, np.int64)
    for _ in range(_STARTS if k <= _FEW else 1):
        chosen = spread()
        engine = PrunedLloyd(heads, points[chosen].astype(np.float64), workers)
        for _ in range(_ROUNDS):
            if engine.assign() < _SETTLED * n:
                break
            engine.move()
        if engine.inertia < least:
            least, labels, seeds = engine.inertia, engine.labels, chosen
    centers = values[seeds].astype(np.float64)
    sums, counts = np.zeros(centers.shape), np.zeros(k, np.int64)
    add_up(values, np.full(n, -1, np.int32), labels, sums, counts, workers)
    filled = counts > 0
    centers[filled] = sums[filled] / counts[filled, None]
    return centers


def _some(n: int, size: int, random: np.random.Generator) -> npt.NDArray[np.int64] | None:
    """Return so many numbers below n, rising; None if that is all of them."""
    return np.sort(random.choice(n, size, replace=False)) if n > size else None


def spread_out(
    rows: Vectors, k: int, random: np.random.Generator, watch: Watch = UNWATCHED
) -> npt.NDArray[np.int64]:
    """Return the numbers of k rows that lie apart, by greedy k-means++.

    Parameters
    ----------
    rows : (n, d) float32
    k : int
        At most n. Where fewer rows differ, some of those returned are equal.
    random : numpy.random.Generator
    watch : Watch

    Returns
    -------
    (k,) int64
    """
    n = len(rows)
    n_candidates = 2 + int(math.log(k))
    squares = np.einsum("ij,ij->i", rows, rows)
    chosen = np.empty(k, np.int64)
    chosen[0] = random.integers(n)
    nearest = np.square(rows - rows[chosen[0]]).sum(axis=1)
    totals = np.empty(n_candidates)
    for number in range(1, k):
        watch(Progress("starting", number, k, "choosing where clusters start"))
        cumulated = np.cumsum(nearest, dtype=np.float64)
        drawn = np.searchsorted(cumulated, random.random(n_candidates) * cumulated[-1], side="right")
        drawn = np.minimum(drawn, n - 1)
        products = rows @ rows[drawn].T
        potentials(products, squares, squares[drawn], nearest, totals)
        best = int(totals.argmin())
        nearest = np.ascontiguousarray(products[:, best])
        chosen[number] = drawn[best]
        nearest[chosen[number]] = 0
    return chosen
