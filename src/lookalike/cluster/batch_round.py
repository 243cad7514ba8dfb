"""One round of Lloyd's algorithm over batches of rows, of which only one is in memory."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lookalike.cluster.pruned_lloyd import Doubles, Labels, PrunedLloyd, Workers, add_up
from lookalike.types import Vectors

_KEPT_FARTHEST = 1_024  # rows of all batches that centres without rows may be put onto


class BatchRound:
    """What one round over all batches finds out."""

    def __init__(self, sums: Doubles, counts: npt.NDArray[np.int64]) -> None:
        self.inertia = 0.0
        self.n_changed = 0
        self._sums, self._counts = sums, counts
        self._far_rows = np.empty((0, sums.shape[1]), np.float32)
        self._far_labels = np.empty(0, np.int32)
        self._far_squares = np.empty(0, np.float32)

    def add(self, values: Vectors, before: Labels, engine: PrunedLloyd, workers: Workers) -> None:
        """Take in a batch."""
        labels = engine.labels
        self.inertia += engine.inertia
        self.n_changed += int(np.count_nonzero(labels != before))
        add_up(values, np.full(len(labels), -1, np.int32), labels, self._sums, self._counts, workers)
        far = np.argsort(-engine.squares, kind="stable")[:_KEPT_FARTHEST]
        squares = np.concatenate([self._far_squares, engine.squares[far]])
        kept = np.argsort(-squares, kind="stable")[:_KEPT_FARTHEST]
        self._far_squares = squares[kept]
        self._far_rows = np.concatenate([self._far_rows, values[far]])[kept]
        self._far_labels = np.concatenate([self._far_labels, labels[far]])[kept]

    def means(self, centers: Doubles) -> Doubles:
        """Return the mean of each label's rows; a label without rows gets the farthest row, as in `fit`."""
        sums, counts = self._sums, self._counts
        farthest = iter(range(len(self._far_rows)))
        for label in np.flatnonzero(counts == 0):
            for row in farthest:
                if counts[self._far_labels[row]] > 1 and self._far_squares[row] > 0:
                    old = self._far_labels[row]
                    sums[label], counts[label] = self._far_rows[row], 1
                    sums[old] -= self._far_rows[row]
                    counts[old] -= 1
                    break
        filled = counts > 0
        moved = centers.copy()
        moved[filled] = sums[filled] / counts[filled, None]
        return moved
