"""``lookalike map`` with options and no command: it draws the map that is there, or makes it.

``--list``, ``--delete`` and ``--new`` are how commands were spelled before there were any; a line says how
they are spelled now.
"""

from __future__ import annotations

from typing import Annotated

import typer

from lookalike.cli import map as commands
from lookalike.cli.console import say_spelling
from lookalike.cli.options import CollectionOption, MapDrawing, MapMaking, Output, given, spelled
from lookalike.errors import InvalidInputError


def draw_map(
    *,
    making: MapMaking,
    name: commands.NameOption = None,
    drawing: MapDrawing,
    new: Annotated[bool, typer.Option("--new", help="lookalike map make.")] = False,
    list_: Annotated[bool, typer.Option("--list", help="lookalike map list.")] = False,
    delete: Annotated[bool, typer.Option("--delete", help="lookalike map delete.")] = False,
    collection: CollectionOption = None,
    output: Output,
) -> None:
    """Draw a map that is there, or make it."""
    given_to_all = {"c": collection, "json": output.json, "q": output.quiet}
    if delete:
        if drawing.output is not None or new:
            raise InvalidInputError("--delete goes alone; leave out the other options")
        if name is None:
            raise InvalidInputError("--delete cannot be taken back; say which map with --name")
        commands.delete(name=name, collection=collection, output=output)
        say_spelling("map --delete", spelled("map", "delete", name, **given_to_all))
    elif list_:
        commands.list_(collection=collection, output=output)
        say_spelling("map --list", spelled("map", "list", **given_to_all))
    else:
        commands.make_or_place(making, name, drawing, collection, output, new=new)
        if new:
            how = given(making) | {"name": name} | drawing.as_given() | given_to_all
            say_spelling("map --new", spelled("map", "make", **how))
