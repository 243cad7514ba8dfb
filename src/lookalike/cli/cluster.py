"""``lookalike cluster make|show|edit|export|list|delete``: groups of look-alikes, by name.

``try`` is in `cluster_try`, how clusters are shown in `clusterings`, the bare ``lookalike cluster`` in
`cluster_bare`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lookalike.cli.clusterings import print_list, show_clustering
from lookalike.cli.console import watched
from lookalike.cli.locate import open_named
from lookalike.cli.options import (
    ClusterChanges,
    ClusteringArgument,
    ClusterMaking,
    CollectionOption,
    NameArgument,
    Output,
    Picture,
    option,
    picture_of,
)
from lookalike.cli.streamed import is_standard, streamed
from lookalike.collection.export.forms import DEFAULT_FORM, form_names
from lookalike.errors import InvalidInputError
from lookalike.system.wording import count_images

Sheet = Annotated[Picture, picture_of("Save a contact sheet of the clusters")]


def make(
    *,
    making: ClusterMaking,
    name: Annotated[
        str | None, option("Under which they are kept; by default the algorithm's.", metavar="NAME")
    ] = None,
    picture: Sheet,
    collection: CollectionOption = None,
    output: Output,
) -> None:
    """Make clusters, and keep them under a name.

    They replace those of the same name, unless you have named or changed any of these: then another --name is
    wanted.
    """
    picture.check()
    arguments = making.arguments()
    chosen = open_named(collection)
    with watched(quiet=output.is_silent) as watch:
        found = chosen.clusterings.make(**arguments, name=name, **watch.told)
    show_clustering(chosen, found, picture, output, is_new=True)


def show(
    *,
    name: ClusteringArgument = None,
    picture: Sheet,
    collection: CollectionOption = None,
    output: Output,
) -> None:
    """Show the clusters of a name: sizes, labels, the most central images."""
    picture.check()
    chosen = open_named(collection)
    found = chosen.clusterings.get(chosen.clusterings.usual(name))
    show_clustering(chosen, found, picture, output)


def edit(
    *,
    name: ClusteringArgument = None,
    changes: ClusterChanges,
    picture: Sheet,
    collection: CollectionOption = None,
    output: Output,
) -> None:
    """Name, merge and fill clusters that are there, and move images: all or nothing.

    First what --rename says is done, then --merge, --move and --assign.
    """
    arguments = changes.arguments()
    if not any(arguments.values()):
        raise InvalidInputError("nothing is to be changed; expected --rename, --merge, --move or --assign")
    picture.check()
    chosen = open_named(collection)
    with watched(quiet=output.is_silent) as watch:
        found, n_assigned = chosen.clusterings.edit(chosen.clusterings.usual(name), **arguments, **watch.told)
    show_clustering(chosen, found, picture, output, n_assigned if changes.assign else None)


def export(
    *,
    name: ClusteringArgument = None,
    to: Annotated[
        Path,
        typer.Option(metavar="DEST", help="A new file, a new or empty folder, or - for standard output."),
    ],
    form: Annotated[
        str,
        typer.Option(
            "--as",
            metavar="|".join(form_names()),
            help="A table, a document, or a folder of images for each cluster: copies or links.",
        ),
    ] = DEFAULT_FORM,
    force: Annotated[bool, typer.Option("--force", help="Write over what an export has left there.")] = False,
    collection: CollectionOption = None,
    output: Output,
) -> None:
    """Write clusters to a table or a document, or a folder of images for each."""
    is_streamed = is_standard(to, form, json=output.json, force=force)
    chosen = open_named(collection)
    target = chosen.clusterings.usual(name)
    with watched(quiet=output.is_silent) as watch:
        if is_streamed:
            with streamed(form) as file:
                chosen.clusterings.export(target, file, form, **watch.told)
            return
        n_exported = chosen.clusterings.export(target, to, form, force=force, **watch.told)
    output.tell(
        {"name": target, "exported": n_exported, "to": str(to), "as": form},
        f"exported {count_images(n_exported)} to {to}",
    )


def list_(*, collection: CollectionOption = None, output: Output) -> None:
    """List the clusterings that are kept."""
    print_list(open_named(collection), output.json)


def delete(*, name: NameArgument, collection: CollectionOption = None, output: Output) -> None:
    """Delete a clustering; the images stay."""
    open_named(collection).clusterings.delete(name)
    output.tell({"deleted": name}, f"deleted {name}")
