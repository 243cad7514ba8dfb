"""From a recall to the effort that reaches it.

Effort is two numbers: how many cells are visited, and how many of the rows in them, those that look
nearest, are measured. A true neighbour is found if its cell is among the former and it is among the
latter. So one look at each neighbour of some held-out rows (the rank of its cell, and its own rank by the
estimate) tells the recall of every effort at once, without searching again.

Of the efforts whose recall is at least the wanted one, the cheapest is taken. The recall of a sample may
flatter: what has to reach the wanted recall is the lower end of its confidence interval.

References
----------
M. Muja and D. Lowe, "Scalable Nearest Neighbor Algorithms for High Dimensional Data", 2014: search parameters
chosen by the cost that a wanted precision takes on a sample.
E. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", 1927: the interval.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

KS = (1, 10, 100)
LARGEST_K = KS[-1]
RECALLS = (0.5, 0.7, 0.8, 0.9, 0.95, 0.97, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995, 0.9999)
_DEVIATIONS = 1.0  # of the sample's recall, that it may flatter by
_CANDIDATES = 32  # numbers of cells and of rows tried
FEWEST_NEIGHBORS = 3  # that a recall is measured on: one a query is too small a sample, and these are harder

Ranks = npt.NDArray[np.int64]


class Effort(NamedTuple):
    """What a search spends on a query; no cells stands for an exact search."""

    n_cells: int
    n_rows: int


EXACT = Effort(0, 0)


def _no_table() -> Ranks:
    return np.zeros((len(KS), len(RECALLS), 2), np.int64)


@dataclass(frozen=True, slots=True)
class Efforts:
    """The effort that each recall takes.

    Attributes
    ----------
    table : (len(KS), len(RECALLS), 2) int64
        Cells and rows; zeros where nothing short of an exact search is known to reach the recall.
    """

    table: Ranks

    def __init__(self, table: Ranks | None = None) -> None:
        object.__setattr__(self, "table", _no_table() if table is None else table)

    def find(self, k: int, recall: float) -> Effort:
        """Return the effort for k neighbours; between two that were measured, in proportion to log k."""
        column = bisect_left(RECALLS, recall)
        if column == len(RECALLS):
            return EXACT
        efforts = [Effort(*map(int, self.table[row, column])) for row in range(len(KS))]
        if k > LARGEST_K:  # more than in proportion to what is known
            lower, share = efforts[-1], k / LARGEST_K
            return Effort(int(np.ceil(lower.n_cells * share)), int(np.ceil(lower.n_rows * share)))
        at = bisect_left(KS, k)
        if KS[at] == k:
            return efforts[at]
        below, above = efforts[at - 1], efforts[at]
        if EXACT in (below, above):
            return EXACT
        share = np.log(k / KS[at - 1]) / np.log(KS[at] / KS[at - 1])
        n_cells = below.n_cells + share * (above.n_cells - below.n_cells)
        # Rows a neighbour, not rows: the number has to stay above k.
        a_neighbor = (1 - share) * below.n_rows / KS[at - 1] + share * above.n_rows / KS[at]
        return Effort(int(np.ceil(n_cells)), int(np.ceil(k * a_neighbor)))


def measure(cell_ranks: Ranks, row_ranks: Ranks, cell_cost: float, row_cost: float) -> Efforts:
    """Return the cheapest effort for each k and recall.

    Parameters
    ----------
    cell_ranks, row_ranks : (n_queries, k) int64
        For each query's neighbours, nearest first: how many cells come before theirs, and how many rows look
        nearer.
    cell_cost, row_cost : float
        Of visiting one cell and of measuring one row, in the same unit.
    """
    table = _no_table()
    for number, k in enumerate(KS):
        if k > cell_ranks.shape[1]:
            continue
        counted = max(k, FEWEST_NEIGHBORS)
        cells, rows = cell_ranks[:, :counted], row_ranks[:, :counted]
        n_cells, n_rows = _steps(cells, 1), _steps(rows, k)
        costs = n_cells[:, None] * cell_cost + n_rows[None, :] * row_cost  # (candidates, candidates)
        bounds = np.empty(costs.shape)
        for i, most in enumerate(n_cells):
            is_visited = cells < most
            for j, room in enumerate(n_rows):
                bounds[i, j] = lower_bound((is_visited & (rows < room)).mean(axis=1), counted)
        for column, recall in enumerate(RECALLS):
            allowed = np.where(bounds >= recall, costs, np.inf)
            best = np.unravel_index(int(allowed.argmin()), costs.shape)
            if np.isfinite(allowed[best]):
                table[number, column] = n_cells[best[0]], n_rows[best[1]]
    return Efforts(table)


def lower_bound(recalls: npt.NDArray[np.float64], k: int) -> float:
    """Return the lower end of the confidence interval of a mean recall.

    Wilson's, with the number of independent hits that the scatter between queries tells; a query's neighbours
    are missed together.

    Parameters
    ----------
    recalls : (n_queries,) float64
        Each the share of k neighbours that were found.
    """
    n, mean = len(recalls), float(recalls.mean())
    variance = float(recalls.var(ddof=1)) if n > 1 else 0.0
    # Without any scatter, nothing tells how many are independent: half of them are taken to be.
    hits = min(mean * (1 - mean) / variance * n, n * k) if variance > 0 else n * max(k / 2, 1.0)
    z2 = _DEVIATIONS**2
    middle = mean + z2 / (2 * hits)
    reach = _DEVIATIONS * np.sqrt(mean * (1 - mean) / hits + z2 / (4 * hits * hits))
    return float((middle - reach) / (1 + z2 / hits))


def _steps(ranks: Ranks, least: int) -> Ranks:
    """Return the numbers to try: from the rank that half of the neighbours have to the last one's."""
    largest = max(int(ranks.max()) + 1, least)
    smallest = max(int(np.quantile(ranks, 0.5)) + 1, least)
    return np.unique(np.geomspace(smallest, largest, _CANDIDATES).round().astype(np.int64))
