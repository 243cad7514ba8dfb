"""A root that lies elsewhere now: told from a sample of its files, and nothing is read again."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from lookalike.collection.manifest_file import ManifestFile
from lookalike.errors import CollectionConflictError, CollectionNotFoundError, ImageError
from lookalike.images import content_id
from lookalike.images.decode import read_file
from lookalike.images.finding.spelling import as_spelled, is_same_folder
from lookalike.store import Root, Store, Turn, root_folder, sql_literal, writer_lock
from lookalike.store.store import FileRow
from lookalike.store.swept import staying_swept
from lookalike.system.file_names import unescape

_SAMPLE = 50  # files
_BYTES_READ = 1 << 28  # of the sample; of what is left then, only the sizes are compared
_ROUNDED_NS = 2_000_000_000  # FAT keeps times to two seconds


def move_root(
    store: Store,
    manifest_file: ManifestFile,
    old: str | os.PathLike[str],
    new: str | os.PathLike[str],
    turn: Turn,
) -> int:
    """Say that a root lies elsewhere; return how many files were compared. See `Collection.move_root`."""
    place = as_spelled(Path(os.path.abspath(new)))
    if not os.path.isdir(place):
        raise CollectionNotFoundError(f"there is no folder {place}")
    with writer_lock(store.folder, turn), staying_swept(store.folder):
        manifest_file.reload()
        root = _find_root(manifest_file, old)
        if is_same_folder(root_folder(store.folder, root), place):
            raise CollectionConflictError(f"the root {root.name} lies in {place} already")
        rows = _rows_of(store, root)
        sample = _even_sample(rows)
        _check_sample(sample, root, root_folder(store.folder, root), place)
        manifest_file.move(root, place)
        store.write_files([row for old_row in rows if (row := _found_again(old_row, place)) != old_row])
    return len(sample)


def _find_root(manifest_file: ManifestFile, old: str | os.PathLike[str]) -> Root:
    """Return the root that a folder or a name means; the folder need not be there any more."""
    folders = [root for root in manifest_file.manifest.roots if root.dataset is None]
    path = Path(os.path.abspath(old))
    for root in folders:
        if is_same_folder(root_folder(manifest_file.folder, root), path):
            return root
    for root in folders:
        if unescape(root.name) == os.fspath(old):
            return root
    listed = ", ".join(str(root_folder(manifest_file.folder, root)) for root in folders) or "none"
    raise CollectionNotFoundError(f"{os.fspath(old)} is no root of this collection (its roots: {listed})")


def _rows_of(store: Store, root: Root) -> list[FileRow]:
    start = sql_literal(f"{root.name}:")
    rows = store.files.read(where=f"starts_with(path, {start})").to_pylist()
    return sorted((FileRow(**row) for row in rows), key=lambda row: row.path)


def _even_sample(rows: Sequence[FileRow]) -> list[FileRow]:
    chosen = np.linspace(0, len(rows) - 1, min(len(rows), _SAMPLE)).astype(int)
    return [rows[number] for number in chosen.tolist()]


def _check_sample(sample: Sequence[FileRow], root: Root, old: Path, new: Path) -> None:
    """Raise CollectionError unless nearly all files are in the new folder as they were in the old one."""
    left = _BYTES_READ
    missing, other = [], []
    for row in sample:
        name = row.path.partition(":")[2]
        file = new / unescape(name)
        if not os.path.isfile(file):
            missing.append(name)
            continue
        is_same = os.path.getsize(file) == row.size
        if is_same and left > 0:
            left -= row.size
            try:
                is_same = content_id(read_file(file))[0] == row.id
            except ImageError:
                is_same = False
        if not is_same:
            other.append(name)
    # Some may have been edited or deleted meanwhile: that is for the next sync to see.
    if len(missing) + len(other) > (max(1, len(sample) // 10) if len(sample) > 2 else 0):
        named = unescape((missing or other)[0])
        raise CollectionConflictError(
            f"{new} does not hold what {old} held: of {len(sample)} files of the root {root.name} that were"
            f" looked for, {len(missing)} are not there and {len(other)} have other content ({named}, say);"
            f" nothing was changed. Name the folder in which {named} lies now"
        )


def _found_again(row: FileRow, place: Path) -> FileRow:
    """Return the row of a file in its new place: nothing is known there of its inode and change time."""
    row = replace(row, ctime_ns=None, inode=None)
    try:
        status = os.stat(place / unescape(row.path.partition(":")[2]))
    except OSError:
        return row
    is_rounded = abs(status.st_mtime_ns - row.mtime_ns) <= _ROUNDED_NS
    return replace(row, mtime_ns=status.st_mtime_ns) if status.st_size == row.size and is_rounded else row
