"""``lookalike map make|draw|list|delete``: the images in the plane, look-alikes near each other.

How maps are shown is in `maps`, the bare ``lookalike map`` in `map_bare`.
"""

from __future__ import annotations

from typing import Annotated

from lookalike.cli.console import watched
from lookalike.cli.locate import open_named
from lookalike.cli.maps import check_color, print_list, show_map
from lookalike.cli.options import (
    CollectionOption,
    MapDrawing,
    MapMaking,
    NameArgument,
    Output,
    argument,
    given,
    option,
)
from lookalike.projection.methods import DEFAULT_METHOD

NameOption = Annotated[str | None, option("Under which it is kept; by default the method's.", metavar="NAME")]


def make(
    *,
    making: MapMaking,
    name: NameOption = None,
    drawing: MapDrawing,
    collection: CollectionOption = None,
    output: Output,
) -> None:
    """Make a map, keep it under a name, and draw it.

    One that is there under the name is made anew.
    """
    make_or_place(making, name, drawing, collection, output, new=True)


def make_or_place(
    making: MapMaking,
    name: str | None,
    drawing: MapDrawing,
    place: CollectionOption,
    output: Output,
    *,
    new: bool,
) -> None:
    """Make a map, or, unless it is to be new, take the one that is there and of that kind; show it."""
    drawing.check()
    chosen = open_named(place)
    check_color(chosen, drawing.color)
    with watched(quiet=output.is_silent) as watch:
        kept = chosen.maps.make_or_place(name, **given(making), new=new, **watch.told)
    show_map(
        chosen,
        kept.map,
        drawing,
        output,
        replaced=kept.replaced,
        n_placed=None if kept.is_new else kept.n_placed,
        place=place,
    )


def draw(
    *,
    name: Annotated[
        str | None,
        argument(f"Which; by default {DEFAULT_METHOD}, or the only one that there is.", "NAME"),
    ] = None,
    drawing: MapDrawing,
    collection: CollectionOption = None,
    output: Output,
) -> None:
    """Draw a map that is there; place images on it that came later.

    The others stay where they are.
    """
    drawing.check()
    chosen = open_named(collection)
    check_color(chosen, drawing.color)
    with watched(quiet=output.is_silent) as watch:
        found, n_placed = chosen.maps.place(chosen.maps.usual(name), **watch.told)
    show_map(chosen, found, drawing, output, n_placed=n_placed, place=collection)


def list_(*, collection: CollectionOption = None, output: Output) -> None:
    """List the maps that are kept."""
    print_list(open_named(collection), output.json)


def delete(*, name: NameArgument, collection: CollectionOption = None, output: Output) -> None:
    """Delete a map; the images stay."""
    open_named(collection).maps.delete(name)
    output.tell({"deleted": name}, f"deleted {name}")
