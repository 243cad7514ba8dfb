"""A lock that many may share, and that one alone may hold; the system lifts it when a process ends.

It is of a folder as it is (``flock``), into which nothing is written. Where a system has none, as Windows, or
a disk refuses it, there is no lock, and whoever asks is told so.
"""

from __future__ import annotations

import contextlib
import importlib
import os
from pathlib import Path
from typing import Any


def _flock() -> Any:
    """Return what locks open files on this system; None on Windows."""
    try:
        return importlib.import_module("fcntl")
    except ImportError:
        return None


_fcntl = _flock()


class SharedLock:
    """A lock on a folder; it belongs to this object, and to processes that are copies of this one."""

    def __init__(self, folder: Path) -> None:
        self._handle: int | None = None
        if _fcntl is not None:
            with contextlib.suppress(OSError):
                self._handle = os.open(folder, os.O_RDONLY)

    def share(self) -> bool:
        """Hold it beside others, once nobody holds it alone; tell whether that is so."""
        return self._lock("LOCK_SH")

    def take(self) -> bool:
        """Hold it alone, if nobody else holds it; tell whether that is so. Else it is not held at all."""
        return self._lock("LOCK_EX", "LOCK_NB")

    def close(self) -> None:
        """Give it back."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def _lock(self, *flags: str) -> bool:
        if self._handle is None:
            return False
        try:
            _fcntl.flock(self._handle, sum(getattr(_fcntl, flag) for flag in flags))
        except OSError:
            return False
        return True
