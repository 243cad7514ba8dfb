"""Retrieval class by class: how well each is found, and which is taken for which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lookalike.as_numbers import as_whole_numbers
from lookalike.errors import InvalidInputError
from lookalike.evaluate.retrieval import Retrieval
from lookalike.system.checked_calls import checked

Numbers = npt.NDArray[np.int64]
Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ClassScores:
    """How well the images of one class are found.

    Attributes
    ----------
    label : str
    n_images : int
        Of the class, among those searched.
    n_queries : int
        Of the class; all of them count.
    means : dict of str to float
        By measure, over those queries.
    """

    label: str
    n_images: int
    n_queries: int
    means: dict[str, float]


@dataclass(frozen=True, slots=True)
class ConfusedPair:
    """A class whose queries find images of another.

    Attributes
    ----------
    label, found : str
    share : float
        Of the first hits of the queries labelled `label`, those labelled `found`.
    """

    label: str
    found: str
    share: float


@checked
@dataclass(frozen=True, slots=True, eq=False)
class Confusions:
    """Which classes the first hits of each class's queries are of.

    There may be thousands of classes, so only what is not zero is kept.

    Attributes
    ----------
    k : int
        How many hits of each query are looked at.
    labels : tuple of str
    asked, found : (n_pairs,) int64
        Numbers of labels: of the queries, and of their hits.
    shares : (n_pairs,) float64
        Of the hits of all queries of the label `asked`; they add up to 1 for each.
    """

    k: int
    labels: tuple[str, ...]
    asked: Numbers
    found: Numbers
    shares: Doubles

    def pairs(self, n: int) -> list[ConfusedPair]:
        """Return the n most confused pairs of different labels, the worst first, ties by label."""
        return [
            ConfusedPair(self.labels[self.asked[at]], self.labels[self.found[at]], float(self.shares[at]))
            for at in self._worst()[:n]
        ]

    def table(self, n: int) -> tuple[list[str], Doubles]:
        """Return the n most confused labels, in the order of `labels`, and what they are taken for.

        Returns
        -------
        labels : list of str
            All there are, if they are fewer.
        shares : (n, n) float64
            A row for each label of queries, a column for each of hits. What goes to labels that are left out
            is missing from the sum of a row.
        """
        chosen: dict[int, None] = {}
        for at in self._worst():
            for label in (int(self.asked[at]), int(self.found[at])):
                if len(chosen) < n:
                    chosen.setdefault(label)
        for label in range(len(self.labels)):  # where hardly anything is confused
            if len(chosen) < n:
                chosen.setdefault(label)
        numbers = np.sort(np.fromiter(chosen, np.int64))
        place = np.full(len(self.labels), -1)
        place[numbers] = np.arange(len(numbers))
        shares = np.zeros((len(numbers), len(numbers)))
        is_shown = (place[self.asked] >= 0) & (place[self.found] >= 0)
        shares[place[self.asked[is_shown]], place[self.found[is_shown]]] = self.shares[is_shown]
        return [self.labels[number] for number in numbers], shares

    def _worst(self) -> npt.NDArray[np.intp]:
        others = np.flatnonzero(self.asked != self.found)
        return others[np.argsort(-self.shares[others], kind="stable")]


@checked
def score_classes(
    retrieval: Retrieval, query_codes: Numbers, codes: Numbers, labels: Sequence[str]
) -> tuple[ClassScores, ...]:
    """Return how well each class is found that has queries, by label.

    Parameters
    ----------
    retrieval : Retrieval
        Of queries that all count.
    query_codes, codes : (n_queries,) and (n,) int
        The labels of queries and of the images searched, as numbers of `labels`.
    labels : sequence of str
        Sorted.

    Raises
    ------
    InvalidInputError
        If there is not one number a query, or a number is none of a label.
    """
    query_codes, codes = _check_codes(retrieval, query_codes, codes, len(labels))
    n_queries = np.bincount(query_codes, minlength=len(labels))
    n_images = np.bincount(codes, minlength=len(labels))
    sums = {
        name: np.bincount(query_codes, values, minlength=len(labels))
        for name, values in retrieval.values.items()
    }
    return tuple(
        ClassScores(
            labels[at],
            int(n_images[at]),
            int(n_queries[at]),
            {name: float(sums[name][at] / n_queries[at]) for name in sums},
        )
        for at in np.flatnonzero(n_queries).tolist()
    )


@checked
def confuse(retrieval: Retrieval, query_codes: Numbers, codes: Numbers, labels: Sequence[str]) -> Confusions:
    """Return which classes the hits are of; see `score_classes`."""
    query_codes, codes = _check_codes(retrieval, query_codes, codes, len(labels))
    hits = retrieval.hits
    is_there = hits >= 0
    asked = np.broadcast_to(query_codes[:, None], hits.shape)[is_there]
    pairs, counts = np.unique(asked * len(labels) + codes[hits[is_there]], return_counts=True)
    rows, columns = np.divmod(pairs, len(labels))
    totals = np.bincount(rows, counts, minlength=len(labels))
    return Confusions(hits.shape[1], tuple(labels), rows, columns, counts / totals[rows])


def _check_codes(
    retrieval: Retrieval, query_codes: npt.ArrayLike, codes: npt.ArrayLike, n_labels: int
) -> tuple[Numbers, Numbers]:
    """Return the labels of queries and images, as numbers below `n_labels`."""
    asked, there = as_whole_numbers(query_codes, "query_codes"), as_whole_numbers(codes, "codes")
    n_queries, n = len(retrieval.hits), int(retrieval.hits.max(initial=-1)) + 1
    if asked.shape != (n_queries,) or there.ndim != 1 or len(there) < n:
        raise InvalidInputError(
            f"query_codes have shape {asked.shape}, codes {there.shape}; expected ({n_queries},), and one"
            " number each of what was searched"
        )
    for name, numbers in (("query_codes", asked), ("codes", there)):
        if numbers.size and not 0 <= numbers.min() <= numbers.max() < n_labels:
            raise InvalidInputError(
                f"{name} hold numbers of no label; expected 0 to {n_labels - 1}", field=name
            )
    return asked, there
