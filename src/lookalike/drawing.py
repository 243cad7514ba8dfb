"""Pictures of what a collection has found: searches, clusters, maps, evaluations.

Each function fetches the thumbnails that it needs and has `lookalike.plots` draw them; what comes back is a
figure of matplotlib's, which a notebook shows by itself, and `lookalike.plots.save_figure` saves. ``with
use_theme(dark=True):`` draws on dark paper.

Examples
--------
>>> from lookalike import Collection
>>> photos = Collection.create(photo_folder, model="pixels-8-grey")
>>> report = photos.sync()
>>> figure = draw_clusters(photos, photos.clusterings.make(k=2))
>>> figure = draw_map(photos, photos.maps.make("pca"), style="tiles")
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lookalike.bench import IndexComparison
from lookalike.errors import CollectionConflictError, CollectionError
from lookalike.hints import Hint
from lookalike.plots import (
    Curve,
    Groups,
    QueryRow,
    SheetRow,
    Tile,
    confusion,
    contact_sheet,
    paint_swatch,
    read_size,
    recall_throughput,
    result_strip,
    tile_sheet,
    worst_queries,
)
from lookalike.plots.map_styles import DEFAULT_STYLE, MapPicture, get_style
from lookalike.projection.methods import get_method
from lookalike.query.sorts import FIELD
from lookalike.results.browsing import BrowseResult
from lookalike.results.clusterings import Cluster, Clustering
from lookalike.results.duplicates import DuplicateGroup, DuplicateGroups
from lookalike.results.evaluation import Evaluation
from lookalike.results.maps import ImageMap
from lookalike.results.matching import Matching
from lookalike.results.search import SearchResult
from lookalike.system.checked_calls import checked
from lookalike.system.wording import count_images, count_of
from lookalike.types import Hit, ImageId

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from lookalike.collection import Collection

__all__ = [
    "choose_groups",
    "draw_clusters",
    "draw_comparison",
    "draw_confusion",
    "draw_duplicates",
    "draw_list",
    "draw_map",
    "draw_matching",
    "draw_search",
    "draw_worst_queries",
    "group_by_cluster",
    "group_by_label",
]

_ON_SHEET = 40  # clusters
_ORDERS = {
    "path": ("by path", "by path, backwards"),
    "date": ("the oldest first", "the newest first"),
    "label": ("by label", "by label, backwards"),
    "size": ("the smallest first", "the largest first"),
    "sharpness": ("the most blurred first", "the sharpest first"),
    "color": ("by hue", "by hue, backwards"),
    "rating": ("the lowest rating first", "the highest rating first"),
    "central": ("the central first", "the central last"),
    "random": ("in random order", "in random order"),
}
_CENTRAL, _DOUBTFUL = 9, 3  # images of a cluster
_HITS = 8  # of each of the worst queries
_CLASSES = 24  # of a confusion
_PAIRS, _PAIRS_A_ROW = 48, 12


@checked
def draw_search(collection: Collection, result: SearchResult) -> Figure:
    """Draw the queries of a search, and the hits with rank, score, probability, label and file name.

    Where a region was searched for, a frame says where in a hit it was found.
    """
    pictures = collection.thumbnails([hit.id for hit in result.hits])
    hits = [
        Tile(
            pictures[hit.id],
            f"{hit.rank}   {hit.distance if hit.score is None else hit.score:.3f}{_likely(hit)}"
            + (f"   {hit.label}" if hit.label else ""),
            _file_name(hit),
            box=hit.box,
        )
        for hit in result.hits
        if hit.id in pictures
    ]
    asked = [(query, "query") for query in result.queries] + [(query, "not") for query in result.unwanted]
    thumbnails = collection.query_thumbnails([query for query, _ in asked])
    queries = [
        Tile(jpeg, role, "" if jpeg is None else query.name, query.name)
        for jpeg, (query, role) in zip(thumbnails, asked, strict=True)
    ]
    queries += [Tile(paint_swatch(color), "colour", color) for color in result.colors]
    return result_strip(
        queries, hits or [Tile(None, "", words="nothing found")], _search_words(result, len(hits))
    )


def _likely(hit: Hit) -> str:
    return "" if hit.probability is None else f"   {hit.probability:.0%}"


@checked
def draw_matching(a: Collection, b: Collection, result: Matching) -> Figure:
    """Draw the first pairs of a matching: images of the one side, and below each its counterpart.

    Parameters
    ----------
    a, b : Collection
        Of either side; twice the same, where both are of one.
    """
    shown = result.pairs[:_PAIRS]
    pictures = a.thumbnails([pair.a.id for pair in shown]), b.thumbnails([pair.b.id for pair in shown])
    drawn = [pair for pair in shown if pair.a.id in pictures[0] and pair.b.id in pictures[1]]
    if not drawn:
        raise CollectionConflictError("there is no pair to draw")
    rows = []
    for start in range(0, len(drawn), _PAIRS_A_ROW):
        some = drawn[start : start + _PAIRS_A_ROW]
        marked = [pair.is_mutual for pair in some]
        scores = f"cosines {some[0].score:.2f} to {some[-1].score:.2f}" if len(some) > 1 else ""
        rows.append(SheetRow("A", scores, [pictures[0][pair.a.id] for pair in some], marked))
        rows.append(SheetRow("B", "framed: mutual", [pictures[1][pair.b.id] for pair in some], marked))
    return contact_sheet(rows, f"{count_of(len(result), 'pair')}, {result.n_mutual:,} mutual", _PAIRS_A_ROW)


def _search_words(result: SearchResult, n_hits: int) -> str:
    """Say what a search was for."""
    like = [query.name for query in result.queries] + list(result.colors)
    words = f"{count_images(n_hits)} most like {' and '.join(like)}" if like else count_images(n_hits)
    return words + "".join(f", unlike {query.name}" for query in result.unwanted)


@checked
def draw_list(collection: Collection, result: BrowseResult, most: int | None = None) -> Figure:
    """Draw the images of a list, the first or all of them, with label and file name."""
    shown = result.hits[:most]
    pictures = collection.thumbnails([hit.id for hit in shown])
    tiles = [
        Tile(pictures[hit.id], f"{hit.rank}" + (f"   {hit.label}" if hit.label else ""), _file_name(hit))
        for hit in shown
        if hit.id in pictures
    ]
    title = f"{len(tiles):,} of {count_images(result.total)}, {_order_words(result)}"
    return tile_sheet(tiles or [Tile(None, "", words="nothing found")], title)


@checked
def draw_clusters(collection: Collection, clustering: Clustering) -> Figure:
    """Draw the 40 largest clusters, a row each: the images nearest to the centre, and the doubtful framed."""
    shown = clustering.clusters[:_ON_SHEET]
    tiles = {each.number: images_of_cluster(each) for each in shown}
    pictures = collection.thumbnails([image for each in tiles.values() for image in each])
    rows = [
        SheetRow(
            each.title,
            "  ·  ".join(
                [count_images(each.size)]
                + ([] if each.cohesion is None else [f"cohesion {each.cohesion:.2f}"])
                + ([] if each.label is None else [f"{each.label} {each.label_share:.0%}"])
            ),
            [pictures[image] for image in tiles[each.number] if image in pictures],
            [is_doubtful for image, is_doubtful in tiles[each.number].items() if image in pictures],
        )
        for each in shown
    ]
    more = len(clustering.clusters) - len(shown)
    clusters = count_of(clustering.n_clusters, "cluster")
    title = f"{clustering.name}: {count_images(len(clustering.ids))} in {clusters}"
    title += f", of which the {_ON_SHEET} largest" if more else ""
    return contact_sheet(rows, f"{title}; nearest to the centre first, doubtful ones framed")


def images_of_cluster(cluster: Cluster) -> dict[ImageId, bool]:
    """Return the 12 images that stand for a cluster, and whether each is there for being doubtful."""
    central = {hit.id: False for hit in cluster.central[:_CENTRAL]}
    doubtful = {hit.id: True for hit in cluster.doubtful[:_DOUBTFUL] if hit.id not in central}
    return central | doubtful if doubtful else {hit.id: False for hit in cluster.central}


@checked
def draw_duplicates(collection: Collection, groups: DuplicateGroups) -> Figure:
    """Draw groups of duplicates, the first 40: a row each, what is to be kept of it first, and framed."""
    shown = groups[:_ON_SHEET]
    pictures = collection.thumbnails([image.id for group in shown for image in group.images])
    rows = []
    for group in shown:
        images = [image for image in group.images if image.id in pictures]
        kept = [any(file.keep for file in image.files) for image in images]
        jpegs = [pictures[image.id] for image in images]
        rows.append(SheetRow(f"{group.kind}  {_sure(group)}", _kept_words(group), jpegs, kept))
    files = sum(len(group.files) for group in groups)
    title = f"{count_of(len(groups), 'group')} of {count_of(files, 'file')}"
    title += f", of which the first {_ON_SHEET}" if len(groups) > len(shown) else ""
    return contact_sheet(rows or [SheetRow("nothing found", "", [])], f"{title}; what is kept is framed")


def _sure(group: DuplicateGroup) -> str:
    return "" if group.probability >= 1 else f"{math.floor(1000 * group.probability) / 10} %"


def _kept_words(group: DuplicateGroup) -> str:
    return "  ·  ".join([count_of(len(group.files), "file"), os.path.basename(group.files[0].path)])


@checked
def draw_map(
    collection: Collection,
    image_map: ImageMap,
    groups: Groups | None = None,
    style: str = DEFAULT_STYLE,
    size: str = "hd",
    n_tiles: int | None = None,
    n_named: int | None = None,
) -> Figure:
    """Draw a map.

    Parameters
    ----------
    collection : Collection
    image_map : ImageMap
    groups : Groups, optional
        What the colours tell: see `choose_groups`, `group_by_label` and `group_by_cluster`.
    style : str
        A row of `lookalike.plots.map_styles`: points; images, the images themselves; or tiles, images on a
        grid, none covering another.
    size : str
        ``hd``, ``4k``, or width and height in pixels: ``1200x800``.
    n_tiles : int, optional
        Of tiles, how many at most; by default as many as can be made out.
    n_named : int, optional
        Of points, how many groups are named, from all over the map; by default all, there or in a legend.

    Raises
    ------
    InvalidInputError
        If there is no such style or size.
    """
    ids = [image.id for image in image_map.images]

    def pictures(rows: Sequence[int]) -> list[bytes | None]:
        wanted: list[ImageId] = [ids[row] for row in rows]
        thumbnails = collection.thumbnails(wanted)
        return [thumbnails.get(image) for image in wanted]

    title = (
        f"{collection.folder.parent.name}: {get_method(image_map.method).title} of {count_images(len(ids))}"
    )
    note = "  ·  ".join(facts_of_map(image_map) + ([] if groups is None else [f"coloured by {groups.kind}"]))
    picture = MapPicture(
        image_map.points, pictures, groups, title, note, read_size(size), _axes(image_map), n_tiles, n_named
    )
    return get_style(style).draw(picture)


@checked
def choose_groups(collection: Collection, image_map: ImageMap, color: str | None = None) -> Groups | None:
    """Return what a map is coloured by; None where its colours are to tell nothing.

    Parameters
    ----------
    collection : Collection
    image_map : ImageMap
    color : str, optional
        ``label``, ``cluster``, ``none``, or the name of a clustering. By default labels, if any image has
        one that tells something (see `Collection.label_note`), else the clusters of the usual clustering, see
        `Clusterings.usual`, if there is one.

    Raises
    ------
    CollectionError
        If there is no clustering of that name, or for ``cluster``, none that is meant; for ``label``, if the
        labels say nothing of what images show.
    """
    has_labels = any(image.label is not None for image in image_map.images)
    if color == "none":
        return None
    note = collection.label_note
    if color == "label" and not has_labels and note is not None:
        raise CollectionConflictError(str(note), hint=note.hint)
    if color == "label" or (color is None and has_labels):
        return group_by_label(image_map)
    try:
        name = collection.clusterings.usual(None if color == "cluster" else color)
    except CollectionError:
        if color is None:  # there is none, or none that is meant
            return None
        raise
    return group_by_cluster(image_map, collection.clusterings.get(name))


@checked
def group_by_label(image_map: ImageMap) -> Groups:
    """Return the labels of a map's images, to colour it by."""
    names = sorted({image.label for image in image_map.images if image.label is not None})
    numbers = {name: number for number, name in enumerate(names)}
    rows = [-1 if image.label is None else numbers[image.label] for image in image_map.images]
    return Groups(np.array(rows, int), names, "label", "no label")


@checked
def group_by_cluster(image_map: ImageMap, clustering: Clustering) -> Groups:
    """Return the clusters of a map's images, to colour it by."""
    clusters = [each for each in clustering.clusters if not each.is_noise]
    rows = {each.number: row for row, each in enumerate(clusters)}
    numbers = dict(zip(clustering.ids.tolist(), clustering.numbers.tolist(), strict=True))
    of_images = [rows.get(numbers.get(image.id, -1), -1) for image in image_map.images]
    names = [
        each.name or (f"{each.number}: {each.most_are}" if each.most_are else each.title) for each in clusters
    ]
    return Groups(
        np.array(of_images, int), names, "cluster", "noise" if clustering.n_noise else "in no cluster"
    )


def facts_of_map(image_map: ImageMap) -> list[str]:
    """Say in a few words how a map was made."""
    perplexity = image_map.parameters.get("perplexity")
    facts = [] if perplexity is None else [f"perplexity {perplexity:.3g}"]
    facts.append(image_map.model)
    facts += ["duplicates folded"] if image_map.fold else []
    if n_placed := int(image_map.is_placed.sum()):
        facts.append(f"{n_placed:,} placed later")
    return facts


def _axes(image_map: ImageMap) -> tuple[str, str] | None:
    """Say what the axes are; those of t-SNE and UMAP mean nothing."""
    shares = [image_map.figures.get(f"explained_variance_{axis}") for axis in (1, 2)]
    if None in shares:
        return None
    first, second = (f"component {axis}: {share:.1%} of the variance" for axis, share in enumerate(shares, 1))
    return first, second


@checked
def draw_worst_queries(collection: Collection, evaluation: Evaluation) -> Figure:
    """Draw the worst queries of an evaluation, and what they found, right and wrong."""
    shown = [(each, each.hits[:_HITS]) for each in evaluation.worst]
    pictures = collection.thumbnails([hit.id for each, hits in shown for hit in (each.image, *hits)])
    measure = evaluation.mean_ap
    rows = [
        QueryRow(
            Tile(pictures[each.image.id], f"{each.image.label}", _file_name(each.image)),
            [Tile(pictures[hit.id], f"{hit.label}", _file_name(hit)) for hit in hits if hit.id in pictures],
            [hit.label == each.image.label for hit in hits if hit.id in pictures],
            f"{measure.removeprefix('m')} {each.values[measure]:.3f}",
        )
        for each, hits in shown
        if each.image.id in pictures
    ]
    if not rows:
        raise CollectionConflictError(
            f"no thumbnail of a query is in {collection.folder}", hint=Hint("repair")
        )
    n = len(rows)
    worst = "worst query" if n == 1 else f"{n} worst queries"
    return worst_queries(rows, f"{evaluation.model}: the {worst} of {evaluation.n_queries:,}")


@checked
def draw_confusion(evaluation: Evaluation) -> Figure:
    """Draw which classes are taken for which; of many, the most confused."""
    labels, shares = evaluation.confusions.table(_CLASSES)
    n, of_all, k = len(labels), len(evaluation.confusions.labels), evaluation.ks[-1]
    title = f"{evaluation.model}: classes of the first {'hit' if k == 1 else f'{k} hits'}"
    title += f", the {n} most confused of {of_all:,}" if n < of_all else ""
    return confusion(labels, shares, title, is_part=n < of_all)


@checked
def draw_comparison(found: IndexComparison, model: str) -> Figure:
    """Draw the recall and the speed of search indexes on the vectors of a model."""
    curves = [
        Curve(
            figures.index,
            [point.recall for point in figures.points],
            [point.queries_per_second for point in figures.points],
        )
        for figures in found.indexes
    ]
    title = f"Search indexes on {found.n_vectors:,} images, {model}, {found.dimension:,} dimensions"
    return recall_throughput(curves, title, found.k)


def _order_words(result: BrowseResult) -> str:
    """Say by what, and which way round, a list is sorted."""
    field = result.sort.removeprefix(FIELD)
    ways = _ORDERS.get(result.sort, (f"the least {field} first", f"the greatest {field} first"))
    return ways[result.request is not None and result.request.descending]


def _file_name(hit: Hit) -> str:
    """Return the last part of a path; what no folder holds, mnist:train/42, is not known by that."""
    if hit.kept_key is not None:
        return hit.kept_key
    return Path(hit.path).name if os.path.isabs(hit.path) else hit.path
