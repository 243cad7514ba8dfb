"""What keeps a table quick to read, and small: its small files are joined, old versions dropped.

Versions of the last hour are kept, as somebody may read them. But where they hold much that the newest does
not, as after files were joined, and nobody reads them, they go at once: the newest is read back first, and
one more version of the same files is made, so that there is always one to fall back on.
"""

from __future__ import annotations

import contextlib
import datetime
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lookalike.store import versions
from lookalike.store.checksums import Checksums
from lookalike.store.readers import no_other_process, oldest_read

if TYPE_CHECKING:
    import pyarrow as pa

_SMALL_FRAGMENTS = 6  # more of them are joined
_ROWS_OF_A_FRAGMENT = 16_384  # a fragment of so many stays as it is
_BYTES_OF_A_FRAGMENT = 1 << 23  # or of so many, as joining takes memory; more fragments read as fast
_COPIED_AT_ONCE = 1 << 22  # bytes
_VERSIONS_TO_CLEAN = 16
_KEPT_FOR_READERS = datetime.timedelta(hours=1)  # a search that began before may still read old versions
_LEAST_DROPPED, _SHARE_DROPPED = 1 << 18, 0.05  # bytes of old versions that are much, and of the newest's


def join_small(dataset: Any) -> bool:
    """Join the small fragments of an open table, if there are many; tell whether there were."""
    n_bytes = sum(size or 0 for _, size in versions.named_files(dataset))
    width = max(sum(_width(field.type) for field in dataset.schema), n_bytes // max(1, dataset.count_rows()))
    enough = min(_ROWS_OF_A_FRAGMENT, -(-_BYTES_OF_A_FRAGMENT // width))
    small = [part for part in dataset.get_fragments() if part.physical_rows < enough]
    if len(small) <= _SMALL_FRAGMENTS:
        return False
    # Copying pages as they are takes a fifth of the memory of decoding them.
    dataset.optimize.compact_files(
        target_rows_per_fragment=enough,
        num_threads=1,
        compaction_mode="try_binary_copy",
        binary_copy_read_batch_bytes=_COPIED_AT_ONCE,
    )
    return True


@contextlib.contextmanager
def unread(table: Path, dataset: Any) -> Iterator[bool]:
    """Give whether old versions hold much, and no other process reads any; within, none begins to."""
    if not _hold_much(table, dataset) or not _is_as_written(table, dataset):
        yield False
        return
    with no_other_process(versions.home_of(table)) as is_unread:
        yield is_unread


def wanted_versions(table: Path, dataset: Any, is_unread: bool) -> int | None:
    """Return how many versions are to be kept; None where none has to go yet.

    Parameters
    ----------
    table : Path
    dataset : lance.LanceDataset
        The newest.
    is_unread : bool
        Whether no other process reads.
    """
    if is_unread:
        home = versions.home_of(table)
        read = oldest_read(home, table.relative_to(home).as_posix(), dataset.version)
        return max(2, len([version for version in dataset.versions() if version["version"] >= read]))
    if len(os.listdir(table / versions.VERSIONS)) <= _VERSIONS_TO_CLEAN:
        return None
    since = datetime.datetime.now() - _KEPT_FOR_READERS
    # The one before these was the newest then, however old it is.
    return max(2, len([version for version in dataset.versions() if version["timestamp"] > since]) + 1)


def _hold_much(table: Path, dataset: Any) -> bool:
    """Tell whether what only other versions than the newest need is much."""
    named = {name for name, _ in versions.named_files(dataset)}
    live = old = 0
    for folder in ("data", "_deletions", versions.VERSIONS, "_transactions"):
        with contextlib.suppress(FileNotFoundError), os.scandir(table / folder) as entries:
            for entry in entries:
                size = entry.stat().st_size
                if f"{folder}/{entry.name}" in named:
                    live += size
                else:
                    old += size
    return old > max(_LEAST_DROPPED, _SHARE_DROPPED * live)


def _is_as_written(table: Path, dataset: Any) -> bool:
    """Read back the files of the newest version that the oldest has not; tell whether they are whole."""
    before: set[str] = set()
    with contextlib.suppress(OSError, ValueError):  # an old one that is not whole
        oldest = dataset.versions()[0]["version"]
        before = {name for name, _ in versions.named_files(dataset.checkout_version(oldest))}
    sums = Checksums(table)
    noted = sums.read()
    new = [name for name, _ in versions.named_files(dataset) if name not in before]
    return all(sums.verify(name, noted.get(name)) == "whole" for name in new)


def _width(kind: pa.DataType) -> int:
    """Return how many bytes a value takes, counting those of no fixed width as 8."""
    size = getattr(kind, "list_size", 1)
    return int(size * kind.value_type.bit_width // 8) if size > 1 else 8
