"""Importing Lance so that it takes no more memory than it needs."""

from __future__ import annotations

import os
from types import ModuleType

_RESERVED_AT_ONCE = "65536"  # KiB


def import_lance() -> ModuleType:
    """Import Lance.

    Its allocator, mimalloc, reserves a gibibyte of addresses at a time; where a process may have little more
    than that (``ulimit -v``, a batch system), nothing is left for pictures. The option is read as the library
    is loaded. Whoever knows better sets the variable.
    """
    os.environ.setdefault("MIMALLOC_ARENA_RESERVE", _RESERVED_AT_ONCE)
    import lance

    module: ModuleType = lance
    return module
