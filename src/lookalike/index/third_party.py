"""What the adapters of other libraries' indexes share: everything but the library.

The library gets the rows moved to their mean and scaled to a length of at most 1 (for cosine, from unit
rows), so that one euclidean space serves both metrics. It names candidates; they are measured in float64 on
the original rows, as `Exact` does it. What a library cannot do is answered by `Exact`: a radius, a filter
that keeps few, and a query for which it finds fewer rows than were asked for.

The effort that a recall takes is found out after the build, on rows that are left out of their own answers
(`tuning`).
"""

from __future__ import annotations

import importlib
import threading
from abc import abstractmethod
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from lookalike.errors import IndexExtraError, InvalidInputError
from lookalike.index import tuning
from lookalike.index.contract import (
    DEFAULT_RECALL,
    Index,
    as_ids,
    check_filled,
    check_ids,
    check_k,
    check_queries,
    check_recall,
    check_vectors,
)
from lookalike.index.exact import Exact
from lookalike.index.folder import damaged, read, write
from lookalike.index.saved_facts import read_scale
from lookalike.system.chance import RANDOM_STATE, check_seed
from lookalike.system.checked_calls import checked
from lookalike.system.installing import install_command
from lookalike.system.memory import rows_at_once
from lookalike.system.progress import UNWATCHED, CancelToken, ProgressReport, Watch
from lookalike.system.watching import watching
from lookalike.types import Ids, Metric, Neighborhoods, Neighbors, Vectors

_FORMAT = 1
_ARRAYS = ("rows", "ids", "alive", "centre", "library", "efforts")
_ALWAYS_EXACT = 4_096  # up to so many vectors nothing is tuned, and the effort is `untuned_effort`
_TUNED_ROWS = 200
_ASKED_AT_ONCE = 64
_MOST_EFFORT = 25_600  # that is tried
_FEW = 0.05  # allowed rows, by share, up to which a filtered search is exact
_BLOCK_ROWS = 4_096

Doubles = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]

_Lock = type(threading.Lock())


def import_library(module: str, extra: str) -> Any:
    """Import a library that is not always installed.

    Raises
    ------
    InvalidInputError
        If it is missing; the message names the extra that brings it.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise IndexExtraError(
            f"this index needs the library {module}, which is not installed",
            extra=extra,
            hint=f"install it with: {install_command(extra)}",
        ) from error


@checked
class ThirdParty(Index):
    """An index of another library. A subclass says how to make, ask, write and read the library's own."""

    untuned_effort: ClassVar[int] = 200
    _own: Any  # the library's
    _exact_of_live: Exact | None

    def __init__(self, metric: Metric = "euclidean", random_state: int = RANDOM_STATE) -> None:
        super().__init__(metric)
        self._make_locks()
        self.random_state = check_seed(random_state)
        self._clear()

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the locks: where the library's own can be copied and pickled, an index can."""
        return {name: value for name, value in vars(self).items() if not isinstance(value, _Lock)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._make_locks()

    def _make_locks(self) -> None:
        self._lock = threading.Lock()  # of what the first search makes

    @abstractmethod
    def _make(self, vectors: Vectors, watch: Watch) -> Any:
        """Return the library's index of vectors (n, d); their row numbers are its ids."""

    @abstractmethod
    def _ask(self, vector: Vectors, n_rows: int, effort: int) -> Rows:
        """Return up to `n_rows` row numbers for one vector (d,), nearest first; from any thread."""

    @abstractmethod
    def _write_library(self, file: str) -> None: ...

    @abstractmethod
    def _read_library(self, file: str, n: int, d: int) -> Any: ...

    def __len__(self) -> int:
        return self._n

    @property
    def ids(self) -> Ids:
        """(n,) int64: the id of each row."""
        return self._ids[self._alive]

    @property
    def efforts(self) -> tuning.Efforts:
        """What was found to be needed for each recall: the library's effort, and rows."""
        return self._efforts

    def build(
        self,
        vectors: npt.ArrayLike,
        ids: npt.ArrayLike | None = None,
        *,
        report: ProgressReport | None = None,
        cancel: CancelToken | None = None,
    ) -> Self:
        """Take in vectors; see `Index.build`."""
        rows = check_vectors(vectors, self.metric)
        given = check_ids(ids, len(rows))
        self._clear()
        if not len(rows):
            return self
        self._rows, self._ids, self._n = rows, given, len(rows)
        self._alive = np.ones(len(rows), bool)
        try:
            with watching(report, cancel) as watch:
                self._fill(watch)
        except BaseException:
            self._clear()
            raise
        return self

    def _fill(self, watch: Watch) -> None:
        watch.say("building", f"building the {self.kind} index")
        self._fit(watch)
        vectors = self._to_library(self._rows, watch)
        self._own = self._make(vectors, watch)
        if self._n > _ALWAYS_EXACT:
            watch.say("tuning", f"measuring what the {self.kind} index takes for each recall")
            self._efforts = self._measure_efforts(watch)

    def search(
        self,
        queries: npt.ArrayLike,
        k: int = 10,
        recall: float = DEFAULT_RECALL,
        allowed: npt.ArrayLike | None = None,
    ) -> Neighbors:
        """Find the k nearest vectors to each query; see `Index.search`. Recall 1 is left to `Exact`."""
        check_filled(self._n)
        k, recall = check_k(k, self._n), check_recall(recall)
        queries = check_queries(queries, self.metric, self._rows.shape[1])
        live = self._alive
        if allowed is not None:
            live = live & np.isin(self._ids, as_ids(allowed, "allowed ids"))
        n_live = int(live.sum())
        effort = self._efforts.find(k, recall)
        if effort == tuning.EXACT and self._n <= _ALWAYS_EXACT and recall < 1:
            effort = tuning.Effort(self.untuned_effort, k)
        if effort == tuning.EXACT or n_live <= max(k, _FEW * len(live)):
            return self._search_exactly(queries, k, live)
        ids, distances = np.empty((len(queries), k), np.int64), np.empty((len(queries), k), np.float32)
        for i, vector in enumerate(self._to_library(queries)):
            rows = self._find_live(vector, k, effort, live, n_live)
            if rows is None:
                found = self._search_exactly(queries[i : i + 1], k, live)
                ids[i], distances[i] = found.ids[0], found.distances[0]
                continue
            measured = self._exact.measure(queries[i], np.searchsorted(self._exact.ids, rows))
            order = np.lexsort((rows, measured))[:k]
            ids[i] = self._ids[rows[order]]
            with np.errstate(over="ignore"):
                distances[i] = measured[order]
        return Neighbors(ids, distances)

    def radius(self, queries: npt.ArrayLike, r: float) -> Neighborhoods:
        """Find all vectors at most `r` away from each query, by `Exact`; see `Index.radius`."""
        check_filled(self._n)
        hits = self._exact.radius(queries, r)
        return Neighborhoods(hits.indptr, self._ids[hits.ids], hits.distances)

    def add(self, ids: npt.ArrayLike, vectors: npt.ArrayLike) -> None:
        """Add vectors under new ids; the index is built again. See `Index.add`."""
        rows = check_vectors(vectors, self.metric, self._rows.shape[1] if self._n else None)
        given = check_ids(ids, len(rows))
        present = given[np.isin(given, self.ids)]
        if len(present):
            raise InvalidInputError(f"id {present[0]} is in the index already")
        if len(rows) and self._n:
            self.build(np.concatenate([self._rows[self._alive], rows]), np.concatenate([self.ids, given]))
        elif len(rows):
            self.build(rows, given)

    def remove(self, ids: npt.ArrayLike) -> None:
        """Remove vectors: they keep their place, and are passed over. See `Index.remove`."""
        gone = as_ids(ids)
        missing = np.setdiff1d(gone, self.ids)
        if len(missing):
            raise InvalidInputError(f"id {missing[0]} is not in the index")
        self._alive = self._alive & ~np.isin(self._ids, gone)
        self._n = int(self._alive.sum())
        self._exact_of_live = None
        if not self._n:
            self._clear()

    def save(self, folder: Path) -> None:
        """Write the index to a folder; see `Index.save`."""
        content = np.empty(0, np.uint8)
        if self._n:
            with TemporaryDirectory() as place:
                file = Path(place) / "library"
                self._write_library(str(file))
                content = np.fromfile(file, np.uint8)
        values = (self._rows, self._ids, self._alive, self._center, content, self._efforts.table)
        arrays: dict[str, npt.NDArray[Any]] = dict(zip(_ARRAYS, values, strict=True))
        facts = {
            "kind": self.kind, "format": _FORMAT, "metric": self.metric, "random_state": self.random_state,
            "scale": self._scale, "parameters": self._parameters(),
        }  # fmt: skip
        write(folder, facts, arrays)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Open a saved index; see `Index.load`. Vectors are memory-mapped; the library reads its own part."""
        facts, arrays = read(folder, cls.kind, _FORMAT, _ARRAYS)
        try:
            index = cls(facts["metric"], random_state=facts["random_state"], **facts["parameters"])
            index._scale = read_scale(facts)
        except (KeyError, TypeError, ValueError) as error:
            raise damaged(folder, error) from error
        index._rows, index._ids, index._alive, index._center, content, table = (
            arrays[name] for name in _ARRAYS
        )
        index._n, index._efforts = int(index._alive.sum()), tuning.Efforts(table)
        if index._n:
            with TemporaryDirectory(ignore_cleanup_errors=True) as place:
                file = str(Path(place) / "library")
                content.tofile(file)
                try:
                    index._own = index._read_library(file, *index._rows.shape)
                except (OSError, RuntimeError) as error:
                    raise damaged(folder, error) from error
        return index

    @abstractmethod
    def _parameters(self) -> dict[str, Any]:
        """Return what the constructor takes beside metric and random_state."""

    def _clear(self) -> None:
        self._rows = np.empty((0, 0), np.float32)
        self._ids, self._alive = np.empty(0, np.int64), np.empty(0, bool)
        self._n, self._scale = 0, 1.0
        self._center = np.empty(0)
        self._own = None
        self._exact_of_live = None
        self._efforts = tuning.Efforts()

    @property
    def _exact(self) -> Exact:
        """The live rows, under their row numbers."""
        with self._lock:
            if self._exact_of_live is None:
                rows = self._rows if self._alive.all() else self._rows[self._alive]
                self._exact_of_live = Exact(self.metric).build(rows, np.flatnonzero(self._alive))
            return self._exact_of_live

    def _search_exactly(self, queries: Vectors, k: int, live: npt.NDArray[np.bool_]) -> Neighbors:
        is_all = int(live.sum()) == self._n
        found = self._exact.search(queries, k, allowed=None if is_all else np.flatnonzero(live))
        ids = np.where(found.ids < 0, -1, self._ids[np.maximum(found.ids, 0)])
        return Neighbors(ids, found.distances)

    def _find_live(
        self, vector: Vectors, k: int, effort: tuning.Effort, live: npt.NDArray[np.bool_], n_live: int
    ) -> Rows | None:
        """Return at least k live rows; None if the library does not find so many."""
        n = len(live)
        n_rows, spent = max(k, effort.n_rows), effort.n_cells
        if n_live < n:  # so many more have to be looked at for as many that count
            n_rows, spent = int(np.ceil(1.2 * n_rows * n / n_live)), int(np.ceil(spent * n / n_live))
        while True:
            n_rows = min(n_rows, n)
            rows = self._ask(vector, n_rows, max(spent, n_rows))
            found = rows[live[rows]]
            if len(found) >= k:
                return found
            if n_rows == n or len(rows) < n_rows:
                return None
            n_rows, spent = 2 * n_rows, 2 * spent

    def _fit(self, watch: Watch) -> None:
        """Find the mean of the rows, and the power of two that brings them to a length of at most 1."""
        step = rows_at_once(self._rows.shape[1], _BLOCK_ROWS)
        blocks = range(0, self._n, step)
        self._center, self._scale = np.zeros(self._rows.shape[1]), 1.0
        center = sum(
            self._placed(self._rows[start : start + step]).sum(axis=0) for start in watch.each(blocks)
        )
        self._center = np.asarray(center) / self._n
        longest = max(
            float(np.square(self._placed(self._rows[start : start + step])).sum(axis=1).max())
            for start in watch.each(blocks)
        )
        self._scale = float(np.ldexp(1.0, -int(np.frexp(np.sqrt(longest))[1]))) if longest > 0 else 1.0

    def _placed(self, rows: Vectors) -> Doubles:
        placed = rows.astype(np.float64)
        if self.metric == "cosine":
            placed /= np.sqrt(np.square(placed).sum(axis=1, keepdims=True))
        placed -= self._center
        placed *= self._scale
        return placed

    def _to_library(self, rows: Vectors, watch: Watch = UNWATCHED) -> Vectors:
        """Return vectors as the library has them, (n, d) float32; far queries are drawn near."""
        vectors = np.empty(rows.shape, np.float32)
        step = rows_at_once(rows.shape[1], _BLOCK_ROWS)
        for start in watch.each(range(0, len(rows), step)):
            part = slice(start, start + step)
            placed = self._placed(rows[part])
            lengths = np.sqrt(np.square(placed).sum(axis=1, keepdims=True))
            vectors[part] = placed / np.maximum(lengths / 1e3, 1.0)
        return vectors

    def _measure_efforts(self, watch: Watch) -> tuning.Efforts:
        """Double the effort until each recall is reached; what is not reached is exact."""
        random = np.random.default_rng(self.random_state)
        chosen = np.sort(random.choice(self._n, _TUNED_ROWS, replace=False))
        k = tuning.LARGEST_K
        queries = self._to_library(self._rows[chosen])
        starts = watch.each(range(0, len(chosen), _ASKED_AT_ONCE))
        some = (self._rows[chosen[start : start + _ASKED_AT_ONCE]] for start in starts)
        near = np.concatenate([self._exact.search(rows, k + 1).ids for rows in some])
        truth = [row[row != itself][:k] for row, itself in zip(near, chosen, strict=True)]
        table = tuning.Efforts().table
        for number, few in enumerate(tuning.KS):
            counted = max(few, tuning.FEWEST_NEIGHBORS)
            effort = counted
            while effort <= _MOST_EFFORT and not (table[number, :, 0] > 0).all():
                recalls = np.empty(len(chosen))
                for i, vector in watch.each(enumerate(queries)):
                    rows = self._ask(vector, counted + 1, effort)
                    recalls[i] = np.isin(truth[i][:counted], rows[rows != chosen[i]][:counted]).mean()
                reached = np.array(tuning.RECALLS) <= tuning.lower_bound(recalls, counted)
                table[number, reached & (table[number, :, 0] == 0)] = effort, few
                effort *= 2
        return tuning.Efforts(table)
