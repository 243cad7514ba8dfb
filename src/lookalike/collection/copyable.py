"""What is copied as a whole."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from lookalike.store import Wait, check_wait
from lookalike.system.checked_calls import checked
from lookalike.system.progress import CancelToken, ProgressReport
from lookalike.system.watching import watching

if TYPE_CHECKING:
    from lookalike.collection.resources import Resources
    from lookalike.results.copying import CopyReport


@checked
class Copyable(ABC):
    """A collection that can be copied."""

    @abstractmethod
    def _resources(self) -> Resources:
        """Return what every read needs, with the roots as they are now: once a request."""

    def copy(
        self,
        to: str | os.PathLike[str],
        *,
        roots: Literal["absolute", "relative"] = "absolute",
        force: bool = False,
        wait: Wait = "threads",
        report: ProgressReport | None = None,
        cancel: CancelToken | None = None,
    ) -> CopyReport:
        """Copy the collection to another folder, as it is at one moment; others may go on writing to it.

        It is verified, and there whole and on the disk, or not at all. Images stay where they are, but for
        those that were added by call, which the collection keeps.

        Parameters
        ----------
        to : path
            The folder that is to hold the copy's ``.lookalike``; made if need be. Whatever else lies there
            stays as it is.
        roots : {"absolute", "relative"}
            Where the copy looks for the folders of images: where they lie now; or as the collection does
            itself, so that a folder below it is looked for below `to`, for who moves both.
        force : bool
            Whether a collection that is there is replaced, once the copy is whole.
        wait : float, None or "threads"
            How long to wait for another who copies to that folder, or writes to the collection that is to be
            replaced there; see `Collection.sync`. Nobody waits for who writes to this one.
        report, cancel : optional
            Who is told how far it has come, and may stop it; see `Collection.sync`.

        Returns
        -------
        CopyReport

        Raises
        ------
        LockedError
            If another is writing there, and `wait` is over.
        CollectionError
            If a collection lies there already, or anything else in place of one.
        StoreError
            If what is to be copied is damaged, or the copy cannot be written; nothing of it is left.

        Examples
        --------
        >>> from lookalike import Collection
        >>> photos = Collection.create(photo_folder, model="pixels-8-grey")
        >>> report = photos.sync()
        >>> photos.copy(photo_folder / "backup").images
        4
        >>> len(Collection.open(photo_folder / "backup"))
        4
        """
        from lookalike.collection.copying import CopyRequest, copy_collection

        request = CopyRequest(Path(to), roots, force, check_wait(wait))
        with watching(report, cancel) as watch:
            return copy_collection(self._resources, request, watch)
