"""``lookalike evaluate``: how well images find their like, and how good clusterings are, next to labels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lookalike.cli.console import complain, print_json, save_picture, say, watched
from lookalike.cli.evaluations import document_of, print_clusterings, print_evaluation
from lookalike.cli.hints import advise
from lookalike.cli.locate import open_named
from lookalike.cli.options import (
    CollectionOption,
    DarkOption,
    ForceOption,
    ModelOption,
    Output,
    SaveOption,
    Splits,
    flag_of,
    given,
    only_given,
    option,
)
from lookalike.cli.saving import Saveable, check_saving, is_picture, save
from lookalike.errors import InvalidInputError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from lookalike.collection import Collection
    from lookalike.results.evaluation import Evaluation

_INDEX = "Search index"
_WHAT = "What is measured"
_WORST = 5  # queries that are shown: fewer than the library gives, for they are lines of a terminal


@dataclass(frozen=True, slots=True)
class Retrieval:
    """What is measured of searches, and shown."""

    k: Annotated[str | None, option("Where rankings are cut; 1,10 by default.", "-k", metavar="N,N,…")] = None
    model: ModelOption = None
    compare: Annotated[
        list[str] | None,
        option(
            "Another model, or kind of index, on the same queries, with a paired test; may be repeated.",
            metavar="MODEL|INDEX",
        ),
    ] = None
    same_kind: Annotated[
        bool,
        typer.Option(
            "--same-kind",
            help="Also measure `search --same-kind` on the same queries, with a paired test; nothing is drawn"
            " to a query.",
        ),
    ] = False
    queries: Annotated[
        str | None,
        option(
            "How many images to take as queries, at random; at most 10,000 by default.",
            metavar="N|all",
            rich_help_panel=_WHAT,
        ),
    ] = None
    index: Annotated[
        str | None,
        option(
            "What answers. exact, the default, ranks all images; others are asked for the largest k, and mAP"
            " ends there.",
            metavar="KIND",
            rich_help_panel=_INDEX,
        ),
    ] = None
    recall: Annotated[
        float | None,
        option("What an index is asked for; 0.99 by default.", metavar="SHARE", rich_help_panel=_INDEX),
    ] = None
    worst: Annotated[
        int | None,
        option(
            f"How many of the worst queries to list, or to draw; {_WORST} by default.", metavar="N", min=0
        ),
    ] = None
    plot: Annotated[
        Path | None,
        option(
            "Save the worst queries and what they found as a picture (.png, .svg, .pdf, .jpg).",
            metavar="FILE",
        ),
    ] = None
    confusion: Annotated[
        Path | None,
        option(
            "Save which classes are taken for which as a picture (.png, .svg, .pdf, .jpg).", metavar="FILE"
        ),
    ] = None

    def arguments(self) -> dict[str, Any]:
        """Return what was given, as the library takes it, but for the number of queries."""
        ks = None if self.k is None else _read_ks(self.k)
        how = only_given(model=self.model, compare=self.compare, index=self.index, recall=self.recall)
        how |= {"same_kind": True} if self.same_kind else {}
        return {"n_worst": _WORST if self.worst is None else self.worst} | only_given(k=ks) | how


def evaluate(
    *,
    collection: CollectionOption = None,
    retrieval: Retrieval,
    splits: Splits,
    clustering: Annotated[
        list[str] | None,
        option(
            "Measure this clustering alone, and no retrieval; may be repeated. By default retrieval, and all"
            " clusterings that are kept.",
            metavar="NAME",
            rich_help_panel=_WHAT,
        ),
    ] = None,
    labels: Annotated[
        str | None,
        option(
            "A table with columns path and label; a clustering, of which the clusters that you named are"
            " labels; or folders, as index takes them. By default those of folders and data sets, if they"
            " tell anything, or else the names of clusters.",
            metavar="FILE.csv|NAME|folders|folders:1|path|PATTERN",
            rich_help_panel=_WHAT,
        ),
    ] = None,
    random_state: Annotated[
        int | None,
        option("The same number draws the same queries and intervals; 0 by default.", metavar="SEED", min=0),
    ] = None,
    saved: SaveOption = None,
    dark: DarkOption = False,
    force: ForceOption = False,
    output: Output,
) -> None:
    """Measure how well images find others of their label, by P@k, mAP and others, with 95 % intervals.

    Each image is searched among all others. Clusterings that are kept are compared with the labels, too.
    """
    for name in given(retrieval) | given(splits) if clustering else ():
        raise InvalidInputError(
            f"{flag_of(name)} is about retrieval, and --clustering measures clusterings alone; leave one out"
        )
    if clustering and is_picture(saved):
        raise InvalidInputError(f"-o is {saved}, and clusterings are measured, not drawn; name another file")
    check_saving(saved, retrieval.plot, retrieval.confusion, dark=dark, force=force)
    if retrieval.plot is not None and retrieval.worst == 0:
        raise InvalidInputError("--worst is 0, which leaves nothing to draw; expected 1 or more")
    asked, seed = retrieval.arguments(), only_given(random_state=random_state)
    chosen = open_named(collection)
    asked |= only_given(n_queries=_read_queries(retrieval.queries, len(chosen)), labels=labels)
    found = None
    with watched(quiet=output.is_silent) as watch:
        if not clustering:
            found = chosen.evaluation.retrieval(**asked, **given(splits), **seed, **watch.told)
        grouped = chosen.evaluation.clusterings(clustering or None, labels, **seed, **watch.told)
    if found is not None and retrieval.plot is not None:
        save_picture(partial(_draw_worst, chosen, found), retrieval.plot, dark=dark, force=force)
    if found is not None and retrieval.confusion is not None:
        save_picture(partial(_draw_confusion, found), retrieval.confusion, dark=dark, force=force)
    made = grouped if found is None else found
    document = document_of(found, grouped)
    draw = None if found is None else partial(_draw_worst, chosen, found)
    save(saved, Saveable.of("an evaluation", made, lambda: document, draw), dark=dark, force=force)
    if output.json:
        print_json(document)
        return
    if found is not None:
        print_evaluation(found, is_quiet=output.quiet)
        if labels is None and not output.quiet and (note := chosen.label_note) is not None:
            say(advise(note))
    if grouped.clusterings:
        print_clusterings(grouped.clusterings, after=found is not None)
    for reason in grouped.damaged.values():
        complain(reason)


def _draw_worst(collection: Collection, found: Evaluation) -> Figure:
    from lookalike.drawing import draw_worst_queries

    return draw_worst_queries(collection, found)


def _draw_confusion(found: Evaluation) -> Figure:
    from lookalike.drawing import draw_confusion

    return draw_confusion(found)


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
