"""``lookalike search``: the images most like a query."""

from __future__ import annotations

import dataclasses
import itertools
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lookalike.cli.console import complain, print_json, relative, tell, watched
from lookalike.cli.filters import SPELLED, SearchFilters
from lookalike.cli.found import (
    places_of_queries,
    print_hits,
    print_list,
    print_paths,
    say_if_none,
    say_if_nothing,
    say_where_it_is,
)
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
from lookalike.cli.queries import Queries, QueriesArgument, read_request, say_files_win
from lookalike.cli.saving import Saveable, is_picture
from lookalike.cli.search_each import Answers, DocumentOf, each_query, print_answers, search_each
from lookalike.errors import InvalidInputError
from lookalike.index.kinds import AUTO, KINDS, kind_names

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from lookalike.collection import Collection
    from lookalike.results.browsing import BrowseResult
    from lookalike.results.search import SearchResult
    from lookalike.system.progress import Watch

_INDEX = "Search index"
_USUAL = 10  # images, where nobody says how many
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
    fold: Annotated[
        bool,
        typer.Option(
            "--fold",
            help="Fold near-duplicates of a hit, as `duplicates` found them, into it, and count them.",
        ),
    ] = False
    min_probability: Annotated[
        float | None,
        option(
            "How likely a hit is to be of the query's kind, at least: 0.5 is more likely than not.",
            metavar="SHARE",
        ),
    ] = None
    min_score: Annotated[
        float | None,
        option("The least score of a hit, a cosine; for models that are compared so.", metavar="SCORE"),
    ] = None
    same_kind: Annotated[
        bool,
        typer.Option(
            "--same-kind",
            help="Seek what is of the same kind, more than what looks the same: all images are drawn to"
            " their ten nearest, and so is the query.",
        ),
    ] = False
    verify: Annotated[
        bool,
        typer.Option(
            "--verify",
            help="Lay the 100 nearest on the query: those that show the same thing, edited or photographed"
            " again, come first.",
        ),
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
    each: Annotated[
        bool,
        typer.Option(
            "--each", help="Each QUERY is a search of its own, and so is each image of a folder among them."
        ),
    ] = False,
    filters: SearchFilters,
    searching: Searching,
    picture: Picture,
    filepath_only: FilepathOnlyOption = False,
    json: JsonOption = False,
) -> None:
    """Find the images most like a file, a URL or words, nearest first, with their cosine similarity.

    English nouns and colours need no model that knows text; other words do: see lookalike models. With
    --color alone, find those that have most of it; with other filters alone, list those that pass.
    """
    from lookalike.collection import Collection
    from lookalike.results.browsing import BrowseResult

    picture.check()
    if each:
        _check_each(asked, picture)
        queries = each_query(queries)
    _check_kept(asked.places(queries), picture.plot, picture.output)
    chosen = Collection.open_near(asked.places(queries), collection)
    say_files_win(queries or ())
    is_filtered = bool(given(filters))
    if each:
        with watched() as watch:
            answers = search_each(
                queries or (),
                lambda query: find(chosen, [query], asked, filters, searching, k, model, watch),
            )
        _tell_each(answers, lambda query, result: document_of(result, [query], asked, filters), picture, json)
        if not json:
            print_answers(answers, filepath_only=filepath_only, is_filtered=is_filtered)
        return
    with watched() as watch:
        result = find_or_list(chosen, queries, asked, filters, searching, k, model, watch)
    for warning in result.warnings:
        complain(warning)
    typed = typed_queries(queries, asked, result)

    def document() -> dict[str, Any]:
        return document_of(result, typed, asked, filters)

    picture.save(Saveable.of(" ".join(["search", *typed]), result, document, lambda: _drawn(chosen, result)))
    if json:
        print_json(document())
        return
    if isinstance(result, BrowseResult):
        print_paths(result.hits) if filepath_only else print_list(result)
        say_if_none(result, is_filtered=is_filtered)
        return
    if result.understood is not None:
        tell(result.understood.told())
    print_paths(result.hits) if filepath_only else print_hits(result)
    say_if_nothing(result, is_filtered=is_filtered)
    say_where_it_is(result, typed)


def _check_each(asked: Queries, picture: Picture) -> None:
    """Raise InvalidInputError if something is asked for that many searches cannot have."""
    for name in given(dataclasses.replace(asked, without=None)):
        raise InvalidInputError(f"--each is for QUERY alone; leave out {flag_of(name)}")
    if picture.plot is not None or is_picture(picture.output):
        raise InvalidInputError("many searches are saved as .html, .csv, .parquet or .json, not drawn")


def _tell_each(answers: Answers, document_of_one: DocumentOf, picture: Picture, json: bool) -> None:
    """Save and print what all searches found, and say what could not be searched for."""
    for warning in dict.fromkeys(warning for _, result in answers.found for warning in result.warnings):
        complain(warning)
    for _, error in answers.failed:
        complain(error)
    picture.save(answers.saveable(document_of_one))
    if json:
        print_json(answers.document(document_of_one))


def typed_queries(
    queries: Sequence[str] | None, asked: Queries, result: SearchResult | BrowseResult
) -> list[str]:
    """Return the queries as they were typed; those of a request by what they are called."""
    return asked.told(queries) or [query.name for query in getattr(result, "queries", ())]


def document_of(
    result: SearchResult | BrowseResult, typed: Sequence[str], asked: Queries, filters: SearchFilters
) -> dict[str, Any]:
    """Return what ``--json`` prints of a search."""
    document: dict[str, Any] = {"query": (typed[0] if len(typed) == 1 else list(typed)) or None}
    document |= {"not": asked.without} if asked.without else {}
    document |= {"color": filters.color} if filters.color else {}
    document |= result.to_dict(relative, advise)
    for query, places in zip(document.get("queries", []), places_of_queries(result), strict=True):
        query["paths"] = places
    return document


def _drawn(chosen: Collection, result: SearchResult | BrowseResult) -> Figure:
    from lookalike.drawing import draw_list, draw_search
    from lookalike.results.browsing import BrowseResult

    return draw_list(chosen, result) if isinstance(result, BrowseResult) else draw_search(chosen, result)


def find_or_list(
    chosen: Collection,
    queries: list[str] | None,
    asked: Queries,
    filters: SearchFilters,
    searching: Searching,
    k: int | None,
    model: str | None,
    watch: Watch,
) -> SearchResult | BrowseResult:
    """Search; or, where only filters are given, list what passes them."""
    if asked.request is not None:
        return find_whole(chosen, queries, asked, filters, searching, k, model, watch)
    is_search = bool(queries or given(asked) or filters.color)
    if not is_search and not given(filters):
        raise InvalidInputError(
            "there is nothing to search for; name an image file, a URL, words, or a filter, such as --label;"
            " `lookalike list` lists all images"
        )
    if is_search or filters.same_cluster is not None:
        return find(chosen, queries, asked, filters, searching, k, model, watch)
    if given(searching):
        option_ = flag_of(next(iter(given(searching))))
        raise InvalidInputError(f"there is no QUERY: expected one for {option_}")
    return chosen.browse(where=filters.where(), k=_USUAL if k is None else k)


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
    """Search for what was typed."""
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


def find_whole(
    chosen: Collection,
    queries: list[str] | None,
    asked: Queries,
    filters: SearchFilters,
    searching: Searching,
    k: int | None,
    model: str | None,
    watch: Watch,
) -> SearchResult | BrowseResult:
    """Search for what a request says, or list it; raise InvalidInputError if there is anything beside it."""
    how = given(searching)
    carried_out = {name: how.pop(name) for name in _CARRIED_OUT if name in how}  # which no request says
    others = given(dataclasses.replace(asked, request=None)) | given(filters) | how
    others |= only_given(k=k, model=model)
    flags = [flag_of(SPELLED.get(name, name)) for name in others]
    if queries or flags:
        beside = (queries or flags)[0]
        raise InvalidInputError(f"--request says all that is searched for; leave out {beside}")
    request = read_request(asked.request or "")
    if request.is_browse:
        return chosen.browse(request)
    return chosen.search(request, **watch.told, **carried_out)


def _check_kept(queries: Sequence[str], *files: Path | None) -> None:
    """Raise InvalidInputError if a query would be written over."""
    for query, file in itertools.product(queries, files):
        are_there = file is not None and os.path.exists(query) and os.path.exists(file)
        if file is not None and are_there and os.path.samefile(query, file):
            raise InvalidInputError(f"{file} is a query; name another file for the picture")
