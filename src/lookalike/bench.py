"""Every kind of search index on the same vectors: recall, queries a second, time to build, size.

How it is fair
--------------
Queries are rows that the indexes do not hold. A hit is right if it is no farther than the true k-th
neighbour, which `Exact` finds; distances are measured again, in float64, instead of trusting anyone's, and a
row named twice counts once. The indexes take turns, a block of queries each, so that whatever else the
machine does meets them all. *One by one* is a query a call on one thread; *in batch*, all queries in a call
on all cores. Each kind is tried before anything is timed: what it needs is loaded then.

How long it takes
-----------------
Each index at each recall is given about so many `seconds` one by one, and as many in batch: where it is
slow, it is asked fewer of the queries. `Exact` gets half a minute to find the truth, and queries that it has
not come to are left out. A kind that trials with a few thousand rows show to need more than a minute to
build is left out, unless it was asked for by name, or is one that a search uses by itself. So 100,000
vectors of a network take a few minutes with all kinds, most of them for the building.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.errors import CancelledError, InvalidInputError, LookalikeError
from lookalike.hints import Hint, Sentence, join
from lookalike.index import kinds as index_kinds
from lookalike.index.contract import DEFAULT_RECALL, Index, check_queries, check_recall, check_vectors
from lookalike.index.exact import Exact
from lookalike.index.kinds import AUTO_KINDS, load_index
from lookalike.system.chance import RANDOM_STATE, check_seed
from lookalike.system.checked_calls import checked, shown
from lookalike.system.cores import usable_cores
from lookalike.system.progress import CancelToken, Progress, ProgressReport, Watch
from lookalike.system.tables import Columns, Table
from lookalike.system.watching import watching
from lookalike.system.wording import count_of
from lookalike.types import Ids, Metric, Vectors

__all__ = ["IndexComparison", "IndexFigures", "Point", "SameKindFigures", "compare_indexes"]

RECALLS = (0.9, 0.95, 0.99, 0.999, 1.0)
MOST_QUERIES = 1_000
_SHARE_OF_QUERIES = 0.1
_SLACK = 1e-6  # relative: so much farther than the true k-th neighbour is as near
_ROUNDS = 5
_LEAST_TURN = 0.01  # seconds: a few queries to a small index take less than a clock tells well
_FEWEST_IN_BATCH = 200  # queries, however slow the index: they are what the recall is measured on
_TRUTH_SECONDS = 30.0
_TRUTH_BLOCK = 100  # queries
_TRIAL_ROWS = 5_000  # enough for every index to go its usual way
_LONGEST_BUILD = 60.0  # seconds
_MOST_SECONDS = 3_600

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Point:
    """What an index does at one recall.

    Attributes
    ----------
    index : str
        Its kind.
    asked : float
        The recall that was asked for.
    recall : float
        The one that was measured: recall@k, the share of the true neighbours found.
    queries_per_second : float
        One query a call, on one thread.
    batch_queries_per_second : float
        All queries in a call, on all cores.
    n_queries : int
        How many queries the recall was measured on.
    """

    index: str
    asked: float
    recall: float
    queries_per_second: float
    batch_queries_per_second: float
    n_queries: int

    def to_dict(self) -> dict[str, Any]:
        """Return it as a document of JSON."""
        return {
            "asked": self.asked,
            "recall": round(self.recall, 6),
            "queries_per_second": round(self.queries_per_second, 1),
            "batch_queries_per_second": round(self.batch_queries_per_second, 1),
            "queries": self.n_queries,
        }


@dataclass(frozen=True, slots=True)
class IndexFigures:
    """What an index costs, and what it does.

    Attributes
    ----------
    index : str
        Its kind.
    build_seconds : float
        As it is built by default: most use all cores.
    size : int or None
        Bytes on the disk, vectors included; None where there was no room to save it.
    points : tuple of Point
        One for each recall asked for, rising; of an exact index one alone.
    """

    index: str
    build_seconds: float
    size: int | None
    points: tuple[Point, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return it as a document of JSON."""
        return {
            "index": self.index,
            "build_seconds": round(self.build_seconds, 3),
            "bytes": self.size,
            "points": [point.to_dict() for point in self.points],
        }


@dataclass(frozen=True, slots=True)
class SameKindFigures:
    """What searches for what is of the same kind cost; what they give, evaluations tell.

    Attributes
    ----------
    build_seconds : float
        To find the nearest of all vectors, on all cores; it is kept.
    size : int
        Bytes of that on the disk, vectors excluded.
    queries_per_second : float
        One query a call.
    """

    build_seconds: float
    size: int
    queries_per_second: float

    def to_dict(self) -> dict[str, Any]:
        """Return it as a document of JSON."""
        return {
            "build_seconds": round(self.build_seconds, 3),
            "bytes": self.size,
            "queries_per_second": round(self.queries_per_second, 1),
        }


@checked
@dataclass(frozen=True, slots=True)
class IndexComparison(Table):
    """Search indexes on the same vectors; as a table it has a row for each recall of each index.

    Attributes
    ----------
    metric : {"cosine", "euclidean"}
    k : int
    n_vectors, dimension : int
        Of what was searched.
    n_queries : int
    cores : int
        That the batches were shared among.
    indexes : tuple of IndexFigures
    left_out : mapping of str to str
        The kinds that are missing, and why: a library that is not installed, a build that takes too long.
    same_kind : SameKindFigures or None
        What searches for the same kind cost beside them; None where that was not asked for.
    """

    metric: Metric
    k: int
    n_vectors: int
    dimension: int
    n_queries: int
    cores: int
    indexes: tuple[IndexFigures, ...]
    left_out: Mapping[str, str]
    same_kind: SameKindFigures | None = None

    def fastest(self, recall: float = DEFAULT_RECALL) -> Point | None:
        """Return the point of most queries a second, one by one, at a measured recall; None if none is."""
        points = [point for figures in self.indexes for point in figures.points if point.recall >= recall]
        return max(points, key=lambda point: point.queries_per_second, default=None)

    def to_dict(self, path: Callable[[str], str] = str, tell: Callable[[str], str] = str) -> dict[str, Any]:
        """Return it as a document of JSON; see `lookalike.SearchResult.to_dict`."""
        fastest = self.fastest()
        return {
            "metric": self.metric,
            "dimension": self.dimension,
            "images": self.n_vectors,
            "queries": self.n_queries,
            "k": self.k,
            "cores": self.cores,
            "indexes": [figures.to_dict() for figures in self.indexes],
            "left_out": [{"index": kind, "reason": tell(reason)} for kind, reason in self.left_out.items()],
            "fastest": None if fastest is None else {"index": fastest.index, **fastest.to_dict()},
            "same_kind": None if self.same_kind is None else self.same_kind.to_dict(),
        }

    def __repr__(self) -> str:
        kinds = count_of(len(self.indexes), "index", "indexes")
        return f"<IndexComparison: {kinds}, {self.n_vectors:,} vectors of {self.dimension:,} dimensions>"

    def _columns(self) -> Columns:
        pairs = [(figures, point) for figures in self.indexes for point in figures.points]
        return {
            "index": [point.index for _, point in pairs],
            "asked": [point.asked for _, point in pairs],
            "recall": [point.recall for _, point in pairs],
            "queries_per_second": [point.queries_per_second for _, point in pairs],
            "batch_queries_per_second": [point.batch_queries_per_second for _, point in pairs],
            "build_seconds": [figures.build_seconds for figures, _ in pairs],
            "bytes": [figures.size for figures, _ in pairs],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexTrial:
    """Which indexes are tried, and how; see `compare_indexes`, which also has the defaults.

    Raises
    ------
    InvalidInputError
        For an unknown kind, k or a recall out of range.
    """

    metric: Metric
    k: int
    kinds: Sequence[str | type[Index]] | None
    recalls: Sequence[float]
    n_queries: int | None
    random_state: int
    seconds: float
    watch: Watch

    def __post_init__(self) -> None:
        """Check what does not depend on the vectors."""
        if isinstance(self.k, bool) or not isinstance(self.k, int | np.integer) or self.k < 1:
            raise InvalidInputError(f"k is {shown(self.k)}; expected a whole number, 1 or more", field="k")
        if not self.efforts:
            raise InvalidInputError("recalls are empty; expected at least one, above 0 and at most 1")
        if not 0 < self.seconds < _MOST_SECONDS:
            raise InvalidInputError(
                f"seconds is {shown(self.seconds)}; expected above 0, at most {_MOST_SECONDS:,}",
                field="seconds",
            )
        for kind in () if self.kinds is None else self.kinds:
            if isinstance(kind, str):
                load_index(kind)
            elif not isinstance(kind, type) or not issubclass(kind, Index):
                raise InvalidInputError(
                    f"kinds has {shown(kind)}; expected names of kinds, or classes of them", field="kinds"
                )

    @property
    def efforts(self) -> list[float]:
        """The recalls to ask for, rising, each once."""
        return sorted({check_recall(recall) for recall in self.recalls})

    @property
    def chosen(self) -> list[type[Index]]:
        """The classes to try, each once; all that are built of vectors alone where none is named."""
        named = list(() if self.kinds is None else self.kinds) or [
            row.name for row in index_kinds.KINDS if not row.is_of_store
        ]
        return list(dict.fromkeys(load_index(kind) if isinstance(kind, str) else kind for kind in named))

    def efforts_of(self, kind: type[Index]) -> list[float]:
        """The recalls to ask a kind for; of one that is always exact, one is all there is to try."""
        exact = tuple(row.load() for row in index_kinds.KINDS if row.is_exact)
        return [1.0] if issubclass(kind, exact) else self.efforts


@checked
def compare_indexes(
    vectors: npt.ArrayLike,
    queries: npt.ArrayLike | None = None,
    *,
    metric: Metric = "cosine",
    k: int = 10,
    kinds: Sequence[str | type[Index]] | None = None,
    recalls: Sequence[float] = RECALLS,
    n_queries: int | None = None,
    random_state: int = RANDOM_STATE,
    seconds: float = 1.0,
    report: ProgressReport | None = None,
    cancel: CancelToken | None = None,
) -> IndexComparison:
    """Build search indexes on vectors, and measure how well and how fast each answers.

    Parameters
    ----------
    vectors : (n, d) array-like
        At least 2; of the model and the kind of images that are to be searched, or it tells little.
    queries : (n_queries, d) array-like, optional
        Rows taken at random from the vectors, and not searched, by default.
    metric : {"cosine", "euclidean"}
    k : int
        How many neighbours a query asks for; all there are, if they are fewer.
    kinds : sequence of str or of classes that keep the contract of Index, optional
        All of `lookalike.index.kinds.KINDS` by default, without those that would take over a minute to
        build.
    recalls : sequence of float
        What to ask each index for.
    n_queries : int, optional
        How many queries to take, at random; by default all given ones, or a tenth of the vectors, and at
        most 1,000.
    random_state : int
        Which rows are queries. Recalls are the same each time, as far as the indexes are; times are not.
    seconds : float
        For each index at each recall, one by one, and again in batch.
    report, cancel : optional
        Who is told how far it has come, and may stop it; see `Collection.sync`.

    Returns
    -------
    IndexComparison

    Raises
    ------
    InvalidInputError
        For vectors or queries that no index takes, an unknown kind, k or a recall out of range, or if none
        of the kinds is to be had.

    References
    ----------
    M. Aumüller, E. Bernhardsson, A. Faithfull, "ANN-Benchmarks: A Benchmarking Tool for Approximate Nearest
    Neighbor Algorithms", 2020, sections 2 and 3: recall by distance, and curves of recall against speed.

    Examples
    --------
    >>> rows = np.random.default_rng(0).normal(size=(200, 8))
    >>> found = compare_indexes(rows, k=3, kinds=["exact"], seconds=0.01)
    >>> found.n_vectors, found.n_queries, found.indexes[0].points[0].recall
    (180, 20, 1.0)
    """
    with watching(report, cancel) as watch:
        trial = IndexTrial(
            metric=metric,
            k=k,
            kinds=kinds,
            recalls=recalls,
            n_queries=n_queries,
            random_state=random_state,
            seconds=seconds,
            watch=watch,
        )
        rows = check_vectors(vectors, metric)
        return _compare(trial, *_separate(trial, rows, queries))


def _compare(trial: IndexTrial, gallery: Vectors, asked: Vectors) -> IndexComparison:
    """Compare indexes by what they find in a gallery, (n, d), for some queries, (n_queries, d)."""
    k = min(int(trial.k), len(gallery))
    watch = trial.watch
    limits = _find_limits(gallery, asked, trial.metric, k, watch)  # (queries that there was time for,)
    asked = asked[: len(limits)]
    costs: dict[str, tuple[float, int | None]] = {}
    tallies: list[_Tally] = []
    left_out: dict[str, Sentence] = {}
    for kind in trial.chosen:
        efforts = trial.efforts_of(kind)
        try:
            watch.say("trying", f"trying {kind.kind}")
            _try(trial, kind, gallery, asked, k)
            is_built = trial.kinds or kind.kind in AUTO_KINDS
            expected = 0.0 if is_built else _expect(kind, gallery, trial.metric, watch)
            if expected > _LONGEST_BUILD:
                left_out[kind.kind] = Sentence(
                    f"building it would take some {max(expected, 1):,.0f} seconds",
                    Hint("build_anyway", kind=kind.kind),
                )
                continue
            watch.say("building", f"building {kind.kind}")
            started = time.perf_counter()
            index = _build(kind, gallery, trial.metric, watch)
            costs[kind.kind] = (time.perf_counter() - started, _size_on_disk(index))
        except CancelledError:
            raise
        except LookalikeError as error:  # of the kind, not of the vectors: `Exact` has taken those
            left_out[kind.kind] = error.told
            continue
        tallies += [_Tally(index, recall, k, trial.seconds) for recall in efforts]
    if not tallies:
        raise InvalidInputError(
            "there is no index to compare: " + "; ".join(f"{kind}: {why}" for kind, why in left_out.items()),
            hint=join(*(why.hint for why in left_out.values())),
        )
    _take_turns(tallies, asked, watch)
    points = [tally.to_point(gallery, asked, limits) for tally in tallies]
    return IndexComparison(
        trial.metric,
        k,
        len(gallery),
        gallery.shape[1],
        len(asked),
        usable_cores(),
        tuple(
            IndexFigures(kind, *cost, tuple(point for point in points if point.index == kind))
            for kind, cost in costs.items()
        ),
        left_out,
    )


class _Tally:
    """What one index has been asked so far, at one recall."""

    def __init__(self, index: Index, recall: float, k: int, seconds: float) -> None:
        self.index, self.recall, self._k, self._seconds = index, recall, k, seconds
        self._n, self._spent = 0, 0.0
        self._n_in_batch, self._spent_in_batch = 0, 0.0
        self._ids = np.empty((0, k), np.int64)  # (queries in a batch, k)

    def ask_one_by_one(self, queries: Vectors) -> None:
        """Ask some queries, over again while that takes hardly any time; no more when a turn's time is up."""
        self.index.search(queries[0], self._k, recall=self.recall)  # its arrays are in the cache as anyone's
        turn = self._seconds / _ROUNDS
        started, spent = time.perf_counter(), 0.0
        while spent < min(_LEAST_TURN, turn):
            for query in queries:
                self.index.search(query, self._k, recall=self.recall)
                self._n += 1
                spent = time.perf_counter() - started
                if spent >= turn:
                    break
        self._spent += spent

    def ask_in_batch(self, queries: Vectors) -> None:
        """Ask all queries at once, or as many as there is time for."""
        if self._spent_in_batch >= self._seconds:
            return
        if not self._n_in_batch:
            affordable = int(self._n / self._spent * usable_cores() * self._seconds)
            self._ids = np.empty((min(len(queries), max(affordable, _FEWEST_IN_BATCH)), self._k), np.int64)
        started = time.perf_counter()
        self._ids = self.index.search(queries[: len(self._ids)], self._k, recall=self.recall).ids
        self._spent_in_batch += time.perf_counter() - started
        self._n_in_batch += len(self._ids)

    def to_point(self, gallery: Vectors, queries: Vectors, limits: Doubles) -> Point:
        n = len(self._ids)
        distances = _measure(gallery, queries[:n], self._ids, self.index.metric)
        return Point(
            self.index.kind,
            self.recall,
            float((distances <= limits[:n, None] * (1 + _SLACK)).mean()),
            self._n / self._spent,
            self._n_in_batch / self._spent_in_batch,
            n,
        )


def _separate(trial: IndexTrial, rows: Vectors, queries: npt.ArrayLike | None) -> tuple[Vectors, Vectors]:
    """Return what is searched, and the queries."""
    if queries is not None:
        if not len(rows):
            raise InvalidInputError("there are no vectors; expected at least 1 to search")
        given = check_queries(queries, trial.metric, rows.shape[1])
        if not len(given):
            raise InvalidInputError("there are no queries; expected at least 1")
        most, usual = len(given), min(MOST_QUERIES, len(given))
    else:
        if len(rows) < 2:
            raise InvalidInputError(
                f"the number of vectors is {len(rows)}; expected at least 2: one to find, one to ask for"
            )
        given, most = rows, len(rows) - 1
        usual = max(1, min(MOST_QUERIES, int(len(rows) * _SHARE_OF_QUERIES)))
    n = usual if trial.n_queries is None else trial.n_queries
    if isinstance(n, bool) or not isinstance(n, int | np.integer) or not 1 <= n <= most:
        raise InvalidInputError(f"the number of queries is {shown(n)}; expected 1 to {most}")
    chosen = np.random.default_rng(check_seed(trial.random_state)).permutation(len(given))[:n]
    return (rows if queries is not None else np.delete(rows, chosen, axis=0)), given[chosen]


def _find_limits(gallery: Vectors, queries: Vectors, metric: Metric, k: int, watch: Watch) -> Doubles:
    """Return how far the true k-th neighbour of each query is, of as many as there is time for."""
    exact = Exact(metric).build(gallery)
    limits: list[Doubles] = []
    started = time.perf_counter()
    for start in range(0, len(queries), _TRUTH_BLOCK):
        watch(Progress("truth", start, len(queries), "finding the true neighbours", unit="queries"))
        block = queries[start : start + _TRUTH_BLOCK]
        limits.append(_measure(gallery, block, exact.search(block, k).ids, metric).max(axis=1))
        if time.perf_counter() - started > _TRUTH_SECONDS:
            break
    return np.concatenate(limits)


def _build(kind: type[Index], rows: Vectors, metric: Metric, watch: Watch) -> Index:
    """Build an index; somebody's own kind may not know of who stops it."""
    if "cancel" in inspect.signature(kind.build).parameters:
        return kind(metric).build(rows, **watch.quiet().told)
    return kind(metric).build(rows)


def _try(trial: IndexTrial, kind: type[Index], gallery: Vectors, queries: Vectors, k: int) -> None:
    """Let the compiler do its work on a small index."""
    sample = _sample(gallery, _TRIAL_ROWS)
    index = _build(kind, sample, trial.metric, trial.watch)
    for recall in trial.watch.each(trial.efforts_of(kind)):
        index.search(queries[0], min(k, len(sample)), recall=recall)
        index.search(queries[:_TRUTH_BLOCK], min(k, len(sample)), recall=recall)


def _expect(kind: type[Index], gallery: Vectors, metric: Metric, watch: Watch) -> float:
    """Return how many seconds a build is likely to take, from two small ones: a part of it is fixed."""
    n, small, large = len(gallery), _TRIAL_ROWS, 2 * _TRIAL_ROWS
    if n <= large:
        return 0.0
    seconds = []
    for n_rows in (small, large):
        sample = _sample(gallery, n_rows)
        started = time.perf_counter()
        _build(kind, sample, metric, watch)
        seconds.append(time.perf_counter() - started)
    a_row = max(seconds[1] - seconds[0], 0.0) / (large - small)
    return seconds[1] + a_row * (n - large) * float(np.log(n) / np.log(large))  # as trees and graphs grow


def _sample(rows: Vectors, n: int) -> Vectors:
    sample: Vectors = rows[np.linspace(0, len(rows) - 1, min(len(rows), n)).astype(int)]
    return sample


def _take_turns(tallies: Sequence[_Tally], queries: Vectors, watch: Watch) -> None:
    from threadpoolctl import threadpool_limits

    blocks = np.array_split(queries, min(_ROUNDS, len(queries)))
    for number in range(_ROUNDS):
        block = blocks[number % len(blocks)]
        for at, tally in enumerate(tallies):
            done, words = number * len(tallies) + at, f"asking {tally.index.kind}"
            watch(Progress("asking", done, _ROUNDS * len(tallies), words))
            with threadpool_limits(1):
                tally.ask_one_by_one(block)
            tally.ask_in_batch(queries)


def _measure(gallery: Vectors, queries: Vectors, ids: Ids, metric: Metric) -> Doubles:
    """Return the distances to hits, (n_queries, k); infinite for what is no row, or named before."""
    distances = np.full(ids.shape, np.inf)
    for i, (query, hits) in enumerate(zip(queries.astype(np.float64), ids, strict=True)):
        distinct, first = np.unique(hits, return_index=True)
        first = first[(distinct >= 0) & (distinct < len(gallery))]
        found = gallery[hits[first]].astype(np.float64)
        if metric == "cosine":
            query = query / np.linalg.norm(query)
            found /= np.linalg.norm(found, axis=1, keepdims=True)
        squares = np.square(found - query).sum(axis=1)
        distances[i, first] = squares / 2 if metric == "cosine" else np.sqrt(squares)
    return distances


def _size_on_disk(index: Index) -> int | None:
    try:
        with TemporaryDirectory() as place:
            folder = Path(place) / "index"
            index.save(folder)
            return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    except OSError:  # a full disk, or a read-only one
        return None
