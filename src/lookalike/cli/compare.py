"""``lookalike compare``: what two pictures are to each other, without a collection."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lookalike.cli.console import print_json, say
from lookalike.cli.options import JsonOption, Picture, picture_of
from lookalike.cli.saving import Saveable
from lookalike.errors import InvalidInputError

if TYPE_CHECKING:
    from lookalike.duplicates import Comparison

_Drawn = Annotated[Picture, picture_of("Draw A, B laid on it, and where they differ")]


def compare(
    *,
    a: Annotated[str, typer.Argument(metavar="A", help="An image file, or a URL.")],
    b: Annotated[str, typer.Argument(metavar="B", help="Another.")],
    picture: _Drawn,
    allow_private: Annotated[
        bool, typer.Option("--allow-private", help="Let URLs name addresses of the local network.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Say what two pictures are to each other: one, encoded anew or edited, or two; and how surely.

    No collection is needed. B is described as what was done to A.
    """
    from lookalike.duplicates import compare as compare_pictures

    picture.check()
    for file in (picture.plot, picture.output):
        for query in (a, b):
            if (
                file is not None
                and os.path.exists(file)
                and os.path.exists(query)
                and os.path.samefile(file, query)
            ):
                raise InvalidInputError(f"{file} is one of the two; name another file")
    found = compare_pictures(a, b, allow_private=allow_private)

    def document() -> dict[str, Any]:
        return _document(found, a, b)

    picture.save(Saveable("a comparison", document, found.draw, html=found._repr_html_))
    if json:
        print_json(document())
    else:
        say(found.words)


def _document(found: Comparison, a: str, b: str) -> dict[str, Any]:
    """Return what ``--json`` prints: the two as they were typed."""
    document = found.to_dict()
    for name, typed in (("a", a), ("b", b)):
        document[name] = {"path": typed, **document[name]}
    return document
