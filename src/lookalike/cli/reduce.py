"""``lookalike reduce``: fewer dimensions, by PCA."""

from __future__ import annotations

from typing import Annotated

import typer

from lookalike.cli.console import how_long, watched
from lookalike.cli.locate import open_named
from lookalike.cli.options import CollectionOption, Output, Picture, WaitOption, drawing_of, option


def reduce(
    *,
    to: Annotated[
        float,
        typer.Argument(metavar="N", help="A number of dimensions (128), or a share of the variance (0.95)."),
    ],
    collection: CollectionOption = None,
    model: Annotated[
        str | None, option("Whose vectors; the collection's own model by default.", metavar="MODEL")
    ] = None,
    whiten: Annotated[bool, typer.Option("--whiten", help="Give every component the same variance.")] = False,
    picture: Annotated[
        Picture,
        drawing_of("Save the variance that each component has, and the first ones together, as a picture"),
    ],
    wait: WaitOption = None,
    output: Output,
) -> None:
    """Reduce vectors by PCA, as a new model of the collection: search --model lite0-deep-int8+pca128."""
    from lookalike.plots import scree

    picture.check_drawn()
    chosen = open_named(collection)
    n_components = int(to) if to >= 1 and to.is_integer() else to
    with watched(quiet=output.is_silent) as watch:
        name = chosen.models.reduce(n_components, model, whiten, wait=how_long(wait), **watch.told)
    if picture.output is not None:
        pca = chosen.models.pca(name)
        title = f"{name}: the variance of its components"
        picture.save_drawn(lambda: scree(pca.shares_, pca.n_components_, title))
    output.tell({"model": name}, f"{name}: search --model {name}")
