"""Search in the store itself, for collections larger than memory: an inverted file of quantised rows.

Lance keeps it in the table of vectors: √n cells by k-means, and in each the rows as codes of a few bits a
number (RaBitQ). A search reads the codes of the nearest cells and the full rows that look nearest, so that
no copy of the vectors is needed, nor held in memory. Rows that came since it was made Lance compares one by
one; those that went it passes over. So it is never wrong for being old, only slower.

How many cells a recall takes is measured after the build, on rows that are left out of their own answers,
as for the other kinds. Distances are measured again on the full rows. Recall 1, a filter, up to 4,096
vectors, and vectors of four bits a number are answered from the vectors themselves, read in blocks.

Layout: in the table, and ``indexes/<model>-ivf-rq/``: ids (n,) int64, those it was built with; efforts, as
in `lookalike.index.tuning`.

References
----------
J. Gao, C. Long, "RaBitQ: Quantizing High-Dimensional Vectors with a Theoretical Error Bound", 2024.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt

from lookalike.errors import IndexFileError, InvalidInputError, LockedError, ResourceError, StoreError
from lookalike.index import folder, tuning
from lookalike.index.contract import (
    DEFAULT_RECALL,
    MOST_CHANGED,
    StoredSearcher,
    as_ids,
    check_filled,
    check_k,
    check_queries,
    check_radius,
    check_recall,
)
from lookalike.index.exact import Doubles, Exact
from lookalike.store import FLOATS, Table, writer_lock
from lookalike.system.chance import RANDOM_STATE
from lookalike.system.progress import UNWATCHED, Watch
from lookalike.types import Ids, Metric, Neighborhoods, Neighbors, Vectors

_FORMAT = 1
_ARRAYS = ("ids", "efforts")
_ALWAYS_EXACT = 4_096
_REFINED = 5  # full rows that are read for each hit
_TUNED_ROWS = 100
_READ_BY_ID = 20_000  # allowed ids that are looked up; of more, the whole table is read
_CODED_TOGETHER = 8  # numbers


class IvfRq(StoredSearcher):
    """Nearest neighbours by Lance's IVF_RQ, in the table of vectors as it is when it is asked.

    Parameters
    ----------
    table : Table
        The vectors; unit rows where the metric is cosine.
    metric : {"cosine", "euclidean"}
    efforts : Efforts
        Cells and full rows for each recall; none where the table has no index.
    """

    kind: ClassVar[str] = "ivf-rq"

    def __init__(self, table: Table, metric: Metric, efforts: tuning.Efforts | None = None) -> None:
        self.metric = metric
        self._table = table
        self._efforts = efforts or tuning.Efforts()

    @classmethod
    def open(cls, table: Table, place: Path, metric: Metric) -> Self | None:
        """Return the index if there is one, and it is of the table as it is; see `StoredSearcher.open`."""
        try:
            facts, arrays = folder.read(place, cls.kind, _FORMAT, _ARRAYS)
        except IndexFileError:
            return None
        if facts["metric"] != metric or facts.get("state") != table.state() or not table.has_vector_index():
            return None
        return cls(table, metric, tuning.Efforts(np.array(arrays["efforts"])))

    @classmethod
    def make(
        cls,
        table: Table,
        place: Path,
        metric: Metric,
        collection: Path,
        watch: Watch = UNWATCHED,
        random_state: int = RANDOM_STATE,
    ) -> Self:
        """Make the index, or bring it up to date if few vectors have changed; see `StoredSearcher.make`.

        Where another process is writing to the collection, or the disk is read-only, what is there is used.
        """
        dimension = table.dimension() or 0
        if dimension % _CODED_TOGETHER:
            raise InvalidInputError(
                f"the index {cls.kind} needs vectors of a multiple of {_CODED_TOGETHER} dimensions; these"
                f" have {dimension}: name another index"
            )
        if table.count() <= _ALWAYS_EXACT or table.bits() != FLOATS:  # Lance indexes no codes
            return cls(table, metric)
        built, efforts = np.empty(0, np.int64), tuning.Efforts()
        try:
            facts, arrays = folder.read(place, cls.kind, _FORMAT, _ARRAYS)
            if facts["metric"] == metric and table.has_vector_index():
                built, efforts = np.array(arrays["ids"]), tuning.Efforts(np.array(arrays["efforts"]))
        except IndexFileError:
            pass
        try:
            with writer_lock(collection):
                ids = table.read(["id"])["id"].to_numpy()
                if len(np.setxor1d(built, ids)) <= MOST_CHANGED * len(built):
                    table.extend_vector_index()
                else:
                    built = ids
                    table.make_vector_index(n_cells=int(len(built) ** 0.5))
                    watch.check()
                    efforts = _measure_efforts(table, metric, random_state, watch)
                if not (place / "index.json").is_file():
                    shutil.rmtree(place, ignore_errors=True)  # something that is no index
                facts = {"kind": cls.kind, "format": _FORMAT, "metric": metric, "state": table.state()}
                folder.write(place, facts, {"ids": built, "efforts": efforts.table})
        except (LockedError, StoreError, ResourceError, OSError, IndexFileError):
            pass
        return cls(table, metric, efforts)

    def __len__(self) -> int:
        return self._table.count()

    @property
    def ids(self) -> Ids:
        """(n,) int64: the id of each row, rising."""
        ids: Ids = np.sort(self._table.read(["id"])["id"].to_numpy())
        return ids

    @property
    def efforts(self) -> tuning.Efforts:
        """What was found to be needed for each recall: cells and full rows."""
        return self._efforts

    def search(
        self,
        queries: npt.ArrayLike,
        k: int = 10,
        recall: float = DEFAULT_RECALL,
        allowed: npt.ArrayLike | None = None,
    ) -> Neighbors:
        """Find the k nearest vectors to each query; see `Searcher.search`. Equal distances come by id."""
        n = len(self)
        check_filled(n)
        k, recall = check_k(k, n), check_recall(recall)
        rows = check_queries(queries, self.metric, self._table.dimension() or 0)
        effort = self._efforts.find(k, recall)
        if effort == tuning.EXACT or allowed is not None:
            return self._read_all(rows, k, None if allowed is None else as_ids(allowed, "allowed ids"))
        ids, distances = np.empty((len(rows), k), np.int64), np.empty((len(rows), k), np.float32)
        for i, query in enumerate(rows):
            found = _nearest(self._table, self.metric, query, k, effort)
            if found.ids.shape[1] < k:
                found = self._read_all(query[None], k, None)
            ids[i], distances[i] = found.ids[0], found.distances[0]
        return Neighbors(ids, distances)

    def radius(self, queries: npt.ArrayLike, r: float) -> Neighborhoods:
        """Find all vectors at most `r` away, exactly; see `Searcher.radius`. Equal distances come by id."""
        r = check_radius(r)
        check_filled(len(self))
        rows = check_queries(queries, self.metric, self._table.dimension() or 0)
        found: list[list[tuple[Ids, Doubles]]] = [[] for _ in rows]
        for block_ids, block in _blocks(self._table, None):
            ids, vectors = _by_id(block_ids, block)
            index = Exact(self.metric).build(vectors)
            within = index.radius(rows, r)
            for i, query in enumerate(rows):
                near = within.ids[within.indptr[i] : within.indptr[i + 1]]
                found[i].append((ids[near], index.measure(query, near)))
        return Neighborhoods.join([_nearest_first(parts) for parts in found])

    def _read_all(self, queries: Vectors, k: int, allowed: Ids | None) -> Neighbors:
        """Compare with all rows, or all that are allowed."""
        ids = np.full((len(queries), k), -1, np.int64)
        distances = np.full((len(queries), k), np.inf, np.float32)
        near = _candidates(self._table, self.metric, queries, k, allowed)
        for i, query in enumerate(queries):
            found, vectors = _by_id(*self._table.vectors_of(near[i].tolist()))
            if len(found):
                kept = min(k, len(found))
                best = Exact(self.metric).build(vectors, found).search(query, kept)
                ids[i, :kept], distances[i, :kept] = best.ids[0], best.distances[0]
        return Neighbors(ids, distances)


def _measure_efforts(table: Table, metric: Metric, random_state: int, watch: Watch) -> tuning.Efforts:
    """Double the cells until each recall is reached; what is not reached is exact."""
    random = np.random.default_rng(random_state)
    all_ids = np.sort(table.read(["id"])["id"].to_numpy())
    chosen, queries = _by_id(*table.vectors_of(random.choice(all_ids, _TUNED_ROWS, replace=False).tolist()))
    near = _candidates(table, metric, queries, tuning.LARGEST_K + 1, None, watch)
    truth = [row[row != itself][: tuning.LARGEST_K] for row, itself in zip(near, chosen, strict=True)]
    table_of = tuning.Efforts().table
    n_cells = 1
    while n_cells <= len(all_ids) ** 0.5 and not (table_of[1:, :, 0] > 0).all():
        for number, k in list(enumerate(tuning.KS))[1:]:
            effort = tuning.Effort(n_cells, _REFINED * k)
            recalls = np.empty(len(chosen))
            for i, query in watch.each(enumerate(queries)):
                found = _nearest(table, metric, query, k + 1, effort).ids[0]
                recalls[i] = np.isin(truth[i][:k], found[found != chosen[i]][:k]).mean()
            reached = np.array(tuning.RECALLS) <= tuning.lower_bound(recalls, k)
            table_of[number, reached & (table_of[number, :, 0] == 0)] = effort
        n_cells *= 2
    table_of[0] = table_of[1]  # what finds ten finds the first of them
    return tuning.Efforts(table_of)


def _nearest(table: Table, metric: Metric, query: Vectors, k: int, effort: tuning.Effort) -> Neighbors:
    """Return up to k rows that Lance finds, their distances measured on the full rows."""
    ids, vectors = _by_id(*table.nearest(query, k, effort.n_cells, -(-effort.n_rows // k)))
    if not len(ids):
        return Neighbors(np.empty((1, 0), np.int64), np.empty((1, 0), np.float32))
    return Exact(metric).build(vectors, ids).search(query, min(k, len(ids)))


def _candidates(
    table: Table,
    metric: Metric,
    queries: Vectors,
    k: int,
    allowed: Ids | None,
    watch: Watch = UNWATCHED,
) -> list[Ids]:
    """Return for each query the k nearest ids, nearest first, and all that float32 cannot tell from the last.

    Distances are rounded to float32, which keeps their order but for ties: the k nearest are among them.
    """
    ids = [np.empty(0, np.int64) for _ in queries]
    distances = [np.empty(0, np.float32) for _ in queries]
    for block_ids, block in watch.each(_blocks(table, allowed)):
        index = Exact(metric).build(block, block_ids)
        found = index.search(queries, min(k, len(block_ids)))
        for i in range(len(queries)):
            near, away = np.append(ids[i], found.ids[i]), np.append(distances[i], found.distances[i])
            order = np.argsort(away, kind="stable")
            last = away[order[min(k, len(order)) - 1]]
            order = order[away[order] <= last]
            ids[i], distances[i] = near[order], away[order]
    return ids


def _blocks(table: Table, allowed: Ids | None) -> Iterator[tuple[Ids, Vectors]]:
    """Read all rows, or those that are allowed, some thousand at a time."""
    if allowed is not None and len(allowed) <= _READ_BY_ID:
        for start in range(0, len(allowed), _ALWAYS_EXACT):
            ids, vectors = table.vectors_of(allowed[start : start + _ALWAYS_EXACT].tolist())
            if len(ids):
                yield ids, vectors
        return
    for ids, vectors in table.vector_blocks():
        kept = slice(None) if allowed is None else np.isin(ids, allowed)
        if len(ids[kept]):
            yield ids[kept], vectors[kept]


def _nearest_first(parts: Sequence[tuple[Ids, Doubles]]) -> tuple[Ids, npt.NDArray[np.float32]]:
    """Join ids and distances; those that only float64 tells apart come in its order, too."""
    ids = np.concatenate([np.empty(0, np.int64), *(ids for ids, _ in parts)])
    distances = np.concatenate([np.empty(0), *(distances for _, distances in parts)])
    order = np.lexsort((ids, distances))
    with np.errstate(over="ignore"):  # beyond float32 is infinitely far
        return ids[order], distances[order].astype(np.float32)


def _by_id(ids: Ids, vectors: Vectors) -> tuple[Ids, Vectors]:
    order = np.argsort(ids)
    return ids[order], vectors[order]
