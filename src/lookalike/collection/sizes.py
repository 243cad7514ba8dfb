"""What the parts of a collection take on the disk."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from lookalike.errors import StoreError
from lookalike.store import PinnedStore, PinnedTable


def sizes_of(store: PinnedStore) -> dict[str, int]:
    """Return the bytes of a collection, by part: thumbnails, vectors, indexes, old versions, the rest.

    What another process removes meanwhile takes none.
    """
    tables = [store.files, store.images, store.thumbnails, store.failures, store.fields, store.journal]
    vectors = [table for table in store.vector_tables().values() if isinstance(table, PinnedTable)]
    found = dict.fromkeys(("thumbnails", "vectors", "indexes", "old versions", "rest"), 0)
    for table in (*tables, *vectors):
        named = _named(table)
        if table is store.thumbnails:
            found["thumbnails"] += named
        elif table in vectors:
            found["vectors"] += named
        else:
            found["rest"] += named
        found["old versions"] += size_of(table.folder) - named
    found["indexes"] = size_of(store.folder / "indexes")
    found["rest"] = size_of(store.folder) - sum(found.values()) + found["rest"]
    return found


def size_of(folder: Path) -> int:
    """Add up the bytes of the files below a folder; those that another process removes meanwhile are none."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                total += os.lstat(os.path.join(parent, name)).st_size
    return total


def _named(table: PinnedTable) -> int:
    """Add up the bytes of what the newest version of a table is made of."""
    names: list[str] = []
    with contextlib.suppress(OSError, StoreError):
        names = [*table.file_names(), "checksums.txt"]
    total = 0
    for name in names:
        with contextlib.suppress(OSError):
            total += os.lstat(table.folder / name).st_size
    return total
