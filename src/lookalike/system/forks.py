"""Processes that are copies of others: what they cannot use is refused, where it would hang for ever.

A fork copies the memory of a process, and of its threads only the one that forks. Libraries that work with
threads of their own, Lance before all, then wait for threads that are not there; so does who wants a lock
that another thread held at that moment.
"""

from __future__ import annotations

import contextlib
import os
import warnings
import weakref
from collections.abc import Callable, Iterator
from typing import Any

from lookalike.errors import CollectionConflictError, LookalikeError

INSTEAD = 'start processes by multiprocessing\'s "spawn" or "forkserver", and open the collection there'

_BORN = os.getpid()
_users: dict[str, int] = {}  # by library: the process that has used it
_used_in: list[int] = []  # the process that has used what does not survive a fork
_is_registered: list[bool] = []
_left: weakref.WeakKeyDictionary[Any, Callable[[Any], None]] = weakref.WeakKeyDictionary()


def check_not_forked(folder: object) -> None:
    """Raise where this process is a copy of one that had used the tables; else remember that it does.

    Raises
    ------
    CollectionConflictError
    """
    here = os.getpid()
    if not _used_in:
        _used_in.append(here)
        # Lance warns at every fork, be it for a command of the shell. A copy that reads is refused here.
        warnings.filterwarnings("ignore", "lance is not fork-safe", UserWarning)
    if _used_in[0] != here:
        raise CollectionConflictError(
            f"{folder} cannot be read in a process that is a copy (fork) of one that has read a collection",
            hint=INSTEAD,
        )


def check_used_here(library: str, error: Callable[..., LookalikeError]) -> None:
    """Raise where this process is a copy of one that had used a library; else remember that it does.

    Parameters
    ----------
    library : str
        One that neither works in a copy nor says so.
    error : callable
        The class of what is raised.
    """
    here = os.getpid()
    if _users.setdefault(library, here) != here:
        raise error(
            f"{library} cannot be used in a process that is a copy (fork) of one that has used it",
            hint=INSTEAD,
        )


@contextlib.contextmanager
def one_openmp_thread() -> Iterator[None]:
    """Let this thread use OpenMP alone, in a process that is a copy; in any other, nothing is changed.

    GNU's OpenMP keeps its threads for the next loop. A copy has none of them, and waits for them for ever.
    """
    if os.getpid() == _BORN:
        yield
        return
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, user_api="openmp"):
        yield


def leave_behind(thing: Any, leave: Callable[[Any], None]) -> None:
    """Have something done with a thing in every process that is a copy of this one."""
    if not _is_registered and hasattr(os, "register_at_fork"):  # not on Windows, which has no forks
        os.register_at_fork(after_in_child=_leave_all)
        _is_registered.append(True)
    _left[thing] = leave


def _leave_all() -> None:
    for thing, leave in list(_left.items()):
        leave(thing)
