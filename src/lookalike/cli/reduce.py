"""``lookalike reduce``: fewer dimensions, by PCA."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lookalike.cli.console import check_dark, print_json, save_picture, say
from lookalike.cli.options import CollectionOption, DarkOption, JsonOption, QuietOption


def reduce(
    to: Annotated[
        float,
        typer.Argument(metavar="N", help="A number of dimensions (128), or a share of the variance (0.95)."),
    ],
    collection: CollectionOption = None,
    model: Annotated[
        str | None,
        typer.Option(help="Whose vectors; the collection's own model by default.", show_default=False),
    ] = None,
    whiten: Annotated[bool, typer.Option("--whiten", help="Give every component the same variance.")] = False,
    plot: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Save the variance that each component has, and the first ones together, as a picture (.png,"
            " .svg, .pdf, .jpg).",
            show_default=False,
        ),
    ] = None,
    dark: DarkOption = False,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Reduce a model's vectors by PCA, as a new model of the collection: search --model lite0-int8+pca128."""
    from lookalike.cli.locate import open_named
    from lookalike.plots import check_ending, scree

    check_dark(dark, plot)
    if plot is not None:
        check_ending(plot)
    chosen = open_named(collection)
    name = chosen.models.reduce(int(to) if to >= 1 and to.is_integer() else to, model, whiten)
    if plot is not None:
        pca = chosen.models.pca(name)
        title = f"{name}: the variance of its components"
        save_picture(lambda: scree(pca.shares_, pca.n_components_, title), plot, dark)
    if json:
        print_json({"model": name})
    elif not quiet:
        say(f"{name}: search --model {name}")
