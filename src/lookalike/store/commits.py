"""A commit that outlasts a power cut: data first, then the version that names them, each flushed.

Lance flushes nothing. It can be given a lock for its commits (``commit_lock`` of ``lance.dataset`` and
``lance.write_dataset``), which it enters once all data are written and before the manifest is, and leaves
once that is in its place, for every operation: so what is done on entering and leaving is in the right
order, whatever it is that commits. No lock is needed, as those who write have one already; with one, the
manifest gets its name by renaming, which works on disks without hard links, too.

On entering, files that were not there when the operation began are flushed, noted with their checksums
(`lookalike.store.checksums`), and the folders that name them flushed; on leaving, the manifest and its
folder. A manifest is noted once all that is done: so one that is noted was whole.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from lookalike.hints import Hint
from lookalike.store.checksums import Checksums
from lookalike.store.versions import VERSIONS, note_whole
from lookalike.store.whole import check_whole
from lookalike.system.flush import flush_file, flush_folder

ANOTHER_DISK = Hint("another_disk")

_DATA = ("data", "_deletions", "_indices")
"""Where the files lie that a manifest names. What lies in ``_transactions`` it holds itself, too."""


class Commits:
    """What Lance calls for each commit of one operation on a table; to be made before that begins.

    Parameters
    ----------
    table : Path
        The folder of the table, which need not be there.
    notes_at_once : bool
        Whether checksums are flushed, too. Where not, a power cut may take those of the last half minute:
        nobody can tell then whether these files are what was written.

    Attributes
    ----------
    failure : OSError or None
        Why a commit was refused; Lance makes another error of it.
    """

    def __init__(self, table: Path, notes_at_once: bool = True) -> None:
        self.table = table
        self._notes_at_once = notes_at_once
        self.failure: OSError | None = None
        self._sums = Checksums(table)
        self._there = _entries(table, (*_DATA, VERSIONS))
        self._unnamed: list[str] = []  # what has been flushed, and no version names yet

    def __call__(self, version: int) -> AbstractContextManager[None]:
        """Return the context in which Lance writes the manifest of a version."""
        return self._committing()

    @contextlib.contextmanager
    def _committing(self) -> Iterator[None]:
        with self._keeping_failure():
            self._unnamed = self._flush_new(_DATA)
        yield
        self._unnamed = []
        with self._keeping_failure():
            manifests = self._flush_new((VERSIONS,))
        for name in manifests:
            note_whole(self.table, name.partition("/")[2])

    def abandon(self) -> None:
        """Delete what the operation has written, and no version names, as it has failed."""
        with contextlib.suppress(OSError):  # what is left a later one will sweep
            now = _entries(self.table, (*_DATA, VERSIONS))
            if now.get(VERSIONS, set()) - self._there.get(VERSIONS, set()):
                return  # one that is new may name it
            new = {
                f"{folder}/{name}"
                for folder in now
                for name in now[folder] - self._there.get(folder, set())
                if folder and f"{folder}/{name}" not in now
            }
            for name in new.union(self._unnamed):
                with contextlib.suppress(OSError):
                    (self.table / name).unlink()
        self._unnamed = []

    def _flush_new(self, folders: tuple[str, ...]) -> list[str]:
        """Flush and note the files in some folders that are new; return their paths in the table."""
        now = _entries(self.table, folders)
        files = [
            f"{folder}/{name}"
            for folder in now
            for name in sorted(now[folder] - self._there.get(folder, set()))
            if folder and f"{folder}/{name}" not in now and _counts(name)
        ]
        for name in files:
            check_whole(self.table / name)
            flush_file(self.table / name)
        if folders == _DATA:
            self._sums.note(files, flush=self._notes_at_once)
        for folder in sorted(now, reverse=True):  # those within first
            if now[folder] != self._there.get(folder):
                flush_folder(self.table / folder)
        if not self._there:  # the table is new
            flush_folder(self.table.parent)
            flush_folder(self.table.parent.parent)
        self._there.update(now)
        if folders != _DATA:
            with contextlib.suppress(OSError):  # the commit is done, noted or not
                self._sums.note(files, flush=False)
        return files

    @contextlib.contextmanager
    def _keeping_failure(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.failure = error
            raise


def _entries(table: Path, folders: tuple[str, ...]) -> dict[str, set[str]]:
    """Return the names in a table's folder, and in some folders in it and theirs; by path."""
    found: dict[str, set[str]] = {}
    waiting = ["", *folders]
    while waiting:
        folder = waiting.pop()
        try:
            with os.scandir(table / folder) as entries:
                names = {entry.name: entry.is_dir() for entry in entries}
        except (FileNotFoundError, NotADirectoryError):
            continue
        found[folder] = set(names)
        waiting += [f"{folder}/{name}" for name, is_folder in names.items() if folder and is_folder]
    return found


def _counts(name: str) -> bool:
    """Tell whether a file is part of a version: not one that Lance was writing when it was killed, say.

    What it notes of the newest version for disks that are far away nobody reads here.
    """
    return not (name.startswith(".tmp") or "#" in name or name == "latest_version_hint.json")
