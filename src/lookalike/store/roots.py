"""Changes of what a collection is made of, kept apart from the manifest until they are written.

Another process may have changed the manifest meanwhile. So a change is remembered as what was asked for, and
applied to the manifest as it is when the writer's lock is held.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from lookalike.errors import CollectionConflictError
from lookalike.images.finding.spelling import is_same_folder, path_within
from lookalike.store.manifest import Manifest, Root, name_root, root_folder, stored_root_path
from lookalike.store.schema import ADDED


@dataclass(frozen=True, slots=True)
class RootRequest:
    """What `Collection.add_root` is asked for."""

    path: Path
    labels: str | None
    exclude: tuple[str, ...] | None
    adds: bool = False  # to what was excluded before

    def apply(self, manifest: Manifest, collection: Path) -> Manifest:
        """Return the manifest with the root added, or changed."""
        old: Root | None = None
        for root in manifest.roots:
            if root.dataset is not None:
                continue
            place = root_folder(collection, root)
            if is_same_folder(self.path, place):
                old = root
            elif any(path_within(*pair) is not None for pair in ((place, self.path), (self.path, place))):
                raise CollectionConflictError(f"{self.path} and the root {place} overlap; index one of them")
        if old is None:
            name = name_root(self.path, {ADDED, *(root.name for root in manifest.roots)})
            old = Root(name, stored_root_path(collection, self.path))
        if self.labels is not None:
            old = old.with_labels(self.labels)
        exclude = old.exclude if self.exclude is None else self.exclude
        if self.adds:
            exclude = tuple(dict.fromkeys((*old.exclude, *exclude)))
        return manifest.with_root(replace(old, exclude=exclude))


@dataclass(frozen=True, slots=True)
class DatasetRequest:
    """What `Collection.add_dataset` is asked for."""

    name: str

    def apply(self, manifest: Manifest, collection: Path) -> Manifest:
        """Return the manifest with the data set added."""
        if any(root.dataset == self.name for root in manifest.roots):
            return manifest
        if any(root.name == self.name for root in manifest.roots):
            raise CollectionConflictError(
                f"a folder of this collection is called {self.name}, too",
                hint="give the data set a collection of its own",
            )
        return manifest.with_root(Root(self.name, "", dataset=self.name))


@dataclass(frozen=True, slots=True)
class ThumbnailRequest:
    """What `Collection.set_thumbnail_side` is asked for."""

    side: int

    def apply(self, manifest: Manifest, collection: Path) -> Manifest:
        """Return the manifest with this side of thumbnails."""
        return replace(manifest, thumbnail_side=self.side)
