"""Index pictures, search them in every way there is, group them, map them, measure the result."""

from __future__ import annotations

import contextlib
import io
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np

from lookalike.collection import Collection
from lookalike.demo.choosing import (
    Rows,
    choose_distinct,
    choose_groups,
    choose_members,
    choose_mosaic,
    choose_queries,
    colorfulness,
)
from lookalike.demo.copies import find_copies
from lookalike.demo.sources import Source
from lookalike.demo.starting import choose_first
from lookalike.errors import (
    CancelledError,
    CollectionConflictError,
    CollectionError,
    CollectionResourceError,
    DatasetDamagedError,
    LookalikeError,
)
from lookalike.hints import Hint
from lookalike.images.finding.scan import scan
from lookalike.results.clusterings import Cluster, Clustering
from lookalike.results.evaluation import ClusteringEvaluation, Evaluation
from lookalike.results.maps import ImageMap
from lookalike.results.search import SearchResult
from lookalike.results.sync import SyncReport
from lookalike.system.file_names import escape, unescape
from lookalike.system.progress import CancelToken, ProgressReport, Watch
from lookalike.system.watching import watching
from lookalike.types import Hit, ImageId, Vectors

T = TypeVar("T")
HITS = 6
_SEARCHES = 4  # by one image; then one by two images, and one with an image that is not wanted
_SAMPLE = 48  # pictures shown before the searches
_GROUPS = 8
MEMBERS = 10  # pictures of each group
_TILES = 240  # pictures of the map that is made of them
_WORST = 3  # queries
_COLORS_FROM = 64  # pixels a side, about
CLUSTERING = "demo"
PICTURES = "pictures"  # a link beside the collection, to where they are


@dataclass(frozen=True, slots=True)
class Search:
    """One search of the demo.

    Attributes
    ----------
    wanted, unwanted : tuple of Hit
        The query images.
    result : SearchResult
    n_new : int
        How many hits are not found without the second image.
    """

    wanted: tuple[Hit, ...]
    unwanted: tuple[Hit, ...]
    result: SearchResult
    n_new: int = 0


@dataclass(frozen=True, slots=True)
class Group:
    """A group of look-alikes.

    Attributes
    ----------
    cluster : Cluster
    images : tuple of Hit
        Those nearest to its middle, one of each set of copies.
    """

    cluster: Cluster
    images: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class Part(Generic[T]):
    """What a part of the demo gave.

    Attributes
    ----------
    found : object or None
    missing : str
        Why there is none, such as that no image has a label.
    seconds : float
    """

    found: T | None
    missing: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Indexed:
    """A source's pictures in their collection: all of them, or those that the demo begins with.

    Attributes
    ----------
    collection : Collection
    report : SyncReport
    n_left : int
        How many pictures are not in it yet.
    """

    collection: Collection
    report: SyncReport
    n_left: int = 0


@dataclass(frozen=True, slots=True)
class DemoResult:
    """What the demo did, for the page.

    Attributes
    ----------
    source : Source
    indexed : Indexed
    sample : tuple of Hit
        Some of the images.
    searches : tuple of Search
    clusters : Part of Clustering
    groups : tuple of Group
        Some of the clusters.
    image_map : Part of ImageMap
    tiles : ImageMap or None
        The part of the map that is shown as pictures.
    cluster_scores : Part of ClusteringEvaluation
    evaluation : Part of Evaluation
    """

    source: Source
    indexed: Indexed
    sample: tuple[Hit, ...]
    searches: tuple[Search, ...]
    clusters: Part[Clustering]
    groups: tuple[Group, ...]
    image_map: Part[ImageMap]
    tiles: ImageMap | None
    cluster_scores: Part[ClusteringEvaluation]
    evaluation: Part[Evaluation]

    @property
    def collection(self) -> Collection:
        """The collection that all of it is of."""
        return self.indexed.collection


def index_source(
    source: Source,
    folder: Path,
    jobs: int | None = None,
    report: ProgressReport | None = None,
    cancel: CancelToken | None = None,
    *,
    everything: bool = False,
) -> Indexed:
    """Index a source's pictures in a collection below `folder`.

    Parameters
    ----------
    source : Source
    folder : Path
        Made if need be. The collection is made in a subfolder named after the source, or brought up to date
        there.
    jobs : int, optional
        As for `Collection.sync`.
    report, cancel : optional
        As for `Collection.sync`.
    everything : bool
        Index all pictures. By default of many only some, see `starting`, and those that were indexed before.

    Raises
    ------
    CollectionError
        If there is the collection of another source, or the folder cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CollectionResourceError(
            f"cannot make the folder {folder}: {error.strerror or error}", hint=Hint("another_demo_folder")
        ) from error
    collection = _open(source, folder / source.images.name)
    _link(folder / source.images.name / PICTURES, source.images.root)
    with watching(report, cancel) as watch:
        root = source.images.root
        files = scan(root, exclude=source.images.exclude, watch=watch).files
        chosen = list(files) if everything else choose_first(files, _known(collection, root))
        n_left = len(files) - len(chosen)
        paths = [root / unescape(file) for file in chosen] if n_left else []
        return Indexed(collection, collection.sync(paths, jobs=jobs, **watch.told), n_left)


def _link(link: Path, root: Path) -> None:
    """Let the pictures be named by short paths, where the disk has links."""
    if not os.path.lexists(link):
        with contextlib.suppress(OSError):
            os.symlink(root, link, target_is_directory=True)


def _known(collection: Collection, root: Path) -> list[str]:
    """Return which files were taken before, those that cannot be read, too."""
    paths = [*(path for image in collection for path in image.paths)]
    paths += [failure.path for failure in collection.info().failures]
    return [escape(Path(path).relative_to(root).as_posix()) for path in paths if root in Path(path).parents]


def run_demo(
    source: Source,
    indexed: Indexed,
    report: ProgressReport | None = None,
    cancel: CancelToken | None = None,
) -> DemoResult:
    """Search, group and map the pictures, and measure how well that does.

    Parameters
    ----------
    source : Source
    indexed : Indexed
        What `index_source` gave.
    report, cancel : optional
        As for `Collection.sync`.

    Raises
    ------
    DatasetError
        If the source holds fewer than two images.
    """
    with watching(report, cancel) as watch:
        return _run(source, indexed, watch)


class _Gallery:
    """The images of a collection with their vectors, in the order of their paths; of copies one.

    Parameters
    ----------
    collection : Collection
    left_out : frozenset of int
        Images that are not shown.
    """

    def __init__(self, collection: Collection, left_out: frozenset[int] = frozenset()) -> None:
        images, vectors = collection.vectors()
        # Not in the order in which the threads happened to finish. What was deleted meanwhile is not shown.
        order = sorted(
            (
                row
                for row, image in enumerate(images)
                if image.id not in left_out and os.path.exists(image.path)
            ),
            key=lambda row: images[row].path,
        )
        self.images = [images[row] for row in order]
        lengths = np.linalg.norm(vectors[order], axis=1, keepdims=True)
        self.vectors: Vectors = vectors[order] / np.maximum(lengths, 1e-12)
        self.labels = [image.label for image in self.images]
        self._collection = collection
        self._colors: dict[ImageId, float] = {}

    def colors(self, rows: Sequence[int]) -> list[float]:
        """Return how colorful images are."""
        ids = [self.images[row].id for row in rows]
        jpegs = self._collection.thumbnails([each for each in ids if each not in self._colors])
        self._colors.update((image, _colors_of(jpeg)) for image, jpeg in jpegs.items())
        return [self._colors.get(image, 0.0) for image in ids]

    @cached_property
    def row_of(self) -> dict[int, int]:
        """The row of each image."""
        return {image.id: row for row, image in enumerate(self.images)}

    def rows_of(self, images: Sequence[int]) -> Rows:
        """Return the rows of those images that are there."""
        return np.array([self.row_of[image] for image in images if image in self.row_of], np.intp)


def _colors_of(jpeg: bytes) -> float:
    from PIL import Image

    with Image.open(io.BytesIO(jpeg)) as opened:
        opened.draft("RGB", (_COLORS_FROM, _COLORS_FROM))
        return colorfulness(np.asarray(opened.convert("RGB")))


def _run(source: Source, indexed: Indexed, watch: Watch) -> DemoResult:
    collection = indexed.collection
    left_out, is_known = find_copies(collection, watch)
    gallery = _Gallery(collection, left_out)
    if len(gallery.images) < 2:
        raise DatasetDamagedError(
            f"{source.images.title} holds {len(gallery.images)} readable images; the demo needs at least 2"
        )
    clusters = _part(lambda: _cluster(collection, gallery, watch))
    watch.say("searching", "searching")
    searches = tuple(_searches(collection, gallery, fold=is_known))
    image_map = _part(lambda: collection.maps.make("tsne", **watch.told))
    mosaic = choose_mosaic(gallery.vectors, gallery.colors, _SAMPLE)
    return DemoResult(
        source,
        indexed,
        tuple(gallery.images[row] for row in mosaic),
        searches,
        clusters,
        () if clusters.found is None else tuple(_groups(gallery, clusters.found)),
        image_map,
        None if image_map.found is None else _thin(gallery, image_map.found),
        _part(lambda: collection.evaluation.clusterings([CLUSTERING], **watch.told).clusterings[0]),
        _part(lambda: collection.evaluation.retrieval(n_worst=_WORST, **watch.told)),
    )


def _part(make: Callable[[], T]) -> Part[T]:
    """Make a part of the demo, if these pictures have what it takes."""
    started = time.perf_counter()
    try:
        found, missing = make(), ""
    except CancelledError:
        raise
    except LookalikeError as error:
        return Part(None, error.told, 0.0)
    return Part(found, missing, time.perf_counter() - started)


def _cluster(collection: Collection, gallery: _Gallery, watch: Watch) -> Clustering:
    """Make as many clusters as there are labels, if that can be; keep those that the user changed."""
    if CLUSTERING in collection.clusterings:
        found = collection.clusterings.get(CLUSTERING)
        if found.is_edited:
            return found
    n_labels = len({*gallery.labels} - {None})
    k = n_labels if 2 <= n_labels <= len(gallery.images) / 2 else None
    return collection.clusterings.make("kmeans", k, name=CLUSTERING, **watch.told)


def _groups(gallery: _Gallery, clustering: Clustering) -> Iterator[Group]:
    """Choose groups to show, and pictures of each."""
    clusters = [each for each in clustering.clusters if not each.is_noise]
    rows = [gallery.rows_of(clustering.ids[clustering.numbers == each.number].tolist()) for each in clusters]
    for number in choose_groups(gallery.vectors, gallery.labels, rows, gallery.colors, _GROUPS, MEMBERS):
        shown = choose_members(gallery.vectors, rows[number], MEMBERS)
        yield Group(clusters[number], tuple(gallery.images[row] for row in shown))


def _thin(gallery: _Gallery, image_map: ImageMap) -> ImageMap:
    """Return a part of a map: one picture of each set of look-alikes, as many as can be made out."""
    place_of = {image.id: place for place, image in enumerate(image_map.images)}
    random = np.random.default_rng(2)
    order = [
        row for row in random.permutation(len(gallery.images)).tolist() if gallery.images[row].id in place_of
    ]
    kept = choose_distinct(gallery.vectors, order, _TILES)
    places = np.array(sorted(place_of[gallery.images[row].id] for row in kept), np.intp)
    return replace(
        image_map,
        images=tuple(image_map.images[place] for place in places),
        points=image_map.points[places],
        is_placed=image_map.is_placed[places],
    )


def _open(source: Source, folder: Path) -> Collection:
    images = source.images
    try:
        collection = Collection.open(folder, above=False)
    except CollectionError:
        collection = Collection.create(folder, with_root=False)
    if collection.roots not in ((), (images.root,)):
        raise CollectionConflictError(
            f"{folder} holds the demo of {collection.roots[0]}", hint=Hint("demo_folder")
        )
    told = "folders" if images.labels else "none"
    collection.add_root(images.root, None if images.is_own else told, images.exclude)
    return collection


def _searches(collection: Collection, gallery: _Gallery, *, fold: bool) -> Iterator[Search]:
    choice = choose_queries(gallery.vectors, gallery.labels, gallery.colors, _SEARCHES, HITS)
    for row in choice.alone:
        yield _search(collection, (gallery.images[row],), fold=fold)
    if choice.both is not None:
        one, other = (gallery.images[row] for row in choice.both)
        yield _search(collection, (one, other), fold=fold)
    if choice.unlike is not None:
        one, other = (gallery.images[row] for row in choice.unlike)
        yield _search(collection, (one,), (other,), fold=fold)


def _search(
    collection: Collection, wanted: tuple[Hit, ...], unwanted: tuple[Hit, ...] = (), *, fold: bool
) -> Search:
    result = collection.search(
        *(image.path for image in wanted), without=[image.path for image in unwanted], k=HITS, fold=fold
    )
    n_new = 0
    if unwanted:
        before = {hit.id for hit in collection.search(wanted[0].path, k=HITS, fold=fold).hits}
        n_new = sum(hit.id not in before for hit in result.hits)
    return Search(wanted, unwanted, result, n_new)
