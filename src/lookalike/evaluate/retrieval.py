"""Measures of retrieval: which of the images that a query finds carry its own label.

A *relevant* image is one of the query's label. Of a query with R relevant images, whose hits are ranked from
1 on, and where r(i) is 1 if hit i is relevant and else 0:

    P@k      (r(1) + … + r(k)) / k                              precision: what share of the hits is right
    R@k      (r(1) + … + r(k)) / R                              recall: what share of what is right is a hit
    AP       the sum over the relevant ranks i of P@i, over R   of the whole ranking; its mean is mAP
    AP@k     the same over the first k ranks, over min(R, k)    where no more than k hits are known
    nDCG@k   the sum of r(i) / log2(i + 1) over the first k ranks, over that of the best ranking that there is

All are 0 to 1. What is left open by these is settled so:

- Of equally similar images the one of the earlier row comes first. Rows that are equal number by number are
  equally similar to anything, whatever rounding does.
- A query without any relevant image has no measures: NaN. Means leave it out; how many there are is counted.
- An image is never its own hit.

How the whole ranking is found
------------------------------
A block of queries at a time: one matrix product gives the similarities; each becomes a 64-bit key of the
similarity's bits, turned so that whole numbers compare as the similarities do, the row number, and a bit
that says whether the row is relevant. Sorting a query's keys in place ranks the rows, settles ties, and
leaves the relevance bits in their order, with no second array to look up. Cost: n · d multiply-adds and one
sort of n numbers a query.

References
----------
C. Manning, P. Raghavan, H. Schütze, "Introduction to Information Retrieval", 2008, section 8.4.
K. Järvelin, J. Kekäläinen, "Cumulated Gain-Based Evaluation of IR Techniques", 2002: nDCG; with the logarithm
as scikit-learn has it.
T. Weyand et al., "Google Landmarks Dataset v2", 2020, section 5: AP@k over min(R, k).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lookalike.as_numbers import as_numbers, as_whole_numbers
from lookalike.errors import InvalidInputError
from lookalike.evaluate.labels import as_labels, number_labels
from lookalike.evaluate.measures import DEFAULT_KS, MEAN_AP, columns
from lookalike.evaluate.ranking import Ranking
from lookalike.system.checked_calls import checked, shown
from lookalike.system.cores import usable_cores
from lookalike.system.on_demand import load
from lookalike.system.progress import CancelToken, Progress, ProgressReport, Watch
from lookalike.system.watching import watching
from lookalike.types import Metric, Neighbors, Vectors

_BLOCK_PAIRS = 1 << 24  # of a query and a row, ranked at once: 192 MB
_CHUNK_PAIRS = 1 << 19  # that a thread sorts at a time
_LARGEST_SQUARE = 1e36  # of a row's length, so that float32 holds what is computed with it
_SIGN = np.int32(0x7FFFFFFF)

Doubles = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Retrieval:
    """What each of some queries found, and how good that is.

    Attributes
    ----------
    values : mapping of str to (n_queries,) float64
        By measure: ``P@1``, ``R@1``, ``nDCG@1``, …, and ``mAP`` for the average precision; ``mAP@10`` where
        only so many hits are known. NaN for queries without any relevant image.
    n_relevant : (n_queries,) int64
    hits : (n_queries, largest k) int64
        Row numbers of the first hits, nearest first; -1 where there are fewer.
    """

    values: Mapping[str, Doubles]
    n_relevant: Rows
    hits: Rows

    @property
    def counts(self) -> npt.NDArray[np.bool_]:
        """Which queries have a relevant image, and so measures: (n_queries,)."""
        return self.n_relevant > 0

    def means(self) -> dict[str, float]:
        """Return the mean of each measure over the queries that count.

        Raises
        ------
        InvalidInputError
            If none does.
        """
        check_any_counts(self.n_relevant)
        return {name: float(values[self.counts].mean()) for name, values in self.values.items()}


def check_any_counts(n_relevant: Rows) -> None:
    """Raise InvalidInputError unless some query has a relevant image."""
    if not n_relevant.any():
        raise InvalidInputError("no image has another of its label: there is nothing to retrieve")


@checked
def rank_all(
    queries: npt.ArrayLike,
    gallery: npt.ArrayLike,
    query_labels: npt.ArrayLike,
    labels: npt.ArrayLike,
    ks: Sequence[int] = DEFAULT_KS,
    metric: Metric = "cosine",
    *,
    report: ProgressReport | None = None,
    cancel: CancelToken | None = None,
) -> Retrieval:
    """Rank the whole gallery for each query, and measure that.

    For queries that are images of the gallery themselves, there is `rank_others`.

    Parameters
    ----------
    queries : (n_queries, d) array-like
    gallery : (n, d) array-like
        Finite float32, as the queries. For cosine both are unit rows.
    query_labels, labels : (n_queries,) and (n,) of any kind
    ks : sequence of int
        Where to cut the ranking.
    metric : {"cosine", "euclidean"}
    report, cancel : optional
        Who is told how far it has come, and may stop it; see `Collection.sync`.

    Returns
    -------
    Retrieval

    Raises
    ------
    InvalidInputError
        If shapes do not fit, a number is not finite, a row is not of length 1 where it should be, or a k is
        larger than the number of images that can be found.

    Examples
    --------
    >>> found = rank_all([[1, 0]], [[0.8, 0.6], [0, 1], [0.6, 0.8]], ["cup"], ["cup", "owl", "cup"], ks=[2])
    >>> found.means()["P@2"], found.means()["mAP"], found.hits.tolist()
    (1.0, 1.0, [[0, 2]])
    """
    asked, rows = _check_rows(queries, metric), _check_rows(gallery, metric)
    if asked.shape[1] != rows.shape[1]:
        raise InvalidInputError(f"queries have {asked.shape[1]} dimensions, the gallery {rows.shape[1]}")
    wanted, there = _number_both(query_labels, labels, len(asked), len(rows))
    cuts = check_ks(ks, len(rows), "the number of images to find")
    with watching(report, cancel) as watch:
        return rank(asked, rows, Relevance(wanted, there), cuts, metric, watch)


@checked
def rank_others(
    vectors: npt.ArrayLike,
    labels: npt.ArrayLike,
    ks: Sequence[int] = DEFAULT_KS,
    metric: Metric = "cosine",
    rows: npt.ArrayLike | None = None,
    *,
    without: Sequence[npt.ArrayLike] | None = None,
    report: ProgressReport | None = None,
    cancel: CancelToken | None = None,
) -> Retrieval:
    """Query some images, or each, against all the others: leave-one-out.

    Parameters
    ----------
    vectors : (n, d) array-like
    labels : (n,) of any kind
    ks, metric, report, cancel
        See `rank_all`.
    rows : (n_queries,) int, optional
        Which images are queries; all of them by default.
    without : sequence of (m,) int, optional
        For each query the rows that it does not find either, such as copies of it.

    Returns
    -------
    Retrieval
        Of the queries, in the order of `rows`.
    """
    gallery = as_numbers(vectors)
    if gallery.ndim != 2 or len(gallery) < 2:
        raise InvalidInputError(
            f"there is only {len(gallery)} vector; expected at least 2, to find one by another"
            if gallery.ndim == 2
            else f"vectors are {gallery.dtype} of shape {gallery.shape}; expected floats, (n, d)"
        )
    given = as_labels(labels)
    if given.ndim != 1:
        raise InvalidInputError(f"labels have shape {given.shape}; expected (n,)")
    if len(given) != len(gallery):
        raise InvalidInputError(f"{len(given)} labels for {len(gallery)} vectors; expected one a row")
    checked, n = _check_rows(gallery, metric), len(gallery)
    own = np.arange(n) if rows is None else as_whole_numbers(rows, "rows")
    if own.ndim != 1 or (own.size and not 0 <= own.min() <= own.max() < n):
        raise InvalidInputError(f"rows are {shown(rows)}; expected row numbers of {n} vectors, (n_queries,)")
    cuts, numbers = check_ks(ks, n - 1, "the number of other images"), number_labels(given)
    queries = checked if rows is None else checked[own]
    left_out = _check_left_out(without, own, n)
    with watching(report, cancel) as watch:
        return rank(queries, checked, Relevance(numbers[own], numbers, own, left_out), cuts, metric, watch)


def _check_left_out(without: Sequence[npt.ArrayLike] | None, own: Rows, n: int) -> tuple[Rows, ...] | None:
    """Return for each query the rows that it does not find, each once, itself not among them."""
    if without is None:
        return None
    if len(without) != len(own):
        raise InvalidInputError(
            f"without has {len(without)} entries for {len(own)} queries; expected one each"
        )
    found = []
    for query, given in zip(own.tolist(), without, strict=True):
        rows = np.unique(as_whole_numbers(given, "without")) if np.size(given) else np.empty(0, np.int64)
        if rows.size and not 0 <= rows[0] <= rows[-1] < n:
            raise InvalidInputError(f"without has row {shown(rows[-1])}; expected row numbers of {n} vectors")
        found.append(rows[rows != query].astype(np.int64))
    return tuple(found)


@dataclass(frozen=True, slots=True, eq=False)
class Relevance:
    """What is relevant to which query.

    Attributes
    ----------
    wanted, there : (n_queries,) and (n,) int
        The labels of queries and gallery, as numbers.
    own : (n_queries,) int64, or None
        Which row of the gallery each query is itself: it is left out of what that query finds.
    without : n_queries of (m,) int64, or None
        Which other rows are left out, too.
    """

    wanted: npt.NDArray[np.intp]
    there: npt.NDArray[np.intp]
    own: Rows | None = None
    without: Sequence[Rows] | None = None

    @property
    def counts(self) -> Rows:
        """How many images are relevant to each query: (n_queries,)."""
        sizes = np.bincount(self.there, minlength=self.wanted.max(initial=-1) + 1)
        counts = np.asarray(sizes[self.wanted] - (self.own is not None), np.int64)
        for query, rows in enumerate(self.without or ()):
            counts[query] -= np.count_nonzero(self.there[rows] == self.wanted[query])
        return counts


def rank(
    queries: Vectors,
    rows: Vectors,
    relevance: Relevance,
    ks: tuple[int, ...],
    metric: Metric,
    watch: Watch,
    redraw: Callable[[slice, Vectors], Vectors] | None = None,
) -> Retrieval:
    """Rank the whole gallery for each query; all is checked.

    Parameters
    ----------
    redraw : callable, optional
        Given which queries, and their cosines to all rows, (block, n), returns the cosines to rank by.
    """
    wanted, there, own, without = relevance.wanted, relevance.there, relevance.own, relevance.without
    depth = len(rows) - (own is not None)
    n_left_out = [0] * len(queries) if without is None else [len(each) for each in without]
    first, later = _find_copies(rows)
    offsets = None
    if metric == "euclidean":
        centre = rows.mean(axis=0, dtype=np.float64).astype(np.float32)
        queries, rows = queries - centre, rows - centre  # smaller numbers, of which float32 keeps more digits
        offsets = np.einsum("ij,ij->i", rows, rows) / 2
    n_relevant = relevance.counts
    table = _Table(len(queries), ks, is_whole=True)
    step = max(1, _BLOCK_PAIRS // len(rows))
    chunk = max(1, _CHUNK_PAIRS // len(rows))
    row_bits = np.arange(len(rows), dtype=np.int64) << 1

    def tell(done: int) -> None:
        watch(Progress("ranking", done, len(queries), f"ranking {len(rows):,} images", unit="queries"))

    tell(0)
    with ThreadPoolExecutor(usable_cores()) as pool:
        for start in range(0, len(queries), step):
            block = slice(start, min(start + step, len(queries)))
            # Smaller is more similar. For euclidean, half the squared distance, less what is the query's own.
            unlike = -(queries[block] @ rows.T)  # (block, n)
            if offsets is not None:
                unlike += offsets
            unlike[:, later] = unlike[:, first]
            if redraw is not None:
                unlike = -redraw(block, -unlike)
            if own is not None:
                unlike[np.arange(len(unlike)), own[block]] = np.inf  # last, then left out
            for at, each in enumerate([] if without is None else without[block]):
                unlike[at, each] = np.inf

            def put(at: int, unlike: Vectors = unlike, start: int = start) -> None:
                part = unlike[at : at + chunk]
                keys = _sortable(part) << 32 | row_bits
                keys |= there == wanted[start + at : start + at + len(part), None]
                for number, key in enumerate(keys):
                    key.sort()
                    query = start + at + number
                    ranked = key[: depth - n_left_out[query]]
                    table.hits[query, : len(ranked)] = (ranked[: ks[-1]] & 0xFFFFFFFF) >> 1
                    table.put(query, (ranked & 1).astype(bool), n_relevant[query])

            list(pool.map(put, range(0, len(unlike), chunk)))
            tell(block.stop)
    return Retrieval(table.values, n_relevant, table.hits)


@checked
def measure_hits(
    hits: npt.ArrayLike,
    query_labels: npt.ArrayLike,
    labels: npt.ArrayLike,
    ks: Sequence[int],
    own: bool | npt.NDArray[np.int64],
) -> Retrieval:
    """Measure hits that a search index found, of which only the first few are known.

    Parameters
    ----------
    hits : (n_queries, depth) int
        Row numbers of the gallery, nearest first; -1 where there are fewer, which counts as wrong. A row that
        comes twice counts once.
    query_labels, labels : (n_queries,) and (n,) of any kind
    ks : sequence of int
        At most `depth`.
    own : bool or array
        Whether each query is an image of the gallery, which is not among its hits; or how many of its label
        are left out of its hits in this way, itself among them: (n_queries,) int64.

    Returns
    -------
    Retrieval
        With ``mAP@depth`` in place of ``mAP``, `depth` being the largest k.

    Examples
    --------
    >>> found = measure_hits([[2, 0]], ["cup"], ["cup", "owl", "cup", "cup"], ks=[2], own=False)
    >>> found.means()["R@2"], found.means()["mAP@2"]
    (0.6666666666666666, 1.0)
    """
    rows = as_whole_numbers(hits, "hits")
    if rows.ndim != 2:
        raise InvalidInputError(f"hits have shape {rows.shape}; expected (n_queries, depth)")
    wanted, there = _number_both(query_labels, labels, len(rows), len(as_labels(labels).reshape(-1)))
    if rows.size and not -1 <= rows.min() <= rows.max() < len(there):
        raise InvalidInputError(f"the ids of the neighbours are not rows of {len(there)} labels")
    ks = check_ks(ks, rows.shape[1], "the number of hits of each query")
    n_relevant = np.bincount(there, minlength=wanted.max(initial=-1) + 1)[wanted] - own
    table = _Table(len(rows), ks, is_whole=False)
    table.hits[:] = rows[:, : ks[-1]]
    for query, found in enumerate(table.hits):
        is_relevant = (found >= 0) & (there[found] == wanted[query])
        is_relevant[np.setdiff1d(np.arange(len(found)), np.unique(found, return_index=True)[1])] = False
        table.put(query, is_relevant, n_relevant[query])
    return Retrieval(table.values, n_relevant, table.hits)


class _Table:
    """The measures of queries, filled in one after the other.

    Attributes
    ----------
    values : dict of str to (n_queries,) float64
    hits : (n_queries, largest k) int64
    """

    def __init__(self, n_queries: int, ks: tuple[int, ...], is_whole: bool) -> None:
        self._columns = [(name, load(row.function), k) for name, row, k in columns(ks, is_whole)]
        self.values = {name: np.full(n_queries, np.nan) for name, _, _ in self._columns}
        self.hits = np.full((n_queries, ks[-1]), -1, np.int64)

    def put(self, query: int, is_relevant: npt.NDArray[np.bool_], n_relevant: int) -> None:
        """Measure one query: `is_relevant` goes rank by rank, over the whole ranking or its beginning."""
        if n_relevant == 0:
            return
        ranking = Ranking(np.flatnonzero(is_relevant) + 1, int(n_relevant))
        for name, measure, k in self._columns:
            self.values[name][query] = measure(ranking, k)


@dataclass(frozen=True, slots=True)
class RetrievalScores:
    """Means over all queries that have at least one relevant image.

    Attributes
    ----------
    precision : dict of int to float
        P@k: the share of the first k hits that carry the query's label.
    mean_average_precision : float
        mAP: the mean, over the ranks of all relevant images, of the precision there.
    queries : int
        How many queries counted.
    """

    precision: dict[int, float]
    mean_average_precision: float
    queries: int


@checked
def leave_one_out(vectors: Vectors, labels: npt.ArrayLike, ks: Sequence[int] = DEFAULT_KS) -> RetrievalScores:
    """Query each image against all the others, and count hits of its own label as relevant.

    Of equally similar images, the earlier row comes first. `rank_others` gives the same query by query.

    Parameters
    ----------
    vectors : (n, d) float32
        Unit rows; compared by cosine.
    labels : (n,) of any kind
        One an image.
    ks : sequence of int
        Where to take the precision.

    Returns
    -------
    RetrievalScores

    Raises
    ------
    InvalidInputError
        If vectors are not finite unit rows, labels and vectors differ in number, a k is not below n, or no
        image has another of its label.

    References
    ----------
    C. Manning, P. Raghavan, H. Schütze, "Introduction to Information Retrieval", 2008, section 8.4.

    Examples
    --------
    >>> import numpy as np
    >>> rows = np.array([[1, 0], [0.9, 0.436], [0, 1], [0.1, 0.995]], np.float32)
    >>> leave_one_out(rows, ["cup", "cup", "owl", "owl"], ks=[1]).precision
    {1: 1.0}
    """
    found = rank_others(vectors, labels, ks or [1])
    means = found.means()
    return RetrievalScores({k: means[f"P@{k}"] for k in ks}, means[MEAN_AP], int(found.counts.sum()))


@checked
def precision_of_neighbors(
    neighbors: Neighbors, labels: npt.ArrayLike, query_labels: npt.ArrayLike
) -> Doubles:
    """Return P@k of each query: the share of its k hits that carry its own label.

    Parameters
    ----------
    neighbors : Neighbors
        Whose ids are row numbers of `labels`; missing hits, -1, count as wrong.
    labels : (n,) of any kind
        Of the images that were searched.
    query_labels : (n_queries,) of the same kind

    Returns
    -------
    (n_queries,) float64

    Raises
    ------
    InvalidInputError
        If there is not one label a query, or an id is no row.

    Examples
    --------
    >>> import numpy as np
    >>> hits = Neighbors(np.array([[0, 1], [2, -1]]), np.zeros((2, 2), np.float32))
    >>> precision_of_neighbors(hits, ["cup", "owl", "owl"], ["cup", "owl"])
    array([0.5, 0.5])
    """
    found, asked = as_labels(labels), as_labels(query_labels)
    if asked.shape != (len(neighbors.ids),) or found.ndim != 1:
        raise InvalidInputError(
            f"labels have shape {asked.shape} for {len(neighbors.ids)} queries, and {found.shape} for what"
            " was searched; expected one each"
        )
    if neighbors.ids.size and not -1 <= neighbors.ids.min() <= neighbors.ids.max() < len(found):
        raise InvalidInputError(f"the ids of the neighbours are not rows of {len(found)} labels")
    relevant = (found[neighbors.ids] == asked[:, None]) & (neighbors.ids >= 0)
    return np.asarray(relevant.mean(axis=1), np.float64)


def check_ks(ks: Sequence[int], most: int, what: str) -> tuple[int, ...]:
    """Return where a ranking is cut, rising, each once; all must be 1 to `most`, which is `what`."""
    wrong = [k for k in ks if isinstance(k, bool) or not isinstance(k, int | np.integer) or not 0 < k <= most]
    if wrong or not len(ks):
        refused = shown(wrong[0] if wrong else [])
        raise InvalidInputError(f"k is {refused}; expected 1 to {most}, {what}")
    return tuple(sorted({int(k) for k in ks}))


def _sortable(values: Vectors) -> Rows:
    """Return whole numbers that compare as floats do: their bits, those of negative ones turned over."""
    bits = (values + np.float32(0)).view(np.int32)  # the sum makes -0 and 0 one
    return (bits ^ (bits >> 31 & _SIGN)).astype(np.int64)


def _find_copies(rows: Vectors) -> tuple[Rows, Rows]:
    """Return, for rows that equal an earlier one, which that is, and which they are."""
    seen: dict[bytes, int] = {}
    firsts = [
        seen.setdefault(hashlib.blake2b(row, digest_size=16).digest(), at) for at, row in enumerate(rows)
    ]
    first = np.asarray(firsts, np.int64)
    later = np.flatnonzero(first != np.arange(len(rows)))
    return first[later], later


def _check_rows(vectors: npt.ArrayLike, metric: Metric) -> Vectors:
    rows = as_numbers(vectors)
    if isinstance(vectors, list) or rows.dtype.itemsize > 8:
        rows = rows.astype(np.float32)
    if rows.ndim != 2 or not np.issubdtype(rows.dtype, np.floating):
        raise InvalidInputError(f"vectors are {rows.dtype} of shape {rows.shape}; expected floats, (n, d)")
    if not len(rows):
        raise InvalidInputError("there are no vectors; expected at least 1")
    squares = np.einsum("ij,ij->i", rows, rows, dtype=np.float64)
    if metric == "cosine":
        lengths = np.sqrt(squares)
        off = np.flatnonzero(~(np.abs(lengths - 1) < 1e-3))  # so that NaN is off, too
        if len(off):
            raise InvalidInputError(f"row {off[0]} of the vectors has length {lengths[off[0]]:g}; expected 1")
    elif not (squares < _LARGEST_SQUARE).all():
        row = np.flatnonzero(~(squares < _LARGEST_SQUARE))[0]
        raise InvalidInputError(
            f"row {row} of the vectors holds NaN, infinity or too large numbers; expected a length below 1e18"
        )
    return np.ascontiguousarray(rows, np.float32)


def _number_both(
    query_labels: npt.ArrayLike, labels: npt.ArrayLike, n_queries: int, n: int
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Return the labels of queries and gallery as numbers, the same for the same label."""
    asked, there = as_labels(query_labels), as_labels(labels)
    if asked.ndim != 1 or there.ndim != 1:
        raise InvalidInputError(
            f"labels have shape {(asked if asked.ndim != 1 else there).shape}; expected (n,)"
        )
    if len(asked) != n_queries or len(there) != n:
        raise InvalidInputError(
            f"{len(asked)} labels for {n_queries} queries, {len(there)} for {n} images; expected one each"
        )
    try:
        both = np.concatenate([asked, there])
    except TypeError as error:
        raise InvalidInputError(
            f"the labels of queries are {asked.dtype}, the others {there.dtype}; expected one kind"
        ) from error
    numbers = number_labels(both)
    return numbers[: len(asked)], numbers[len(asked) :]
