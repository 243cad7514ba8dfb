"""HNSW, a layered graph of neighbours, by hnswlib behind the contract. Needs the extra ``hnsw``.

Its effort is ``ef``, the rows that a search keeps in view.

References
----------
Y. Malkov and D. Yashunin, "Efficient and Robust Approximate Nearest Neighbor Search Using Hierarchical
Navigable Small World Graphs", 2018. https://github.com/nmslib/hnswlib
"""

from __future__ import annotations

import threading
from typing import Any, ClassVar

import numpy as np

from lookalike.errors import InvalidInputError
from lookalike.index.third_party import Rows, ThirdParty, import_library
from lookalike.index.tree import check_count
from lookalike.system.chance import RANDOM_STATE
from lookalike.system.checked_calls import checked, shown
from lookalike.system.progress import Progress, Watch
from lookalike.types import Metric, Vectors

_ADDED_AT_ONCE = 256  # rows between two reports


@checked
class HNSW(ThirdParty):
    """Nearest neighbours by HNSW.

    Parameters
    ----------
    metric : {"euclidean", "cosine"}
    n_links : int
        Neighbours that each row is linked to; 2 to 100.
    effort : int
        How many rows are kept in view while the graph is made.
    random_state : int
    n_jobs : int
        Threads that make the graph; -1 for all cores. With more than one it differs from run to run.
    """

    kind: ClassVar[str] = "hnsw"

    def __init__(
        self,
        metric: Metric = "euclidean",
        n_links: int = 16,
        effort: int = 200,
        random_state: int = RANDOM_STATE,
        n_jobs: int = 1,
    ) -> None:
        self.n_links, self.effort = check_count("n_links", n_links), check_count("effort", effort)
        self.n_jobs = check_count("n_jobs", n_jobs)
        if not 2 <= n_links <= 100:
            raise InvalidInputError(
                f"n_links is {shown(n_links)}; expected a whole number, 2 to 100", field="n_links"
            )
        super().__init__(metric, random_state)

    def _make_locks(self) -> None:
        super()._make_locks()
        self._asking = threading.Lock()

    def _parameters(self) -> dict[str, Any]:
        return {"n_links": self.n_links, "effort": self.effort}

    def _make(self, vectors: Vectors, watch: Watch) -> Any:
        own = import_library("hnswlib", "hnsw").Index("l2", vectors.shape[1])
        own.init_index(len(vectors), self.n_links, self.effort, self.random_state)
        for start in range(0, len(vectors), _ADDED_AT_ONCE):
            watch(Progress("building", start, len(vectors), "building the hnsw index"))
            part = slice(start, start + _ADDED_AT_ONCE)
            own.add_items(vectors[part], np.arange(len(vectors))[part], self.n_jobs)
        return own

    def _ask(self, vector: Vectors, n_rows: int, effort: int) -> Rows:
        # hnswlib has no effort of a query, only one of the graph, and lets other threads run while it looks.
        with self._asking:
            self._own.set_ef(max(effort, n_rows))
            try:
                rows, _ = self._own.knn_query(vector, n_rows, num_threads=1)
            except RuntimeError:  # it could not reach so many
                return np.empty(0, np.int64)
        return np.asarray(rows[0]).astype(np.int64)

    def _write_library(self, file: str) -> None:
        self._own.save_index(file)

    def _read_library(self, file: str, n: int, d: int) -> Any:
        own = import_library("hnswlib", "hnsw").Index("l2", d)
        own.load_index(file, n)
        if own.get_current_count() != n:
            raise OSError(f"the graph holds {own.get_current_count()} rows, expected {n}")
        return own
