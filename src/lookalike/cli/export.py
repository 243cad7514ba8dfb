"""``lookalike export``: a search, a clustering, a map, or the collection, for other programs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lookalike.cli.console import complain, relative, watched
from lookalike.cli.filters import SearchFilters
from lookalike.cli.options import CollectionOption, ModelOption, Output, given, only_given, option
from lookalike.cli.queries import Queries, QueriesArgument
from lookalike.cli.search import Searching, find, find_whole
from lookalike.cli.streamed import is_standard, streamed
from lookalike.collection.export.forms import DEFAULT_FOLDER, EXPORT_FORMS, choose_form, form_names, get_form
from lookalike.errors import InvalidInputError
from lookalike.query.sorts import FIELD, SORTS
from lookalike.system.wording import count_images

if TYPE_CHECKING:
    from lookalike.collection import Collection
    from lookalike.collection.export.exporting import Exportable
    from lookalike.system.progress import Watch

_ENDINGS = ", ".join(ending for row in EXPORT_FORMS for ending in row.endings)


@dataclass(frozen=True, slots=True)
class Exporting:
    """What is exported, and how."""

    clustering: Annotated[
        str | None, option("The clusters of this name: see lookalike cluster list.", metavar="NAME")
    ] = None
    map_: Annotated[
        str | None,
        option("Where images lie on the map of this name: see lookalike map list.", "--map", metavar="NAME"),
    ] = None
    form: Annotated[
        str | None,
        option(
            f"The form, where the ending of OUT does not say it. Without an ending it is {DEFAULT_FOLDER}: a"
            " folder of images for each label.",
            "--as",
            metavar="|".join(form_names()),
        ),
    ] = None
    by: Annotated[
        str | None,
        option(
            "What the folders, or COCO's categories, are: label, by default, split, or cluster.",
            metavar="label|split|cluster",
        ),
    ] = None
    vectors: Annotated[
        bool | None,
        typer.Option(
            "--vectors/--no-vectors",
            help="Whether a table has the vectors, too: by default .parquet and .npy.",
            show_default=False,
        ),
    ] = None
    sort: Annotated[
        str | None,
        option(
            "Without QUERY: in what order; by path, by default.",
            metavar="|".join((*SORTS, f"{FIELD}NAME")),
        ),
    ] = None
    descending: Annotated[
        bool, typer.Option("--descending", help="The other way round: newest, largest, sharpest first.")
    ] = False
    force: Annotated[
        bool,
        typer.Option(
            "--force", help="Write over a file that is there, or a folder that holds nothing but an export."
        ),
    ] = False


def export(
    *,
    to: Annotated[
        Path,
        typer.Argument(
            metavar="OUT", help=f"A new file, {_ENDINGS}; a new or empty folder; or - for standard output."
        ),
    ],
    queries: QueriesArgument = None,
    asked: Queries,
    exporting: Exporting,
    collection: CollectionOption = None,
    model: ModelOption = None,
    k: Annotated[
        int | None,
        option(
            "How many images; of a search 10 by default, else all.", "-k", "-t", "--top", metavar="N", min=1
        ),
    ] = None,
    filters: SearchFilters,
    searching: Searching,
    output: Output,
) -> None:
    """Write a search, a clustering, a map, or the whole collection to a table, or to folders of images.

    With QUERY what is like it, with filters alone what passes them, with neither all images.
    """
    from lookalike.collection import Collection
    from lookalike.collection.export.exporting import check_target

    is_streamed = is_standard(to, exporting.form, json=output.json, force=exporting.force)
    form = choose_form(str(to)) if exporting.form is None else get_form(exporting.form)
    if not is_streamed:
        check_target(to, form, exporting.force)
    chosen = Collection.open_near(asked.places(queries), collection)
    with watched(quiet=output.is_silent) as watch:
        result = _result(chosen, queries, asked, exporting, filters, searching, k, model, watch)
        how = only_given(form=exporting.form, by=exporting.by, model=model, vectors=exporting.vectors)
        if is_streamed:
            with streamed(form.name) as file:
                chosen.export(result, file, **how, **watch.told)
            return
        n_exported = chosen.export(result, to, force=exporting.force, **how, **watch.told)
    output.tell(
        {"exported": n_exported, "to": relative(str(to)), "as": form.name},
        f"exported {count_images(n_exported)} to {to}",
    )
    if not form.is_file and chosen.holds(to):
        complain(
            f"{to} lies among the images of the collection: the next `lookalike index` takes what is in it"
            f" for copies, but for --exclude {to.name}"
        )


def _result(
    chosen: Collection,
    queries: list[str] | None,
    asked: Queries,
    exporting: Exporting,
    filters: SearchFilters,
    searching: Searching,
    k: int | None,
    model: str | None,
    watch: Watch,
) -> Exportable:
    """Return what is meant: a search, a clustering, a map, or images."""
    order = only_given(sort=exporting.sort) | ({"descending": True} if exporting.descending else {})
    is_search = bool(queries or given(asked) or filters.color)
    named = given(exporting).keys() & {"clustering", "map_"}
    if len(named) + (is_search or bool(given(filters) or order)) > 1:
        raise InvalidInputError("--clustering, --map, and a search with its filters are exported one by one")
    if is_search and order:
        raise InvalidInputError("what a search finds comes nearest first; leave out --sort and --descending")
    if asked.request is not None:
        return find_whole(chosen, queries, asked, filters, searching, k, model, watch)
    if is_search:
        return find(chosen, queries, asked, filters, searching, k, model, watch)
    if filters.same_cluster is not None or given(searching) or (named and k):
        raise InvalidInputError(
            "there is no QUERY: expected one for --same-cluster, -k, and how it is searched"
        )
    if exporting.clustering is not None:
        return chosen.clusterings.get(exporting.clustering)
    if exporting.map_ is not None:
        return chosen.maps.get(exporting.map_)
    if k is None and not given(filters) and not order:
        return None
    return chosen.browse(where=filters.where(), **order, **only_given(k=k))
