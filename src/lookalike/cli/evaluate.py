"""``lookalike evaluate``: how well images find their like, and how good clusterings are, next to labels."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lookalike.cli.console import check_dark, complain, print_json, save_picture, step_progress
from lookalike.cli.evaluations import document_of, print_clusterings, print_evaluation
from lookalike.cli.options import CollectionOption, DarkOption, JsonOption, ModelOption, QuietOption
from lookalike.errors import InvalidInputError

_INDEX = "Search index"
_SPLITS = "Splits of a data set"
_WHAT = "What is measured"
_WORST = 5


def evaluate(
    collection: CollectionOption = None,
    k: Annotated[
        str | None,
        typer.Option(
            "-k", metavar="N,N,…", help="Where rankings are cut; 1,10 by default.", show_default=False
        ),
    ] = None,
    model: ModelOption = None,
    compare: Annotated[
        list[str] | None,
        typer.Option(
            metavar="MODEL|INDEX",
            help="Another model, or kind of index, on the same queries, with a paired test; may be repeated.",
            show_default=False,
        ),
    ] = None,
    clustering: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Measure only this clustering, no retrieval; may be repeated. By default both, and all that"
            " are kept.",
            rich_help_panel=_WHAT,
            show_default=False,
        ),
    ] = None,
    labels: Annotated[
        str | None,
        typer.Option(
            metavar="FILE.csv|NAME",
            help="A table with columns path and label; or a clustering, of which the clusters that you named"
            " are labels. By default those of folders and data sets, or else the names of clusters.",
            rich_help_panel=_WHAT,
            show_default=False,
        ),
    ] = None,
    queries: Annotated[
        str | None,
        typer.Option(
            metavar="N|all",
            help="How many images to take as queries, at random; at most 10,000 by default.",
            rich_help_panel=_WHAT,
            show_default=False,
        ),
    ] = None,
    query_split: Annotated[
        str | None,
        typer.Option(
            metavar="train|test",
            help="The queries are images of this split, and none of it is searched.",
            rich_help_panel=_SPLITS,
            show_default=False,
        ),
    ] = None,
    gallery_split: Annotated[
        str | None,
        typer.Option(
            metavar="train|test",
            help="Search only images of this split.",
            rich_help_panel=_SPLITS,
            show_default=False,
        ),
    ] = None,
    index: Annotated[
        str,
        typer.Option(
            metavar="KIND",
            help="What answers. exact ranks all images; others are asked for the largest k, and mAP ends"
            " there.",
            rich_help_panel=_INDEX,
        ),
    ] = "exact",
    recall: Annotated[
        float, typer.Option(metavar="SHARE", help="What an index is asked for.", rich_help_panel=_INDEX)
    ] = 0.99,
    random_state: Annotated[
        int,
        typer.Option(metavar="SEED", min=0, help="The same number draws the same queries and intervals."),
    ] = 0,
    worst: Annotated[
        int, typer.Option(metavar="N", min=0, help="How many of the worst queries to list, or to draw.")
    ] = _WORST,
    plot: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Save the worst queries and what they found as a picture (.png, .svg, .pdf, .jpg).",
            show_default=False,
        ),
    ] = None,
    confusion: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Save which classes are taken for which as a picture.",
            show_default=False,
        ),
    ] = None,
    dark: DarkOption = False,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Measure how well images find others of their label: P@k, R@k, nDCG@k, mAP, with 95 % intervals.

    Each image is searched among all others. Clusterings that are kept are measured next to the labels, too.
    """
    from lookalike.cli.locate import open_named
    from lookalike.plots import check_ending

    for picture in (plot, confusion):
        if picture is not None:
            check_ending(picture)
    if clustering:
        asked = {"-k": k, "--model": model, "--compare": compare, "--queries": queries, "--plot": plot}
        asked |= {"--confusion": confusion, "--query-split": query_split, "--gallery-split": gallery_split}
        for option, value in asked.items():
            if value is not None:
                raise InvalidInputError(
                    f"{option} is about retrieval, and --clustering measures clusterings alone; leave one out"
                )
    check_dark(dark, plot, confusion)
    if plot is not None and not worst:
        raise InvalidInputError("--worst is 0, which leaves nothing to draw; expected 1 or more")
    ks = None if k is None else _read_ks(k)
    chosen = open_named(collection)
    n_queries = _read_queries(queries, len(chosen))
    found = None
    with step_progress(quiet=quiet or json) as report:
        if not clustering:
            found = chosen.evaluation.retrieval(
                ks,
                model=model,
                index=index,
                recall=recall,
                compare=compare or (),
                labels=labels,
                query_split=query_split,
                gallery_split=gallery_split,
                random_state=random_state,
                n_worst=worst,
                report=report,
                **({} if n_queries is None else {"n_queries": n_queries}),
            )
        grouped = chosen.evaluation.clusterings(clustering or None, labels, random_state, report)
    if found is not None:
        from lookalike.drawing import draw_confusion, draw_worst_queries

        evaluation = found
        if plot is not None:
            save_picture(lambda: draw_worst_queries(chosen, evaluation), plot, dark)
        if confusion is not None:
            save_picture(lambda: draw_confusion(evaluation), confusion, dark)
    if json:
        print_json(document_of(found, grouped))
        return
    if found is not None:
        print_evaluation(found, is_quiet=quiet)
    if grouped.clusterings:
        print_clusterings(grouped.clusterings, after=found is not None)
    for reason in grouped.damaged.values():
        complain(reason)


def _read_ks(words: str) -> list[int]:
    try:
        return [int(word) for word in words.split(",")]
    except ValueError:
        raise InvalidInputError(f"-k is {words!r}; expected whole numbers, such as 1,10") from None


def _read_queries(words: str | None, n_images: int) -> int | None:
    """Return how many queries to take: None for as many as is usual."""
    if words is None:
        return None
    if words == "all":
        return max(n_images, 1)
    if not words.isdecimal() or not int(words):
        raise InvalidInputError(f"--queries is {words!r}; expected a number, 1 or more, or all")
    return int(words)
