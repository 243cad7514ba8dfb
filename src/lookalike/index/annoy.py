"""ANNOY, Spotify's forest of random projections, behind the contract. Needs the extra ``annoy``.

Its effort is ``search_k``, the rows that a search looks at, those met in several trees counted as often.
Rows cannot be added to a forest: `add` builds anew.

References
----------
E. Bernhardsson, "Annoy: Approximate Nearest Neighbors in C++/Python", 2018. https://github.com/spotify/annoy
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from lookalike.index.third_party import Rows, ThirdParty, import_library
from lookalike.index.tree import check_count
from lookalike.system.chance import RANDOM_STATE
from lookalike.system.checked_calls import checked
from lookalike.system.progress import Watch
from lookalike.types import Metric, Vectors


@checked
class Annoy(ThirdParty):
    """Nearest neighbours by ANNOY.

    Parameters
    ----------
    metric : {"euclidean", "cosine"}
    n_trees : int
        More trees need more memory, and less effort for a recall.
    random_state : int
    """

    kind: ClassVar[str] = "annoy"
    untuned_effort: ClassVar[int] = 10_000

    def __init__(
        self, metric: Metric = "euclidean", n_trees: int = 50, random_state: int = RANDOM_STATE
    ) -> None:
        self.n_trees = check_count("n_trees", n_trees)
        super().__init__(metric, random_state)

    def _parameters(self) -> dict[str, Any]:
        return {"n_trees": self.n_trees}

    def _make(self, vectors: Vectors, watch: Watch) -> Any:
        own = import_library("annoy", "annoy").AnnoyIndex(vectors.shape[1], "euclidean")
        # It takes 31 bits and a sign.
        own.set_seed(self.random_state - (1 << 32) * (self.random_state >= 1 << 31))
        for row, vector in watch.each(enumerate(vectors)):
            own.add_item(row, vector)
        watch.say("building", f"building {self.n_trees} trees")  # which cannot be stopped before all are
        own.build(self.n_trees, n_jobs=1)  # with more, the trees would differ from run to run
        return own

    def _ask(self, vector: Vectors, n_rows: int, effort: int) -> Rows:
        # The effort is the query's own, and asking changes nothing: threads need not wait for each other.
        return np.array(self._own.get_nns_by_vector(vector, n_rows, effort), np.int64)

    def _write_library(self, file: str) -> None:
        self._own.save(file)

    def _read_library(self, file: str, n: int, d: int) -> Any:
        own = import_library("annoy", "annoy").AnnoyIndex(d, "euclidean")
        own.load(file, prefault=True)
        if own.get_n_items() != n:
            raise OSError(f"the forest holds {own.get_n_items()} rows, expected {n}")
        return own
