"""Where data sets lie on this computer.

First the folders that the user named in ``LOOKALIKE_DATA``, in their order, then the cache.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from lookalike.errors import DatasetNotFoundError
from lookalike.system.cache import cache_folder, check_trusted
from lookalike.system.checked_calls import check_path
from lookalike.system.progress import Watch

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Place:
    """Where the files of a data set lie.

    Attributes
    ----------
    root : Path
    origin : str
        How they came there, as a phrase for people.
    """

    root: Path
    origin: str


def cached_data_folder() -> Path:
    """Return the folder of the data sets that were fetched; it need not exist yet."""
    return cache_folder() / "datasets"


def data_folders() -> tuple[Path, ...]:
    """Return the folders to look in, the first first; some may not exist.

    ``$LOOKALIKE_DATA`` holds several separated as in ``PATH``; empty parts are ignored.
    """
    named = os.environ.get("LOOKALIKE_DATA", "").split(os.pathsep)
    return (*(Path(part).expanduser().absolute() for part in named if part), cached_data_folder())


def find_each(*relative: str) -> Iterator[Path]:
    """Yield each of these relative paths that exists in a data folder; see `find`.

    Raises
    ------
    CacheError
        If it lies in the cache, and could be another user's doing.
    """
    # Not Path.exists, which raises where a folder above is unreadable.
    names = [check_path("relative", path) for path in relative]
    for folder in data_folders():
        for path in names:
            if os.path.exists(folder / path):
                check_trusted(folder / path)
                yield folder / path


def find(*relative: str) -> Path | None:
    """Return the first of these relative paths that exists in a data folder, or None.

    Parameters
    ----------
    *relative : str
        The places where one thing may lie, the most usual first: ``caltech-101/101_ObjectCategories``.
    """
    return next(find_each(*relative), None)


def found_or_fetched(
    title: str, layout: str, found: T | None, fetch: Callable[..., T], *, download: bool, watch: Watch
) -> T:
    """Return what was found, else fetch it, if that is allowed.

    Parameters
    ----------
    title : str
        Of the data set.
    layout : str
        What a data folder would hold: ``caltech-101/101_ObjectCategories``.
    found : object or None
    fetch : callable
        Called with `watch`.
    download : bool
    watch : Watch

    Raises
    ------
    DatasetError
        If it is not there and may not be fetched, or cannot be.
    """
    if found is not None:
        return found
    if not download:
        looked = ", ".join(map(str, data_folders()))
        raise DatasetNotFoundError(
            f"{title} is not on this computer: expected {layout} in {looked}",
            hint="set LOOKALIKE_DATA to a folder that holds it, or let it be downloaded",
        )
    return fetch(watch=watch)
