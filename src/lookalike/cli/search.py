"""``lookalike search``: the images most like a query."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from lookalike.cli.console import (
    check_dark,
    complain,
    print_json,
    print_raw,
    relative,
    save_picture,
    say,
    step_progress,
)
from lookalike.cli.options import CollectionOption, DarkOption, DeviceOption, JsonOption, ModelOption
from lookalike.errors import InvalidInputError

if TYPE_CHECKING:
    from lookalike.answers import SearchResult
    from lookalike.query.filter import Shape

_FILTERS = "Filters"
_INDEX = "Search index"
_INDEXES = ("exact", "kdtree", "kmeans-tree", "annoy", "hnsw", "ivf-rq")


def search(
    queries: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="QUERY...",
            help="Image files, URLs, mnist:test/42, or words; several make one query. None is needed with"
            " --color.",
            show_default=False,
        ),
    ] = None,
    collection: CollectionOption = None,
    without: Annotated[
        list[str] | None,
        typer.Option(
            "--not", metavar="QUERY", help="An image or words whose likes are not wanted; may be repeated."
        ),
    ] = None,
    model: ModelOption = None,
    k: Annotated[int, typer.Option("-k", "-t", "--top", min=1, help="How many images to find.")] = 10,
    split: Annotated[
        str | None,
        typer.Option(
            metavar="train|test",
            help="Only among this split of a data set.",
            rich_help_panel=_FILTERS,
            show_default=False,
        ),
    ] = None,
    color: Annotated[
        list[str] | None,
        typer.Option(
            "--color",
            "--colour",
            metavar="COLOR",
            help="Only images with this colour: '#c33', tomato, …; without QUERY, those with most of it"
            " first. May be repeated: all must be there.",
            rich_help_panel=_FILTERS,
            show_default=False,
        ),
    ] = None,
    min_size: Annotated[
        float | None,
        typer.Option(
            metavar="PIXELS",
            help="Shorter side at least this.",
            rich_help_panel=_FILTERS,
            show_default=False,
        ),
    ] = None,
    max_size: Annotated[
        float | None,
        typer.Option(
            metavar="PIXELS", help="Shorter side at most this.", rich_help_panel=_FILTERS, show_default=False
        ),
    ] = None,
    shape: Annotated[
        str | None,
        typer.Option(
            metavar="landscape|portrait|square",
            help="Square: sides within 5 %.",
            rich_help_panel=_FILTERS,
            show_default=False,
        ),
    ] = None,
    min_sharpness: Annotated[
        float | None,
        typer.Option(
            metavar="NUMBER",
            help="Sharpness at least this; `lookalike info` shows what is usual.",
            rich_help_panel=_FILTERS,
            show_default=False,
        ),
    ] = None,
    after: Annotated[
        str | None,
        typer.Option(
            metavar="DATE",
            help="Taken then or later: a year, month, day or time, as 2019, 2019-05, 2019-05-04 or"
            " '2019-05-04 12:30'.",
            rich_help_panel=_FILTERS,
            show_default=False,
        ),
    ] = None,
    before: Annotated[
        str | None,
        typer.Option(
            metavar="DATE",
            help="Taken earlier: before that year, month, day or time begins.",
            rich_help_panel=_FILTERS,
            show_default=False,
        ),
    ] = None,
    cameras: Annotated[
        list[str] | None,
        typer.Option(
            "--camera",
            metavar="NAME",
            help="Part of the camera's name, as canon; may be repeated: any of them.",
            rich_help_panel=_FILTERS,
            show_default=False,
        ),
    ] = None,
    lenses: Annotated[
        list[str] | None,
        typer.Option(
            "--lens",
            metavar="NAME",
            help="Part of the lens's name; may be repeated: any of them.",
            rich_help_panel=_FILTERS,
            show_default=False,
        ),
    ] = None,
    keywords: Annotated[
        list[str] | None,
        typer.Option(
            "--keyword",
            metavar="WORD",
            help="With this keyword; may be repeated: any of them.",
            rich_help_panel=_FILTERS,
            show_default=False,
        ),
    ] = None,
    min_rating: Annotated[
        float | None,
        typer.Option(
            metavar="STARS",
            help="Rated at least so many stars, 1 to 5.",
            rich_help_panel=_FILTERS,
            show_default=False,
        ),
    ] = None,
    near: Annotated[
        str | None,
        typer.Option(
            metavar="LAT,LON,KM",
            help="Taken at most KM kilometres from there, in degrees, south and west negative:"
            " 48.858,2.294,5.",
            rich_help_panel=_FILTERS,
            show_default=False,
        ),
    ] = None,
    formats: Annotated[
        list[str] | None,
        typer.Option(
            "--format",
            metavar="NAME",
            help="jpeg, png, …; may be repeated: any of them.",
            rich_help_panel=_FILTERS,
            show_default=False,
        ),
    ] = None,
    labels: Annotated[
        list[str] | None,
        typer.Option(
            "--label",
            metavar="LABEL",
            help="Of a folder, a data set, or a cluster that you named. May be repeated: any of them.",
            rich_help_panel=_FILTERS,
            show_default=False,
        ),
    ] = None,
    folders: Annotated[
        list[str] | None,
        typer.Option(
            "--in",
            metavar="FOLDER",
            help="Only images below this folder; may be repeated: any of them.",
            rich_help_panel=_FILTERS,
            show_default=False,
        ),
    ] = None,
    same_cluster: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Only in the query's own cluster of this clustering: see lookalike cluster.",
            rich_help_panel=_FILTERS,
            show_default=False,
        ),
    ] = None,
    index: Annotated[
        str,
        typer.Option(
            metavar="auto|" + "|".join(_INDEXES),
            help="The kind of search index. By default exact search, or the k-means tree where that would be"
            " slow.",
            rich_help_panel=_INDEX,
            show_default=False,
        ),
    ] = "auto",
    recall: Annotated[
        float,
        typer.Option(
            metavar="SHARE",
            help="How many of the truly nearest to find: 0.9 is nine in ten, 1 is proved.",
            rich_help_panel=_INDEX,
        ),
    ] = 0.99,
    mode: Annotated[
        str | None,
        typer.Option(
            metavar="leaf|bbf|exact",
            help="How to ask a KD-tree: one leaf, the best bins first, or with proof. By default what the"
            " recall takes.",
            rich_help_panel=_INDEX,
            show_default=False,
        ),
    ] = None,
    include_self: Annotated[
        bool, typer.Option("--include-self", help="Let a query that is in the collection be a hit.")
    ] = False,
    plot: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Also save the result as a picture (.png, .svg, .pdf, .jpg).",
            show_default=False,
        ),
    ] = None,
    dark: DarkOption = False,
    json: JsonOption = False,
    filepath_only: Annotated[
        bool, typer.Option("-f", "--filepath-only", help="Print paths only, one a line, for other programs.")
    ] = False,
    allow_private: Annotated[
        bool, typer.Option("--allow-private", help="Let URLs name addresses of the local network.")
    ] = False,
    device: DeviceOption = "auto",
) -> None:
    """Find the images most like a file, a URL or words, nearest first, with their cosine similarity.

    Words need a model that knows text: see lookalike models. With --color alone, find those that have most
    of it.
    """
    from lookalike.cli.locate import open_for_query
    from lookalike.dates import last_before
    from lookalike.plots import check_ending
    from lookalike.query.filter import Filter

    queries = queries or []
    where = Filter(
        min_size=min_size,
        max_size=max_size,
        shape=cast("Shape | None", shape),
        min_sharpness=min_sharpness,
        min_date=after,
        max_date=None if before is None else last_before("the date (before)", before),
        cameras=cameras or (),
        lenses=lenses or (),
        keywords=keywords or (),
        min_rating=min_rating,
        near=None if near is None else _read_near(near),
        formats=formats or (),
        labels=labels or (),
        folders=folders or (),
    )
    check_dark(dark, plot)
    if plot is not None:
        check_ending(plot)
        if any(
            os.path.exists(query) and os.path.exists(plot) and os.path.samefile(query, plot)
            for query in queries
        ):
            raise InvalidInputError(f"{plot} is a query; name another file for the picture")
    chosen = open_for_query(collection, queries)
    with step_progress() as report:
        result = chosen.search(
            *queries,
            k=k,
            without=without or [],
            model=model,
            split=split,
            color=color or (),
            where=where,
            same_cluster=same_cluster,
            include_self=include_self,
            allow_private=allow_private,
            device=device,
            index=index,
            recall=recall,
            mode=mode,
            report=report,
        )
    for warning in result.warnings:
        complain(warning)
    if plot is not None:
        from lookalike.drawing import draw_search

        save_picture(lambda: draw_search(chosen, result), plot, dark)
    if json:
        print_json(_document(queries, without or [], color or [], result))
    elif filepath_only:
        for hit in result.hits:
            print_raw(relative(hit.path))
    else:
        _print(result, is_filtered=bool(color or same_cluster or split) or where != Filter())


def _read_near(near: str) -> tuple[float, float, float]:
    """Read LAT,LON,KM."""
    try:
        latitude, longitude, radius = map(float, near.split(","))
    except ValueError:
        raise InvalidInputError(
            f"--near is {near!r}; expected a latitude, a longitude and a distance in kilometres, as in"
            " 48.858,2.294,5"
        ) from None
    return latitude, longitude, radius


def _document(
    queries: list[str], without: list[str], colors: list[str], result: SearchResult
) -> dict[str, Any]:
    hits = []
    for hit in result.hits:
        row: dict[str, Any] = {
            "rank": hit.rank,
            "path": relative(hit.path),
            "score": None if hit.score is None else round(hit.score, 6),
            "distance": round(hit.distance, 6),
            "label": hit.label,
            "id": hit.hex_id,
            "clusters": dict(hit.clusters),
        }
        if len(hit.paths) > 1:
            row["paths"] = [relative(path) for path in hit.paths]
        hits.append(row)
    document: dict[str, Any] = {"query": (queries[0] if len(queries) == 1 else queries) or None}
    if without:
        document["not"] = without
    if colors:
        document["color"] = colors
    if result.cluster is not None:
        document["cluster"] = {
            "clustering": result.cluster.clustering,
            "number": result.cluster.number,
            "name": result.cluster.name,
        }
    return {**document, "model": result.model, "index": result.index, "hits": hits}


def _print(result: SearchResult, is_filtered: bool) -> None:
    """Print columns for a person, or the same separated by tabs for a program."""
    rows = [
        (
            str(hit.rank),
            f"{hit.distance if hit.score is None else hit.score:.3f}",
            " · ".join(hit.labels),
            relative(hit.path) + (f"  (and {len(hit.paths) - 1} more)" if len(hit.paths) > 1 else ""),
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
