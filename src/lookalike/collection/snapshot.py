"""A collection as it was at one moment, for all who ask it then.

Every request asks for the snapshot of now. While nothing has been committed, by whichever process, that is
the one that is there already: to see so takes the listing of a small folder for each table, some 0.1 ms in
all. Else the next one is made beside it, by one thread for all, and takes over what has not changed. Who
holds an earlier one keeps it: what it has read stays as it was, and what it has not is read as it was, for an
hour at least; then a writer may clear it away, see `Table.maintain`.
"""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple, NoReturn

import numpy as np
import numpy.typing as npt

from lookalike.collection.columns import FileColumns, ImageColumns, read_files, read_images
from lookalike.collection.embedded import nothing_embedded
from lookalike.collection.manifest_file import ManifestFile
from lookalike.collection.own_fields import LazyFields, OwnFields, fields_of, read_fields
from lookalike.collection.said import Said
from lookalike.collection.snapshot_columns import SnapshotColumns
from lookalike.collection.stored.cluster_names import ClusterLabels
from lookalike.collection.stored.clusterings import StoredClusterings
from lookalike.collection.stored.journal import Journal
from lookalike.collection.thumbnails import thumbnails
from lookalike.embed import base_name
from lookalike.errors import CollectionConflictError
from lookalike.images.formats import ending_of
from lookalike.store import ADDED, Manifest, PinnedStore, Root, look_at_tables, root_folder
from lookalike.store.pinned import State
from lookalike.store.swept import is_swept
from lookalike.system.checked_calls import checked
from lookalike.system.file_identity import FileIdentity
from lookalike.system.file_names import unescape
from lookalike.system.memo import Memo
from lookalike.system.wording import count_images
from lookalike.types import FieldValue, FrozenDict, Ids, ImageId, Vectors

NO_FIELDS: Mapping[str, FieldValue] = FrozenDict()
"""What is said of a file where nothing is said of any."""

_SOON_READ = 10_000  # rows, in as long as the table takes to look for some of them
_ASKED_BY_COMMANDS = 4  # times
_TRIES = 20  # to read the names of clusters while somebody writes some


class Seen(NamedTuple):
    """What tells one state of a collection from another, without anything being opened."""

    manifest: Manifest
    tables: State
    clusterings: Mapping[str, FileIdentity]


@checked
class Snapshot(SnapshotColumns):
    """A collection as it was at one moment; see `Collection.snapshot`. Several threads may use it.

    Attributes
    ----------
    manifest : Manifest
        What the collection was made of.
    folders : tuple of (Root, Path)
        The roots that are folders, and where they lie.
    store : PinnedStore
        The tables, which stay as they were.
    labels : ClusterLabels
        The names of clusters.
    """

    def __init__(
        self,
        seen: Seen,
        store: PinnedStore,
        labels: ClusterLabels,
        clusterings: StoredClusterings,
        journal: Journal,
        before: Snapshot | None = None,
    ) -> None:
        self.manifest = seen.manifest
        self.store = store
        self.labels = labels
        self._journal = journal
        self._last_said = journal.last_at(store.journal)
        self.seen = seen._replace(tables=store.state)
        folders = [root for root in seen.manifest.roots if root.dataset is None]
        self.folders: tuple[tuple[Root, Path], ...] = tuple(
            (root, root_folder(store.folder, root)) for root in folders
        )
        self._places = {root.name: place for root, place in self.folders}
        self._files: Memo[str, FileColumns] = Memo()
        self._images: Memo[str, ImageColumns] = Memo()
        self._fields: Memo[str, OwnFields] = Memo()
        super().__init__(clusterings, seen.clusterings)
        self._asked: Iterator[int] = itertools.count() if before is None else before._asked
        has_same_files = before is not None and before.store.files.commit == store.files.commit
        has_same_images = before is not None and before.store.images.commit == store.images.commit
        if before is not None and has_same_files:
            self._files = before._files
            if before.store.fields.commit == store.fields.commit:
                self._fields = before._fields
        if before is not None and has_same_images:
            self._images = before._images
        if before is not None and has_same_files and has_same_images:
            self._joined = before._joined
            if before.store.fields.commit == store.fields.commit:
                self._made_of_fields = before._made_of_fields
        if has_same_images and before is not None and before.seen.clusterings == seen.clusterings:
            self._made_of_clusters = before._made_of_clusters

    @property
    def is_swept(self) -> bool:
        """Whether it is known that all images and vectors are of files; see `lookalike.store.swept`."""
        return self.keep("swept", lambda: is_swept(self.store.folder, self.store.state))

    @property
    def files(self) -> FileColumns:
        """Where images lie: read when first asked for."""
        return self._files.get("", lambda: read_files(self.store.files))

    def files_if_soon(self) -> FileColumns | None:
        """Return where images lie, for who wants to know it of a few; None while the tables say so sooner.

        A command asks for the places of a few images a few times, and never again: to read a million rows
        takes a second, to look for some in the table a hundredth of one. For who goes on to ask they are read
        beside, while the table answers; so also when files have been committed.
        """
        if self.store.files.count() <= _SOON_READ or (self._files.has("") and self.files.has_paths):
            return self.files
        if next(self._asked) < _ASKED_BY_COMMANDS or self.files.read_beside():
            return None
        return self.files

    @property
    def images(self) -> ImageColumns:
        """What images are: read when first asked for."""
        return self._images.get("", lambda: read_images(self.store.images))

    def images_once(self) -> ImageColumns | None:
        """Return what images are, in no order, for who asks once; None where they are kept by id anyway."""
        if self._images.has("") or self.store.images.count() <= _SOON_READ:
            return None
        return (
            None if next(self._asked) >= _ASKED_BY_COMMANDS else ImageColumns(self.store.images.read, False)
        )

    @property
    def fields(self) -> OwnFields:
        """The user's own columns: read when first asked for."""
        return self._fields.get("", lambda: read_fields(self.store.fields, self.files))

    def fields_at(self, stored: str, image: int) -> Mapping[str, FieldValue]:
        """Return what the user says of a file, by its stored path and its image: read when somebody looks."""
        return self.fields_of([(stored, image)])[0]

    def fields_of(self, places: Sequence[tuple[str, int]]) -> list[Mapping[str, FieldValue]]:
        """Return what the user says of some files, by stored path and image: read when somebody looks.

        Where the table has to be asked, it is asked once for all.
        """
        if not self.store.fields.exists():
            return [NO_FIELDS] * len(places)
        found: dict[tuple[str, int], dict[str, FieldValue]] = {}

        def read(place: tuple[str, int]) -> dict[str, FieldValue]:
            files = None if found else self.files_if_soon()
            if files is not None:
                row = files.row_at(place[0])
                if row is not None:
                    return self.fields.at(row)
            if not found:
                found.update({each: {} for each in places} | fields_of(self.store.fields, places))
            return found[place]

        return [LazyFields(partial(read, place)) for place in places]

    @property
    def said(self) -> Said:
        """What people said: read when first asked for, however much is said since."""
        return self.keep("said", lambda: self._journal.at(self.store.journal, self._last_said))

    def folder_path(self, beginning: str) -> str:
        """Return the absolute path of a folder, as stored paths begin; of a data set's ``mnist:test``."""
        stored = beginning if beginning.endswith(":") else beginning.removesuffix("/")
        return stored if stored.partition(":")[0] == ADDED else self.absolute(stored)

    def absolute(self, stored: str, image: int | None = None) -> str:
        """Return the absolute path of a stored one; that of a data set's image as it is.

        What was added by call lies in the collection under the id of its image, which is looked up where it
        is not told.
        """
        name, _, relative = stored.partition(":")
        place = self._places.get(name)
        if place is None and name == ADDED:
            found = self.image_at(stored) if image is None else image
            return stored if found is None else self._kept_path(found)
        return stored if place is None else os.path.normpath(place / unescape(relative))

    def _kept_path(self, image: int) -> str:
        """Return where the file of an image lies that was added by call; or lay, if it is gone."""
        file = self.store.kept.path_of(image)
        if not file.suffix:
            formats = self.store.images.read_where_in("id", [image], ["format"])["format"].to_pylist()
            file = file.with_suffix(ending_of(formats[0] if formats else ""))
        return str(file)

    def image_at(self, stored: str) -> ImageId | None:
        """Return the image that lies at a stored path; None if none does."""
        files = self.files_if_soon()
        if files is not None:
            return files.image_at(stored)
        rows = self.store.files.read_where_in("path", [stored], ["id"])["id"].to_pylist()
        return ImageId(rows[0]) if rows else None

    def thumbnails(self, images: Iterable[int]) -> dict[ImageId, bytes]:
        """Return the thumbnails of some images, as JPEG files; images that are not there are passed over.

        Also those of images that have left the collection since.
        """
        return thumbnails(self.store, images)

    def vectors(self, images: Iterable[int], model: str | None = None) -> tuple[Ids, Vectors]:
        """Return the vectors of some images, also of those that have left the collection since.

        Parameters
        ----------
        images : iterable of int
            Ids.
        model : str, optional
            Which of the collection's models; its own by default.

        Returns
        -------
        ids : (n,) int64
            Of those that have a vector, each once, in the order in which they were asked for.
        vectors : (n, d) float32
            Row i is that of ``ids[i]``.

        Raises
        ------
        CollectionError
            If no image was embedded with the model.
        """
        name, tables = self.manifest.model if model is None else model, self.store.vector_tables()
        if name not in tables:
            raise nothing_embedded(self.store, name, model)
        wanted = np.array(list(dict.fromkeys(map(int, images))), np.int64)
        ids, vectors = tables[name].vectors_of(wanted.tolist())
        rising = np.argsort(ids)
        if not len(ids):
            return ids, vectors.reshape(0, tables[name].dimension() or 0)
        at = np.minimum(np.searchsorted(ids, wanted, sorter=rising), len(ids) - 1)
        rows = rising[at][ids[rising[at]] == wanted]
        return ids[rows], vectors[rows]

    def side(self, model: str, name: str) -> tuple[Ids, npt.NDArray[np.uint8]]:
        """Return what a model gives beside its vectors, of the images that have it.

        Parameters
        ----------
        model : str
            One of the collection's; of a reduced one, what its base gives.
        name : str
            ``classes``, or another of ``lookalike.embed.sides``.

        Returns
        -------
        ids : (n,) int64
            Rising. Images that were embedded before the model gave any are not among them.
        rows : (n, width) uint8
            As they were encoded; (0, 0) where there are none.
        """
        return self.keep(("side", model, name), lambda: self._read_side(base_name(model) or model, name))

    def _read_side(self, model: str, name: str) -> tuple[Ids, npt.NDArray[np.uint8]]:
        tables = self.store.vector_tables()
        if model not in tables:
            return np.empty(0, np.int64), np.empty((0, 0), np.uint8)
        ids, rows = tables[model].read_side(name)
        order = np.argsort(ids)
        return ids[order], rows[order]

    def __reduce__(self) -> NoReturn:
        """Raise CollectionError: it is of this process, whose open tables it holds."""
        raise CollectionConflictError(
            "a snapshot cannot be pickled, as it holds tables that are open in this process",
            hint="pickle the collection, which is opened again where it is unpickled",
        )

    def __repr__(self) -> str:
        return f"<Snapshot: {count_images(len(self))}>"

    def __len__(self) -> int:
        """Return the number of images that lie anywhere."""
        return self.store.images.count() if self.is_swept else len(self.files.images)


class Snapshots:
    """Gives the snapshot of now; see above.

    Parameters
    ----------
    manifest : ManifestFile
    clusterings : StoredClusterings

    Attributes
    ----------
    journal : Journal
        What people said, for who adds to it.
    """

    def __init__(self, manifest: ManifestFile, clusterings: StoredClusterings) -> None:
        self._manifest = manifest
        self._clusterings = clusterings
        self.journal = Journal(manifest.folder)
        self._lock = threading.Lock()
        self._newest: Snapshot | None = None
        self._looking = threading.Lock()
        self._n_looks = 0
        self._last_look: tuple[int, Seen] | None = None

    def now(self) -> Snapshot:
        """Return the snapshot of what is committed now.

        Raises
        ------
        CollectionError
            If the manifest is gone, damaged, or of a newer format.
        StoreError
            If the folder of the tables cannot be looked into.
        """
        newest, seen = self._newest, self._look()
        if newest is not None and newest.seen == seen:
            return newest
        with self._lock:
            newest, seen = self._newest, self._look()
            if newest is None or newest.seen != seen:
                newest = self._newest = self._take(seen, newest)
            return newest

    def _look(self) -> Seen:
        """Return what is there now: one look for all who ask before it begins.

        A look is a dozen calls of the system, and at each Python lets another thread run: many callers that
        all look would wait for each other that often.
        """
        n_before = self._n_looks
        with self._looking:
            if self._last_look is not None and self._last_look[0] > n_before:
                return self._last_look[1]  # it began after this call
            self._n_looks += 1
            folder = self._manifest.folder
            seen = Seen(self._manifest.manifest, look_at_tables(folder), self._clusterings.look())
            self._last_look = self._n_looks, seen
            return seen

    def _take(self, seen: Seen, before: Snapshot | None) -> Snapshot:
        store = PinnedStore.take(self._manifest.folder, None if before is None else before.store)
        is_named_alike = before is not None and before.seen.clusterings == seen.clusterings
        if before is not None and is_named_alike:
            return Snapshot(seen, store, before.labels, self._clusterings, self.journal, before)
        for _ in range(_TRIES):
            labels, looked = ClusterLabels.read(self._clusterings), self._clusterings.look()
            if looked == seen.clusterings:  # else they may be those of a later state
                break
            seen = seen._replace(clusterings=looked)
        return Snapshot(seen, store, labels, self._clusterings, self.journal, before)
