"""What a collection is made of: its manifest, and the folders and data sets that are about to join it."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from lookalike.datasets import ImageFolder, get_row, prepare_dataset
from lookalike.errors import (
    CollectionError,
    CollectionNotFoundError,
    DatasetNotFoundError,
    InvalidInputError,
    StoreResourceError,
)
from lookalike.images.finding.globs import read_exclude
from lookalike.images.finding.spelling import as_spelled
from lookalike.images.thumbnails import check_thumbnail_side
from lookalike.store import (
    DatasetRequest,
    Labeling,
    LabelVerdict,
    Manifest,
    Root,
    RootRequest,
    Store,
    ThumbnailRequest,
    stored_root_path,
)
from lookalike.store.manifest import file_identity
from lookalike.store.schema import FORMAT_VERSION
from lookalike.sync.labeling import read_labeling
from lookalike.system.checked_calls import shown
from lookalike.system.file_identity import FileIdentity
from lookalike.system.progress import UNWATCHED, Watch


class ManifestFile:
    """The manifest of the collection in a ``.lookalike`` folder, with what was asked to be added to it.

    It is read again whenever its file is another than the one that was read: who holds this sees what other
    processes have changed. Several threads may use it.

    Parameters
    ----------
    folder : Path
    manifest : Manifest
        What is in the file, or will be.
    identity : FileIdentity, optional
        Of the file that it was read from, if there is one yet.
    """

    def __init__(self, folder: Path, manifest: Manifest, identity: FileIdentity | None = None) -> None:
        self.folder = folder
        self._lock = threading.RLock()
        self._manifest = manifest
        self._identity = identity
        self._pending: list[RootRequest | DatasetRequest | ThumbnailRequest] = []

    @classmethod
    def open(cls, folder: Path) -> ManifestFile:
        """Read the manifest of a collection.

        Raises
        ------
        CollectionError
            If it is missing, damaged, or of a newer format.
        """
        return cls(folder, *Manifest.read(folder))

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the folder alone: it is read where it is unpickled, as it is then."""
        return ManifestFile.open, (self.folder,)

    @property
    def manifest(self) -> Manifest:
        """What the collection is made of now, with what was asked of this object.

        A root that was asked for, and that another process has made impossible meanwhile, is left out; to
        `reload` that is an error.
        """
        with self._lock:
            if file_identity(self.folder) != self._identity:
                manifest, self._identity = Manifest.read(self.folder)
                for request in self._pending:
                    with contextlib.suppress(CollectionError):
                        manifest = request.apply(manifest, self.folder)
                self._manifest = manifest
            return self._manifest

    def add_folder(
        self,
        folder: str | os.PathLike[str],
        labels: Labeling | None = None,
        exclude: Sequence[str] | None = None,
        adds: bool = False,
    ) -> None:
        """Add a folder of images, or change how one is read; see `Collection.add_root`.

        With `adds` what is to be excluded joins what was excluded before.
        """
        if isinstance(exclude, str):
            raise InvalidInputError(f"exclude is the text {shown(exclude)}; expected a list of globs")
        path = as_spelled(Path(os.path.abspath(folder)))
        if not os.path.isdir(path):
            raise CollectionNotFoundError(f"there is no folder {path}")
        kept = None if exclude is None else tuple(dict.fromkeys(read_exclude(each, path) for each in exclude))
        told = None if labels is None else read_labeling(labels, path)
        self._add(RootRequest(path, told, kept, adds))

    def add_dataset(self, name: str, watch: Watch = UNWATCHED) -> tuple[Path, ...]:
        """Add a data set; see `Collection.add_dataset`."""
        row = get_row(name)
        if row.is_of_files:
            prepare_dataset(name, **watch.told)
            folder = row.find()
            if not isinstance(folder, ImageFolder):
                raise DatasetNotFoundError(f"{row.title} is not there although it was fetched")
            self.add_folder(folder.root, "folders", folder.exclude)
            return (folder.root,)
        self._add(DatasetRequest(row.name))
        return ()

    def set_thumbnail_side(self, side: int) -> None:
        """Say how large thumbnails are made; see `Collection.set_thumbnail_side`."""
        self._add(ThumbnailRequest(check_thumbnail_side(side)))

    def _add(self, request: RootRequest | DatasetRequest | ThumbnailRequest) -> None:
        with self._lock:
            self._manifest = request.apply(self.manifest, self.folder)
            self._pending.append(request)

    def reload(self) -> None:
        """Take up what other processes have changed since, and what was asked of this object.

        Raises
        ------
        CollectionError
            If the one does not go with the other.
        """
        with self._lock:
            manifest, identity = Manifest.read(self.folder)
            for request in self._pending:
                manifest = request.apply(manifest, self.folder)
            self._manifest, self._identity = manifest, identity

    def bring_up_to_date(self, store: Store) -> None:
        """Make a collection one of this version, whatever version made it; the writer's lock is held.

        Whoever writes what earlier versions do not know does so first: then these refuse the collection.
        """
        self.reload()
        store.upgrade()
        self.save()

    def move(self, root: Root, place: Path) -> None:
        """Say that a root lies elsewhere, and keep that; the caller holds the writer's lock.

        Raises
        ------
        CollectionError
            If the new place overlaps another root.
        """
        with self._lock:
            manifest = self.manifest
            others = Manifest(manifest.model, tuple(each for each in manifest.roots if each != root))
            RootRequest(place, None, None).apply(others, self.folder)
            # In its place among the others: the order of roots is that of the first index.
            moved = replace(root, path=stored_root_path(self.folder, place))
            roots = tuple(moved if each == root else each for each in manifest.roots)
            self._save(replace(manifest, roots=roots))

    def make_default(self, model: str) -> None:
        """Say which model is meant where none is named, and keep that; the caller holds the writer's lock."""
        with self._lock:
            self._save(replace(self.manifest, model=model))

    def save(self, without: Sequence[Root] = ()) -> None:
        """Keep the roots that were added, and forget those that are gone and were given up.

        The caller holds the writer's lock.
        """
        with self._lock:
            manifest = self.manifest
            gone = {root.name for root in without}
            kept = tuple(root for root in manifest.roots if root.name not in gone)
            self._save(replace(manifest, roots=kept))

    def keep_verdicts(self, verdicts: Mapping[str, LabelVerdict]) -> None:
        """Say of roots, by name, whether their labels tell anything; kept by the next `save`.

        The caller holds the writer's lock.
        """
        with self._lock:
            self._manifest = self.manifest.with_verdicts(verdicts)

    def save_first(self) -> None:
        """Write the manifest of a collection that is only now being made.

        Raises
        ------
        OSError
            If it cannot be written.
        """
        with self._lock:
            self._manifest.save(self.folder)
            self._pending.clear()

    def _save(self, manifest: Manifest) -> None:
        manifest = replace(manifest, format=FORMAT_VERSION)
        is_new = manifest != Manifest.load(self.folder)
        try:
            manifest.save(self.folder) if is_new else manifest.renew_copy(self.folder)
        except OSError as error:
            raise StoreResourceError(f"cannot write to {self.folder}: {error.strerror or error}") from error
        self._pending.clear()  # what is in the file now is read when it is next asked for
