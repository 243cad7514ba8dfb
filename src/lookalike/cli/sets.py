"""``lookalike sets``: named lists of images."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

from lookalike.cli.console import place_of, print_json, print_raw, relative, say, tell
from lookalike.cli.filters import Filters
from lookalike.cli.locate import open_named, open_near
from lookalike.cli.options import CollectionOption, FilepathOnlyOption, NameArgument, Output, argument, given
from lookalike.system.plain_files import read_stdin
from lookalike.system.wording import count_images

if TYPE_CHECKING:
    from lookalike.results.said import Change

ImagesArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="IMAGE",
        help="Image files, ids, or mnist:test/42; - reads them from standard input, one a line.",
        show_default=False,
    ),
]


def list_(*, collection: CollectionOption = None, output: Output) -> None:
    """List the sets, and how many images each has."""
    found = open_named(collection).sets.list()
    if output.json:
        print_json({"sets": [each.to_dict() for each in found]})
        return
    for each in found:
        missing = f"({each.missing:,} not here now)" if each.missing else ""
        say(each.name, count_images(each.size), *filter(None, [missing]))
    if not found and not output.quiet:
        tell("no sets; for example: lookalike sets add best beach.jpg")


def show(
    *,
    name: NameArgument,
    collection: CollectionOption = None,
    filepath_only: FilepathOnlyOption = False,
    output: Output,
) -> None:
    """Show the images of a set, in the order in which they were put there."""
    chosen = open_named(collection)
    hits = chosen.sets.hits(name)
    n_missing = len(chosen.sets.images(name)) - len(hits)
    if output.json:
        images = [
            {"id": hit.hex_id, "paths": [relative(path) for path in hit.paths], "label": hit.label}
            for hit in hits
        ]
        print_json({"set": name, "images": images, "missing": n_missing})
        return
    for hit in hits:
        if filepath_only:
            print_raw(relative(hit.path))
        else:
            say(hit.hex_id, place_of(hit), hit.label or "")
    if n_missing and not filepath_only and not output.quiet:
        say(f"and {count_images(n_missing)} not in the collection now")


def add(
    *,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of a set that is there, or of a new one.")],
    images: Annotated[
        list[str] | None,
        argument(
            "Image files, ids, or mnist:test/42; - reads them from standard input, one a line. None makes an"
            " empty set.",
            "IMAGE",
        ),
    ] = None,
    filters: Filters,
    collection: CollectionOption = None,
    output: Output,
) -> None:
    """Put images into a set; it is made if need be.

    With filters, all images that pass, by path. What a search finds: lookalike search beach.jpg -k 100 -f |
    lookalike sets add beach -
    """
    names = named_images(images or [])
    chosen = open_near(names, collection)
    wanted: list[str | int] = [*names]
    if given(filters):
        wanted += chosen.browse(where=filters.where()).hits.ids.tolist()
    tell_change(chosen.sets.add(name, wanted), output)


def remove(
    *,
    name: NameArgument,
    images: ImagesArgument,
    collection: CollectionOption = None,
    output: Output,
) -> None:
    """Take images out of a set; they stay in the collection."""
    names = named_images(images)
    tell_change(open_near(names, collection).sets.remove(name, names), output)


def rename(
    *,
    old: Annotated[str, typer.Argument(metavar="OLD", help="What it is called.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="What it is to be called.")],
    collection: CollectionOption = None,
    output: Output,
) -> None:
    """Give a set another name."""
    tell_change(open_named(collection).sets.rename(old, new), output)


def delete(*, name: NameArgument, collection: CollectionOption = None, output: Output) -> None:
    """Delete a set; its images stay."""
    tell_change(open_named(collection).sets.delete(name), output)


def named_images(images: list[str]) -> list[str]:
    """Return the images that somebody typed, or that another program printed."""
    names: list[str] = []
    for name in images:
        if name == "-":
            names += [
                os.fsdecode(line.removesuffix(b"\r")) for line in read_stdin().split(b"\n") if line.strip()
            ]
        else:
            names.append(name)
    return names


def tell_change(change: Change | None, output: Output) -> None:
    """Say what was changed, and how it is undone."""
    document = {"change": None if change is None else change.to_dict()}
    line = "nothing to change" if change is None else f"{change.words} (change {change.number})"
    output.tell(document, line)
