"""Which collection a command is about, when the user has not said so, or not fully."""

from __future__ import annotations

import contextlib
import glob
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lookalike.errors import (
    CollectionConflictError,
    CollectionError,
    CollectionNotFoundError,
    QueryInputError,
    QueryNotFoundError,
)

if TYPE_CHECKING:
    from lookalike.collection import Collection


def open_named(at: Path | None) -> Collection:
    """Open the collection named, else the one around the working directory."""
    from lookalike.collection import Collection

    return Collection.open() if at is None else Collection.open(at, above=False)


def open_for_query(at: Path | None, queries: Sequence[str]) -> Collection:
    """Open the collection named, else the one around the working directory, else around a query file.

    The file need not exist: the collection then says so. For a query such as ``mnist:test/42`` it is also
    looked for in the folder ``mnist``.

    Raises
    ------
    QueryError
        If there is none, and neither is a file that a query names, or that is a folder.
    CollectionError
        If there is none, and nothing else to complain of.
    """
    from lookalike.collection import Collection
    from lookalike.query.embedding import names_dataset_image, names_file

    try:
        return open_named(at)
    except CollectionError:
        if at is not None or Collection.find():
            raise
        files = []
        for query in queries:
            if os.path.lexists(query) or (names_file(query) and not names_dataset_image(query)):
                files.append(query)
                near, above = Path(query) if os.path.isdir(query) else Path(query).parent, True
            else:
                near, above = Path(query.partition(":")[0]), False
            if Collection.find(near, above):
                return Collection.open(near, above)
        for query in files:
            # What is wrong with the query comes first: a collection would not mend it.
            if os.path.isdir(query):
                raise QueryInputError(
                    f"the query {query} is a folder; expected an image file or a URL"
                ) from None
            if not os.path.lexists(query):
                raise QueryNotFoundError(
                    f"there is no file {query!r}, nor a collection near it or in the working directory; name"
                    " the collection's folder with -c/--collection"
                ) from None
        raise


@dataclass(frozen=True, slots=True)
class Place:
    """Where a collection is, or is to be.

    Attributes
    ----------
    home : Path
        The folder that holds ``.lookalike``.
    is_there : bool
        Whether it does already.
    folders : tuple of Path
        The folders that the paths of the request are about.
    """

    home: Path
    is_there: bool
    folders: tuple[Path, ...]


def choose_place(paths: Sequence[str], at: Path | None, datasets: Sequence[str] = ()) -> Place:
    """Find out which collection a request to index is about. Writes nothing.

    Parameters
    ----------
    paths : sequence of str
        Folders, files and globs, as the user named them. Without any, and without a collection, it is about
        the working directory.
    at : Path, optional
        The folder of the collection, as the user named it.
    datasets : sequence of str
        Data sets to be indexed as well. Alone, and with no collection named, the first one's name is the
        name of the collection's folder, in the working directory.

    Raises
    ------
    CollectionError
        If a path does not exist, if there is neither a path nor a collection in the root of the system or the
        user's home, or if the paths lie in several collections, or in none and have no root in common.
    """
    from lookalike.collection import Collection

    folders = tuple(_folder_of(path) for path in paths)
    if at is None and datasets and not paths:
        at = Path(datasets[0])
    if at is not None:
        found = Collection.find(at, above=False)
        home = found.parent if found else _home(at)
        if not found and not paths and not datasets:
            if Collection.find("."):  # it is another's name that was mistyped
                raise CollectionNotFoundError(
                    f"there is no collection in {at}; name the folder of images, too"
                )
            return Place(home, False, (_working_folder(),))
    elif not paths:
        found = Collection.find(".")
        if found:
            return Place(found.parent, True, ())
        here = _working_folder()
        return Place(here, False, (here,))
    else:
        around = {Collection.find(folder) for folder in folders}
        if len(around) > 1:
            raise CollectionConflictError(
                "these paths lie in different collections; name one with -c/--collection DIR"
            )
        found = around.pop()
        top = min(folders, key=lambda folder: len(folder.parts))
        if found is None and any(top != folder and top not in folder.parents for folder in folders):
            raise CollectionConflictError(
                "several folders need a collection of their own: name its folder with -c/--collection DIR"
            )
        home = found.parent if found else top
    # A root that is missing now is the sync's to judge.
    known = Collection.open(home, above=False) if found else None
    for path, folder in zip(paths, folders, strict=True):
        if not os.path.isdir(folder) and not (known and known.holds(folder)):
            raise CollectionNotFoundError(f"there is no file or folder {path}")
    return Place(home, found is not None, folders)


def open_place(place: Place, model: str | None = None, instead: Path | None = None) -> Collection:
    """Open the collection of a place, or make it, with a root for each folder that needs one.

    Parameters
    ----------
    place : Place
    model : str, optional
        Of a new collection; one that is there keeps its own.
    instead : Path, optional
        Where to make a new one, if not at its place.

    Raises
    ------
    CollectionError
        If it cannot be made, or roots would overlap.
    ModelError
        If there is no such model, or it cannot be loaded.
    """
    from lookalike.collection import Collection

    if place.is_there:
        collection = Collection.open(place.home, above=False)
    else:
        collection = Collection.create(
            instead or place.home, model, with_root=False, check_model=instead is None
        )
    for folder in sorted(place.folders, key=lambda folder: len(folder.parts)):
        if not collection.holds(folder):
            collection.add_root(folder)
    return collection


def _working_folder() -> Path:
    """Return the folder to be indexed where none was named, and there is no collection yet.

    Raises
    ------
    CollectionError
        If it is the root of the system, or the user's home: these are named by who means them.
    """
    here = Path(os.getcwd())
    is_root, is_home = here.parent == here, False
    with contextlib.suppress(OSError):
        is_home = os.path.samefile(here, os.path.expanduser("~"))
    if is_root or is_home:
        raise CollectionNotFoundError(
            f"there is no collection in {here}, which is {'the root' if is_root else 'your home'};"
            " name a folder of images, or this one: `lookalike index .`"
        )
    return here


def _home(at: Path) -> Path:
    """Return the folder that is to hold ``.lookalike``, also where the user named the ``.lookalike``."""
    return at.parent if at.name == ".lookalike" else at


def _folder_of(path: str) -> Path:
    """Return the folder that a path is about: itself, the one that a file lies in, or a glob starts from."""
    from lookalike.images.finding.globs import split_glob

    place, rest = split_glob(path)
    if rest and not glob.has_magic(rest):
        return place / rest
    return place if os.path.isdir(place) else place.parent
