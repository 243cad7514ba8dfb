"""``lookalike map``: the images in the plane, look-alikes near each other; kept by name, and drawn."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from lookalike.choices import METHOD_TITLES, METHODS, STYLES
from lookalike.cli.console import (
    check_dark,
    complain,
    print_json,
    relative,
    save_picture,
    say,
    share_progress,
)
from lookalike.cli.hints import advise
from lookalike.cli.options import CollectionOption, DarkOption, JsonOption, QuietOption
from lookalike.errors import CollectionConflictError, InvalidInputError
from lookalike.system.wording import count_images

if TYPE_CHECKING:
    from lookalike.answers import ImageMap
    from lookalike.collection import Collection
    from lookalike.plots import Groups
    from lookalike.projection import Method

_COLORS = ("label", "cluster", "none")
_MAKE = "Make a map"
_DRAW = "Draw it"
_MANY_PLACED = 0.2  # the share from which a map made anew would be a better one


def draw_map(
    method: Annotated[
        str | None,
        typer.Option(
            metavar="|".join(METHODS),
            help="How; tsne by default. umap needs an extra.",
            rich_help_panel=_MAKE,
            show_default=False,
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            help="Which of the collection's models, by name or ONNX file; its own by default.",
            rich_help_panel=_MAKE,
            show_default=False,
        ),
    ] = None,
    perplexity: Annotated[
        float | None,
        typer.Option(
            metavar="NUMBER",
            help="tsne: about how many neighbours each image has; 30 by default, less for few images.",
            rich_help_panel=_MAKE,
            show_default=False,
        ),
    ] = None,
    random_state: Annotated[
        int | None,
        typer.Option(
            metavar="SEED",
            help="The same images and number give the same map; 0 by default.",
            rich_help_panel=_MAKE,
            show_default=False,
        ),
    ] = None,
    new: Annotated[
        bool,
        typer.Option(
            "--new",
            help="Make it anew, also where one of that name and kind is there.",
            rich_help_panel=_MAKE,
        ),
    ] = False,
    name: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Under which it is kept, or is there; by default the method's.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            help="Save it as a picture (.png, .svg, .pdf, .jpg).",
            rich_help_panel=_DRAW,
            show_default=False,
        ),
    ] = None,
    style: Annotated[
        str,
        typer.Option(
            metavar="|".join(STYLES),
            help="Points; the images themselves; or images on a grid, none covering another.",
            rich_help_panel=_DRAW,
        ),
    ] = "points",
    color: Annotated[
        str | None,
        typer.Option(
            metavar="label|cluster|none|NAME",
            help="What colours tell: labels, clusters, or those of the clustering NAME. By default labels,"
            " if there are any, else clusters; of images and tiles nothing.",
            rich_help_panel=_DRAW,
            show_default=False,
        ),
    ] = None,
    size: Annotated[
        str,
        typer.Option(
            metavar="hd|4k|WxH", help="Of the picture, pixels: hd is 1920x1080.", rich_help_panel=_DRAW
        ),
    ] = "hd",
    max_tiles: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="tiles: how many images at most; by default as many as can be made out.",
            rich_help_panel=_DRAW,
            show_default=False,
        ),
    ] = None,
    dark: DarkOption = False,
    list_: Annotated[bool, typer.Option("--list", help="Say which maps there are.")] = False,
    delete: Annotated[bool, typer.Option("--delete", help="Delete the map of that name.")] = False,
    collection: CollectionOption = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Make a map on which look-alikes lie near each other, keep it under a name, and draw it.

    A map that is there is drawn again without being made again: images that came later are placed on it, and
    the others stay. Another --method, --model, --perplexity or --random-state makes it anew, as does --new.
    """
    from lookalike.cli.locate import open_named

    if method is not None and method not in METHODS:
        raise InvalidInputError(f"there is no method {method!r}; expected one of {', '.join(METHODS)}")
    if style not in STYLES:
        raise InvalidInputError(f"there is no style {style!r}; expected one of {', '.join(STYLES)}")
    if max_tiles is not None and style != "tiles":
        raise InvalidInputError("--max-tiles is for --style tiles")
    check_dark(dark, output)
    if output is not None:
        from lookalike.plots import check_ending, read_size

        check_ending(output)
        read_size(size)
    if delete:
        if output is not None or new:
            raise InvalidInputError("--delete goes alone; leave out the other options")
        if name is None:
            raise InvalidInputError("--delete cannot be taken back; say which map with --name")
    chosen = open_named(collection)
    if list_:
        _print_list(chosen, json)
        return
    if delete:
        assert name is not None
        chosen.delete_map(name)
        if json:
            print_json({"deleted": name})
        elif not quiet:
            say(f"deleted {name}")
        return
    if color is not None:
        _check_color(chosen, color)
    asked = {"method": method, "model": model, "perplexity": perplexity, "random_state": random_state}
    target = name or method or METHODS[0]
    n_placed, replaced = None, None
    earlier = _read_earlier(chosen, target, new)
    found = None if new else earlier
    if found is not None and any(value not in (None, getattr(found, each)) for each, value in asked.items()):
        found = None
    if found is None:
        with share_progress(quiet=quiet or json) as report:
            found = chosen.map(
                cast("Method", method or METHODS[0]),
                target,
                model=model,
                perplexity=perplexity,
                random_state=random_state or 0,
                report=report,
            )
        if any(getattr(earlier, each, None) != getattr(found, each) for each in asked):
            replaced = earlier  # of another kind: more than the same again
    else:
        found, n_placed = chosen.place_on_map(target) if found.n_unplaced else (found, 0)
    groups = None
    if output is not None or json:
        groups = _choose_groups(chosen, found, color, is_usual=style == "points" or json)
    if output is not None:
        from lookalike.drawing import draw_map as draw

        drawn, colours = found, groups if color or style == "points" else None
        save_picture(lambda: draw(chosen, drawn, colours, style, size, max_tiles), output, dark)
    if json:
        print_json(_document(found, replaced, groups, n_placed, output))
    elif not quiet:
        for line in _summary(found, replaced, n_placed, output, collection):
            say(line)


def _read_earlier(collection: Collection, name: str, new: bool) -> ImageMap | None:
    """Return the map of that name, if there is one; where it is made anew anyway, a damaged one is none."""
    from lookalike.collection.stored.named_folders import read_each

    if name not in collection.maps():
        return None
    if not new:
        return collection.read_map(name)
    found, _ = read_each([name], collection.read_map)
    return found[0] if found else None


def _check_color(collection: Collection, color: str) -> None:
    """Raise unless there is what the colours are to tell: before the map is made, which may take a while."""
    if color == "cluster":
        _usual_clustering(collection)
    elif color not in _COLORS and color not in collection.clusterings():
        there = ", ".join([*_COLORS, *collection.clusterings()])
        raise InvalidInputError(
            f"--color is {color!r}; expected one of {there}, and there is no clustering of that name"
        )
    elif color == "label" and not collection.info().labels:
        raise CollectionConflictError(
            f"no image of the collection in {collection.folder} has a label; leave out --color, or make"
            " clusters with `lookalike cluster`"
        )


def _usual_clustering(collection: Collection) -> str:
    there = collection.clusterings()
    if "kmeans" in there:
        return "kmeans"
    if len(there) == 1:
        return there[0]
    raise CollectionConflictError(
        f"there are several clusterings: {', '.join(there)}; name one with --color"
        if there
        else "there is no clustering in this collection yet; make one with `lookalike cluster`"
    )


def _choose_groups(
    collection: Collection, found: ImageMap, color: str | None, is_usual: bool
) -> Groups | None:
    """Return what the colours tell; without a word of the user, what there is."""
    from lookalike.drawing import group_by_cluster, group_by_label

    if color == "none" or (color is None and not is_usual):
        return None
    has_labels = any(image.label is not None for image in found.images)
    if color == "label" or (color is None and has_labels):
        return group_by_label(found)
    if color is None and not collection.clusterings():
        return None
    if color is None and len(collection.clusterings()) > 1 and "kmeans" not in collection.clusterings():
        return None
    usual = color in (None, "cluster")
    name = _usual_clustering(collection) if usual else str(color)
    return group_by_cluster(found, collection.clustering(name))


def _summary(
    found: ImageMap,
    replaced: ImageMap | None,
    n_placed: int | None,
    output: Path | None,
    collection: Path | None,
) -> list[str]:
    n = len(found.images)
    lines = [f"{found.name}: {_in_words(found)}"]
    if replaced is not None:
        lines.append(f"in place of the one that was there: {_in_words(replaced)}, made {replaced.made}")
    words = ["lookalike", "map", *(["-c", str(collection)] if collection else []), "--name", found.name]
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
            lines.append(f"many of them came later: {shlex.join([*words, '--new'])} makes it anew")
    if output is None:
        lines.append(f"to see it: {shlex.join([*words, '-o', 'map.png'])}")
    return lines


def _in_words(found: ImageMap) -> str:
    from lookalike.drawing import facts_of_map

    how = ", ".join(facts_of_map(found))
    return f"{METHOD_TITLES[found.method]} of {count_images(len(found.images))}, {how}"


def _print_list(collection: Collection, json: bool) -> None:
    from lookalike.collection.stored.named_folders import read_each
    from lookalike.drawing import facts_of_map

    maps, damaged = read_each(collection.maps(), collection.read_map)
    if json:
        broken = [{"name": name, "damaged": advise(reason)} for name, reason in damaged.items()]
        print_json({"maps": [_about(found) for found in maps] + broken})
        return
    for found in maps:
        say(
            found.name,
            METHOD_TITLES[found.method],
            ", ".join(facts_of_map(found)),
            count_images(len(found.images)),
            found.made,
        )
    for reason in damaged.values():
        complain(reason)
    if not maps and not damaged and sys.stdout is not None and sys.stdout.isatty():
        say("there is no map in this collection yet; make one with `lookalike map`")


def _about(found: ImageMap) -> dict[str, Any]:
    return {
        "name": found.name,
        "method": found.method,
        "parameters": dict(found.parameters),
        "figures": {name: round(value, 6) for name, value in found.figures.items()},
        "random_state": found.random_state,
        "model": found.model,
        "made": found.made,
        "images": len(found.images),
        "placed": int(found.is_placed.sum()),
        "unplaced": found.n_unplaced,
    }


def _document(
    found: ImageMap,
    replaced: ImageMap | None,
    groups: Groups | None,
    n_placed: int | None,
    output: Path | None,
) -> dict[str, Any]:
    """Return the map as JSON, so that other programs can draw it."""
    document = _about(found) | {
        "made_now": n_placed is None,
        "replaced": None if replaced is None else _about(replaced),
        "placed_now": n_placed or 0,
        "plot": None if output is None else str(output),
        "points": [],
    }
    clusters = groups if groups is not None and groups.kind == "cluster" else None
    for row, image in enumerate(found.images):
        x, y = found.points[row].tolist()
        point = {"path": relative(image.path), "x": x, "y": y, "label": image.label, "id": image.hex_id}
        if clusters is not None:
            number = int(clusters.numbers[row])
            point["cluster"] = clusters.names[number] if number >= 0 else None
        document["points"].append(point | {"placed": bool(found.is_placed[row])})
    return document
