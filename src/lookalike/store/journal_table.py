"""A table to which rows are only added, one by one, each on the disk before its writer hears that it is.

A commit of Lance is a file that names the files of data. Lance flushes neither, and after a power cut the
newest commit could name files that are empty. So the data are written first and flushed, then the commit,
then its folder: some 4 ms on a local disk. Every 64th commit joins the small files of those before it, in
the same order of flushing; every 256th clears away what only older versions need.

Writers take turns by a lock of their own, not that of the collection: people judge while `index` runs for
hours.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lookalike.store.commits import commit_lock
from lookalike.store.lock import Turn, writer_lock
from lookalike.store.table import Table, _fsync

if TYPE_CHECKING:
    import pyarrow as pa

JOURNAL = "said/journal.lance"
"""Where it lies in a ``.lookalike`` folder."""

_WAIT = 30.0  # seconds, for another writer; each takes some milliseconds
_COUNTED_FROM = 2**64 - 1
_JOINED_EVERY = 64  # commits
_ROWS_JOINED = 1_024  # a fragment of so many stays as it is
_JOINED_GREATLY_EVERY = 4_096  # commits
_ROWS_JOINED_GREATLY = 65_536
_CLEARED_EVERY = 256  # commits
_VERSIONS_KEPT = 128  # for who opened an old one and has not read it yet


class JournalTable(Table):
    """See above. Its first column counts the rows, from 1."""

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
            if not folder.is_dir():
                folder.mkdir(parents=True, exist_ok=True)
                if os.name == "posix":
                    _fsync(str(folder.parent))
        with writer_lock(folder, Turn(_WAIT, poll_seconds=0.005)):
            with self._errors("write"):
                for name in self._cut_off():
                    os.unlink(self.folder / "_versions" / name)
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
            mode = "create" if before is None else "append"
            fragments = write_fragments(rows, before or place, schema=self.schema, mode=mode)
            self._flush_data({file.path for each in fragments for file in each.files})
            step = lance.LanceOperation
            after = lance.LanceDataset.commit(
                before or place,
                step.Overwrite(self.schema, fragments) if before is None else step.Append(fragments),
                read_version=None if before is None else before.version,
                commit_lock=commit_lock(self.folder.parent),
                enable_v2_manifest_paths=True,
            )
            self._flush_commit(after.version)
        # The rows are there; that the table could not be made quicker to read, the next commits will mend.
        with contextlib.suppress(OSError, ValueError, RuntimeError):
            self._tidy(after)

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

    def _tidy(self, dataset: Any) -> None:
        version = dataset.version
        if version % _JOINED_GREATLY_EVERY == 0:
            self._join(dataset, _ROWS_JOINED_GREATLY)
        elif version % _JOINED_EVERY == 0:
            self._join(dataset, _ROWS_JOINED)
        if version % _CLEARED_EVERY == 0:
            dataset.cleanup_old_versions(retain_versions=_VERSIONS_KEPT)

    def _join(self, dataset: Any, n_rows: int) -> None:
        from lance.optimize import Compaction

        there = set(self._manifests()), set(os.listdir(self.folder / "data"))
        options: Any = {"target_rows_per_fragment": n_rows, "num_threads": 1}
        plan = Compaction.plan(dataset, options)
        done = [task.execute(dataset) for task in plan.tasks]
        if done:
            self._flush_data(set(os.listdir(self.folder / "data")) - there[1])
            Compaction.commit(dataset, done)
            for name in sorted(set(self._manifests()) - there[0]):  # Lance makes two commits of it
                _fsync(str(self.folder / "_versions" / name))
            self._flush_folders("_versions", is_first=False)

    def _manifests(self) -> list[str]:
        try:
            names = os.listdir(self.folder / "_versions")
        except (FileNotFoundError, NotADirectoryError):
            return []
        return [name for name in names if name.endswith(".manifest")]

    def _cut_off(self) -> list[str]:
        """Return the commits that were cut off with the power before they were flushed: they are empty."""
        folder = self.folder / "_versions"
        return [name for name in self._manifests() if os.stat(folder / name).st_size == 0]

    def _open(self) -> Any:
        import lance

        try:
            return super()._open()
        except (OSError, ValueError):
            whole = set(self._manifests()) - set(self._cut_off())
            versions = [_version(name) for name in whole]
            if not versions or max(versions) == max(map(_version, self._manifests())):
                raise
            # Nobody was told that the newest is there: the one before it is the last that counts.
            return lance.dataset(str(self.folder), version=max(versions))

    def _flush_data(self, names: set[str]) -> None:
        for name in names:
            _fsync(str(self.folder / "data" / name))
        self._flush_folders("data", is_first=not (self.folder / "_versions").is_dir())

    def _flush_commit(self, version: int) -> None:
        for name in (f"{_COUNTED_FROM - version:020}.manifest", f"{version}.manifest"):
            _fsync(str(self.folder / "_versions" / name))  # Lance names them one way or the other
        self._flush_folders("_versions", is_first=version == 1)

    def _flush_folders(self, inside: str, is_first: bool) -> None:
        if os.name != "posix":  # elsewhere a folder cannot be flushed
            return
        _fsync(str(self.folder / inside))
        if is_first:
            _fsync(str(self.folder))
            _fsync(str(self.folder.parent))


def _version(manifest: str) -> int:
    """Return the version of a commit, of which Lance counts the names down.

    >>> _version("18446744073709551614.manifest"), _version("7.manifest")
    (1, 7)
    """
    number = int(manifest.partition(".")[0])
    return _COUNTED_FROM - number if number > _COUNTED_FROM // 2 else number
