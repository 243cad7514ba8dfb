"""From a filter to the images that it lets pass, and the places of theirs that it is about.

A filter is evaluated on the columns of a snapshot: what an image is and what is said of it a row an image,
where it lies and what it is called there a row a file. An image passes that meets all conditions of the first
kind, and lies in a place that meets all of the second.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.collection.coding import Coded, CodedLists, Mask
from lookalike.collection.columns import NO_RATING, ImageColumns
from lookalike.collection.own_columns import has_words
from lookalike.collection.places import Places
from lookalike.collection.snapshot import Snapshot
from lookalike.collection.stored.maps import StoredMaps
from lookalike.errors import QueryError, QueryNotFoundError
from lookalike.geography import box_around, distances
from lookalike.hints import Hint, Sentence
from lookalike.images.finding.spelling import as_label
from lookalike.query.appearance import check_appearance_known
from lookalike.query.checking import near_misses
from lookalike.query.conditions import MapPolygon
from lookalike.query.facts import SAID, check_facts_known, codes_that_say, fold
from lookalike.query.filter import ANYTHING, BOUNDED, SQUARE, Filter
from lookalike.store.labeling import is_of_folders
from lookalike.system.wording import count_images
from lookalike.types import Ids


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """The images that pass a filter.

    Attributes
    ----------
    snapshot : Snapshot
    images : (n_images,) bool or None
        Those that meet what is asked of images; None if nothing is.
    files : (n_files,) bool or None
        The places that meet what is asked of places; None if nothing is.
    warnings : tuple of Sentence
        What may be missing.
    """

    snapshot: Snapshot
    images: Mask | None = None
    files: Mask | None = None
    warnings: tuple[Sentence, ...] = ()

    def ids(self) -> Ids | None:
        """Return the ids of the images that pass, rising; None if all do.

        Where nothing is asked of places, images are among them that lie nowhere.
        """
        if self.files is None:
            return None if self.images is None else self.snapshot.images.ids[self.images]
        if self.images is None and not self.snapshot.joined.is_made:
            return np.unique(self.snapshot.files.ids[self.files])
        return self.snapshot.images.ids[self.rows()]

    def rows(self) -> Mask:
        """Return which images pass: (n_images,); those that lie nowhere do not."""
        joined = self.snapshot.joined
        there = joined.is_there if self.files is None else joined.of_files(self.files)
        return there if self.images is None else there & self.images

    def rows_of_files(self) -> Mask | None:
        """Return which files are places of theirs that count: (n_files,); None if all are."""
        if self.images is None:
            return self.files
        of_them = self.snapshot.joined.on_files(self.images)
        return of_them if self.files is None else of_them & self.files


@dataclass(frozen=True, slots=True, eq=False)
class Passing:
    """The images that may be hits.

    Attributes
    ----------
    ids : (n,) int64 or None
        None if all may.
    files : (n_files,) bool or None
        The places of theirs that count, by row of the snapshot's `FileColumns`; None if all do. Copies may
        have other labels, and lie elsewhere.
    warnings : tuple of Sentence
        What may be missing.
    """

    ids: Ids | None = None
    files: Mask | None = None
    warnings: tuple[Sentence, ...] = ()


def pass_filter(places: Places, where: Filter) -> Passing:
    """Return the images that pass a filter, as a search needs them."""
    if where != ANYTHING and where == where.of_columns():
        images = places.snapshot.images_once()
        if images is not None:
            warnings = check_known(places, where.needs_sharpness, where.needs_metadata)
            is_met = _all_of(_of_columns(images, where))
            return Passing(None if is_met is None else np.sort(images.ids[is_met]), None, warnings)
    selection = select(places, where)
    return Passing(selection.ids(), selection.files, selection.warnings)


def select(places: Places, where: Filter) -> Selection:
    """Return the images that pass a filter.

    Raises
    ------
    QueryError
        If there is no folder, label, set, field, camera, … of a name.
    CollectionError
        If the collection was made before what is asked for was kept; if there is no clustering or map of a
        name.
    """
    if where == ANYTHING:
        return Selection(places.snapshot)
    if any(each.polygon is not None for each in (where, *where.excluded)):
        return Selection(places.snapshot, *_chosen(places, where))  # a map made anew is not noticed
    folders = [folder for each in (where, *where.excluded) for folder in each.folders]
    key = where, tuple(map(os.path.abspath, folders))
    # Not the selection: it holds the snapshot, which would hold itself, and all that it has read, until
    # Python's collector of garbage comes by.
    images, files, warnings = places.snapshot.selections.get(key, lambda: _chosen(places, where))
    return Selection(places.snapshot, images, files, warnings)


def _chosen(places: Places, where: Filter) -> tuple[Mask | None, Mask | None, tuple[Sentence, ...]]:
    """Return which images and which files meet what is asked of them, and what may be missing."""
    warnings = check_known(places, where.needs_sharpness, where.needs_metadata)
    try:
        images, files = _both(places, where)
    except QueryError as error:
        # A label may be a name in a clustering that cannot be read.
        damaged = places.labels.damaged if where.labels else ()
        raise error.amended(*damaged, *warnings) from error
    return images, files, warnings


def check_known(places: Places, appearance: bool, facts: bool) -> tuple[Sentence, ...]:
    """Return what may be missing, where it is asked how images look, or what their files say.

    Raises
    ------
    CollectionError
        If an earlier lookalike made the collection, which kept none of that.
    """
    if appearance:
        check_appearance_known(places.store)
    if not facts:
        return ()
    check_facts_known(places.store)
    unread = places.snapshot.images.n_unread
    warning = Sentence(
        f"what the files of {count_images(unread)} say is not known yet, so that no filter by it lets them"
        " pass",
        Hint("sync", then=""),
    )
    return (warning,) if unread else ()


def _both(places: Places, where: Filter) -> tuple[Mask | None, Mask | None]:
    """Return which images and which files meet what is asked of them."""
    images = _all_of(_of_images(places.snapshot, where))
    files = _all_of(_of_files(places, where))
    for excluded in where.excluded:
        passes = ~select(places, excluded).rows()
        images = passes if images is None else images & passes
    return images, files


def _all_of(conditions: Iterator[Mask]) -> Mask | None:
    met: Mask | None = None
    for condition in conditions:
        met = condition if met is None else met & condition
    return met


def _of_images(snapshot: Snapshot, where: Filter) -> Iterator[Mask]:
    """Give for each condition on images which of them meet it: (n_images,)."""
    yield from _of_columns(snapshot.images, where)
    if where.ids:
        yield _mask_of(snapshot, np.array(where.ids, np.int64))
    if where.sets:
        yield _in_sets(snapshot, where.sets)
    if where.clusters:
        yield _in_clusters(snapshot, where)
    if where.polygon is not None:
        yield _within(snapshot, where.polygon)


def _of_columns(images: ImageColumns, where: Filter) -> Iterator[Mask]:
    """Give for each condition that the columns of images alone tell which of them meet it: (n_images,)."""
    yield from _of_numbers(images, where)
    if where.shape is not None:
        landscape = images.widths > images.heights * SQUARE
        portrait = images.heights > images.widths * SQUARE
        shapes = {"landscape": landscape, "portrait": portrait, "square": ~landscape & ~portrait}
        yield np.logical_or.reduce([shapes[shape] for shape in where.shapes])
    if where.formats:
        formats = images.coded_formats
        yield formats.has_any(
            [formats.values.index(name) for name in where.formats if name in formats.values]
        )
    if where.min_date is not None:
        yield images.taken >= np.datetime64(where.min_date, "us")
    if where.max_date is not None:
        yield images.taken <= np.datetime64(where.max_date, "us")
    for name, said in SAID.items():
        words = getattr(where, name)
        if words:
            column: Coded | CodedLists = getattr(images, name)
            folded = [fold(value) for value in column.values]
            yield column.has_any(codes_that_say(said, words, column.values, folded))
    if where.near is not None:
        yield _near(images, *where.near)


def _of_numbers(images: ImageColumns, where: Filter) -> Iterator[Mask]:
    for name in BOUNDED:
        low, high = getattr(where, f"min_{name}"), getattr(where, f"max_{name}")
        if low is None and high is None:
            continue
        numbers = numbers_of(images, name)
        # As 64 bits, so that no bound is rounded to what the column can hold.
        if low is not None:
            yield numbers >= np.float64(low)
        if high is not None:
            yield numbers <= np.float64(high)
        if name == "rating":
            yield numbers != NO_RATING


def numbers_of(images: ImageColumns, name: str) -> npt.NDArray[Any]:
    """Return what a filter calls size, width, height, megapixels, aspect, sharpness, rating: (n_images,)."""
    if name == "size":
        return np.minimum(images.widths, images.heights)
    if name == "megapixels":
        return np.asarray(images.widths.astype(np.float64) * images.heights / 1e6)
    if name == "aspect":
        return np.asarray(images.widths.astype(np.float64) / images.heights)
    columns = {"width": "widths", "height": "heights", "rating": "ratings"}
    found: npt.NDArray[Any] = getattr(images, columns.get(name, name))
    return found


def _near(images: ImageColumns, latitude: float, longitude: float, radius: float) -> Mask:
    """Return which images were taken near a place; to measure is dear, so it is done within a box."""
    latitudes, longitudes = images.latitudes, images.longitudes
    box = box_around(latitude, longitude, radius)
    is_near = (latitudes >= box.south) & (latitudes <= box.north) & ~np.isnan(longitudes)
    if box.longitudes:
        is_near &= np.logical_or.reduce(
            [(longitudes >= west) & (longitudes <= east) for west, east in box.longitudes]
        )
    rows = np.flatnonzero(is_near)
    is_near[rows] = distances(latitude, longitude, latitudes[rows], longitudes[rows]) <= radius
    return is_near


def _mask_of(snapshot: Snapshot, ids: Ids) -> Mask:
    rows = snapshot.images.rows_of(ids)
    found = np.zeros(len(snapshot.images), bool)
    found[rows[rows >= 0]] = True
    return found


def _in_sets(snapshot: Snapshot, names: Sequence[str]) -> Mask:
    sets = snapshot.said.sets
    for name in names:
        if name not in sets:
            close = near_misses(name, sets)
            known = f"there are {', '.join(sorted(sets))}" if sets else "there are none yet"
            hint = f"did you mean {' or '.join(close)}?" if close else None
            raise QueryNotFoundError(f"there is no set {name!r} in this collection ({known})", hint=hint)
    return _mask_of(snapshot, np.concatenate([np.asarray(sets[name], np.int64) for name in names]))


def _in_clusters(snapshot: Snapshot, where: Filter) -> Mask:
    found = np.zeros(len(snapshot.images), bool)
    for cluster in where.clusters:
        numbers = snapshot.clustering(cluster.clustering).coded
        number = str(cluster.number)
        is_in = numbers.has_any([numbers.values.index(number)] if number in numbers.values else [])
        if not is_in.any():
            there = [
                value for value, count in zip(numbers.values, numbers.all_counts[0], strict=True) if count
            ]
            numbered = f"there are {there[0]} to {there[-1]}" if there else "there are none"
            raise QueryNotFoundError(
                f"the clustering {cluster.clustering!r} has no cluster {cluster.number} ({numbered})"
            )
        found |= is_in
    return found


def _within(snapshot: Snapshot, polygon: MapPolygon) -> Mask:
    stored = StoredMaps(snapshot.store.folder).read(polygon.map)
    return _mask_of(snapshot, stored.ids[is_within(stored.points, np.array(polygon.points))])


def is_within(points: npt.NDArray[np.floating], corners: npt.NDArray[np.float64]) -> Mask:
    """Return which points, (n, 2), a polygon goes around an odd number of times: (n,).

    A line from each point to the right crosses the outline so often.

    >>> is_within(np.array([[1, 1], [3, 1]]), np.array([[0, 0], [2, 0], [2, 2], [0, 2]])).tolist()
    [True, False]
    """
    found = np.zeros(len(points), bool)
    low, high = corners.min(axis=0), corners.max(axis=0)
    rows = np.flatnonzero(((points >= low) & (points <= high)).all(axis=1))
    x, y = points[rows, 0].astype(np.float64), points[rows, 1].astype(np.float64)
    is_odd = np.zeros(len(rows), bool)
    for (x1, y1), (x2, y2) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if y1 != y2:
            is_crossed = (y1 > y) != (y2 > y)
            with np.errstate(over="ignore"):  # of an edge that is as good as level
                is_odd ^= is_crossed & (x < (x2 - x1) * ((y - y1) / (y2 - y1)) + x1)
    found[rows] = is_odd
    return found


def _of_files(places: Places, where: Filter) -> Iterator[Mask]:
    """Give for each condition on places which files meet it: (n_files,)."""
    snapshot = places.snapshot
    files = snapshot.files
    if where.split is not None:
        splits = files.splits
        yield splits.has_any([code for code, name in enumerate(splits.values) if name in where.splits])
    if where.folders:
        yield np.logical_or.reduce([places.below(folder) for folder in where.folders])
    if where.labels:
        yield _labelled(snapshot, where.labels)
    for asked in where.asked_of_fields:
        yield snapshot.own.meet(asked)
    if where.tags:
        yield _tagged(snapshot, where.tags)


def _labelled(snapshot: Snapshot, labels: Sequence[str]) -> Mask:
    """Return which files have one of some labels, or hold an image of a cluster that is named so.

    A label may be part of one, as ``02 February`` is of ``2020/02 February``, or the way to a folder. Labels
    that say nothing of what images show find them all the same.
    """
    there, clusters = snapshot.every_file_label, snapshot.labels
    code_of = {value: code for code, value in enumerate(there.values)}
    found = there.has_any([code_of[label] for label in labels if label in code_of])
    for label in sorted(set(labels) - {*code_of, *clusters.names}):
        found = found | _labelled_in_part(snapshot, there, label)
    named = [clusters.images(label) for label in labels if label in clusters.names]
    if named:
        found = found | snapshot.joined.on_files(_mask_of(snapshot, np.concatenate(named)))
    return found


def _labelled_in_part(snapshot: Snapshot, there: Coded, label: str) -> Mask:
    """Return which files have a label that a text is part of, or lie in a folder whose way it is part of.

    Raises
    ------
    QueryNotFoundError
        If there are none.
    """
    wanted = f"/{label.strip('/')}/"
    codes = [code for code, value in enumerate(there.values) if wanted in f"/{value}/"]
    if codes:
        return there.has_any(codes)
    files = snapshot.files
    of_folders = {root.name for root, _ in snapshot.folders if is_of_folders(root.labels)}
    ways = (folder.partition(":") for folder in files.folders.to_pylist())
    is_way = np.array([root in of_folders and wanted in f"/{as_label(way)}" for root, _, way in ways], bool)
    if label.strip("/") and is_way.any():
        return np.asarray(is_way[files.folder_codes])
    known = {*there.values, *snapshot.labels.names}
    close = near_misses(label, known)
    hint = f"did you mean {' or '.join(close)}?" if close else Hint("list_labels")
    raise QueryNotFoundError(f"no image here is labelled {label!r}", hint=hint)


def _tagged(snapshot: Snapshot, tags: Sequence[str]) -> Mask:
    return has_words("its tags", snapshot.own.all_tags, tags)
