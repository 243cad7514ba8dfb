"""Which collection a command is about, when the user has not said so, or not fully."""

from __future__ import annotations

import glob
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lookalike.errors import CollectionError

if TYPE_CHECKING:
    from lookalike.collection import Collection


def open_for_query(at: Path | None, queries: Sequence[str]) -> Collection:
    """Open the collection named, else the one around the working directory, else around a query file."""
    from lookalike.collection import Collection

    if at is not None:
        return Collection.open(at, above=False)
    try:
        return Collection.open(".")
    except CollectionError:
        for query in queries:
            if os.path.isfile(query):
                try:
                    return Collection.open(Path(query).absolute().parent)
                except CollectionError:
                    continue
        raise


def open_or_create(paths: Sequence[str], at: Path | None, model: str | None = None) -> Collection:
    """Open the collection that `paths` lie in, or make one, with a root for each path that needs it.

    Parameters
    ----------
    paths : sequence of str
        Folders, files and globs, as the user named them.
    at : Path, optional
        The folder of the collection, made if it is not there.
    model : str, optional
        Of a new collection; one that is there keeps its own.

    Raises
    ------
    CollectionError
        If a path does not exist, if there is neither a path nor a collection, or if the paths lie in
        several collections, or in none and have no root in common.
    ModelError
        If there is no such model.
    """
    from lookalike.collection import Collection
    from lookalike.embed import DEFAULT_MODEL

    folders = [_folder_of(path) for path in paths]
    if at is None and not folders:
        collection = Collection.open(".")
    elif at is not None:
        collection = _open_or_none(at, above=False) or Collection.create(
            _home(at), model or DEFAULT_MODEL, with_root=False
        )
    else:
        around = [_open_or_none(folder, above=True) for folder in folders]
        if len({found.folder if found else None for found in around}) > 1:
            raise CollectionError(
                "these paths lie in different collections; name one with -c/--collection DIR"
            )
        top = min(folders, key=lambda folder: len(folder.parts))
        if around[0] is None and any(top != folder and top not in folder.parents for folder in folders):
            raise CollectionError(
                "several folders need a collection of their own: name its folder with -c/--collection DIR"
            )
        collection = around[0] or Collection.create(top, model or DEFAULT_MODEL)
    for folder in folders:
        if not any(root == folder or root in folder.parents for root in collection.roots):
            collection.add_root(folder)
    return collection


def is_there(paths: Sequence[str], at: Path | None) -> bool:
    """Tell whether `open_or_create` would find a collection, not make one."""
    from lookalike.store import find_collection

    if at is not None:
        return find_collection(at, above=False) is not None
    return not paths or all(find_collection(_folder_of(path)) for path in paths)


def roots_of(collection: Collection, paths: Sequence[str]) -> list[Path]:
    """Return the roots of a collection that the paths of a request lie in; all of them without paths."""
    folders = [_folder_of(path) for path in paths]
    return [
        root
        for root in collection.roots
        if not folders or any(root == folder or root in folder.parents for folder in folders)
    ]


def _open_or_none(folder: Path, above: bool) -> Collection | None:
    from lookalike.collection import Collection
    from lookalike.store import find_collection

    return Collection.open(folder, above) if find_collection(folder, above) else None


def _home(at: Path) -> Path:
    """Return the folder that is to hold ``.lookalike``, also where the user named the ``.lookalike``."""
    from lookalike.store import FOLDER_NAME

    return at.parent if at.name == FOLDER_NAME else at


def _folder_of(path: str) -> Path:
    """Return the folder that a path is about: itself, the one that a file lies in, or a glob starts from."""
    place = Path(os.path.abspath(path))
    if place.is_dir():
        return place
    if os.path.lexists(place):
        return place.parent
    if glob.has_magic(path):
        while glob.has_magic(str(place)):
            place = place.parent
        if place.is_dir():
            return place
    raise CollectionError(f"there is no file or folder {path}")
