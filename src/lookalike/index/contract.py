"""What every search index promises, and the checks at its door.

A `Searcher` can be asked. An `Index` is one that is made of vectors: ``build`` once, ``search`` often.
Distances are true: euclidean, or 1 - cosine, never squared. ``Exact`` on the unreduced vectors defines which
answer is right.
"""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self, get_args

import numpy as np
import numpy.typing as npt

from lookalike.as_numbers import as_numbers, as_whole_numbers
from lookalike.errors import InvalidInputError
from lookalike.index.kinds import DEFAULT_RECALL as DEFAULT_RECALL
from lookalike.system.checked_calls import checked, shown
from lookalike.system.progress import UNWATCHED, CancelToken, ProgressReport, Watch
from lookalike.system.wording import count_of
from lookalike.types import Ids, Metric, Neighborhoods, Neighbors, Vectors

if TYPE_CHECKING:
    from lookalike.store import Table

MOST_CHANGED = 0.1
"""The share of vectors that may come and go before an index is built again."""

METRICS: tuple[Metric, ...] = get_args(Metric)


@checked
class Searcher(ABC):
    """A set of vectors that can be asked; by several threads at once.

    Attributes
    ----------
    kind : str
        Its name in the table of kinds.
    metric : {"cosine", "euclidean"}
        Cosine distances are 1 - cosine; rows need not be of unit length.
    """

    kind: ClassVar[str]
    metric: Metric

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {count_of(len(self), 'vector')}, {self.metric}>"

    @abstractmethod
    def __len__(self) -> int:
        """Return the number of vectors."""

    @property
    @abstractmethod
    def ids(self) -> Ids:
        """(n,) int64: the id of each row."""

    @abstractmethod
    def search(
        self,
        queries: npt.ArrayLike,
        k: int = 10,
        recall: float = DEFAULT_RECALL,
        allowed: npt.ArrayLike | None = None,
    ) -> Neighbors:
        """Find the k nearest vectors to each query.

        Parameters
        ----------
        queries : (n_queries, d) array-like
            Or (d,), for one query.
        k : int
            1 to the number of vectors.
        recall : float
            The share of the true neighbours that may be expected; above 0, at most 1. An index that cannot
            do worse ignores it.
        allowed : array-like of int64, optional
            Search only among these ids; those that are not in the index are passed over.

        Returns
        -------
        Neighbors
            (n_queries, k) ids and distances, nearest first, equal distances by row. Where fewer than k are
            allowed, the row ends in id -1 and distance infinity.

        Raises
        ------
        InvalidInputError
            For a wrong dimension, NaN, a k or recall out of range, or if the index is empty.
        """

    def vector_of(self, key: int) -> Vectors | None:
        """Return the vector of an id, (d,) float32, as it was given; None if it is not there, or not kept."""
        return None

    @abstractmethod
    def radius(self, queries: npt.ArrayLike, r: float) -> Neighborhoods:
        """Find all vectors at most `r` away from each query, by their distances as float32.

        Raises
        ------
        InvalidInputError
            For a wrong dimension, NaN, a negative or infinite r, or if the index is empty.
        """


class StoredSearcher(Searcher):
    """A searcher that the store keeps in the table of vectors, and that is found by the table alone."""

    @classmethod
    @abstractmethod
    def open(cls, table: Table, place: Path, metric: Metric) -> Self | None:
        """Return the searcher of the table as it is now; None if it has to be made, or brought up to date.

        Parameters
        ----------
        table : Table
            The vectors.
        place : Path
            A folder of its own, which need not be there.
        metric : {"cosine", "euclidean"}
        """

    @classmethod
    @abstractmethod
    def make(
        cls, table: Table, place: Path, metric: Metric, collection: Path, watch: Watch = UNWATCHED
    ) -> Self:
        """Make it, or bring it up to date. Where that cannot be done now, one that is slower is returned.

        Parameters
        ----------
        table, place, metric
            See `open`.
        collection : Path
            Whose writer's lock to hold.
        watch : Watch

        Raises
        ------
        InvalidInputError
            If it cannot be made of such vectors.
        """


@checked
class Index(Searcher):
    """A searcher that is built of vectors, changed, saved and loaded.

    Searching changes nothing, so that several threads may; what changes it, `build`, `add` and `remove`,
    needs it alone.

    Parameters
    ----------
    metric : {"cosine", "euclidean"}
    """

    def __init__(self, metric: Metric = "cosine") -> None:
        if not isinstance(metric, str) or metric not in METRICS:
            raise InvalidInputError(
                f"metric is {shown(metric)}; expected one of {', '.join(METRICS)}", field="metric"
            )
        self.metric = metric

    @abstractmethod
    def build(
        self,
        vectors: npt.ArrayLike,
        ids: npt.ArrayLike | None = None,
        *,
        report: ProgressReport | None = None,
        cancel: CancelToken | None = None,
    ) -> Self:
        """Take in vectors, in place of any that were there.

        Parameters
        ----------
        vectors : (n, d) array-like
            Finite numbers; kept as float32, and not copied where they are that already. For cosine no row
            may be all zeros.
        ids : (n,) array-like of int64, optional
            Distinct and not negative; the row numbers by default.
        report, cancel : optional
            Who is told how far it has come, and may stop it; see `Collection.sync`.

        Returns
        -------
        self

        Raises
        ------
        InvalidInputError
            For a wrong shape, NaN, infinities, or ids that repeat.
        CancelledError
            When it is stopped; the index is empty then.
        """

    @abstractmethod
    def add(self, ids: npt.ArrayLike, vectors: npt.ArrayLike) -> None:
        """Add vectors under new ids.

        Raises
        ------
        InvalidInputError
            As `build`, or if an id is there already.
        """

    @abstractmethod
    def remove(self, ids: npt.ArrayLike) -> None:
        """Remove vectors.

        Raises
        ------
        InvalidInputError
            If an id is not there.
        """

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Write the index to a folder, replacing an index that is there; a reader sees the old or the new."""

    @classmethod
    @abstractmethod
    def load(cls, folder: Path) -> Self:
        """Open a saved index, memory-mapped: it takes no time, and no memory that it does not use.

        Raises
        ------
        IndexFileError
            If the folder holds no index of this kind, or a damaged one.
        """


def check_vectors(vectors: npt.ArrayLike, metric: Metric, dimension: int | None = None) -> Vectors:
    """Return vectors as (n, d) C-contiguous float32, checked for shape, finiteness and zero rows."""
    rows = _as_rows(vectors, "vectors")
    if rows.ndim != 2 or rows.shape[1] == 0:
        raise InvalidInputError(f"vectors have shape {rows.shape}; expected (n, d) with d of at least 1")
    _check_rows(rows, metric, dimension, "vectors")
    return rows


def check_queries(queries: npt.ArrayLike, metric: Metric, dimension: int) -> Vectors:
    """Return queries as (n_queries, d) float32, checked; one query may come as (d,)."""
    rows = _as_rows(queries, "queries")
    if rows.ndim == 1:
        rows = rows[None]
    if rows.ndim != 2:
        raise InvalidInputError(f"queries have shape {rows.shape}; expected (n_queries, {dimension})")
    _check_rows(rows, metric, dimension, "queries")
    return rows


def check_ids(ids: npt.ArrayLike | None, n: int) -> Ids:
    """Return n ids as int64, checked for number, sign and repetition; row numbers where there are none."""
    if ids is None:
        return np.arange(n, dtype=np.int64)
    given = as_ids(ids)
    if given.shape != (n,):
        raise InvalidInputError(f"ids have shape {given.shape}; expected ({n},), one a vector")
    if n and given.min() < 0:
        raise InvalidInputError(f"id {given.min()} is negative; -1 stands for 'no hit'")
    if len(np.unique(given)) < n:
        raise InvalidInputError("ids repeat; expected each at most once")
    return given


def as_ids(ids: npt.ArrayLike, what: str = "ids") -> Ids:
    """Return ids as a 1-d int64 array; `what` is what the message calls them."""
    given = as_whole_numbers(ids, what)
    if given.ndim != 1:
        raise InvalidInputError(
            f"{what} are {given.dtype} of shape {given.shape}; expected whole numbers, (n,)"
        )
    return given


def check_filled(n: int) -> None:
    """Raise unless the index holds vectors."""
    if not n:
        raise InvalidInputError("the index is empty; expected vectors in it: build it, or add some")


def check_k(k: int, n: int) -> int:
    """Return k, checked to lie in 1..n."""
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or not 1 <= k <= n:
        raise InvalidInputError(
            f"k is {shown(k)}; expected 1 to {n}, the number of vectors in the index", field="k"
        )
    return int(k)


def check_recall(recall: float) -> float:
    """Return recall, checked to lie in (0, 1]."""
    if not _is_number(recall) or not 0 < recall <= 1:
        raise InvalidInputError(f"recall is {shown(recall)}; expected above 0 and at most 1", field="recall")
    return float(recall)


def check_radius(r: float | np.floating[Any]) -> float:
    """Return r, checked to be a distance."""
    if isinstance(r, np.floating):
        r = float(r)  # a float32 would overflow beside the largest float
    if not _is_number(r) or not 0 <= r <= sys.float_info.max:
        raise InvalidInputError(f"r is {shown(r)}; expected a distance of 0 or more", field="r")
    return float(r)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)


def _as_rows(values: npt.ArrayLike, what: str) -> Vectors:
    given = as_numbers(values, what)
    with np.errstate(over="ignore"):  # what overflows is found infinite, and named, below
        return np.asarray(given, np.float32, order="C")


def _check_rows(rows: npt.NDArray[Any], metric: Metric, dimension: int | None, what: str) -> None:
    if dimension is not None and rows.shape[1] != dimension:
        raise InvalidInputError(f"{what} have {rows.shape[1]} dimensions; expected {dimension}")
    bad = np.flatnonzero(~np.isfinite(rows).all(axis=1))
    if len(bad):
        raise InvalidInputError(
            f"{what} hold NaN or infinity (first in row {bad[0]}); expected finite float32"
        )
    if metric == "cosine":
        zero = np.flatnonzero(~rows.any(axis=1))
        if len(zero):
            raise InvalidInputError(f"{what} hold a row of zeros (row {zero[0]}), which has no cosine")
