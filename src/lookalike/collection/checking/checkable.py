"""What a collection is checked by, whether it can be opened or not."""

from __future__ import annotations

import os
from pathlib import Path

from lookalike.errors import CollectionNotFoundError
from lookalike.hints import Hint
from lookalike.results.checking import CheckReport
from lookalike.store import Wait, check_wait, find_collection
from lookalike.system.checked_calls import checked
from lookalike.system.progress import CancelToken, ProgressReport, Watch
from lookalike.system.watching import watching


@checked
class Checkable:
    """What is checked in a ``.lookalike`` folder."""

    folder: Path

    def check(
        self,
        repair: bool = False,
        *,
        wait: Wait = "threads",
        report: ProgressReport | None = None,
        cancel: CancelToken | None = None,
    ) -> CheckReport:
        """Read all files of the collection through, and say what is damaged; or mend it.

        Parameters
        ----------
        repair : bool
            Whether to make again what can be made of the images, to keep what can still be read, and to move
            what was damaged to ``.lookalike/damaged``. Images of which rows were lost are read again.
        wait : float, None or "threads"
            How long to wait for another who writes to the collection; see `sync`.
        report, cancel : optional
            Who is told how far it has come, and may stop it; see `sync`.

        Returns
        -------
        CheckReport

        Raises
        ------
        LockedError
            If another is writing to the collection, and `wait` is over.

        Examples
        --------
        >>> photos = Collection.create(photo_folder, model="pixels-8-grey")
        >>> report = photos.sync()
        >>> photos.check().is_whole
        True
        """
        return self.check_at(self.folder, above=False, repair=repair, wait=wait, report=report, cancel=cancel)

    @classmethod
    def check_at(
        cls,
        start: str | os.PathLike[str] = ".",
        above: bool = True,
        *,
        repair: bool = False,
        wait: Wait = "threads",
        report: ProgressReport | None = None,
        cancel: CancelToken | None = None,
    ) -> CheckReport:
        """Check the collection that a folder is in, also one that is too damaged to be opened.

        For `start` and `above` see `open`, for the others `check`.

        Examples
        --------
        >>> photos = Collection.create(photo_folder, model="pixels-8-grey")
        >>> len(Collection.check_at(photo_folder))
        0
        """
        from lookalike.collection.checking.checking import check

        wait = check_wait(wait)
        place = find_collection(Path(start), above)
        if place is None:
            where = f"{os.path.abspath(start)} or above it" if above else os.path.abspath(start)
            raise CollectionNotFoundError(f"there is no collection in {where}", hint=Hint("make_collection"))

        def sync_again(watch: Watch) -> None:
            from lookalike.collection.collection import Collection

            with Collection.open(place, above=False) as mended:
                mended.sync(wait=wait, **watch.told)

        with watching(report, cancel) as watch:
            return check(place, repair, sync_again, wait, watch)
