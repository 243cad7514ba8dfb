"""What is made once and kept: for each key by who asks first, whoever else asks meanwhile."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Memo(Generic[K, V]):
    """Values by key, for several threads.

    Each has a lock of its own: while one is made, others are made beside it, and who asks for the same one
    waits. To make one value, others may be asked for, as long as no two need each other. What cannot be made
    is an error for who tried; who waited tries again.

    Examples
    --------
    >>> squares = Memo()
    >>> squares.get(3, lambda: 9), squares.get(3, lambda: 10)
    (9, 9)
    """

    def __init__(self) -> None:
        self._values: dict[K, V] = {}
        self._make_locks()

    def _make_locks(self) -> None:
        self._process = os.getpid()
        self._guard = threading.Lock()
        self._locks: defaultdict[K, threading.Lock] = defaultdict(threading.Lock)

    def get(self, key: K, make: Callable[[], V], is_current: Callable[[V], bool] = lambda value: True) -> V:
        """Return the value of a key, which is made unless there is one that is current.

        Parameters
        ----------
        key : hashable
        make : callable
            Makes the value; who else asks for this key waits meanwhile.
        is_current : callable
            Tells whether what was made before will do. What does not is replaced.
        """
        found = self._find(key, is_current)
        if found is None:
            if os.getpid() != self._process:  # a copy, in which nobody lets go of what others held
                self._make_locks()
            with self._guard:
                lock = self._locks[key]
            with lock:
                found = self._find(key, is_current)
                if found is None:
                    found = (make(),)
                    self._values[key] = found[0]
        return found[0]

    def peek(self, key: K) -> V | None:
        """Return the value of a key as it is; None if there is none."""
        return self._values.get(key)

    def forget(self, key: K) -> None:
        """Let go of the value of a key, if there is one."""
        self._values.pop(key, None)

    def has(self, key: K) -> bool:
        """Tell whether the value of a key has been made."""
        return key in self._values

    def values(self) -> list[V]:
        """Return what is kept now."""
        return list(self._values.values())

    def _find(self, key: K, is_current: Callable[[V], bool]) -> tuple[V] | None:
        """Return the value of a key, in a tuple since it may be any; None if there is none that will do."""
        try:
            value = self._values[key]
        except KeyError:
            return None
        return (value,) if is_current(value) else None


class Recent(Generic[K, V]):
    """The values that were asked for last, by key, for several threads; others are let go of.

    Parameters
    ----------
    n : int
        How many to keep.

    Examples
    --------
    >>> squares = Recent(1)
    >>> squares.get(3, lambda: 9), squares.get(3, lambda: 10), squares.get(2, lambda: 4), len(squares)
    (9, 9, 4, 1)
    """

    def __init__(self, n: int) -> None:
        self._n = n
        self._values: OrderedDict[K, V] = OrderedDict()
        self._guard = threading.Lock()

    def get(self, key: K, make: Callable[[], V]) -> V:
        """Return the value of a key, made now unless it is kept; two threads may make it at once."""
        with self._guard:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
        made = make()
        with self._guard:
            self._values[key] = made
            while len(self._values) > self._n:
                self._values.popitem(last=False)
        return made

    def __len__(self) -> int:
        return len(self._values)
