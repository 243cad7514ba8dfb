"""Two sets of rows matched one to one: each row with its counterpart in the other set.

A row in the midst of many is near to all that ask, and takes the place of the right one: a *hub*. So from
each cosine half of how near either row is to its surroundings is taken, the mean cosine to its 10 nearest in
the other set (cross-domain similarity local scaling):

    scaled(a, b) = a · b - (r(a) + r(b)) / 2

Then pairs are made, the surest first: of all pairs of rows that are still alone, the one of the highest
scaled cosine. So nothing is taken twice, and what is left over is what the larger set has more. A pair is
*mutual* where each is the best for the other of all there is.

Cost: n_a · n_b · d multiply-adds, and n_a · n_b cosines in memory, 4 bytes each.

References
----------
A. Conneau, G. Lample, M. Ranzato, L. Denoyer, H. Jégou, "Word Translation Without Parallel Data", ICLR 2018,
section 2.3: local scaling. D. Gale, L. Shapley, "College Admissions and the Stability of Marriage", 1962:
pairs of which no two would rather have each other.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lookalike.system.memory import check_memory
from lookalike.system.progress import UNWATCHED, Progress, Watch
from lookalike.types import Vectors

N_AROUND = 10
"""How many of the nearest are a row's surroundings."""

_SHARE = 0.5
_BLOCK_PAIRS = 1 << 22
_TOLD = 256  # pairs between two reports

Rows = npt.NDArray[np.intp]
Scores = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Pairing:
    """Pairs of rows, the surest first.

    Attributes
    ----------
    a, b : (n_pairs,) int64
        Rows of either set.
    cosines, scaled : (n_pairs,) float32
    is_mutual : (n_pairs,) bool
    """

    a: Rows
    b: Rows
    cosines: Scores
    scaled: Scores
    is_mutual: npt.NDArray[np.bool_]


def pair(a: Vectors, b: Vectors, watch: Watch = UNWATCHED) -> Pairing:
    """Match two sets of rows one to one; see above.

    Parameters
    ----------
    a, b : (n_a, d) and (n_b, d) float32
        Unit rows.

    Raises
    ------
    TooLittleMemoryError
        If all cosines do not fit into memory.

    Examples
    --------
    >>> found = pair(np.eye(3, dtype=np.float32), np.eye(3, dtype=np.float32)[[2, 0]])
    >>> found.a.tolist(), found.b.tolist(), found.is_mutual.tolist()
    ([0, 2], [1, 0], [True, True])
    """
    if not len(a) or not len(b):
        none = np.empty(0, np.intp)
        return Pairing(none, none, np.empty(0, np.float32), np.empty(0, np.float32), np.empty(0, np.bool_))
    scaled = scaled_cosines(a, b, watch)
    to_b, to_a = scaled.argmax(axis=1), scaled.argmax(axis=0)
    rows, others, values = _surest_first(scaled, to_b, watch)
    cosines = np.einsum("ij,ij->i", a[rows], b[others])
    return Pairing(rows, others, cosines, values, (to_b[rows] == others) & (to_a[others] == rows))


def scaled_cosines(a: Vectors, b: Vectors, watch: Watch = UNWATCHED) -> Scores:
    """Return the cosines of all pairs, less half of how near both are to their surroundings: (n_a, n_b).

    Parameters
    ----------
    a, b : (n_a, d) and (n_b, d) float32
        Unit rows.
    """
    check_memory(
        4 * len(a) * len(b),
        f"matching {len(a):,} with {len(b):,} images",
        "match parts of them, folder by folder",
    )
    scaled = np.empty((len(a), len(b)), np.float32)
    step = max(1, _BLOCK_PAIRS // max(len(a), len(b)))
    around_a, around_b = np.empty(len(a), np.float32), np.empty(len(b), np.float32)
    for start in range(0, len(a), step):
        watch(Progress("matching", start, len(a), "comparing images", unit="images"))
        block = slice(start, start + step)
        np.matmul(a[block], b.T, out=scaled[block])
        around_a[block] = _mean_of_largest(scaled[block])
    for start in range(0, len(b), step):
        watch.check()
        block = slice(start, start + step)
        around_b[block] = _mean_of_largest(np.ascontiguousarray(scaled[:, block].T))
    scaled -= _SHARE * around_a[:, None]
    scaled -= _SHARE * around_b
    return scaled


def _mean_of_largest(cosines: Scores) -> Scores:
    """Return how near the surroundings of each row are, (n,)."""
    k = min(N_AROUND, cosines.shape[1])
    means: Scores = np.partition(cosines, -k, axis=1)[:, -k:].mean(axis=1)
    return means


def _surest_first(scaled: Scores, best: Rows, watch: Watch) -> tuple[Rows, Rows, Scores]:
    """Make pairs of what is still alone, the highest first; `scaled` is used up.

    Each row waits with its best; where that is taken when its turn comes, it looks again.

    Parameters
    ----------
    scaled : (n_a, n_b) float32
    best : (n_a,) int64
        Where each row has its highest.
    """
    waiting = [(-float(scaled[row, other]), row, int(other)) for row, other in enumerate(best)]
    heapq.heapify(waiting)
    is_taken = np.zeros(scaled.shape[1], np.bool_)
    pairs: list[tuple[int, int, float]] = []
    n = min(scaled.shape)
    while waiting and len(pairs) < n:
        value, row, other = heapq.heappop(waiting)
        if is_taken[other]:
            scaled[row, is_taken] = -np.inf
            other = int(scaled[row].argmax())
            heapq.heappush(waiting, (-float(scaled[row, other]), row, other))
            watch.check()
            continue
        is_taken[other] = True
        if len(pairs) % _TOLD == 0:
            watch(Progress("matching", len(pairs), n, "making pairs", unit="pairs"))
        pairs.append((row, other, -value))
    rows, others, values = zip(*pairs, strict=True)
    return np.array(rows), np.array(others), np.array(values, np.float32)
