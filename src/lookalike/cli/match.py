"""``lookalike match``: the images of two folders, or of two collections, one to one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lookalike.cli.console import print_json, relative, say, watched
from lookalike.cli.options import CollectionOption, ModelOption, Output, Picture, picture_of
from lookalike.cli.saving import Saveable
from lookalike.errors import InvalidInputError
from lookalike.system.wording import count_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from lookalike.collection import Collection
    from lookalike.query.filter import Filter
    from lookalike.results.matching import MatchedPair, Matching

_Drawn = Annotated[Picture, picture_of("Draw the first pairs")]


def match(
    *,
    a: Annotated[
        Path,
        typer.Argument(
            metavar="A",
            help="A folder of a collection, or with a collection in it.",
        ),
    ],
    b: Annotated[Path, typer.Argument(metavar="B", help="Another.")],
    mutual: Annotated[
        bool,
        typer.Option("--mutual", help="Only pairs in which each is the best for the other of all there is."),
    ] = False,
    model: ModelOption = None,
    picture: _Drawn,
    collection: CollectionOption = None,
    output: Output,
) -> None:
    """Match the images of two folders, or collections, one to one, the surest pairs first.

    What is near to everything takes nobody's place: cosines are scaled by how near either is to its ten
    nearest. No image is in two pairs; what the larger side has more has no counterpart.
    """
    picture.check()
    one, where = _side(a, collection)
    other, other_where = _side(b, collection)
    if one.folder == other.folder:
        other = one
        if where == other_where:
            raise InvalidInputError(f"A and B are the same: {a} and {b}; name two folders")
    with watched(quiet=output.is_silent) as watch:
        found = one.match(other, where=where, other_where=other_where, model=model, **watch.told)
    if mutual:
        found = found.only_mutual()

    def document() -> dict[str, Any]:
        return found.to_dict(relative)

    def draw() -> Figure:
        from lookalike.drawing import draw_matching

        return draw_matching(one, other, found)

    picture.save(Saveable.of(f"{a} and {b}, matched", found, document, draw))
    if output.json:
        print_json(document())
        return
    for pair in found:
        say(_line(pair))
    if not output.quiet:
        say(_summary(found))


def _side(folder: Path, collection: Path | None) -> tuple[Collection, Filter]:
    """Return the collection that a folder is of, and which of its images are meant.

    The one that is named; else the one in the folder or above it; else the one around the working directory.
    """
    from lookalike.collection import Collection
    from lookalike.query.filter import Filter

    if not os.path.isdir(folder):
        raise InvalidInputError(f"there is no folder {folder}; name one of a collection")
    if collection is not None:
        found = Collection.open(collection, above=False)
    else:
        found = Collection.open(folder if Collection.find(folder) else Path())
    is_whole = os.path.samefile(found.folder.parent, folder)
    return found, Filter() if is_whole else Filter(folders=[os.path.abspath(folder)])


def _line(pair: MatchedPair) -> str:
    mark = "mutual" if pair.is_mutual else "      "
    return f"{pair.score:.3f}  {mark}  {relative(pair.a.path)}  {relative(pair.b.path)}"


def _summary(found: Matching) -> str:
    pairs = count_of(len(found), "pair")
    alone = [
        f"{count_of(count, 'image')} of {name} without a counterpart"
        for name, count in zip("AB", found.n_alone, strict=True)
        if count
    ]
    return "; ".join([f"{pairs} by {found.model}, {found.n_mutual:,} of them mutual", *alone])
