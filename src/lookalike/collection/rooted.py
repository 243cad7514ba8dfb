"""The folders and data sets that a collection is made of, and where they lie."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from lookalike.collection.describing import describe_roots
from lookalike.collection.moving import move_root
from lookalike.results.info import RootInfo
from lookalike.store import Store, Turn, Wait
from lookalike.system.checked_calls import checked
from lookalike.system.progress import CancelToken, ProgressReport
from lookalike.system.watching import watching

if TYPE_CHECKING:
    from lookalike.collection.manifest_file import ManifestFile
    from lookalike.collection.resources import Resources


@checked
class Rooted(ABC):
    """A collection, by what it is made of."""

    _store: Store
    _manifest: ManifestFile

    @abstractmethod
    def _resources(self) -> Resources:
        """Return what every read needs, with the roots as they are now: once a request."""

    def list_roots(self) -> tuple[RootInfo, ...]:
        """Return the folders and data sets that the collection is made of, and whether they are there.

        Examples
        --------
        >>> from lookalike import Collection
        >>> photos = Collection.create(photo_folder)
        >>> [(root.images, root.is_there) for root in photos.list_roots()]
        [(0, True)]
        """
        return describe_roots(self._resources().places)

    def move_root(
        self,
        old: str | os.PathLike[str],
        new: str | os.PathLike[str],
        *,
        wait: Wait = "threads",
        report: ProgressReport | None = None,
        cancel: CancelToken | None = None,
    ) -> int:
        """Say that a folder of images lies elsewhere now; nothing is read again, nor embedded.

        Up to 50 of its files are looked for in the new place, with the size and content that they had. Some
        may have been edited or deleted meanwhile, which the next `sync` sees.

        Parameters
        ----------
        old : path
            The root, by the folder that it was, or by its name.
        new : path
            The folder in which the same files lie now.
        wait : float, None or "threads"
            How long to wait for another writer; see `sync`.
        report, cancel : optional
            Told for whom it waits; and what stops that.

        Returns
        -------
        int
            How many files were compared.

        Raises
        ------
        CollectionError
            If there is no such root or folder, the files in it are others, or it overlaps another root;
            nothing has been changed.
        LockedError
            If another is writing to the collection, and `wait` is over.
        """
        with watching(report, cancel) as watch:
            turn = Turn(wait, "moving a root", watch)
            return move_root(self._store, self._manifest, old, new, turn)
