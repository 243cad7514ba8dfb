"""What is listed without a query, and how many images there are of each kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy.typing as npt

from lookalike.query.request import SearchRequest
from lookalike.results.documents import Result, plain_value
from lookalike.results.hits import Hits, OfHits, show_hits
from lookalike.results.lookup import NOTHING, Lookup
from lookalike.system.checked_calls import checked
from lookalike.system.tables import Columns, Table, escape
from lookalike.system.wording import count_images
from lookalike.types import Ids


@dataclass(frozen=True, slots=True, eq=False)
class BrowseResult(OfHits, Table, Result):
    """Images in an order, without a query: a sequence of them, and as a table a row an image.

    Attributes
    ----------
    hits : Hits
        A sequence of `Hit`; each is described when it is looked at. Their ranks are their places in the whole
        list, from 1. They have no score; their distance is 0, but where they are sorted by how central they
        are.
    total : int
        How many images pass the filter, listed or not.
    sort : str
        What they are sorted by.
    values : (n,) array or None
        What they are sorted by, where that is a date, a number or a truth value: NaT or NaN where it is not
        known; of sizes the shorter side. Labels and paths are the hits' own.
    warnings : tuple of str
        Clusterings that are damaged, so that no hit has their names; images that a filter knows too little
        of.
    request : SearchRequest or None
        What it answers, but for how many were left out before.
    lookup : Lookup
        The collection behind it, for its thumbnails.
    """

    hits: Hits
    total: int
    sort: str
    values: npt.NDArray[Any] | None = None
    warnings: tuple[str, ...] = ()
    request: SearchRequest | None = None
    lookup: Lookup = field(default=NOTHING, repr=False)

    def __repr__(self) -> str:
        return f"<BrowseResult: {len(self):,} of {count_images(self.total)}, by {self.sort}>"

    @property
    def ids(self) -> Ids:
        """(n,) int64: the images, in this order."""
        return self.hits.ids

    def to_dict(self, path: Callable[[str], str] = str, tell: Callable[[str], str] = str) -> dict[str, Any]:
        """Return it as a document of JSON, the same for Python, ``--json``, REST and MCP.

        Parameters
        ----------
        path : callable, optional
            Writes a path; as it is, by default.
        tell : callable, optional
            Writes a sentence, which may be a `Sentence` with a hint; without it, by default.
        """
        values = [None] * len(self) if self.values is None else [*map(plain_value, self.values)]
        return {
            "request": None if self.request is None else self.request.to_dict(),
            "sort": self.sort,
            "total": self.total,
            "warnings": [tell(warning) for warning in self.warnings],
            "hits": [
                hit.to_dict(path) | {"value": value} for hit, value in zip(self.hits, values, strict=True)
            ],
        }

    def _columns(self) -> Columns:
        hits = list(self.hits)
        return {
            "rank": [hit.rank for hit in hits],
            "id": [hit.hex_id for hit in hits],
            "path": [hit.path for hit in hits],
            "label": [hit.label for hit in hits],
            **({} if self.values is None else {"value": self.values}),
            "paths": [list(hit.paths) for hit in hits],
        }

    def _repr_html_(self) -> str:
        """Show the first images in a notebook."""
        pictures = show_hits(self.hits, self.lookup, lambda hit: f"{hit.rank}: {hit.label or ''}")
        return f"<p>{escape(repr(self)[1:-1])}</p>" + pictures


@checked
@dataclass(frozen=True, slots=True)
class Facet:
    """How many images have each value of something.

    Attributes
    ----------
    counts : mapping of str or int to int
        Images by value. Words come by number, most first; parts of a range as they follow each other, each
        by what it begins with.
    missing : int
        Images without any.
    n_values : int
        How many values there are; of many words, only the most frequent are counted here.
    unit : str or None
        Of dates: "year", "month" or "day".
    ends : sequence of float, optional
        Of a range of numbers: where its parts begin, and where the last one ends; one more than `counts`.
    """

    counts: Mapping[str, int] | Mapping[int, int] | Mapping[float, int]
    missing: int = 0
    n_values: int = 0
    unit: str | None = None
    ends: tuple[float, ...] | None = None

    def to_dict(self, path: Callable[[str], str] | None = None) -> dict[str, Any]:
        """Return it as a document of JSON: values and counts are two lists of the same length.

        Parameters
        ----------
        path : callable, optional
            Writes the values, which are paths.
        """
        document: dict[str, Any] = {
            "values": [value if path is None else path(str(value)) for value in self.counts],
            "counts": list(self.counts.values()),
            "missing": self.missing,
            "n_values": self.n_values,
        }
        if self.unit is not None:
            document["unit"] = self.unit
        if self.ends is not None:
            document["ends"] = list(self.ends)
        return document


@dataclass(frozen=True, slots=True)
class Facets(Table, Result, Mapping[str, Facet]):
    """How many images there are of each kind: facets by their names.

    Attributes
    ----------
    total : int
        How many images were counted.
    by_name : mapping of str to Facet
        ``labels``, ``folders``, …; ``cluster:NAME`` by clustering and ``field:NAME`` of the user's own
        columns.
    warnings : tuple of str
        Clusterings that are damaged, and are not counted; images that a filter knows too little of.
    """

    total: int
    by_name: Mapping[str, Facet]
    warnings: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> Facet:
        return self.by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.by_name)

    def __len__(self) -> int:
        return len(self.by_name)

    def __repr__(self) -> str:
        return f"<Facets of {count_images(self.total)}: {', '.join(self)}>"

    def to_dict(self, path: Callable[[str], str] = str, tell: Callable[[str], str] = str) -> dict[str, Any]:
        """Return them as a document of JSON, the same for Python, ``--json``, REST and MCP.

        Parameters
        ----------
        path : callable, optional
            Writes a path; as it is, by default.
        tell : callable, optional
            Writes a sentence, which may be a `Sentence` with a hint; without it, by default.
        """
        return {
            "total": self.total,
            "facets": {
                name: facet.to_dict(path if name == "folders" else None)
                for name, facet in self.by_name.items()
            },
            "warnings": [tell(warning) for warning in self.warnings],
        }

    def _columns(self) -> Columns:
        rows = [
            (name, str(value), count) for name, facet in self.items() for value, count in facet.counts.items()
        ]
        names = ("facet", "value", "images")
        return {name: [row[place] for row in rows] for place, name in enumerate(names)}
