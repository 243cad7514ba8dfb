"""What a collection is made of: its manifest, and the folders and data sets that are about to join it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import get_args

from lookalike.datasets import ImageFolder, get_row, prepare_dataset
from lookalike.errors import (
    CollectionNotFoundError,
    DatasetNotFoundError,
    InvalidInputError,
    StoreResourceError,
)
from lookalike.images.finding.globs import read_exclude
from lookalike.images.finding.spelling import as_spelled
from lookalike.store import DatasetRequest, Labelling, Manifest, Root, RootRequest, stored_root_path


class ManifestFile:
    """The manifest of the collection in a ``.lookalike`` folder, with what was asked to be added to it."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.folder = folder
        self.manifest = manifest
        self._pending: list[RootRequest | DatasetRequest] = []

    def add_folder(
        self,
        folder: str | os.PathLike[str],
        labels: Labelling | None = None,
        exclude: Sequence[str] | None = None,
    ) -> None:
        """Add a folder of images, or change how one is read; see `Collection.add_root`."""
        if labels not in (None, *get_args(Labelling)):
            raise InvalidInputError(f"labels is {labels!r}; expected one of {', '.join(get_args(Labelling))}")
        if isinstance(exclude, str):
            raise InvalidInputError(f"exclude is the text {exclude!r}; expected a list of globs")
        path = as_spelled(Path(os.path.abspath(folder)))
        if not os.path.isdir(path):
            raise CollectionNotFoundError(f"there is no folder {path}")
        kept = None if exclude is None else tuple(dict.fromkeys(read_exclude(each, path) for each in exclude))
        self._add(RootRequest(path, labels, kept))

    def add_dataset(self, name: str) -> tuple[Path, ...]:
        """Add a data set; see `Collection.add_dataset`."""
        row = get_row(name)
        if row.is_of_files:
            prepare_dataset(name)
            folder = row.find()
            if not isinstance(folder, ImageFolder):
                raise DatasetNotFoundError(f"{row.title} is not there although it was fetched")
            self.add_folder(folder.root, "folders", folder.exclude)
            return (folder.root,)
        self._add(DatasetRequest(row.name))
        return ()

    def _add(self, request: RootRequest | DatasetRequest) -> None:
        self.manifest = request.apply(self.manifest, self.folder)
        self._pending.append(request)

    def reload(self) -> None:
        """Take up what other processes have changed since, and what was asked of this object."""
        manifest = Manifest.load(self.folder)
        for request in self._pending:
            manifest = request.apply(manifest, self.folder)
        self.manifest = manifest

    def move(self, root: Root, place: Path) -> None:
        """Say that a root lies elsewhere, and keep that; the caller holds the lock.

        Raises
        ------
        CollectionError
            If the new place overlaps another root.
        """
        others = Manifest(self.manifest.model, tuple(each for each in self.manifest.roots if each != root))
        RootRequest(place, None, None).apply(others, self.folder)
        # In its place among the others: the order of roots is that of the first index.
        moved = replace(root, path=stored_root_path(self.folder, place))
        self.manifest = Manifest(
            self.manifest.model, tuple(moved if each == root else each for each in self.manifest.roots)
        )
        self.save()

    def save(self, without: Sequence[Root] = ()) -> None:
        """Keep the roots that were added, and forget those that are gone and were given up."""
        kept = tuple(root for root in self.manifest.roots if root not in without)
        manifest = Manifest(self.manifest.model, kept)
        if manifest != Manifest.load(self.folder):
            try:
                manifest.save(self.folder)
            except OSError as error:
                raise StoreResourceError(
                    f"cannot write to {self.folder}: {error.strerror or error}"
                ) from error
        self.manifest = manifest
        self._pending.clear()
