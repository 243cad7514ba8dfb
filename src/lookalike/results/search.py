"""The answer of a search."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.query.embedding import EmbeddedQuery
from lookalike.query.request import SearchRequest
from lookalike.results.documents import Result
from lookalike.results.hits import Hits, OfHits, show_hits
from lookalike.results.lookup import NOTHING, Lookup
from lookalike.results.notebook import data_uri
from lookalike.results.understood import Understood
from lookalike.system.tables import Columns, Table, escape
from lookalike.system.wording import count_of
from lookalike.types import Ids


@dataclass(frozen=True, slots=True)
class SearchResult(OfHits, Table, Result):
    """The answer of a search: a sequence of its hits, and as a table a row a hit.

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
        of; regions that could only be cut from a thumbnail; that duplicates to be folded were not looked for.
    request : SearchRequest or None
        What it answers, all of it, so that it can be asked again.
    is_proved : bool
        Whether these are known to be the nearest, and not only expected to be: exact search, or a recall
        of 1.
    total : int or None
        How many images could have been hits: they pass, and are embedded.
    understood : Understood or None
        How words were understood, where the model knows no text; then both `model` and `index` are ``words``.
    lookup : Lookup
        The collection behind it, for its thumbnails.

    Examples
    --------
    >>> from lookalike import Hit
    >>> hits = Hits.of([Hit(1, 255, ("/photos/a.png",), 0.25, 0.75, "cats")])
    >>> result = SearchResult(hits, "lite0", "exact", ())
    >>> len(result), result[0].label, [hit.score for hit in result]
    (1, 'cats', [0.75])
    """

    hits: Hits
    model: str
    index: str
    queries: tuple[EmbeddedQuery, ...]
    unwanted: tuple[EmbeddedQuery, ...] = ()
    colors: tuple[str, ...] = ()
    cluster: HitCluster | None = None
    warnings: tuple[str, ...] = ()
    request: SearchRequest | None = None
    is_proved: bool = False
    total: int | None = None
    understood: Understood | None = None
    lookup: Lookup = field(default=NOTHING, repr=False, compare=False)

    def __repr__(self) -> str:
        return f"<SearchResult: {count_of(len(self), 'hit')}, {self.model}, {self.index}>"

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

    @property
    def probabilities(self) -> npt.NDArray[np.float64] | None:
        """(n,) float64: how likely each hit has the query's label, as `Evaluations.retrieval` counts it.

        Learned of this model and this collection's own labels; where it has too few, of other collections',
        which tells little of how finely somebody would label this one. They fall as distances rise. None
        where it is not known: of colours and regions, of words that a model knows, where something is not
        wanted, and in collections of fewer than fifty images.
        """
        return self.hits.probabilities

    @property
    def below_chance(self) -> int | None:
        """The rank from which on hits are no nearer than chance has it: 1, if nothing is like the query.

        Such hits are not twice as likely as any two images of the collection are of one kind. That nothing is
        like the query is said, wrongly, of up to 5 % of queries that something is like. None if all hits are
        nearer, or it is not known.
        """
        return self.hits.below_chance

    @property
    def is_cut_off(self) -> bool:
        """Whether hits are to have a probability, or a score, at least."""
        asked = self.request
        return asked is not None and (asked.min_probability is not None or asked.min_score is not None)

    @property
    def is_nothing_like_it(self) -> bool:
        """Whether nothing in the collection is like the query, although hits come nearest."""
        return self.below_chance == 1

    def to_dict(self, path: Callable[[str], str] = str, tell: Callable[[str], str] = str) -> dict[str, Any]:
        """Return it as a document of JSON, the same for Python, ``--json``, REST and MCP.

        Parameters
        ----------
        path : callable, optional
            Writes a path; as it is, by default.
        tell : callable, optional
            Writes a sentence, which may be a `Sentence` with a hint; without it, by default.

        Returns
        -------
        dict
            ``below_chance`` is None where all hits are nearer than chance, or that is not known.
        """
        document: dict[str, Any] = {
            "request": None if self.request is None else self.request.to_dict(),
            "queries": [query.to_dict() for query in self.queries],
        }
        if self.unwanted:
            document["unwanted"] = [query.to_dict() for query in self.unwanted]
        if self.cluster is not None:
            document["cluster"] = self.cluster.to_dict()
        return document | {
            "model": self.model,
            "index": self.index,
            "proved": self.is_proved,
            "total": self.total,
            "below_chance": self.below_chance,
            **({} if self.understood is None else {"understood": self.understood.to_dict()}),
            "warnings": [tell(warning) for warning in self.warnings],
            "hits": [hit.to_dict(path) for hit in self.hits],
        }

    def _columns(self) -> Columns:
        described = list(self.hits)
        is_folded = self.request is not None and self.request.fold
        boxes = [None if hit.box is None else list(hit.box) for hit in described]
        return {
            "rank": [hit.rank for hit in described],
            "id": [hit.hex_id for hit in described],
            "path": [hit.path for hit in described],
            "label": [hit.label for hit in described],
            "score": [hit.score for hit in described],
            "distance": self.distances,
            "probability": [hit.probability for hit in described],
            "paths": [list(hit.paths) for hit in described],
            **({"folded": [hit.folded for hit in described]} if is_folded else {}),
            **({"box": boxes} if any(boxes) else {}),
        }

    def _repr_html_(self) -> str:
        """Show what was asked, and the first hits, in a notebook."""
        words = [query.name for query in self.queries] + list(self.colors)
        head = f"<p>{escape(repr(self)[1:-1])}</p><p>{escape(', '.join(words))}</p>"
        asked = [query.id for query in self.queries if query.id is not None]
        thumbnails = self.lookup.thumbnails(asked)
        there = [thumbnails[image] for image in asked if image in thumbnails]
        pictures = "".join(f'<img src="{data_uri(jpeg)}" alt="the query">' for jpeg in there)
        if self.is_nothing_like_it:
            pictures += "<p>Nothing here looks like this.</p>"
        return head + pictures + show_hits(self.hits, self.lookup)


@dataclass(frozen=True, slots=True)
class HitCluster:
    """A cluster that a search kept to: whose, its number, and the name that the user gave it, if any."""

    clustering: str
    number: int
    name: str | None

    def to_dict(self) -> dict[str, Any]:
        """Return it as a document of JSON."""
        return {"clustering": self.clustering, "number": self.number, "name": self.name}
