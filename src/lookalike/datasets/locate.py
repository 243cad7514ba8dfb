"""Where data sets lie on this computer.

First the folders that the user named in ``LOOKALIKE_DATA``, in their order, then the cache.
"""

from __future__ import annotations

import os
from pathlib import Path

from lookalike.cache import cache_folder


def cached_data_folder() -> Path:
    """Return the folder of the data sets that were fetched; it need not exist yet."""
    return cache_folder() / "datasets"


def data_folders() -> tuple[Path, ...]:
    """Return the folders to look in, the first first; some may not exist.

    ``$LOOKALIKE_DATA`` holds several separated as in ``PATH``; empty parts are ignored.
    """
    named = os.environ.get("LOOKALIKE_DATA", "").split(os.pathsep)
    return (*(Path(part).expanduser().absolute() for part in named if part), cached_data_folder())


def find(*relative: str) -> Path | None:
    """Return the first of these relative paths that exists in a data folder, or None.

    Parameters
    ----------
    *relative : str
        The places where one thing may lie, the most usual first: ``caltech-101/101_ObjectCategories``.
    """
    candidates = (folder / path for folder in data_folders() for path in relative)
    return next((candidate for candidate in candidates if candidate.exists()), None)
