"""``lookalike roots``: the folders and data sets that a collection is made of, and where they lie."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from lookalike.cli.console import how_long, print_json, relative, say, watched
from lookalike.cli.hints import advise
from lookalike.cli.locate import open_named
from lookalike.cli.options import CollectionOption, Output, WaitOption, option
from lookalike.system.wording import count_images

if TYPE_CHECKING:
    from lookalike.results.info import RootInfo


def roots(
    *,
    collection: CollectionOption = None,
    move: Annotated[
        tuple[Path, Path] | None,
        option("The root OLD, a folder or a name, lies in the folder NEW now.", metavar="OLD NEW"),
    ] = None,
    wait: WaitOption = None,
    output: Output,
) -> None:
    """List the folders and data sets of the collection, or say that a folder lies elsewhere now.

    A sample of the files is compared with what the collection knows of them; none is embedded again.
    """
    chosen = open_named(collection)
    if move is not None:
        with watched(quiet=output.is_silent) as watch:
            n_compared = chosen.move_root(*move, wait=how_long(wait), **watch.told)
    found = chosen.list_roots()
    if output.json:
        print_json({"roots": [each.to_dict(relative, advise) for each in found]})
    elif not output.quiet:
        if move is not None:
            say(f"{n_compared:,} files compared, and nothing read again")
        for each in found:
            _print(each)


def _print(root: RootInfo) -> None:
    images = count_images(root.images)
    if root.folder is None:
        say(root.name, images, "data set")
    else:
        say(root.name, images, relative(str(root.folder)) + ("" if root.is_there else "  (not there)"))
