"""What is listed without a query, and how many images there are of each kind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lookalike.results.hits import Hits
from lookalike.types import Ids


@dataclass(frozen=True, slots=True)
class BrowseResult:
    """Images in an order, without a query.

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
    warnings : tuple of str
        Clusterings that are damaged, so that no hit has their names; images that a filter knows too little
        of.
    """

    hits: Hits
    total: int
    sort: str
    warnings: tuple[str, ...] = ()

    @property
    def ids(self) -> Ids:
        """(n,) int64: the images, in this order."""
        return self.hits.ids


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

    def to_dict(self) -> dict[str, Any]:
        """Return it as a document of JSON: values and counts are two lists of the same length."""
        document: dict[str, Any] = {
            "values": list(self.counts),
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
class Facets(Mapping[str, Facet]):
    """How many images there are of each kind: facets by their names.

    Attributes
    ----------
    total : int
        How many images were counted.
    by_name : mapping of str to Facet
        ``labels``, ``folders``, …; ``cluster:NAME`` by clustering and ``field:NAME`` of the user's own
        columns.
    warnings : tuple of str
        Images that a filter knows too little of.
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

    def to_dict(self) -> dict[str, Any]:
        """Return them as a document of JSON."""
        return {
            "total": self.total,
            "facets": {name: facet.to_dict() for name, facet in self.by_name.items()},
            "warnings": list(self.warnings),
        }
