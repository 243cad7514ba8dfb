"""What a query found, rank by rank, and the measures of that; the formulas stand in `retrieval`."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """What a query found.

    Attributes
    ----------
    ranks : (n_found,) int64
        At which ranks relevant images stand, from 1 on, rising.
    n_relevant : int
        How many relevant images there are; at least 1.
    """

    ranks: npt.NDArray[np.int64]
    n_relevant: int

    def up_to(self, k: int | None) -> npt.NDArray[np.int64]:
        """Return the ranks of relevant images among the first k hits, or among all."""
        return self.ranks if k is None else self.ranks[: np.searchsorted(self.ranks, k, side="right")]


def precision(ranking: Ranking, k: int) -> float:
    """Return P@k: what share of the hits is relevant.

    >>> precision(Ranking(np.array([1, 3]), n_relevant=4), 2)
    0.5
    """
    return len(ranking.up_to(k)) / k


def recall(ranking: Ranking, k: int | None) -> float:
    """Return R@k: what share of what is relevant is among the hits.

    >>> recall(Ranking(np.array([1, 3]), n_relevant=4), 3)
    0.5
    """
    return len(ranking.up_to(k)) / ranking.n_relevant


def discounted_gain(ranking: Ranking, k: int) -> float:
    """Return nDCG@k: the discounted gain of the hits, over that of the best ranking.

    >>> discounted_gain(Ranking(np.array([1, 2]), n_relevant=2), 10)
    1.0
    """
    discounts, best = _discounts(k)
    return float(discounts[ranking.up_to(k) - 1].sum()) / float(best[min(ranking.n_relevant, k)])


def average_precision(ranking: Ranking, k: int | None) -> float:
    """Return AP, or AP@k: the precision at each relevant rank, over how many there are.

    >>> average_precision(Ranking(np.array([1, 4]), n_relevant=2), None)
    0.75
    """
    ranks = ranking.up_to(k)
    most = ranking.n_relevant if k is None else min(ranking.n_relevant, k)
    return float((np.arange(1, len(ranks) + 1) / ranks).sum()) / most


@functools.lru_cache(maxsize=64)
def _discounts(k: int) -> tuple[Doubles, Doubles]:
    """Return the discount of each of k ranks, and the gain of rankings that begin with 0, 1, 2 … relevant."""
    discounts = 1 / np.log2(np.arange(2, k + 2))
    return discounts, np.concatenate([[0.0], np.cumsum(discounts)])
