"""How much memory there is to work with."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

_GROUPS = (  # limit, usage and statistics of a container, by version 2 and 1 of Linux's control groups
    ("memory.max", "memory.current", "memory.stat"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "memory/memory.stat"),
)
_ASSUMED = 4 << 30  # where the system does not say


def free_memory(root: Path = Path("/")) -> int:
    """Return how many bytes this process may take without harm: what is free, in a container of its share.

    Where only the size of the memory is known, half of it is taken to be free.
    """
    found = []
    with contextlib.suppress(OSError, TypeError, ValueError):
        facts = (root / "proc/meminfo").read_text(encoding="utf-8")
        available = re.search(r"^MemAvailable:\s*(\d+) kB", facts, re.MULTILINE)
        if available:
            found.append(int(available[1]) << 10)
    for names in _GROUPS:
        with contextlib.suppress(OSError, ValueError):  # no such files, or no limit: "max"
            limit, used, facts = ((root / "sys/fs/cgroup" / name).read_text() for name in names)
            cached = re.search(r"^(?:total_)?inactive_file (\d+)", facts, re.MULTILINE)
            found.append(max(int(limit) - int(used) + int(cached[1] if cached else 0), 0))
    if found:
        return min(found)
    with contextlib.suppress(OSError, ValueError, AttributeError):  # not on Windows
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    return _ASSUMED
