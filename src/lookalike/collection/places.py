"""Where the images of a collection lie: stored paths, ``root:relative/path``, and paths of the disk."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lookalike.collection.coding import Mask
from lookalike.collection.silent_labels import silent_roots, unless_silent
from lookalike.collection.snapshot import NO_FIELDS, Snapshot
from lookalike.collection.stored.cluster_names import NO_CLUSTERS, ClusterLabels
from lookalike.collection.stored.clusterings import StoredClusterings
from lookalike.collection.thumbnails import thumbnails
from lookalike.errors import ImageError, QueryInputError, QueryNotFoundError
from lookalike.images import content_id
from lookalike.images.decode import read_file
from lookalike.images.finding.spelling import as_spelled_file, composed
from lookalike.images.own import OWN
from lookalike.query.reading import names_example
from lookalike.results.hits import show_hit
from lookalike.results.lookup import Lookup
from lookalike.results.sync import Failure, Note
from lookalike.store import ADDED, Manifest, PinnedStore, Root, sql_literal
from lookalike.sync import locate
from lookalike.system.file_names import escape
from lookalike.types import FieldValue, Hit, ImageId, choose_label, shown_by


class FileLocation(NamedTuple):
    """A path of an image, absolute for files, and what is said of it there; see `lookalike.types.Hit`.

    Labels that say nothing of what images show are none; see `silent_labels`.
    """

    path: str
    folder_label: str | None
    clusters: Mapping[str, str] = NO_CLUSTERS
    hand_label: str | None = None
    fields: Mapping[str, FieldValue] = NO_FIELDS
    key: str | None = None

    @property
    def given_label(self) -> str | None:
        """The label that was given by hand, or else that of the folder or data set."""
        return self.folder_label if self.hand_label is None else self.hand_label

    @property
    def label(self) -> str | None:
        """The label that was given, or else the name of a cluster."""
        return choose_label(self.given_label, self.clusters)


@dataclass(frozen=True)
class Places:
    """The places of a collection as a snapshot shows it, with these clusterings."""

    snapshot: Snapshot
    clusterings: StoredClusterings

    @property
    def store(self) -> PinnedStore:
        """The tables as they were."""
        return self.snapshot.store

    @property
    def manifest(self) -> Manifest:
        """What the collection was made of."""
        return self.snapshot.manifest

    @property
    def labels(self) -> ClusterLabels:
        """The names of clusters."""
        return self.snapshot.labels

    @property
    def datasets(self) -> tuple[str, ...]:
        """The names of the data sets that were added."""
        return tuple(root.dataset for root in self.manifest.roots if root.dataset is not None)

    def of_roots(self) -> list[tuple[Root, Path]]:
        """Return the roots that are folders, and where they lie."""
        return list(self.snapshot.folders)

    def of_images(
        self, images: Iterable[int] | None = None, files: Mask | None = None
    ) -> dict[int, list[FileLocation]]:
        """Return where images lie, all or some, in any of their files or in some, by path.

        Those that were added by call come after all others.
        """
        rows = self._file_rows(None if images is None else list(images), files)
        clusters = self.labels.of_images(np.array([image for _, image, _ in rows], np.int64))
        by_hand = self.snapshot.said.labels
        locations: dict[int, list[FileLocation]] = {}
        added = set()
        silent = silent_roots(self.manifest)
        fields = self.snapshot.fields_of([(stored, image) for stored, image, _ in rows])
        for (stored, image, label), said in zip(rows, fields, strict=True):
            location = FileLocation(
                self.snapshot.absolute(stored, image),
                unless_silent(label, stored, silent),
                clusters.get(image, NO_CLUSTERS),
                by_hand.get(image),
                said,
                self.key_of(stored),
            )
            locations.setdefault(image, []).append(location)
            if location.key is not None:
                added.add(image)
        for image in added:  # last: a file of the user's says more, and may have a label
            locations[image].sort(key=lambda location: location.key is not None)
        return locations

    def _file_rows(self, images: list[int] | None, files: Mask | None) -> list[tuple[str, int, str | None]]:
        """Return stored path, image and label of files, by path."""
        columns = self.snapshot.files if images is None else self.snapshot.files_if_soon()
        if columns is not None:
            rows = None if images is None else columns.rows_of(images)
            if files is not None:
                rows = np.flatnonzero(files) if rows is None else rows[files[rows]]
            return columns.facts(rows)
        names, wanted = ["path", "id", "label"], images or []
        if files is None:
            found = self.store.files.read_where_in("id", wanted, names)
        else:
            # A filter has read the ids already, in the order of the table.
            ids = self.snapshot.files.ids
            found = self.store.files.take(np.flatnonzero(np.isin(ids, wanted) & files), names)
        facts = (
            (row["path"], row["id"], row["label"] and composed(row["label"])) for row in found.to_pylist()
        )
        return sorted(facts, key=lambda fact: fact[0])

    def lookup(self) -> Lookup:
        """Return what a result looks up here later: thumbnails and paths."""
        store = self.store
        return Lookup(
            lambda images: thumbnails(store, images),
            lambda images: {
                image: [location.path for location in found]
                for image, found in self.of_images(images).items()
            },
        )

    def absolute(self, stored: str, image: int | None = None) -> str:
        """Return the absolute path of a stored one; see `Snapshot.absolute`."""
        return self.snapshot.absolute(stored, image)

    def key_of(self, stored: str) -> str | None:
        """Return the key that a stored path stands for; None unless it is that of an image added by call."""
        is_added = stored.startswith(f"{ADDED}:") and self.holds_added
        return stored.partition(":")[2] if is_added else None

    @property
    def holds_added(self) -> bool:
        """Whether ``added:`` means images that were added by call, and no folder of that name."""
        return self.snapshot.holds_added

    @property
    def examples(self) -> tuple[str, ...]:
        """What the names of images that are no files begin with, but for the colon."""
        return (*self.datasets, ADDED) if self.holds_added else self.datasets

    def stored(self, file: str) -> str:
        """Return the path that a file has, or would have, in the tables; empty if it lies in no root."""
        places = {place: root for root, place in self.snapshot.folders}
        held = locate(list(places), Path(os.path.abspath(file)))
        if held is None:
            return ""
        root, path = held
        return f"{places[root].name}:{escape(path.relative_to(root).as_posix())}"

    def below(self, folder: str | os.PathLike[str]) -> Mask:
        """Return which files lie below a folder: (n_files,).

        Raises
        ------
        QueryError
            If there are none.
        """
        name = os.fspath(folder)
        path = Path(os.path.abspath(name))
        inside = self.stored(name)
        if inside.endswith(":."):
            found = [inside.removesuffix(".")]
        elif inside:
            found = self._folders_alike(inside)
        else:  # it may hold whole roots
            found = [f"{root.name}:" for root, place in self.of_roots() if path in place.parents]
        dataset, _, rest = name.partition(":")
        if dataset in self.examples and not os.path.lexists(name):
            split = rest.strip("/")
            found.append(f"{dataset}:{split}/" if split else f"{dataset}:")
        if os.path.isfile(path):
            raise QueryInputError(f"{name} is a file; expected a folder")
        files = self.snapshot.files.begin_with(found)
        if not files.any():
            raise QueryNotFoundError(f"the folder {name} holds no image of this collection")
        return files

    def _folders_alike(self, stored: str) -> list[str]:
        """Return what the paths of files below a folder begin with, and below those called the same."""
        found = {f"{stored}/"}
        if not stored.isascii():
            depth, wanted = stored.count("/") + 1, composed(stored)
            there = self.snapshot.files.folders.to_pylist()
            folders = {"/".join(folder.split("/")[:depth]) for folder in there if not folder.isascii()}
            found |= {f"{folder}/" for folder in folders if composed(folder) == wanted}
        return sorted(found)

    def find(self, image: str) -> ImageId:
        """Return the image that a path stands for, or that has the content of the file there.

        Raises
        ------
        QueryError
            If there is no such file or image, or it cannot be read.
        """
        if names_example(image, self.examples):
            return self.find_example(image)
        stored = self.stored(image)
        found = self.snapshot.image_at(stored) if stored else None
        if found is None and not stored.isascii() and not os.path.lexists(image):
            files = self.snapshot.files
            alike = (path for path in files.paths() if composed(path) == composed(stored))
            found = next(map(files.image_at, alike), None)
        if found is not None:
            return found
        try:
            return content_id(read_file(Path(as_spelled_file(image))))[0]
        except ImageError as error:
            if os.path.isdir(image):
                raise QueryInputError(f"{image} is a folder; expected an image file") from error
            if os.path.lexists(image):
                raise QueryInputError(f"{image} could not be read: {error.reason}") from error
            raise QueryNotFoundError(f"there is no such image: {error}") from error

    def find_example(self, name: str) -> ImageId:
        """Return the image of a data set that has a name such as ``mnist:test/42``, or was added as such.

        Raises
        ------
        QueryError
            If it is not in this collection.
        """
        if name.partition(":")[0] not in self.examples:
            raise QueryNotFoundError(f"there is no image {name}: the data set is not in this collection")
        found = self.snapshot.image_at(name)
        if found is None:
            raise QueryNotFoundError(f"there is no image {name} in this collection")
        return found

    def own_pictures(self) -> list[str]:
        """Return the stored paths of the pictures that lookalike drew into the folders."""
        rows = self.store.failures.read(["path"], f"reason = {sql_literal(OWN)}")
        return [str(path) for path in rows["path"].to_pylist()]

    def failures(self) -> tuple[Failure, ...]:
        """Return the files that fail now, by path."""
        rows = self.store.failures.read(["path", "reason"], f"reason != {sql_literal(OWN)}").to_pylist()
        rows.sort(key=lambda row: row["path"])
        return tuple(Failure(self.absolute(row["path"]), row["reason"]) for row in rows)

    def notes(self) -> tuple[Note, ...]:
        """Return the files of which a part is missing, by path."""
        files = self.store.files
        if "note" in files.missing_columns():  # of an earlier format, not synced since
            return ()
        rows = files.read(["path", "note"], "note IS NOT NULL").to_pylist()
        rows.sort(key=lambda row: row["path"])
        return tuple(Note(self.absolute(row["path"]), row["note"]) for row in rows)


class Found(NamedTuple):
    """What a search says of a hit beside how near it is; see `Hit`."""

    folded: int = 0
    box: tuple[float, float, float, float] | None = None
    probability: float | None = None


def make_hit(
    rank: int,
    image: ImageId,
    distance: float,
    score: float | None,
    locations: Sequence[FileLocation],
    lookup: Lookup,
    found: Found | None = None,
) -> Hit:
    """Return a hit that lies in some places, of which there is one at least, shown by what is looked up."""
    paths = tuple(location.path for location in locations)
    first = locations[0]
    said = first.label, first.folder_label, first.clusters, first.hand_label, first.fields
    keys = tuple(location.key for location in locations if location.key is not None)
    made = Hit(rank, image, paths, distance, score, *said, keys, *(found or Found()))
    return shown_by(made, partial(show_hit, lookup))
