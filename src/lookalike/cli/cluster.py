"""``lookalike cluster``: groups of look-alikes, found, kept, named, changed and exported.

Here are its options, and what they may not be together. How clusters are shown is in `clusterings`; what
``--try`` shows, in `trials`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from lookalike.choices import ALGORITHMS, FORMS
from lookalike.cli.cluster_try import Trial, show_trial
from lookalike.cli.clusterings import document_of, print_clustering, print_list
from lookalike.cli.console import check_dark, print_json, save_picture, say, step_progress
from lookalike.cli.options import CollectionOption, DarkOption, JsonOption, QuietOption
from lookalike.errors import CollectionConflictError, InvalidInputError
from lookalike.system.wording import count_images

_MAKE = "Make clusters"
_CHANGE = "Change clusters that are there, all or nothing"


def cluster(
    algorithm: Annotated[
        str | None,
        typer.Option(
            metavar="|".join(ALGORITHMS),
            help="How; kmeans by default. dbscan and hdbscan find the number of clusters, and leave noise.",
            rich_help_panel=_MAKE,
            show_default=False,
        ),
    ] = None,
    k: Annotated[
        str | None,
        typer.Option(
            "-k",
            metavar="N",
            help="How many clusters; by default the root of half the number of images, 2 to 100."
            " With --try, those to be tried: 5,10,20 or 2-100.",
            rich_help_panel=_MAKE,
            show_default=False,
        ),
    ] = None,
    eps: Annotated[
        float | None,
        typer.Option(
            metavar="DISTANCE",
            help="dbscan: how far neighbours may be; by default found from the distances.",
            rich_help_panel=_MAKE,
            show_default=False,
        ),
    ] = None,
    min_samples: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="dbscan, hdbscan: images that make a dense place; by default 5.",
            rich_help_panel=_MAKE,
            show_default=False,
        ),
    ] = None,
    min_cluster_size: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="hdbscan: what is smaller is noise; by default 5.",
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
    random_state: Annotated[
        int | None,
        typer.Option(
            metavar="SEED",
            help="The same images and number give the same clusters; 0 by default.",
            rich_help_panel=_MAKE,
            show_default=False,
        ),
    ] = None,
    in_batches: Annotated[
        bool,
        typer.Option(
            "--in-batches",
            help="kmeans: read vectors from the disk again and again, to take little memory. Done by itself"
            " where they would not fit.",
            rich_help_panel=_MAKE,
        ),
    ] = False,
    trial: Annotated[
        bool,
        typer.Option(
            "--try",
            help="Keep nothing; try several numbers of clusters, or for dbscan distances, and suggest one.",
            rich_help_panel=_MAKE,
        ),
    ] = False,
    name: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Under which they are kept, or are there; by default the algorithm's.",
            show_default=False,
        ),
    ] = None,
    rename: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CLUSTER=NEW",
            help="Name a cluster, known by number or name; may be repeated.",
            rich_help_panel=_CHANGE,
            show_default=False,
        ),
    ] = None,
    merge: Annotated[
        list[str] | None,
        typer.Option(
            metavar="A,B,…",
            help="Make clusters one; may be repeated.",
            rich_help_panel=_CHANGE,
            show_default=False,
        ),
    ] = None,
    move: Annotated[
        list[str] | None,
        typer.Option(
            metavar="IMAGE=CLUSTER",
            help="Put an image into another cluster, or into noise; may be repeated.",
            rich_help_panel=_CHANGE,
            show_default=False,
        ),
    ] = None,
    assign: Annotated[
        bool,
        typer.Option(
            "--assign",
            help="Put images that came later into the clusters that are there.",
            rich_help_panel=_CHANGE,
        ),
    ] = False,
    delete: Annotated[
        bool, typer.Option("--delete", help="Delete the clustering of that name.", rich_help_panel=_CHANGE)
    ] = False,
    export: Annotated[
        Path | None,
        typer.Option(
            metavar="DEST",
            help="Write the clusters to a new file, or a new or empty folder: see --as.",
            show_default=False,
        ),
    ] = None,
    form: Annotated[
        str | None,
        typer.Option(
            "--as",
            metavar="|".join(FORMS),
            help="With --export: a table (csv, the default), a document, or a folder of images for each"
            " cluster: copies or links.",
            show_default=False,
        ),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Save a contact sheet of the clusters, or the curves of --try (.png, .svg, .pdf, .jpg).",
            show_default=False,
        ),
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="Say which clusterings there are.")] = False,
    dark: DarkOption = False,
    collection: CollectionOption = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Find groups of look-alikes, and keep them under a name.

    Those that are there are shown with --name NAME, changed, and exported.
    --algorithm, -k and their like make new ones, unless you have changed any.
    """
    from lookalike.cli.locate import open_named

    making = {
        "--algorithm": algorithm,
        "-k": k,
        "--eps": eps,
        "--min-samples": min_samples,
        "--min-cluster-size": min_cluster_size,
        "--model": model,
        "--random-state": random_state,
        "--in-batches": in_batches or None,
    }
    asked_making = [option for option, value in making.items() if value is not None]
    changes = {"--rename": rename, "--merge": merge, "--move": move, "--assign": assign, "--delete": delete}
    asked_changes = [option for option, value in changes.items() if value]
    if trial:
        kept = {
            "--eps": eps,
            "--min-cluster-size": min_cluster_size,
            "--in-batches": in_batches or None,
            "--name": name,
            "--export": export,
        }
        in_vain = [option for option, value in kept.items() if value is not None] + asked_changes
        if in_vain or list_:
            raise InvalidInputError(
                f"--try keeps nothing, and takes no {[*in_vain, '--list'][0]}; leave one of them out"
            )
    if list_ and (asked_making or asked_changes or export or plot):
        others = [*asked_making, *asked_changes, "--export" if export else "--plot"]
        raise InvalidInputError(f"--list says what there is, and takes no {others[0]}; leave one of them out")
    if asked_making and asked_changes:
        raise InvalidInputError(
            f"{asked_making[0]} makes clusters, {asked_changes[0]} changes those that are there; run them one"
            " after the other"
        )
    renames = [_pair("--rename", words, "CLUSTER=NEW") for words in rename or []]
    moves = [_pair("--move", words, "IMAGE=CLUSTER") for words in move or []]
    if delete and (asked_changes != ["--delete"] or export or plot):
        raise InvalidInputError("--delete goes alone; leave out the other options")
    if delete and name is None:
        raise InvalidInputError("--delete cannot be taken back; say which clusters with --name")
    check_dark(dark, plot)
    if form is not None and export is None:
        raise InvalidInputError("--as is for --export; say where to")
    if plot is not None:
        from lookalike.plots import check_ending

        check_ending(plot)
    if export is not None:
        from lookalike.collection.clusterings.exporting import check_export

        check_export(export, form or FORMS[0])
    if trial:
        asked = Trial(algorithm or "kmeans", k, min_samples, model, random_state, collection)
        asked.check()
        show_trial(asked, open_named(collection), plot, dark, json, quiet)
        return
    n_clusters = None if k is None else _number("-k", k)
    chosen = open_named(collection)
    if list_:
        print_list(chosen, json)
        return
    there = chosen.clusterings()
    target = name if name is not None else _usual(there, algorithm, must_be=bool(asked_changes))
    if delete:
        chosen.delete_clustering(target)
        if json:
            print_json({"deleted": target})
        elif not quiet:
            say(f"deleted {target}")
        return
    n_assigned, is_new = None, False
    with step_progress(quiet=quiet or json) as report:
        if asked_changes:
            found, n_assigned = chosen.change_clusters(
                target,
                rename=renames,
                merge=[[word.strip() for word in words.split(",")] for words in merge or []],
                move=moves,
                assign=assign,
                report=report,
            )
        elif not asked_making and target in there and (name or export or plot):
            found = chosen.clustering(target)
        else:
            is_new = True
            found = chosen.cluster(
                algorithm or "kmeans",
                n_clusters,
                name=target,
                model=model,
                eps=eps,
                min_samples=min_samples,
                min_cluster_size=min_cluster_size,
                random_state=random_state or 0,
                in_batches=in_batches or None,
                report=report,
            )
        n_exported = None
        if export is not None:
            report(f"exporting to {export}")
            n_exported = chosen.export_clustering(target, export, form or FORMS[0])
    n_assigned = n_assigned if assign else None
    if plot is not None:
        from lookalike.drawing import draw_clusters

        save_picture(lambda: draw_clusters(chosen, found), plot, dark)
    if json:
        print_json(document_of(found, n_assigned))
        return
    if not quiet:
        print_clustering(found, n_assigned, is_new)
        if n_exported is not None:
            say(f"exported {count_images(n_exported)} to {export}")


def _usual(there: Sequence[str], algorithm: str | None, must_be: bool) -> str:
    """Return the name that is meant where none was given."""
    usual = algorithm or "kmeans"
    if not must_be or usual in there:
        return usual
    if len(there) == 1:
        return there[0]
    raise CollectionConflictError(
        f"there are several clusterings: {', '.join(there)}; say which with --name"
        if there
        else "there is no clustering in this collection yet; make one with `lookalike cluster`"
    )


def _pair(option: str, words: str, expected: str) -> tuple[str, str]:
    before, sign, after = words.rpartition("=")
    if not sign or not before.strip():
        raise InvalidInputError(f"{option} is {words!r}; expected {expected}")
    return before.strip(), after.strip()


def _number(option: str, words: str) -> int:
    try:
        return int(words)
    except ValueError:
        raise InvalidInputError(
            f"{option} is {words!r}; expected a whole number; several are tried with --try"
        ) from None
