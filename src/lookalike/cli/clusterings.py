"""How clusterings are shown: as a table, in a list, as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lookalike.cli.console import complain, is_for_person, print_json, relative, say, tell
from lookalike.cli.hints import advise
from lookalike.cli.options import spelled
from lookalike.cli.saving import Saveable
from lookalike.system.wording import count_images, count_of

if TYPE_CHECKING:
    from lookalike.cli.options import Output, Picture
    from lookalike.collection import Collection
    from lookalike.results.clusterings import Cluster, Clustering

_SHOWN = 30  # clusters of a table; the rest is summed up
_ON_A_PAGE = 6  # images of each cluster
_SWITCHES = {"in_batches": "in batches", "fold": "duplicates folded"}


def _parameters(found: Clustering) -> str:
    words = {name: _SWITCHES.get(name) or f"{name} = {value:.4g}" for name, value in found.parameters.items()}
    return ", ".join(words.values())


def print_list(collection: Collection, json: bool) -> None:
    """Print a line for each clustering, or a document of all."""
    clusterings, damaged = collection.clusterings.list()
    if json:
        broken = [{"name": name, "damaged": advise(reason)} for name, reason in damaged.items()]
        print_json({"clusterings": [found.about() for found in clusterings] + broken})
        return
    for found in clusterings:
        say(
            found.name,
            found.algorithm,
            _parameters(found),
            found.model,
            count_of(found.n_clusters, "cluster"),
            count_images(len(found.ids)),
            found.made,
        )
    for reason in damaged.values():
        complain(reason)
    if not clusterings and not damaged:
        tell("there is no clustering in this collection yet; make one with `lookalike cluster make`")


def show_clustering(
    collection: Collection,
    found: Clustering,
    picture: Picture,
    output: Output,
    n_assigned: int | None = None,
    *,
    is_new: bool = False,
) -> None:
    """Draw and print the clusters of a name, as was asked.

    Parameters
    ----------
    n_assigned : int, optional
        How many images that came later were put into them just now, if any were to be.
    is_new : bool
        Whether they were made just now.
    """
    from lookalike.drawing import draw_clusters

    def document() -> dict[str, Any]:
        assigned = {} if n_assigned is None else {"assigned": n_assigned}
        return found.to_dict(relative, advise) | assigned

    def page() -> str:
        return found.to_html(len(found.clusters), _ON_A_PAGE)

    title = f"clusters of {found.name}"
    picture.save(Saveable(title, document, lambda: draw_clusters(collection, found), found.to_arrow, page))
    if output.json:
        print_json(document())
    elif not output.quiet:
        _print_clustering(found, n_assigned, is_new)
        note = collection.label_note
        if found.scores is None and note is not None and is_for_person():
            say(advise(note))


def _print_clustering(found: Clustering, n_assigned: int | None, is_new: bool) -> None:
    """Print a table of clusters and a summary for a person, or the table separated by tabs for a program."""
    is_table = is_for_person()
    shown = found.clusters[:_SHOWN] if is_table else found.clusters
    head = ("cluster", "name", "size", "cohesion", "label, or what is seen", "most central image")
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
        say(f"… and {len(found.clusters) - _SHOWN:,} more, with {count_images(rest)}: --json lists all")
    for line in _summary(found, n_assigned, is_new):
        say(line)


def _row(each: Cluster) -> tuple[str, str, str, str, str, str]:
    return (
        "noise" if each.is_noise else str(each.number),
        each.name or "",
        f"{each.size:,}",
        "–" if each.cohesion is None else f"{each.cohesion:.3f}",
        _what(each),
        relative(each.central[0].path),
    )


def _what(each: Cluster) -> str:
    """Return the most common label, and its share; where there is none, what the images show."""
    if each.label is not None and each.label_share is not None:
        return f"{each.label} {each.label_share:.0%}"
    return ", ".join(map(str, each.tags))


def _summary(found: Clustering, n_assigned: int | None, is_new: bool) -> list[str]:
    noise = f", {count_images(found.n_noise)} of noise" if found.n_noise else ""
    clusters = count_of(found.n_clusters, "cluster")
    lines = [
        f"{'made ' if is_new else ''}{found.name}: {count_images(len(found.ids))} in {clusters}{noise};"
        f" {found.algorithm}, {_parameters(found)}, {found.model}"
    ]
    if found.scores is not None:
        scores = found.scores
        lines.append(
            f"next to the labels: purity {scores.purity:.3f}, NMI {scores.nmi:.3f}, ARI {scores.ari:.3f}"
        )
    lines += found.notes
    if n_assigned is not None:
        lines.append(f"assigned {count_images(n_assigned)} to clusters that were there")
    elif found.n_unassigned:
        go_on = spelled("cluster", "edit", found.name, assign=True)
        lines.append(f"{count_images(found.n_unassigned)} came later: {go_on}")
    return lines
