"""Where the images of a collection lie: stored paths, ``root:relative/path``, and paths of the disk."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lookalike.collection.snapshot import Snapshot
from lookalike.collection.stored.cluster_names import NO_CLUSTERS, ClusterLabels
from lookalike.collection.stored.clusterings import StoredClusterings
from lookalike.collection.thumbnails import thumbnails
from lookalike.errors import ImageError, QueryInputError, QueryNotFoundError
from lookalike.images import content_id
from lookalike.images.decode import read_file
from lookalike.images.finding.scan import escape
from lookalike.images.finding.spelling import as_spelled_file, composed
from lookalike.images.own import OWN
from lookalike.query.filter import Filter
from lookalike.query.reading import names_example
from lookalike.results.lookup import Lookup
from lookalike.results.sync import Failure, Note
from lookalike.store import Manifest, PinnedStore, Root, sql_literal
from lookalike.sync import locate
from lookalike.types import Hit, ImageId, choose_label


class FileLocation(NamedTuple):
    """A path of an image, absolute for files, and what it is called there; see `lookalike.types.Hit`."""

    path: str
    folder_label: str | None
    clusters: Mapping[str, str] = NO_CLUSTERS

    @property
    def label(self) -> str | None:
        """That of the folder or data set, or else the name of a cluster."""
        return choose_label(self.folder_label, self.clusters)


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
        self, images: Iterable[int] | None = None, condition: str | None = None
    ) -> dict[int, list[FileLocation]]:
        """Return where images lie, all or some, in places that meet an SQL condition, by path."""
        rows = self._file_rows(None if images is None else list(images), condition)
        clusters = self.labels.of_images(np.array([image for _, image, _ in rows], np.int64))
        locations: dict[int, list[FileLocation]] = {}
        for stored, image, label in rows:
            location = FileLocation(self.absolute(stored), label, clusters.get(image, NO_CLUSTERS))
            locations.setdefault(image, []).append(location)
        return locations

    def _file_rows(
        self, images: list[int] | None, condition: str | None
    ) -> list[tuple[str, int, str | None]]:
        """Return stored path, image and label of files, by path."""
        if condition is None:
            files = self.snapshot.files if images is None else self.snapshot.files_if_soon()
            if files is not None:
                return files.facts(None if images is None else np.sort(files.rows_of(images)))
        table, columns = self.store.files, ["path", "id", "label"]
        rows = (
            table.read(columns, condition)
            if images is None
            else table.read_where_in("id", images, columns, condition)
        )
        facts = (
            (row["path"], row["id"], row["label"] and composed(row["label"])) for row in rows.to_pylist()
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

    def absolute(self, stored: str) -> str:
        """Return the absolute path of a stored one."""
        return self.snapshot.absolute(stored)

    def stored(self, file: str) -> str:
        """Return the path that a file has, or would have, in the tables; empty if it lies in no root."""
        places = {place: root for root, place in self.snapshot.folders}
        held = locate(list(places), Path(os.path.abspath(file)))
        if held is None:
            return ""
        root, path = held
        return f"{places[root].name}:{escape(path.relative_to(root).as_posix())}"

    def beginnings(self, folder: str | os.PathLike[str]) -> list[str]:
        """Return what the stored paths of the files below a folder begin with.

        Raises
        ------
        QueryError
            If there are no such files.
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
        if dataset in self.datasets and not os.path.lexists(name):
            split = rest.strip("/")
            found.append(f"{dataset}:{split}/" if split else f"{dataset}:")
        if os.path.isfile(path):
            raise QueryInputError(f"{name} is a file; expected a folder")
        if not found or not len(self.store.files.read(["id"], Filter().of_files_below(found))):
            raise QueryNotFoundError(f"the folder {name} holds no image of this collection")
        return found

    def _folders_alike(self, stored: str) -> list[str]:
        """Return what the paths of files below a folder begin with, and below those called the same."""
        found = {f"{stored}/"}
        if not stored.isascii():
            depth, wanted = stored.count("/") + 1, composed(stored)
            paths = self.store.files.read(["path"])["path"].to_pylist()
            folders = {"/".join(path.split("/")[:depth]) for path in paths if not path.isascii()}
            found |= {f"{folder}/" for folder in folders if composed(folder) == wanted}
        return sorted(found)

    def find(self, image: str) -> ImageId:
        """Return the image that a path stands for, or that has the content of the file there.

        Raises
        ------
        QueryError
            If there is no such file or image, or it cannot be read.
        """
        if names_example(image, self.datasets):
            return self.find_example(image)
        stored = self.stored(image)
        found = self._image_at(stored) if stored else None
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
        """Return the image of a data set that has a name such as ``mnist:test/42``.

        Raises
        ------
        QueryError
            If it is not in this collection.
        """
        if name.partition(":")[0] not in self.datasets:
            raise QueryNotFoundError(f"there is no image {name}: the data set is not in this collection")
        found = self._image_at(name)
        if found is None:
            raise QueryNotFoundError(f"there is no image {name} in this collection")
        return found

    def _image_at(self, stored: str) -> ImageId | None:
        """Return the image that lies at a stored path; None if none does."""
        files = self.snapshot.files_if_soon()
        if files is not None:
            return files.image_at(stored)
        rows = self.store.files.read_where_in("path", [stored], ["id"])["id"].to_pylist()
        return ImageId(rows[0]) if rows else None

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


def make_hit(
    rank: int, image: ImageId, distance: float, score: float | None, locations: Sequence[FileLocation]
) -> Hit:
    """Return a hit that lies in some places, of which there is one at least."""
    paths = tuple(location.path for location in locations)
    first = locations[0]
    return Hit(rank, image, paths, distance, score, first.label, first.folder_label, first.clusters)
