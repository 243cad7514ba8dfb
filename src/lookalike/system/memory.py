"""How much memory there is to work with, and how to work within it."""

from __future__ import annotations

import contextlib
import os
import re
import sys
from pathlib import Path

from lookalike.errors import TooLittleMemoryError
from lookalike.hints import Hint

_GROUPS = (  # limit, usage and statistics of a container, by version 2 and 1 of Linux's control groups
    ("memory.max", "memory.current", "memory.stat"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "memory/memory.stat"),
)
_ASSUMED = 4 << 30  # where the system does not say
_BLOCK_VALUES = 1 << 26  # of a block of rows: 512 MB in float64
_ALWAYS = 1 << 28  # so little is not asked for


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


def rows_at_once(dimension: int, most: int) -> int:
    """Return how many rows of so many numbers make a block: `most`, or fewer where they are very long."""
    return max(1, min(most, _BLOCK_VALUES // max(dimension, 1)))


def check_memory(needed: int, what: str, instead: Hint | str) -> None:
    """Raise unless so much memory can be had; before it is taken, since a system may kill who takes too much.

    Memory that is swapped out counts as free, and so does all there is, where the system does not say what
    is: nothing is refused that might work.

    Parameters
    ----------
    needed : int
        Bytes, at least.
    what : str
        What they are needed for, as the subject of a sentence.
    instead : Hint or str
        What to do.

    Raises
    ------
    TooLittleMemoryError
    """
    if needed > _ALWAYS and needed > (free := _most_memory()):
        raise TooLittleMemoryError(
            f"{what} needs about {needed / 2**30:,.1f} GiB of memory, and {free / 2**30:,.1f} GiB are free",
            hint=instead,
        )


def check_vectors_fit(n: int, dimension: int) -> None:
    """Raise TooLittleMemoryError unless the vectors of n images, in float32, can be held."""
    check_memory(
        4 * n * dimension,
        f"holding {n:,} vectors of {dimension:,} dimensions",
        Hint("fewer_dimensions"),
    )


def _most_memory() -> int:
    """Return how many bytes this process can get at the very most."""
    if not Path("/proc/meminfo").is_file():
        with contextlib.suppress(OSError, ValueError, AttributeError):
            return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        return sys.maxsize  # nothing is known: Windows
    most = free_memory()
    with contextlib.suppress(OSError, ValueError):
        facts = Path("/proc/meminfo").read_text(encoding="utf-8")
        swap = re.search(r"^SwapFree:\s*(\d+) kB", facts, re.MULTILINE)
        most += int(swap[1]) << 10 if swap else 0
    with contextlib.suppress(OSError, ValueError, ImportError):
        import resource

        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        if limit != resource.RLIM_INFINITY:
            taken = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
            most = min(most, max(limit - taken, 0))
    return most
