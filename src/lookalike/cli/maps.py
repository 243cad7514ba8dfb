"""How maps are shown: as a picture, in words, in a list, as JSON."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from lookalike.cli.console import complain, print_json, relative, say, tell
from lookalike.cli.hints import advise
from lookalike.cli.options import only_given, spelled
from lookalike.cli.saving import Saveable, is_picture, save
from lookalike.errors import CollectionConflictError, InvalidInputError
from lookalike.projection.methods import get_method
from lookalike.system.wording import count_images

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from lookalike.cli.options import MapDrawing, Output
    from lookalike.collection import Collection
    from lookalike.plots import Groups
    from lookalike.results.maps import ImageMap

_COLORS = ("label", "cluster", "none")
_MANY_PLACED = 0.2  # the share from which a map made anew would be a better one


def show_map(
    collection: Collection,
    found: ImageMap,
    drawing: MapDrawing,
    output: Output,
    *,
    replaced: ImageMap | None = None,
    n_placed: int | None = None,
    place: Path | None = None,
) -> None:
    """Draw a map and tell of it, as was asked.

    Parameters
    ----------
    replaced : ImageMap, optional
        What was there under its name, if that was another kind of map.
    n_placed : int, optional
        How many images were placed on it just now, if it was there.
    place : Path, optional
        Of the collection, as the user named it.
    """
    from lookalike.drawing import choose_groups, draw_map

    groups = None
    is_told = output.json or (drawing.output is not None and not is_picture(drawing.output))
    is_usual = drawing.drawn_as.is_colored or is_told
    if (drawing.output is not None or output.json) and (is_usual or drawing.color):
        groups = choose_groups(collection, found, drawing.color)

    def draw() -> Figure:
        colors = groups if drawing.color or drawing.drawn_as.is_colored else None
        how = only_given(size=drawing.size, n_tiles=drawing.max_tiles)
        return draw_map(collection, found, colors, drawing.style, **how)

    def document() -> dict[str, Any]:
        return _document(found, replaced, groups, n_placed, drawing.output)

    made = Saveable.of(f"map {found.name}", found, document, draw)
    save(drawing.output, made, dark=drawing.dark, force=drawing.force)
    if output.json:
        print_json(document())
    elif not output.quiet:
        for line in _summary(found, replaced, n_placed, drawing.output, place):
            say(line)
        note = collection.label_note
        if (
            note is not None
            and is_usual
            and drawing.color is None
            and (groups is None or groups.kind != "label")
        ):
            say(advise(note))


def check_color(collection: Collection, color: str | None) -> None:
    """Raise unless there is what the colours are to tell: before the map is made, which may take a while."""
    if color is None:
        return
    if color == "cluster":
        collection.clusterings.usual()
    elif color not in _COLORS and color not in collection.clusterings:
        there = ", ".join([*_COLORS, *collection.clusterings])
        raise InvalidInputError(
            f"--color is {color!r}; expected one of {there}, and there is no clustering of that name"
        )
    elif color == "label" and not collection.info().labels:
        if (note := collection.label_note) is not None:
            raise CollectionConflictError(str(note), hint=note.hint)
        raise CollectionConflictError(
            f"no image of the collection in {collection.folder} has a label; leave out --color, or make"
            " clusters with `lookalike cluster make`"
        )


def _summary(
    found: ImageMap,
    replaced: ImageMap | None,
    n_placed: int | None,
    output: Path | None,
    place: Path | None,
) -> list[str]:
    n = len(found.images)
    lines = [f"{found.name}: {_in_words(found)}"]
    if replaced is not None:
        lines.append(f"in place of the one that was there: {_in_words(replaced)}, made {replaced.made}")
    used = found.parameters.get("perplexity")
    if used is not None and found.perplexity is not None and used < found.perplexity:
        lines.append(
            f"perplexity {found.perplexity:g} was asked for; of {count_images(n)} it can be {used:.3g}"
        )
    if n_placed is not None:
        lines.append(
            f"placed {count_images(n_placed)} that came later; the others stay where they were"
            if n_placed
            else f"drawn as it was made, {found.made}"
            if output is not None
            else f"made {found.made}"
        )
        if found.is_placed.sum() > _MANY_PLACED * n:
            lines.append(f"many of them came later: {_how_to_make(found, place)} makes it anew")
    if output is None:
        lines.append(f"to see it: {spelled('map', 'draw', found.name, c=place, o='map.png')}")
    return lines


def _how_to_make(found: ImageMap, place: Path | None) -> str:
    name = None if found.name == found.method else found.name
    return spelled("map", "make", c=place, method=found.method, name=name)


def _in_words(found: ImageMap) -> str:
    from lookalike.drawing import facts_of_map

    how = ", ".join(facts_of_map(found))
    return f"{get_method(found.method).title} of {count_images(len(found.images))}, {how}"


def print_list(collection: Collection, json: bool) -> None:
    """Print a line for each map, or a document of all."""
    from lookalike.drawing import facts_of_map

    maps, damaged = collection.maps.list()
    if json:
        broken = [{"name": name, "damaged": advise(reason)} for name, reason in damaged.items()]
        print_json({"maps": [found.about() for found in maps] + broken})
        return
    for found in maps:
        say(
            found.name,
            get_method(found.method).title,
            ", ".join(facts_of_map(found)),
            count_images(len(found.images)),
            found.made,
        )
    for reason in damaged.values():
        complain(reason)
    if not maps and not damaged:
        tell("there is no map in this collection yet; make one with `lookalike map make`")


def _document(
    found: ImageMap,
    replaced: ImageMap | None,
    groups: Groups | None,
    n_placed: int | None,
    output: Path | None,
) -> dict[str, Any]:
    """Return what ``--json`` prints: the map, what was done now, and the clusters that colours tell."""
    drawn = found.to_dict(relative, advise)
    clusters = groups if groups is not None and groups.kind == "cluster" else None
    for row, point in enumerate(drawn["points"]):
        if clusters is not None:
            number = int(clusters.numbers[row])
            point["cluster"] = clusters.names[number] if number >= 0 else None
    return drawn | {
        "made_now": n_placed is None,
        "replaced": None if replaced is None else replaced.about(),
        "placed_now": n_placed or 0,
        "plot": None if output is None else str(output),
    }
