"""Index the pictures, search them in every way there is, group them, map them, measure the result."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np

from lookalike.collection import Collection
from lookalike.demo.sources import Source
from lookalike.errors import (
    CancelledError,
    CollectionConflictError,
    CollectionError,
    CollectionResourceError,
    DatasetDamagedError,
    LookalikeError,
)
from lookalike.hints import Hint
from lookalike.results.clusterings import Clustering
from lookalike.results.evaluation import ClusteringEvaluation, Evaluation
from lookalike.results.maps import ImageMap
from lookalike.results.search import SearchResult
from lookalike.results.sync import SyncReport
from lookalike.system.chance import RANDOM_STATE
from lookalike.system.progress import CancelToken, ProgressReport, Watch
from lookalike.system.watching import watching
from lookalike.types import Hit

T = TypeVar("T")
HITS = 6
_SEARCHES = 4  # by one image; then one by two images, and one with an image that is not wanted
_SAMPLE = 96  # pictures shown before the searches
_WORST = 3  # queries
_LOOKED_AT = 200  # hits, for one of another label
CLUSTERING = "demo"


@dataclass(frozen=True, slots=True)
class Search:
    """One search of the demo.

    Attributes
    ----------
    wanted, unwanted : tuple of Hit
        The query images.
    result : SearchResult
    seconds : float
        What the search took, the model and the index being loaded.
    clustering : str or None
        In whose clusters, the query's, it searched.
    """

    wanted: tuple[Hit, ...]
    unwanted: tuple[Hit, ...]
    result: SearchResult
    seconds: float
    clustering: str | None = None


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
class DemoResult:
    """What the demo did, for the page.

    Attributes
    ----------
    collection : Collection
    source : Source
    report : SyncReport
    sample : tuple of Hit
        Some of the images.
    searches : tuple of Search
    clusters : Part of Clustering
    image_map : Part of ImageMap
    cluster_scores : Part of ClusteringEvaluation
    evaluation : Part of Evaluation
    """

    collection: Collection
    source: Source
    report: SyncReport
    sample: tuple[Hit, ...]
    searches: tuple[Search, ...]
    clusters: Part[Clustering]
    image_map: Part[ImageMap]
    cluster_scores: Part[ClusteringEvaluation]
    evaluation: Part[Evaluation]


def index_source(
    source: Source,
    folder: Path,
    jobs: int | None = None,
    report: ProgressReport | None = None,
    cancel: CancelToken | None = None,
) -> tuple[Collection, SyncReport]:
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
    return collection, collection.sync(jobs=jobs, report=report, cancel=cancel)


def run_demo(
    source: Source,
    collection: Collection,
    synced: SyncReport,
    random_state: int = RANDOM_STATE,
    report: ProgressReport | None = None,
    cancel: CancelToken | None = None,
) -> DemoResult:
    """Search, group and map the pictures, and measure how well that does.

    Parameters
    ----------
    source : Source
    collection, synced
        What `index_source` gave.
    random_state : int
        Decides which images are shown and searched for.
    report, cancel : optional
        As for `Collection.sync`.

    Raises
    ------
    DatasetError
        If the source holds fewer than two images.
    """
    with watching(report, cancel) as watch:
        return _run(source, collection, synced, random_state, watch)


def _run(
    source: Source, collection: Collection, synced: SyncReport, random_state: int, watch: Watch
) -> DemoResult:
    images, _ = collection.vectors()
    if len(images) < 2:
        raise DatasetDamagedError(
            f"{source.images.title} holds {len(images)} readable images; the demo needs at least 2"
        )
    # In the order of their paths, not in that in which the threads happened to finish.
    images.sort(key=lambda image: image.path)
    random = np.random.default_rng(random_state)
    sample = random.choice(len(images), min(_SAMPLE, len(images)), replace=False)
    clusters = _part(lambda: _cluster(collection, images, watch))
    watch.say("searching", "searching")
    searches = list(_searches(collection, images, random))
    if clusters.found is not None:
        searches.append(_search(collection, searches[0].wanted, clustering=CLUSTERING))
    image_map = _part(lambda: collection.maps.make("tsne", **watch.told))
    return DemoResult(
        collection,
        source,
        synced,
        tuple(images[row] for row in sorted(sample)),
        tuple(searches),
        clusters,
        image_map,
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


def _cluster(collection: Collection, images: list[Hit], watch: Watch) -> Clustering:
    """Make as many clusters as there are labels, if that can be; keep those that the user changed."""
    if CLUSTERING in collection.clusterings:
        found = collection.clusterings.get(CLUSTERING)
        if found.is_edited:
            return found
    n_labels = len({image.label for image in images} - {None})
    k = n_labels if 2 <= n_labels <= len(images) / 2 else None
    return collection.clusterings.make("kmeans", k, name=CLUSTERING, **watch.told)


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


def _searches(collection: Collection, images: list[Hit], random: np.random.Generator) -> Iterator[Search]:
    """Search for images of different labels, not chosen by what they find."""
    drawn = _draw(images, random, _SEARCHES + 3)
    for image in drawn[:_SEARCHES]:
        yield _search(collection, (image,))
    if len(drawn) == _SEARCHES + 3:
        *pair, last = drawn[_SEARCHES:]
        yield _search(collection, tuple(pair))
        # As a user would: one of the hits is not what was meant, so it is named as such.
        hits = collection.search(last.path, k=_LOOKED_AT).hits
        other = next((hit for hit in hits if hit.label != last.label), hits[0])
        yield _search(collection, (last,), (other,))


def _draw(images: list[Hit], random: np.random.Generator, count: int) -> list[Hit]:
    """Draw images, each of another label while there are labels enough."""
    by_label: dict[str | None, list[Hit]] = {}
    for image in images:
        by_label.setdefault(image.label, []).append(image)
    # Labels with enough images to be found; where there are none such, whichever there are.
    common = [label for label, members in by_label.items() if len(members) > HITS] or list(by_label)
    labels = [common[i] for i in random.permutation(len(common))]
    drawn: list[Hit] = []
    for number in range(min(count, len(images))):
        left = [image for image in by_label[labels[number % len(labels)]] if image not in drawn]
        left = left or [image for image in images if image not in drawn]
        drawn.append(left[int(random.integers(len(left)))])
    return drawn


def _search(
    collection: Collection,
    wanted: tuple[Hit, ...],
    unwanted: tuple[Hit, ...] = (),
    clustering: str | None = None,
) -> Search:
    started = time.perf_counter()
    result = collection.search(
        *(image.path for image in wanted),
        without=[image.path for image in unwanted],
        k=HITS,
        same_cluster=clustering,
    )
    return Search(wanted, unwanted, result, time.perf_counter() - started, clustering)
