"""``lookalike search``: the images most like a query."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lookalike.cli.console import complain, place_of, print_json, print_raw, relative, say, watched
from lookalike.cli.filters import SPELLED, SearchFilters
from lookalike.cli.hints import advise
from lookalike.cli.options import (
    CollectionOption,
    DeviceOption,
    FilepathOnlyOption,
    JsonOption,
    ModelOption,
    Picture,
    flag_of,
    given,
    only_given,
    option,
)
from lookalike.cli.queries import Queries, QueriesArgument, read_request
from lookalike.errors import InvalidInputError
from lookalike.index.kinds import AUTO, KINDS, kind_names

if TYPE_CHECKING:
    from lookalike.collection import Collection
    from lookalike.query.request import SearchRequest
    from lookalike.results.search import SearchResult
    from lookalike.system.progress import Watch

_INDEX = "Search index"
_CARRIED_OUT = ("allow_private", "device")


@dataclass(frozen=True, slots=True)
class Searching:
    """How it is searched, and how thoroughly."""

    index: Annotated[
        str | None,
        option(
            "The kind of search index. By default exact search, or the k-means tree where that would be"
            " slow.",
            metavar="|".join((AUTO, *kind_names())),
            rich_help_panel=_INDEX,
        ),
    ] = None
    recall: Annotated[
        float | None,
        option(
            "How many of the truly nearest to find: 0.9 is nine in ten, 1 is proved; 0.99 by default.",
            metavar="SHARE",
            rich_help_panel=_INDEX,
        ),
    ] = None
    mode: Annotated[
        str | None,
        option(
            f"{', '.join(row.name for row in KINDS if row.modes)}: ask one leaf, the best bins first, or"
            " with proof. By default what the recall takes.",
            metavar="|".join(dict.fromkeys(mode for row in KINDS for mode in row.modes)),
            rich_help_panel=_INDEX,
        ),
    ] = None
    include_self: Annotated[
        bool, typer.Option("--include-self", help="Let a query that is in the collection be a hit.")
    ] = False
    allow_private: Annotated[
        bool, typer.Option("--allow-private", help="Let URLs name addresses of the local network.")
    ] = False
    device: DeviceOption = None


def search(
    *,
    queries: QueriesArgument = None,
    asked: Queries,
    collection: CollectionOption = None,
    model: ModelOption = None,
    k: Annotated[
        int | None,
        option("How many images to find; 10 by default.", "-k", "-t", "--top", metavar="N", min=1),
    ] = None,
    filters: SearchFilters,
    searching: Searching,
    picture: Picture,
    filepath_only: FilepathOnlyOption = False,
    json: JsonOption = False,
) -> None:
    """Find the images most like a file, a URL or words, nearest first, with their cosine similarity.

    Words need a model that knows text: see lookalike models. With --color alone, find those that have most
    of it.
    """
    from lookalike.collection import Collection

    picture.check()
    _check_kept(asked.places(queries), picture.plot)
    chosen = Collection.open_near(asked.places(queries), collection)
    with watched() as watch:
        result = find(chosen, queries, asked, filters, searching, k, model, watch)
    for warning in result.warnings:
        complain(warning)
    if picture.plot is not None:
        from lookalike.drawing import draw_search

        picture.save(lambda: draw_search(chosen, result))
    if json:
        typed = asked.told(queries) or [query.name for query in result.queries]
        document: dict[str, object] = {"query": (typed[0] if len(typed) == 1 else typed) or None}
        document |= {"not": asked.without} if asked.without else {}
        document |= {"color": filters.color} if filters.color else {}
        print_json(document | result.to_dict(relative, advise))
    elif filepath_only:
        for hit in result.hits:
            print_raw(relative(hit.path))
    else:
        _print(result, is_filtered=bool(given(filters)))


def find(
    chosen: Collection,
    queries: list[str] | None,
    asked: Queries,
    filters: SearchFilters,
    searching: Searching,
    k: int | None,
    model: str | None,
    watch: Watch,
) -> SearchResult:
    """Search for what was typed, or for what a request says."""
    if asked.request is None:
        return chosen.search(
            *asked.terms(queries, chosen.datasets),
            without=asked.unwanted(chosen.datasets),
            model=model,
            color=filters.color or (),
            where=filters.where(),
            same_cluster=filters.same_cluster,
            **watch.told,
            **only_given(k=k),
            **given(searching),
        )
    request = read_whole(queries, asked, filters, searching, k, model)
    return chosen.search(request, **watch.told, **carried_out(searching))


def carried_out(searching: Searching) -> dict[str, Any]:
    """Return what no request says: how it is carried out here."""
    return {name: value for name, value in given(searching).items() if name in _CARRIED_OUT}


def read_whole(
    queries: list[str] | None,
    asked: Queries,
    filters: SearchFilters,
    searching: Searching,
    k: int | None,
    model: str | None,
) -> SearchRequest:
    """Read the request that says all; raise InvalidInputError if there is anything beside it."""
    how = {name: value for name, value in given(searching).items() if name not in _CARRIED_OUT}
    others = given(dataclasses.replace(asked, request=None)) | given(filters) | how
    others |= only_given(k=k, model=model)
    flags = [flag_of(SPELLED.get(name, name)) for name in others]
    if queries or flags:
        beside = (queries or flags)[0]
        raise InvalidInputError(f"--request says all that is searched for; leave out {beside}")
    return read_request(asked.request or "")


def _check_kept(queries: Sequence[str], plot: Path | None) -> None:
    """Raise InvalidInputError if the picture would be written over a query."""
    for query in queries:
        are_there = plot is not None and os.path.exists(query) and os.path.exists(plot)
        if plot is not None and are_there and os.path.samefile(query, plot):
            raise InvalidInputError(f"{plot} is a query; name another file for the picture")


def _print(result: SearchResult, is_filtered: bool) -> None:
    """Print columns for a person, or the same separated by tabs for a program."""
    rows = [
        (
            str(hit.rank),
            f"{hit.distance if hit.score is None else hit.score:.3f}",
            " · ".join(hit.labels),
            place_of(hit),
        )
        for hit in result.hits
    ]
    if sys.stdout is None or not sys.stdout.isatty():
        for row in rows:
            say(*row)
        return
    if not rows:
        say("no image passes the filters" if is_filtered else "no other images in the collection")
        return
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for rank, score, label, path in rows:
        say(f"{rank:>{widths[0]}}  {score}  {label:<{widths[2]}}  {path}")
