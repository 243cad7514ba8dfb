"""``lookalike bench``: every search index on the collection's own vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from lookalike.cli.console import print_json, relative, say, watched
from lookalike.cli.hints import advise
from lookalike.cli.locate import open_named
from lookalike.cli.options import (
    CollectionOption,
    ModelOption,
    Output,
    Picture,
    Splits,
    given,
    only_given,
    option,
    picture_of,
)
from lookalike.cli.saving import Saveable
from lookalike.system.wording import count_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from lookalike.bench import IndexComparison

_GOOD = 0.99  # the recall that the closing line is about


def bench(
    *,
    collection: CollectionOption = None,
    model: ModelOption = None,
    k: Annotated[
        int | None, option("How many neighbours a query asks for; 10 by default.", "-k", metavar="N", min=1)
    ] = None,
    queries: Annotated[
        int | None,
        option(
            "How many images to ask for, taken at random; a tenth, at most 1,000, by default.",
            metavar="N",
            min=1,
        ),
    ] = None,
    kinds: Annotated[
        list[str] | None,
        option(
            "Only this kind of index; may be repeated. By default all that are built in about a minute.",
            "--index",
            metavar="KIND",
        ),
    ] = None,
    recalls: Annotated[
        list[float] | None,
        option(
            "A recall to ask for, above 0, at most 1; may be repeated. 0.9, 0.95, 0.99, 0.999 and 1 by"
            " default.",
            "--recall",
            metavar="R",
        ),
    ] = None,
    same_kind: Annotated[
        bool,
        typer.Option(
            "--same-kind",
            help="Also time `search --same-kind`; what it gives, `evaluate --same-kind` tells.",
        ),
    ] = False,
    splits: Splits,
    picture: Annotated[Picture, picture_of("Also save recall and speed as a picture")],
    output: Output,
) -> None:
    """Compare the search indexes on the collection's own vectors: recall, speed, time to build, size.

    Speed is in queries a second: one at a time on one thread, and all at once on all cores.
    """
    picture.check()
    chosen = open_named(collection)
    asked = only_given(k=k, kinds=kinds, recalls=recalls, n_queries=queries)
    asked |= {"same_kind": True} if same_kind else {}
    with watched(quiet=output.quiet) as watch:
        found = chosen.evaluation.indexes(model, **asked, **given(splits), **watch.told)
    name, auto = model or chosen.model, chosen.evaluation.default_index(model)
    document = {"model": name, "auto": auto} | found.to_dict(relative, advise)

    def draw() -> Figure:
        from lookalike.drawing import draw_comparison

        return draw_comparison(found, name)

    picture.save(Saveable.of(f"search indexes of {name}", found, lambda: document, draw))
    if output.json:
        print_json(document)
        return
    if not output.quiet:
        asked_for = count_of(found.n_queries, "query", "queries")
        say(
            f"{found.n_vectors:,} images of {name}, {found.dimension:,} dimensions, {found.metric};"
            f" {asked_for}, k = {found.k}"
        )
    _print_table(found)
    for kind, reason in found.left_out.items():
        say(f"{kind} is left out: {advise(reason)}")
    if found.same_kind is not None:
        figures = found.same_kind
        say(
            f"same kind: {_per_second(figures.queries_per_second)} one by one; the nearest of all found in"
            f" {figures.build_seconds:,.1f} s, {figures.size / 1e6:,.1f} MB"
        )
    if not output.quiet:
        _print_summary(found, auto)


def _print_table(found: IndexComparison) -> None:
    rows = [["index", "asked", f"recall@{found.k}", "one by one", "in batch", "build", "size"]]
    for figures in found.indexes:
        size = "–" if figures.size is None else f"{figures.size / 1e6:,.1f} MB"
        costs = [f"{figures.build_seconds:,.1f} s", size]
        for number, point in enumerate(figures.points):
            name, *others = ["", "", ""] if number else [figures.index, *costs]
            speeds = [_per_second(point.queries_per_second), _per_second(point.batch_queries_per_second)]
            rows += [[name, f"{point.asked:g}", f"{point.recall:.4f}", *speeds, *others]]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for name, *others in rows:
        cells = [f"{cell:>{width}}" for cell, width in zip(others, widths[1:], strict=True)]
        say("  ".join([f"{name:<{widths[0]}}", *cells]).rstrip())


def _per_second(rate: float) -> str:
    return f"{rate:,.0f}/s" if rate >= 10 else f"{rate:.1f}/s"


def _print_summary(found: IndexComparison, auto: str) -> None:
    fastest = found.fastest(_GOOD)
    if fastest is None:
        say(f"No index reached a recall of {_GOOD:g}.")
    else:
        exact = [point for figures in found.indexes if figures.index == "exact" for point in figures.points]
        times = fastest.queries_per_second / exact[0].queries_per_second if exact else 1.0
        say(
            f"Fastest at recall {_GOOD:g} or more: {fastest.index}"
            + (f", asked for {fastest.asked:g}" if fastest.index != "exact" else "")
            + (f"; {times:,.1f} times exact" if fastest.index != "exact" and exact else "")
            + "."
        )
    say(f"Here, a search uses {auto} unless told otherwise.")
