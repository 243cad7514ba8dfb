"""Where downloaded and computed things that can be had again are kept."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def cache_folder() -> Path:
    """Return the folder for things that can be fetched or made again; it need not exist yet.

    ``$LOOKALIKE_CACHE`` where that is set, else the place where this system's programs keep theirs.

    >>> cache_folder().is_absolute()
    True
    """
    if chosen := os.environ.get("LOOKALIKE_CACHE"):
        return Path(os.path.abspath(os.path.expanduser(chosen)))

    from platformdirs import user_cache_path

    try:
        return user_cache_path("lookalike", appauthor=False)
    except RuntimeError:  # a user without a home: a service, say
        return Path(tempfile.gettempdir()) / "lookalike-cache"
