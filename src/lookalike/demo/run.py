"""Index the pictures, search them in every way there is, measure the result."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lookalike.answers import SearchResult, SyncReport
from lookalike.collection import Collection
from lookalike.demo.sources import Source
from lookalike.errors import CollectionError, DatasetError, InvalidInputError
from lookalike.evaluate import RetrievalScores, leave_one_out
from lookalike.sync import Progress
from lookalike.types import Hit, Vectors

HITS = 6
_SEARCHES = 4  # by one image; then one by two images, and one with an image that is not wanted
_SAMPLE = 96  # pictures shown before the searches


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
    """

    wanted: tuple[Hit, ...]
    unwanted: tuple[Hit, ...]
    result: SearchResult
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
    scores : RetrievalScores or None
        None where the images have no labels.
    """

    collection: Collection
    source: Source
    report: SyncReport
    sample: tuple[Hit, ...]
    searches: tuple[Search, ...]
    scores: RetrievalScores | None


def run_demo(
    source: Source,
    folder: Path,
    jobs: int | None = None,
    report: Callable[[Progress], None] = lambda progress: None,
    random_state: int = 0,
) -> DemoResult:
    """Index a source's pictures in a collection below `folder`, search and measure.

    Parameters
    ----------
    source : Source
    folder : Path
        The collection is made in a subfolder named after the source, or brought up to date there.
    jobs : int, optional
        As for `Collection.sync`.
    report : callable
        Told of the progress of the indexing.
    random_state : int
        Decides which images are shown and searched for.

    Raises
    ------
    DatasetError
        If the source holds fewer than two images.
    """
    collection = _open(source, folder / source.images.name)
    synced = collection.sync(jobs=jobs, report=report)
    images, vectors = collection.vectors()
    if len(images) < 2:
        raise DatasetError(
            f"{source.images.title} holds {len(images)} readable images; the demo needs at least 2"
        )
    # In the order of their paths, not in that in which the threads happened to finish.
    order = sorted(range(len(images)), key=lambda row: images[row].path)
    images = [images[row] for row in order]
    vectors = vectors[order]
    random = np.random.default_rng(random_state)
    sample = random.choice(len(images), min(_SAMPLE, len(images)), replace=False)
    return DemoResult(
        collection,
        source,
        synced,
        tuple(images[row] for row in sorted(sample)),
        tuple(_searches(collection, images, random)),
        _measure(images, vectors),
    )


def _open(source: Source, folder: Path) -> Collection:
    images = source.images
    try:
        collection = Collection.open(folder, above=False)
    except CollectionError:
        collection = Collection.create(folder, with_root=False)
    if collection.roots not in ((), (images.root,)):
        raise CollectionError(
            f"{folder} holds the demo of {collection.roots[0]}; remove it, or name another folder with -o"
        )
    collection.add_root(images.root, "folders" if images.labels else "none", images.exclude)
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
        hits = _search(collection, (last,)).result.hits
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


def _search(collection: Collection, wanted: tuple[Hit, ...], unwanted: tuple[Hit, ...] = ()) -> Search:
    started = time.perf_counter()
    result = collection.search(
        *(image.path for image in wanted), without=[image.path for image in unwanted], k=HITS
    )
    return Search(wanted, unwanted, result, time.perf_counter() - started)


def _measure(images: list[Hit], vectors: Vectors) -> RetrievalScores | None:
    labelled = [row for row, image in enumerate(images) if image.label is not None]
    if len(labelled) <= 10 or len({images[row].label for row in labelled}) < 2:
        return None
    try:
        return leave_one_out(vectors[labelled], [str(images[row].label) for row in labelled], ks=(1, 10))
    except InvalidInputError:  # every label has one image only
        return None
