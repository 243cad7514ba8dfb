"""What is asked for plainly, by arguments, as requests and filters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from lookalike.errors import InvalidInputError
from lookalike.query.filter import ANYTHING, Filter
from lookalike.query.reading import Query, read_queries, read_query
from lookalike.query.request import SearchRequest
from lookalike.query.terms import Term
from lookalike.system.checked_calls import shown


def complete(
    options: SearchRequest,
    queries: Sequence[Query | Iterable[Query] | SearchRequest],
    datasets: Sequence[str],
) -> SearchRequest:
    """Return the request that was given as the only query, or else the options with the queries."""
    requests = [query for query in queries if isinstance(query, SearchRequest)]
    if not requests:
        plain = [query for query in queries if not isinstance(query, SearchRequest)]
        return replace(options, like=[term for query in plain for term in _read(query, datasets)])
    if len(queries) > 1 or options != SearchRequest():
        raise InvalidInputError(
            "a SearchRequest says all that is searched for; expected no other queries and options beside it",
            hint="make another with dataclasses.replace(request, …)",
        )
    return requests[0]


def _read(query: Query | Iterable[Query], datasets: Sequence[str]) -> Sequence[Term]:
    """Return the queries that one was given as: several, where it is a list of them."""
    return (read_query(query, datasets),) if query is None else read_queries("the query", query, datasets)


def as_filter(where: Filter | None) -> Filter:
    """Return a filter, checked to be one; one that all images pass, for None."""
    if where is not None and not isinstance(where, Filter):
        raise InvalidInputError(f"where is {shown(where)}; expected a lookalike.Filter", field="where")
    return where or ANYTHING


def as_colors(color: str | Sequence[str] | None) -> Sequence[str]:
    """Return a colour, or a list of them, as a list."""
    if color is None:
        return ()
    if isinstance(color, str):
        return (color,)
    if not isinstance(color, Iterable):
        raise InvalidInputError(
            f"color is {shown(color)}; expected a CSS colour such as '#c33', or a list of them", field="color"
        )
    return tuple(color)
