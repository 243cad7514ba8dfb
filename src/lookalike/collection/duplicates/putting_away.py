"""What is done about duplicates, as users have it in hand: planned, done, undone, listed."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from lookalike.collection.duplicates.acting import How, apply
from lookalike.collection.duplicates.lists import export
from lookalike.collection.duplicates.planning import PLANNED, plan
from lookalike.collection.duplicates.undoing import undo
from lookalike.collection.faces import Face
from lookalike.collection.resources import Opener
from lookalike.query.checking import check_count
from lookalike.results.duplicate_acts import ActReport
from lookalike.results.duplicate_plans import DuplicatePlan
from lookalike.results.duplicates import DuplicateGroups
from lookalike.store import Wait, check_wait
from lookalike.system.checked_calls import checked
from lookalike.system.progress import CancelToken, ProgressReport
from lookalike.system.watching import watching


@checked
class PuttingAway(Face):
    """What is done about duplicates: the part of `Collection.duplicates` that touches files."""

    _resources: Opener

    def plan(
        self,
        groups: DuplicateGroups,
        *,
        kinds: str | Iterable[str] = PLANNED,
        report: ProgressReport | None = None,
        cancel: CancelToken | None = None,
    ) -> DuplicatePlan:
        """Plan which files go, and what stays for each; nothing is done.

        What belongs to a file goes with it: XMP and other side files, and a Live Photo's film, if the same
        stays beside what is kept. What belongs to something else as well stays; the plan names it.

        Parameters
        ----------
        groups : DuplicateGroups
            Of `groups`; those of their files that are not to be kept go.
        kinds : str or iterable of str
            Which kinds go; by default identical, same and edited, and never what was only taken together.
        report, cancel : optional
            Who is told how far it has come, and may stop it; see `Collection.sync`.

        Raises
        ------
        InvalidInputError
            If there is no such kind.
        """
        names = (kinds,) if isinstance(kinds, str) else tuple(kinds)
        with watching(report, cancel) as watch:
            return plan(self._resources(), groups, names, watch)  # type: ignore[arg-type]  # it checks

    def apply(
        self,
        plan: DuplicatePlan,
        how: str,
        to: str | os.PathLike[str] | None = None,
        *,
        dry_run: bool = False,
        wait: Wait = "threads",
        report: ProgressReport | None = None,
        cancel: CancelToken | None = None,
    ) -> ActReport:
        """Follow a plan. Nothing is deleted for good; `undo` takes it back.

        Before each act both files are read again: what is not as the plan says stays, with the reason. What
        was said of pictures that go, their labels, sets, judgments, decisions and fields, stands for what is
        kept from then on.

        Parameters
        ----------
        plan : DuplicatePlan
            As it was made, or read again by `DuplicatePlan.load`.
        how : {"trash", "move", "hardlink"}
            Into the trash of the system; into a folder; or, of identical files, made names of one file.
        to : path, optional
            The folder to which they move, as the tree that they lie in.
        dry_run : bool
            Whether only to look what would be done.
        wait : float, None or "threads"
            How long to wait for another writer; see `Collection.sync`.
        report, cancel : optional
            Who is told how far it has come, and may stop it; what was done until then is done.

        Raises
        ------
        CollectionConflictError
            If the plan is of another collection.
        InvalidInputError
            If there is no such way; or the plan is at odds with itself; or the folder lies in the collection.
        LockedError
            If another is writing to the collection, and `wait` is over.
        CollectionResourceError
            If what is about to be done cannot be noted.
        """
        way = How(how, None if to is None else Path(to))  # type: ignore[arg-type]  # it checks
        with watching(report, cancel) as watch:
            return apply(self._resources(), plan, way, dry_run=dry_run, wait=check_wait(wait), watch=watch)

    def undo(
        self,
        number: int | None = None,
        *,
        wait: Wait = "threads",
        report: ProgressReport | None = None,
        cancel: CancelToken | None = None,
    ) -> ActReport:
        """Put back what `apply` took away, and take back what was said of what stayed.

        Nothing that is there now is written over. What the trash of macOS and Windows has is named, for it to
        be put back by hand. Bring the collection up to date afterwards: `Collection.sync`.

        Parameters
        ----------
        number : int, optional
            Which act; by default the last that was not undone.
        wait : float, None or "threads"
            How long to wait for another writer; see `Collection.sync`.
        report, cancel : optional
            Who is told how far it has come, and may stop it.

        Raises
        ------
        CollectionNotFoundError
            If there is no such act, or none to be undone.
        CollectionConflictError
            If it was undone already.
        LockedError
            If another is writing to the collection, and `wait` is over.
        """
        if number is not None:
            check_count("number", number)
        with watching(report, cancel) as watch:
            return undo(self._resources(), number, wait=check_wait(wait), watch=watch)

    def export(
        self,
        groups: DuplicateGroups,
        file: str | os.PathLike[str],
        form: str | None = None,
        *,
        force: bool = False,
    ) -> int:
        """Write groups to a list, and do nothing with any file; return how many files it names.

        Parameters
        ----------
        groups : DuplicateGroups
        file : path
            ``.csv``, ``.json``, or ``.sh``: a shell script that moves what need not be kept into a folder.
        form : {"csv", "json", "sh"}, optional
            By default, what the ending says.
        force : bool
            Whether to write over a file that is there.

        Raises
        ------
        InvalidInputError
            If there is no such form.
        ConflictError
            If something is there.
        ResourceError
            If the file cannot be written.
        """
        return export(groups, file, form, force=force)
