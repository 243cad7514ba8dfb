"""Folders of images: one for each group, with the first file of each image, as a copy or a link."""

from __future__ import annotations

import json
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

from lookalike.collection.export.forms import EXPORT_FORMS
from lookalike.collection.export.groups import NO_SPLIT, UNLABELLED, FolderNames, group_of, safe_name
from lookalike.collection.export.rows import Export
from lookalike.errors import CollectionConflictError
from lookalike.hints import Hint
from lookalike.types import format_id

_ROUNDED = 2_000_000_000  # nanoseconds

LISTING = ".lookalike-export.json"
"""In a folder that was exported: what it holds, so that it can be told apart from what is the user's."""


def write_copies(export: Export, folder: Path) -> None:
    """Write a folder for each group, with copies of the images' files."""
    _write_folders(export, folder, shutil.copy2)


def write_hard_links(export: Export, folder: Path) -> None:
    """Write a folder for each group, with more names of the images' files."""
    _write_folders(export, folder, lambda source, target: os.link(source.resolve(strict=True), target))


def write_symbolic_links(export: Export, folder: Path) -> None:
    """Write a folder for each group, with links to the images' files."""
    _write_folders(export, folder, lambda source, target: target.symlink_to(source.resolve(strict=True)))


def foreign_file(folder: Path) -> str | None:
    """Return a file in a folder that no export has put there, or that was changed since; None if none is.

    A folder that was not exported is foreign itself.
    """
    try:
        document = json.loads((folder / LISTING).read_text(encoding="utf-8"))
        ours = set(document["files"])
        facts = dict(document.get("facts", {}))  # which earlier versions did not keep
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return str(folder)
    for place, folders, names in os.walk(folder):
        links = [name for name in folders if os.path.islink(os.path.join(place, name))]
        for name in [*names, *links]:
            path = Path(place, name).relative_to(folder).as_posix()
            if path != LISTING and (path not in ours or _is_changed(Path(place, name), facts.get(path))):
                return path
    return None


def _is_changed(file: Path, facts: object) -> bool:
    """Tell whether the only copy of a file is not what was written; a link is but a name of another."""
    status = file.lstat()
    if facts is None or stat.S_ISLNK(status.st_mode) or status.st_nlink > 1:
        return False
    size, mtime = _facts_of(file)
    # Some disks round times to two seconds.
    return not isinstance(facts, list) or facts[0] != size or abs(facts[1] - mtime) > _ROUNDED


def _facts_of(file: Path) -> tuple[int, int]:
    status = file.lstat()
    return status.st_size, status.st_mtime_ns


def _write_folders(export: Export, folder: Path, put: Callable[[Path, Path], object]) -> None:
    """Put the first file of each image into a folder of its group."""
    folder.mkdir()
    name_of, name_of_split = FolderNames(), FolderNames()
    for group in export.all_groups:
        (folder / name_of(group)).mkdir()
    splits = _splits(export) if export.by == "split" else {}
    written: list[str] = []
    taken: set[str] = set()
    for image, locations, at in export.located():
        source = Path(locations[0].path)
        if not source.is_absolute():
            raise CollectionConflictError(
                f"{source} is an image of a data set, no file",
                hint=f"export as {' or '.join(row.name for row in EXPORT_FORMS if row.is_file)} instead",
            )
        parts = []
        if export.by == "split":
            parts.append(name_of_split(splits.get(locations[0].path) or NO_SPLIT))
        label = locations[0].label if export.groups is None else group_of(export, at, None, None)
        parts.append(name_of(label or UNLABELLED))
        place = folder.joinpath(*parts)
        place.mkdir(parents=True, exist_ok=True)
        own_name = locations[0].key and f"{safe_name(locations[0].key)}{source.suffix}"
        target = place / (own_name or source.name)
        if str(target).casefold() in taken:  # a file of that name in another folder
            target = target.with_name(f"{target.stem}-{format_id(image)}{source.suffix}")
        taken.add(str(target).casefold())
        try:
            put(source, target)
        except FileNotFoundError as error:
            raise CollectionConflictError(
                f"{source} is gone", hint=Hint("sync", then=", then export again")
            ) from error
        written.append(target.relative_to(folder).as_posix())
    facts = {path: _facts_of(folder / path) for path in written}
    (folder / LISTING).write_text(json.dumps({"files": written, "facts": facts}), encoding="utf-8")


def _splits(export: Export) -> dict[str, str | None]:
    """Return the splits of files, by path."""
    places = export.resources.places
    rows = export.resources.store.files.read(["path", "split"], "split IS NOT NULL").to_pylist()
    return {places.absolute(row["path"]): row["split"] for row in rows}
