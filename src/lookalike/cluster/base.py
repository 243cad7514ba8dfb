"""What every clustering checks at its door."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClusterMixin

from lookalike.errors import InvalidInputError
from lookalike.index.contract import METRICS, check_vectors
from lookalike.system.checked_calls import checked, shown
from lookalike.system.forks import one_openmp_thread
from lookalike.system.progress import CancelToken, ProgressReport, Watch
from lookalike.system.watching import watching
from lookalike.types import Metric, Vectors


@checked
class NeighborClustering(ClusterMixin, BaseEstimator, ABC):  # type: ignore[misc]
    """What clusterings by neighbours have in common: what they take, and what they refuse."""

    labels_: npt.NDArray[np.intp]
    metric: Metric

    def fit(
        self,
        X: npt.ArrayLike,
        y: Any = None,
        *,
        report: ProgressReport | None = None,
        cancel: CancelToken | None = None,
    ) -> Self:
        """Find the clusters.

        Parameters
        ----------
        X : (n, d) array-like
            Vectors, at least two that differ.
        y : ignored
        report, cancel : optional
            Who is told how far it has come, and may stop it; see `Collection.sync`.

        Raises
        ------
        InvalidInputError
            For vectors that cannot be clustered, or a parameter out of range.
        """
        rows = check_distinct(X, self.metric)
        with watching(report, cancel) as watch, one_openmp_thread():
            self._fit(rows, watch)
        return self

    @abstractmethod
    def _fit(self, rows: Vectors, watch: Watch) -> None:
        """Set the learned attributes; rows are checked, parameters are not."""


def check_distinct(vectors: npt.ArrayLike, metric: Metric) -> Vectors:
    """Return vectors as (n, d) float32, at least two and not all equal."""
    if not isinstance(metric, str) or metric not in METRICS:
        raise InvalidInputError(
            f"metric is {shown(metric)}; expected one of {', '.join(METRICS)}", field="metric"
        )
    rows = check_vectors(vectors, metric)
    check_differ([rows])
    return rows


def check_differ(batches: Iterable[Vectors], things: str = "vectors", equal: str = "are equal") -> None:
    """Raise InvalidInputError unless there are at least two vectors that differ; reads no more than it takes.

    Parameters
    ----------
    batches : iterable of (m, d)
    things, equal : str
        What the message calls the vectors, and that they do not differ.
    """
    n, first = 0, None
    for batch in batches:
        if not len(batch):
            continue
        first = batch[0] if first is None else first
        n += len(batch)
        if (batch != first).any():
            return
    if n < 2:
        there = f"is only {n} {things[:-1]}" if n else f"are no {things}"
        raise InvalidInputError(f"there {there}; expected at least 2, to find groups among")
    raise InvalidInputError(
        f"all {n:,} {things} {equal}; expected at least two that differ, to find groups among"
    )


def check_count(
    value: object, name: str, least: int, most: int, n: int | None = None, things: str = "vectors"
) -> int:
    """Return a whole number, checked to lie in least..most, as there are n vectors, `most` by default."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not least <= value <= most:
        raise InvalidInputError(
            f"{name} is {shown(value)}; expected a whole number from {least} to {most:,}, for"
            f" {most if n is None else n:,} {things}",
            field=name,
        )
    return int(value)
