"""Which system this is, where systems differ; in one place, so that tests can be on another.

What each does differently stands in ``docs/systems.md``.
"""

from __future__ import annotations

import os
import re
import sys

WINDOWS = os.name == "nt"
MACOS = sys.platform == "darwin"

_RESERVED = re.compile(r"(con|prn|aux|nul|(com|lpt)[0-9¹²³])(\..*)?", re.IGNORECASE)


def may_go_while_open() -> bool:
    """Tell whether a file may be removed, or replaced, while it is mapped: those who have it keep it."""
    return not WINDOWS


def is_reserved(name: str) -> bool:
    """Tell whether Windows takes the name of a file for a device, whatever its ending.

    >>> is_reserved("NUL"), is_reserved("com1.png"), is_reserved("console")
    (True, True, False)
    """
    return _RESERVED.fullmatch(name) is not None
