"""The measures of retrieval without a query's own duplicates: to find these is no proof of anything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lookalike.collection.folding import Copies
from lookalike.evaluate import Retrieval, bootstrap_means
from lookalike.results.evaluation import WithoutDuplicates
from lookalike.types import Ids

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Apart:
    """Queries that have duplicates among the images searched, and which these are.

    Attributes
    ----------
    queries : (m,) int64
        Rows of all queries.
    duplicates : tuple of m (k,) int64
        Rows of the images searched.
    """

    queries: Rows
    duplicates: tuple[Rows, ...]

    @classmethod
    def of(cls, queries: Ids, gallery: Ids, copies: Copies) -> Apart:
        """Look up duplicates; `gallery` rises."""
        found = {}
        for at in np.flatnonzero(np.isin(queries, copies.of_these)).tolist():
            images = copies.of(int(queries[at]))
            rows = np.minimum(np.searchsorted(gallery, images), len(gallery) - 1)
            there = rows[gallery[rows] == images].astype(np.int64)
            if len(there):
                found[at] = there
        return cls(np.array(list(found), np.int64), tuple(found.values()))


def measure_apart(
    found: Retrieval, apart: Apart, measure: Callable[[Apart], Retrieval], random_state: int
) -> WithoutDuplicates:
    """Return the measures of all queries, those that have duplicates being measured without these.

    Parameters
    ----------
    found : Retrieval
        With them.
    apart : Apart
    measure : callable
        Measures the queries of `apart`, without what it says.
    random_state : int
    """
    values = {name: each.copy() for name, each in found.values.items()}
    if len(apart.queries):
        again = measure(apart)
        for name, each in again.values.items():
            values[name][apart.queries] = each
    is_counted = ~np.isnan(next(iter(values.values())))
    counted = {name: each[is_counted] for name, each in values.items()}
    return WithoutDuplicates(
        scores=bootstrap_means(counted, random_state=random_state) if is_counted.any() else {},
        n_queries=int(is_counted.sum()),
        n_with_duplicates=len(apart.queries),
    )
