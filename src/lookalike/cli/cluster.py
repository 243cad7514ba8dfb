"""``lookalike cluster``: groups of look-alikes, found, kept, named, changed and exported."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lookalike.cli.console import complain, print_json, relative, say, step_progress
from lookalike.cli.options import CollectionOption, JsonOption, QuietOption
from lookalike.errors import CollectionError, InvalidInputError, LookalikeError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lookalike.answers import Cluster, Clustering
    from lookalike.collection import Collection
    from lookalike.types import ImageId

_ALGORITHMS = ("kmeans", "hierarchical", "dbscan", "hdbscan", "spectral", "agglomerative")
_FORMS = ("csv", "json", "copy", "hardlink", "symlink")
_MAKE = "Make clusters"
_CHANGE = "Change clusters that are there"
_SHOWN = 30  # clusters of a table; the rest is summed up
_ON_SHEET = 40
_CENTRAL, _DOUBTFUL = 9, 3  # images of a row of the sheet


def cluster(
    algorithm: Annotated[
        str | None,
        typer.Option(
            metavar="|".join(_ALGORITHMS),
            help="How; kmeans by default. dbscan and hdbscan find the number of clusters, and leave noise.",
            rich_help_panel=_MAKE,
            show_default=False,
        ),
    ] = None,
    k: Annotated[
        int | None,
        typer.Option(
            "-k",
            metavar="N",
            help="How many clusters; by default the root of half the number of images, 2 to 100.",
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
        str,
        typer.Option(
            "--as",
            metavar="|".join(_FORMS),
            help="A table, a document, or a folder of images for each cluster: copies or links.",
        ),
    ] = "csv",
    plot: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Save a contact sheet of the clusters (.png, .svg, .pdf, .jpg).",
            show_default=False,
        ),
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="Say which clusterings there are.")] = False,
    collection: CollectionOption = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Find groups of look-alikes, and keep them under a name.

    Those that are there are shown with --name NAME, changed, and exported.
    --algorithm, -k and their like make new ones, unless you have changed any.
    """
    from lookalike.cli.choose import open_named

    making = {
        "--algorithm": algorithm,
        "-k": k,
        "--eps": eps,
        "--min-samples": min_samples,
        "--min-cluster-size": min_cluster_size,
        "--model": model,
        "--random-state": random_state,
    }
    asked_making = [option for option, value in making.items() if value is not None]
    changes = {"--rename": rename, "--merge": merge, "--move": move, "--assign": assign, "--delete": delete}
    asked_changes = [option for option, value in changes.items() if value]
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
    if plot is not None:
        from lookalike.plots import check_ending

        check_ending(plot)
    if export is not None:
        from lookalike.collection.exporting import check_export

        check_export(export, form)
    chosen = open_named(collection)
    if list_:
        _print_list(chosen, json)
        return
    there = chosen.clusterings()
    target = name or _usual(there, algorithm, must_be=bool(asked_changes))
    if delete:
        chosen.delete_clustering(target)
        if json:
            print_json({"deleted": target})
        elif not quiet:
            say(f"deleted {target}")
        return
    with step_progress(quiet=quiet or json) as report:
        n_assigned = None
        if asked_changes or (not asked_making and target in there and (name or export or plot)):
            found = chosen.clustering(target)
            for word, new in renames:
                found = chosen.rename_cluster(target, word, new)
            for words in merge or []:
                found = chosen.merge_clusters(target, [word.strip() for word in words.split(",")])
            for word in dict.fromkeys(word for _, word in moves):
                images = [image for image, to in moves if to == word]
                found = chosen.move_to_cluster(target, images, word)
            if assign:
                found, n_assigned = chosen.assign_to_clusters(target, report)
        else:
            found = chosen.cluster(
                algorithm or "kmeans",
                k,
                name=target,
                model=model,
                eps=eps,
                min_samples=min_samples,
                min_cluster_size=min_cluster_size,
                random_state=random_state or 0,
                report=report,
            )
        n_exported = None
        if export is not None:
            report(f"exporting to {export}")
            n_exported = chosen.export_clustering(target, export, form)
    if plot is not None:
        _save_plot(plot, chosen, found)
    if json:
        print_json(_document(found, n_assigned))
        return
    if not quiet:
        _print(found, n_assigned)
        if n_exported is not None:
            say(f"exported {_images(n_exported)} to {export}")


def _usual(there: Sequence[str], algorithm: str | None, must_be: bool) -> str:
    """Return the name that is meant where none was given."""
    usual = algorithm or "kmeans"
    if not must_be or usual in there:
        return usual
    if len(there) == 1:
        return there[0]
    raise CollectionError(
        f"there are several clusterings: {', '.join(there)}; say which with --name"
        if there
        else "there is no clustering in this collection yet; make one with `lookalike cluster`"
    )


def _pair(option: str, words: str, expected: str) -> tuple[str, str]:
    before, sign, after = words.rpartition("=")
    if not sign or not before.strip():
        raise InvalidInputError(f"{option} is {words!r}; expected {expected}")
    return before.strip(), after.strip()


def _images(count: int) -> str:
    return "1 image" if count == 1 else f"{count:,} images"


def _parameters(found: Clustering) -> str:
    return ", ".join(f"{name} = {value:.4g}" for name, value in found.parameters.items())


def _print_list(collection: Collection, json: bool) -> None:
    clusterings, damaged = [], {}
    for name in collection.clusterings():
        try:
            clusterings.append(collection.clustering(name))
        except LookalikeError as error:  # the others are there all the same
            damaged[name] = str(error)
    if json:
        print_json(
            {
                "clusterings": [
                    {
                        key: value
                        for key, value in _document(found).items()
                        if key not in ("clusters", "scores")
                    }
                    for found in clusterings
                ]
                + [{"name": name, "damaged": reason} for name, reason in damaged.items()]
            }
        )
        return
    for found in clusterings:
        say(
            found.name,
            found.algorithm,
            _parameters(found),
            found.model,
            f"{found.n_clusters:,} clusters",
            _images(len(found.ids)),
            found.made,
        )
    for reason in damaged.values():
        complain(reason)
    if not clusterings and not damaged and sys.stdout is not None and sys.stdout.isatty():
        say("there is no clustering in this collection yet; make one with `lookalike cluster`")


def _print(found: Clustering, n_assigned: int | None) -> None:
    """Print a table of clusters and a summary for a person, or the table separated by tabs for a program."""
    is_table = sys.stdout is not None and sys.stdout.isatty()
    shown = found.clusters[:_SHOWN] if is_table else found.clusters
    head = ("cluster", "name", "size", "cohesion", "label", "most central image")
    rows = [head] if is_table else []
    rows += [_row(each) for each in shown]
    if not is_table:
        for row in rows:
            say(*row)
        return
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    for number, name, size, cohesion, label, path in rows:
        cells = [f"{number:>{widths[0]}}", f"{name:<{widths[1]}}", f"{size:>{widths[2]}}"]
        cells += [f"{cohesion:>{widths[3]}}", f"{label:<{widths[4]}}", path]
        say("  ".join(cells))
    if len(found.clusters) > len(shown):
        rest = sum(each.size for each in found.clusters[_SHOWN:])
        say(f"… and {len(found.clusters) - _SHOWN:,} more, with {_images(rest)}: --json lists all")
    for line in _summary(found, n_assigned):
        say(line)


def _row(each: Cluster) -> tuple[str, str, str, str, str, str]:
    return (
        "noise" if each.is_noise else str(each.number),
        each.name or "",
        f"{each.size:,}",
        "–" if each.cohesion is None else f"{each.cohesion:.3f}",
        "" if each.label is None or each.label_share is None else f"{each.label} {each.label_share:.0%}",
        relative(each.central[0].path),
    )


def _summary(found: Clustering, n_assigned: int | None) -> list[str]:
    noise = f", {_images(found.n_noise)} of noise" if found.n_noise else ""
    clusters = "1 cluster" if found.n_clusters == 1 else f"{found.n_clusters:,} clusters"
    lines = [
        f"{found.name}: {_images(len(found.ids))} in {clusters}{noise}; {found.algorithm},"
        f" {_parameters(found)}, {found.model}"
    ]
    if found.scores is not None:
        scores = found.scores
        lines.append(
            f"next to the labels: purity {scores.purity:.3f}, NMI {scores.nmi:.3f}, ARI {scores.ari:.3f}"
        )
    if n_assigned is not None:
        lines.append(f"assigned {_images(n_assigned)} to clusters that were there")
    elif found.n_unassigned:
        lines.append(
            f"{_images(found.n_unassigned)} came later: lookalike cluster --name '{found.name}' --assign"
        )
    return lines


def _document(found: Clustering, n_assigned: int | None = None) -> dict[str, Any]:
    document: dict[str, Any] = {
        "name": found.name,
        "algorithm": found.algorithm,
        "parameters": dict(found.parameters),
        "random_state": found.random_state,
        "model": found.model,
        "made": found.made,
        "edited": found.is_edited,
        "images": len(found.ids),
        "noise": found.n_noise,
        "unassigned": found.n_unassigned,
    }
    if n_assigned is not None:
        document["assigned"] = n_assigned
    scores = found.scores
    document["scores"] = (
        None
        if scores is None
        else {
            "purity": round(scores.purity, 4),
            "nmi": round(scores.nmi, 4),
            "ari": round(scores.ari, 4),
        }
    )
    document["clusters"] = [
        {
            "cluster": each.number,
            "name": each.name,
            "size": each.size,
            "cohesion": None if each.cohesion is None else round(each.cohesion, 6),
            "label": each.label,
            "label_share": None if each.label_share is None else round(each.label_share, 4),
            "central": [relative(hit.path) for hit in each.central],
            "doubtful": [relative(hit.path) for hit in each.doubtful],
        }
        for each in found.clusters
    ]
    return document


def _save_plot(path: Path, collection: Collection, found: Clustering) -> None:
    from lookalike.plots import SheetRow, contact_sheet, save_figure

    shown = found.clusters[:_ON_SHEET]
    tiles = {each.number: _tiles(each) for each in shown}
    pictures = collection.thumbnails([image for each in tiles.values() for image in each])
    rows = [
        SheetRow(
            each.title,
            "  ·  ".join(
                [_images(each.size)]
                + ([] if each.cohesion is None else [f"cohesion {each.cohesion:.2f}"])
                + ([] if each.label is None else [f"{each.label} {each.label_share:.0%}"])
            ),
            [pictures[image] for image in tiles[each.number] if image in pictures],
            [is_doubtful for image, is_doubtful in tiles[each.number].items() if image in pictures],
        )
        for each in shown
    ]
    more = len(found.clusters) - len(shown)
    title = f"{found.name}: {_images(len(found.ids))} in {found.n_clusters:,} clusters"
    title += f", of which the {_ON_SHEET} largest" if more else ""
    save_figure(contact_sheet(rows, f"{title}; nearest to the centre first, doubtful ones framed"), path)
    print(f"saved {path}", file=sys.stderr)


def _tiles(each: Cluster) -> dict[ImageId, bool]:
    """Return the images of a row of the sheet, and whether they are there for being doubtful."""
    central = {hit.id: False for hit in each.central[:_CENTRAL]}
    doubtful = {hit.id: True for hit in each.doubtful[:_DOUBTFUL] if hit.id not in central}
    return central | doubtful if doubtful else {hit.id: False for hit in each.central}
