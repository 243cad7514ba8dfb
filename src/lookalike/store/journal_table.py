"""A table to which rows are only added, one by one, each on the disk before its writer hears that it is.

A row takes some 4 ms on a local disk, which is what flushing takes: see `commits`. Every 64th commit joins
the small files of those before it; every 256th clears away what only older versions need.

Writers take turns by a lock of their own, not that of the collection: people judge while `index` runs for
hours.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lookalike.errors import StoreError
from lookalike.store.lock import Turn, writer_lock
from lookalike.store.table import Table
from lookalike.system.flush import make_durable_folder

if TYPE_CHECKING:
    import pyarrow as pa

JOURNAL = "said/journal.lance"
"""Where it lies in a ``.lookalike`` folder."""

_WAIT = 30.0  # seconds, for another writer; each takes some milliseconds
_JOINED_EVERY = 64  # commits
_ROWS_JOINED = 1_024  # a fragment of so many stays as it is
_JOINED_GREATLY_EVERY = 4_096  # commits
_ROWS_JOINED_GREATLY = 65_536
_CLEARED_EVERY = 256  # commits
_VERSIONS_KEPT = 128  # for who opened an old one and has not read it yet


class JournalTable(Table):
    """See above. Its first column counts the rows, from 1."""

    _is_swept = False  # of what a writer that was killed has left
    _notes_at_once = False  # somebody is waiting, and each flush takes a millisecond

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the lock of its writers.

        Raises
        ------
        LockedError
            If another process does not let go of it.
        StoreError
            If the folder cannot be written to.
        """
        folder = self.folder.parent
        with self._errors("write"):
            make_durable_folder(folder)
        with writer_lock(folder, Turn(_WAIT, poll_seconds=0.005)):
            if not self._is_swept:
                self._is_swept = True
                self.sweep_cut_off()
            yield

    def append(self, columns: Mapping[str, Any]) -> None:
        """Add rows, and return when they are on the disk; the caller is `writing`.

        Raises
        ------
        StoreError
            If they could not be written, or not be flushed.
        """
        import lance
        import pyarrow as pa
        from lance.fragment import write_fragments

        place = str(self.folder)
        with self._errors("write"):
            rows = pa.table(dict(columns), schema=self.schema)
            before = self._open_to_write() if self.exists() else None
            commits = self._begin() if before is None else self._commits
            mode = "create" if before is None else "append"
            fragments = write_fragments(rows, before or place, schema=self.schema, mode=mode)
            step = lance.LanceOperation
            after = lance.LanceDataset.commit(
                before or place,
                step.Overwrite(self.schema, fragments) if before is None else step.Append(fragments),
                read_version=None if before is None else before.version,
                commit_lock=commits,
                enable_v2_manifest_paths=True,
            )
        # The rows are there; that the table could not be made quicker to read, the next commits will mend.
        with contextlib.suppress(OSError, ValueError, RuntimeError, StoreError):
            self._tidy(after.version)

    def rows_from(self, number: int, columns: Sequence[str] | None = None) -> pa.Table:
        """Return the rows from a number on, in their order, as they are now; all columns, or some.

        The number is among them.
        """
        names = list(columns or self.schema.names)
        if not self.exists():
            return self._subset(names).empty_table()
        with self._errors("read"):
            dataset = self._open()
            n = dataset.count_rows()
            if number > n:
                return self._subset(names).empty_table()
            start = max(number, 1) - 1
            rows = dataset.scanner(columns=names, offset=start, scan_in_order=True).to_table()
            if min(rows["number"].to_pylist()) < number:  # their order is not that of the table
                rows = dataset.to_table(columns=names, filter=f"number >= {number}")
            return rows.sort_by("number")

    def _tidy(self, version: int) -> None:
        if version % _JOINED_GREATLY_EVERY == 0:
            self._join(_ROWS_JOINED_GREATLY)
        elif version % _JOINED_EVERY == 0:
            self._join(_ROWS_JOINED)
        if version % _CLEARED_EVERY == 0:
            self._clean(self._open_to_write(), _VERSIONS_KEPT)

    def _join(self, n_rows: int) -> None:
        self._open_to_write().optimize.compact_files(target_rows_per_fragment=n_rows, num_threads=1)
