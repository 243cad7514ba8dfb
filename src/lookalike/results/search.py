"""The answer of a search."""

from __future__ import annotations

from dataclasses import dataclass

from lookalike.query.embedding import EmbeddedQuery
from lookalike.types import Hit


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The answer of a search.

    Attributes
    ----------
    hits : tuple of Hit
        Nearest first.
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

    hits: tuple[Hit, ...]
    model: str
    index: str
    queries: tuple[EmbeddedQuery, ...]
    unwanted: tuple[EmbeddedQuery, ...] = ()
    colors: tuple[str, ...] = ()
    cluster: HitCluster | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HitCluster:
    """A cluster that a search kept to: whose, its number, and the name that the user gave it, if any."""

    clustering: str
    number: int
    name: str | None
