"""Who reads a collection: whether versions that newer ones have taken the place of are still wanted.

Each process that has pinned tables shares a lock on the collection's folder as long as it holds any. A writer
that gets it alone knows that no other process reads; what this process itself holds, it knows. Where there is
no such lock, nobody can tell.
"""

from __future__ import annotations

import contextlib
import os
import threading
import weakref
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

from lookalike.store.versions import Commit
from lookalike.system.shared_lock import SharedLock


class Reader(Protocol):
    """Holds versions of tables: its `state` says which, by the paths of their folders."""

    state: Mapping[str, Commit]


class _Lease:
    """That this process reads a collection."""

    def __init__(self, folder: Path) -> None:
        self.lock = SharedLock(folder)
        self.lock.share()
        self.readers: weakref.WeakSet[Reader] = weakref.WeakSet()
        self.n = 0


_leases: dict[str, _Lease] = {}  # by the folder of the collection
_guard = threading.RLock()


class Reading:
    """That somebody is about to read, or does; ends when it is closed, or forgotten."""

    def __init__(self, folder: Path) -> None:
        place = os.path.realpath(folder)
        with _guard:
            lease = _leases.get(place) or _leases.setdefault(place, _Lease(folder))
            lease.n += 1
        self._readers = lease.readers
        self.close = weakref.finalize(self, _leave, place)
        self.close.atexit = False

    def of(self, reader: Reader) -> None:
        """Say what is read."""
        with _guard:
            self._readers.add(reader)


def _leave(place: str) -> None:
    with _guard:
        lease = _leases[place]
        lease.n -= 1
        if not lease.n:
            lease.lock.close()
            del _leases[place]


@contextlib.contextmanager
def no_other_process(folder: Path) -> Iterator[bool]:
    """Give whether no other process reads a collection; within, none begins to."""
    with _guard:
        lease = _leases.get(os.path.realpath(folder))
        lock = SharedLock(folder) if lease is None else lease.lock
        try:
            yield lock.take()
        finally:
            if lease is None:
                lock.close()
            else:
                lock.share()


def oldest_read(folder: Path, table: str, newest: int) -> int:
    """Return the oldest version of a table, known by the path of its folder, that this process reads."""
    with _guard:
        lease = _leases.get(os.path.realpath(folder))
        states = [reader.state for reader in lease.readers] if lease is not None else []
    return min((state[table].version for state in states if table in state), default=newest)
