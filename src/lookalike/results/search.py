"""The answer of a search."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lookalike.query.embedding import EmbeddedQuery
from lookalike.results.hits import Hits
from lookalike.types import Ids


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The answer of a search.

    Attributes
    ----------
    hits : Hits
        A sequence of `Hit`, nearest first; each is described when it is looked at.
    model, index : str
        What answered; both ``color`` where only colours were asked for.
    queries, unwanted : tuple of EmbeddedQuery
        What was asked.
    colors : tuple of str
        Colours that were asked for, as ``#rrggbb``.
    cluster : HitCluster or None
        The cluster that all hits are of, where only those were asked for.
    warnings : tuple of str
        Clusterings that are damaged, so that no hit has their names; images that a filter knows too little
        of.
    """

    hits: Hits
    model: str
    index: str
    queries: tuple[EmbeddedQuery, ...]
    unwanted: tuple[EmbeddedQuery, ...] = ()
    colors: tuple[str, ...] = ()
    cluster: HitCluster | None = None
    warnings: tuple[str, ...] = ()

    @property
    def ids(self) -> Ids:
        """(n,) int64: the images found, nearest first."""
        return self.hits.ids

    @property
    def distances(self) -> npt.NDArray[np.float64]:
        """(n,) float64: 1 - cosine, or euclidean where the model is compared so."""
        return self.hits.distances

    @property
    def scores(self) -> npt.NDArray[np.float64] | None:
        """(n,) float64: cosine similarities, or shares of a colour; None where `Hit.score` is."""
        return self.hits.scores


@dataclass(frozen=True, slots=True)
class HitCluster:
    """A cluster that a search kept to: whose, its number, and the name that the user gave it, if any."""

    clustering: str
    number: int
    name: str | None
