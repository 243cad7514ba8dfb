"""``lookalike copy``: the collection in another folder, as it is at one moment."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, cast

import typer

from lookalike.cli.console import how_long, refuse_standard, relative, watched
from lookalike.cli.locate import open_named
from lookalike.cli.options import CollectionOption, Output, option
from lookalike.system.wording import count_images


def copy(
    *,
    to: Annotated[
        Path, typer.Argument(metavar="DEST", help="The folder that is to hold it; made if need be.")
    ],
    collection: CollectionOption = None,
    roots: Annotated[
        str | None,
        option(
            "Where the copy looks for the folders of images: where they lie now, by default; or as this"
            " collection does, below its own folder, for who moves both.",
            metavar="absolute|relative",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a collection that is there.")] = False,
    wait: Annotated[
        bool | None,
        option(
            "Wait for another that copies to DEST, or writes to the collection that is replaced there, as"
            " long as it takes, or not at all. By default it waits on a terminal only.",
            "--wait/--no-wait",
        ),
    ] = None,
    output: Output,
) -> None:
    """Copy the collection, as it is at one moment, to another folder; verified.

    It is put into DEST/.lookalike, whatever others write meanwhile. Every file is compared with its checksum,
    and read again from where it was written. Whatever else is in DEST stays as it is. The images themselves
    are not copied, but for those that were added under keys. For example: lookalike copy /mnt/backup/photos
    """
    refuse_standard(to, "a collection", "the name of a folder")
    chosen = open_named(collection)
    form = cast("Literal['absolute', 'relative']", roots or "absolute")
    with watched(quiet=output.is_silent) as watch:
        done = chosen.copy(to, roots=form, force=force, wait=how_long(wait), **watch.told)
    output.tell(
        done.to_dict(relative),
        f"{relative(str(done.folder))}: {count_images(done.images)}, {done.files:,} files,"
        f" {done.size / 1e6:,.1f} MB, verified",
    )
