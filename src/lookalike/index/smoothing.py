"""Every row drawn to its own nearest, so that those of one kind lie closer together than those only alike.

Of unit rows x, with y the 10 nearest others of each and s their cosines, the smoothed row is

    x' = unit(x + Σ max(s, 0)³ · y)

It is never written down. As the smoothed row is a sum of plain ones, its cosine to a question q is a sum of
plain cosines, over its length:

    q · x' = (q · x + Σ max(s, 0)³ · q · y) / |x + Σ max(s, 0)³ · y|

So what is kept is who the nearest are, how near, and that length: 84 bytes a row, whatever the dimension. A
question is smoothed likewise, by the rows that are nearest to it. To ask means to multiply it by all rows,
twice, and to add up 11 numbers for each.

Layout: neighbors (n, k) int32, rows, the nearest first; cosines (n, k) float32, of each to its neighbors;
lengths (n,) float32. k is 10, or one less than n where that is smaller.

Cost: n² · d / 2 multiply-adds twice, where rows are few, else n searches of a `KMeansTree`. When m rows have
come or gone, m · n · d, and as much for every row that had one of the gone among its nearest.

References
----------
F. Radenović, G. Tolias, O. Chum, "Fine-tuning CNN Image Retrieval with No Human Annotation", PAMI 2019,
section 3.4: questions expanded by a power of the similarity. A. Gordo et al., "End-to-end Learning of Deep
Visual Representations for Image Retrieval", IJCV 2017, section 5.3: the same of what is searched.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lookalike.index.graph import neighbor_graph
from lookalike.system.blas_threads import one_blas_thread
from lookalike.system.cores import usable_cores
from lookalike.system.progress import UNWATCHED, Progress, Watch
from lookalike.types import Vectors

N_NEAREST = 10
"""How many of its nearest a row is drawn to."""

_POWER = 3
_MOST_COMPARED = 32_768  # rows: beyond, a tree finds their nearest sooner than products of all pairs do
_RECALL = 0.99
_BLOCK_PAIRS = 1 << 23  # cosines at once, a thread
_BLOCK_ROWS = 1_024  # whose neighbors are added up at once

Rows = npt.NDArray[np.intp]
Cosines = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Smoothing:
    """How rows are smoothed; see above.

    Attributes
    ----------
    neighbors : (n, k) int32
    cosines : (n, k) float32
    lengths : (n,) float32
    """

    neighbors: npt.NDArray[np.int32]
    cosines: Cosines
    lengths: Cosines

    @classmethod
    def of(cls, rows: Vectors, watch: Watch = UNWATCHED, n_nearest: int = N_NEAREST) -> Smoothing:
        """Return that of unit rows, (n, d) float32."""
        n, k = len(rows), min(n_nearest, max(len(rows) - 1, 0))
        if n <= _MOST_COMPARED or not k:
            neighbors, cosines = nearest_rows(rows, rows, k, watch, np.arange(n))
        else:
            graph = neighbor_graph(rows, k, "cosine", _RECALL, **watch.told)
            neighbors = graph.indices.reshape(n, k).astype(np.int32)
            cosines = (1 - graph.data).reshape(n, k).astype(np.float32)
        return cls(neighbors, cosines, lengths_of(rows, neighbors, cosines))

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def weights(self) -> Cosines:
        """(n, k) float32: how much of each neighbor is added."""
        return weights_of(self.cosines)

    def smoothed(self, plain: Cosines) -> Cosines:
        """Return the cosines of smoothed rows to a question, or to several.

        Parameters
        ----------
        plain : (n,) or (n_questions, n) float32
            The cosines of the rows as they are.
        """
        weights, found = self.weights, plain.copy()
        for at in range(self.neighbors.shape[1]):
            found += plain[..., self.neighbors[:, at]] * weights[:, at]
        found /= self.lengths
        return found

    def updated(self, before: Rows, rows: Vectors, watch: Watch = UNWATCHED) -> Smoothing | None:
        """Return that of rows of which most were there before; None where it has to be made anew.

        Parameters
        ----------
        before : (n,) int64
            Which of the earlier rows each is; -1 where it is none.
        rows : (n, d) float32
            Unit rows, those that were there before as they were.
        """
        n, k = len(rows), self.neighbors.shape[1]
        if not len(self) or k != min(N_NEAREST, n - 1):
            return None
        now = np.full(len(self) + 1, -1, np.int32)
        now[before] = np.where(before >= 0, np.arange(n), -1)
        now[-1] = -1
        neighbors, cosines, lengths = now[self.neighbors[before]], self.cosines[before], self.lengths[before]
        come = np.flatnonzero(before < 0)
        is_open = (before < 0) | (neighbors < 0).any(axis=1)
        asked, kept = np.flatnonzero(is_open), np.flatnonzero(~is_open)
        neighbors[asked], cosines[asked] = nearest_rows(rows[asked], rows, k, watch, asked)
        nearer = _nearer(rows, kept, come, cosines[:, -1])
        for row, others, its_cosines in nearer:
            every = np.concatenate([cosines[row], its_cosines])
            order = np.argsort(-every, kind="stable")[:k]
            neighbors[row] = np.concatenate([neighbors[row], others])[order]
            cosines[row] = every[order]
        changed = np.union1d(asked, np.array([row for row, _, _ in nearer], np.intp))
        lengths[changed] = lengths_of(rows, neighbors[changed], cosines[changed], changed)
        return Smoothing(neighbors, cosines, lengths)


def weights_of(cosines: Cosines) -> Cosines:
    """Return how much of a row of some cosine is added to another."""
    found: Cosines = np.maximum(cosines, 0) ** _POWER
    return found


def expanded(question: Vectors, nearest: Vectors) -> Vectors:
    """Return a question drawn to the rows that are nearest to it: (d,) float32 of length 1.

    Parameters
    ----------
    question : (d,) float32
        Of length 1.
    nearest : (k, d) float32
        Unit rows.

    Examples
    --------
    >>> expanded(np.array([1, 0], np.float32), np.array([[0.8, 0.6]], np.float32)).round(2)
    array([0.98, 0.21], dtype=float32)
    """
    sum_ = question + weights_of(nearest @ question) @ nearest
    found: Vectors = (sum_ / (np.linalg.norm(sum_) or 1)).astype(np.float32)
    return found


def summed_rows(
    asked: Vectors, rows: Vectors, neighbors: npt.NDArray[np.integer], cosines: Cosines
) -> Vectors:
    """Return x + Σ max(s, 0)³ · y of some rows x, (m, d) float32.

    Parameters
    ----------
    asked : (m, d) float32
    rows : (n, d) float32
        Among which are the y.
    neighbors, cosines : (m, k)
        Which, and how near.
    """
    found, weights = asked.copy(), weights_of(cosines)
    for at in range(neighbors.shape[1]):
        found += weights[:, at, None] * rows[neighbors[:, at]]
    return found


def lengths_of(
    rows: Vectors, neighbors: npt.NDArray[np.integer], cosines: Cosines, asked: Rows | None = None
) -> Cosines:
    """Return the lengths of some rows, or all, once their neighbors are added, (m,) float32.

    Parameters
    ----------
    rows : (n, d) float32
    neighbors, cosines : (m, k)
        Of those that are asked for.
    asked : (m,) int64, optional
        Which; all by default.
    """
    lengths = np.ones(len(neighbors), np.float32)
    for start in range(0, len(lengths), _BLOCK_ROWS):
        block = slice(start, start + _BLOCK_ROWS)
        some = rows[block] if asked is None else rows[asked[block]]
        sums = summed_rows(some, rows, neighbors[block], cosines[block])
        lengths[block] = np.sqrt(np.einsum("ij,ij->i", sums, sums))
    lengths[lengths == 0] = 1
    return lengths


def nearest_rows(
    asked: Vectors, rows: Vectors, k: int, watch: Watch = UNWATCHED, own: Rows | None = None
) -> tuple[npt.NDArray[np.int32], Cosines]:
    """Return the k rows nearest to each question by cosine, the nearest first, and how near they are.

    Parameters
    ----------
    asked : (m, d) float32
        Unit rows.
    rows : (n, d) float32
        Unit rows.
    k : int
        At most n, less than that where questions are rows themselves.
    own : (m,) int64, optional
        Which row each question is itself: it is none of its nearest.

    Returns
    -------
    neighbors : (m, k) int32
    cosines : (m, k) float32
    """
    neighbors = np.empty((len(asked), k), np.int32)
    cosines = np.empty((len(asked), k), np.float32)
    if not k:
        return neighbors, cosines
    step = max(1, min(_BLOCK_ROWS, _BLOCK_PAIRS // len(rows)))

    def find(start: int) -> None:
        block = slice(start, start + step)
        near = asked[block] @ rows.T
        if own is not None:
            near[np.arange(len(near)), own[block]] = -np.inf
        found = np.argpartition(-near, k - 1, axis=1)[:, :k]
        values = np.take_along_axis(near, found, 1)
        order = np.lexsort((found, -values), axis=1)
        neighbors[block] = np.take_along_axis(found, order, 1)
        cosines[block] = np.take_along_axis(values, order, 1)

    starts = range(0, len(asked), step)
    with one_blas_thread(), ThreadPoolExecutor(usable_cores()) as pool:
        try:
            for done, _ in enumerate(pool.map(find, starts), 1):
                n_done = min(done * step, len(asked))
                watch(Progress("neighbors", n_done, len(asked), "looking for nearest images"))
            watch.check()
        finally:
            pool.shutdown(cancel_futures=True)
    return neighbors, cosines


def _nearer(
    rows: Vectors, kept: Rows, come: Rows, least: Cosines
) -> list[tuple[int, npt.NDArray[np.intp], Cosines]]:
    """Return the kept rows that have come nearer to any of the new ones than to the last of their neighbors.

    Parameters
    ----------
    least : (n,) float32
        The cosine to that one.
    """
    found: list[tuple[int, npt.NDArray[np.intp], Cosines]] = []
    if not len(come):
        return found
    step = max(1, _BLOCK_PAIRS // len(come))
    for start in range(0, len(kept), step):
        some = kept[start : start + step]
        near = rows[some] @ rows[come].T
        is_nearer = near > least[some, None]
        found += [
            (int(some[at]), come[is_nearer[at]], near[at, is_nearer[at]])
            for at in np.flatnonzero(is_nearer.any(axis=1)).tolist()
        ]
    return found
