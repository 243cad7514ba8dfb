"""One writer at a time. The system lifts the lock when its process ends, however it ends.

Who finds it held may wait, and is told for whom: that stands in ``lock.json`` beside the lock, from a moment
after it was taken until it is given back. It is for people only; what counts is the lock.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import math
import os
import platform
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from numbers import Real
from pathlib import Path
from typing import Any, Literal

from lookalike.errors import InvalidInputError, LockedError, StoreResourceError
from lookalike.hints import Hint
from lookalike.store.commits import ANOTHER_DISK
from lookalike.system import this_system
from lookalike.system.checked_calls import shown
from lookalike.system.progress import UNWATCHED, Watch
from lookalike.system.replace_file import replace_file

Wait = float | Literal["threads"] | None
"""How long to wait for another writer: seconds, 0 for not at all; None for as long as it takes; ``"threads"``
for as long as it takes where that is another thread of this process, and else not at all."""

_FOREVER = 10**9  # seconds; longer than anybody waits, and than float64 may hold
_SAID_AFTER = 0.1  # seconds; nobody needs to hear of shorter waits, and who writes has said so by then
_SAID_AGAIN = 0.2  # seconds between two reports to who watches

# Which thread writes where, of which process, as a fork copies this: the system knows open files only.
_writing: dict[tuple[int, str], int] = {}

# Held by the thread of a process that holds the lock, or tries to: so who finds the system's lock taken knows
# that it is by another process.
_threads: dict[tuple[int, str], threading.Lock] = {}


@dataclass(frozen=True, slots=True)
class Turn:
    """How a writer takes its turn.

    Attributes
    ----------
    wait : Wait
    work : str
        What it does, in words for who waits for it: "adding images".
    watch : Watch
        Told for whom it waits; and what stops it.
    poll_seconds : float
        How long to wait before looking again.
    """

    wait: Wait = 0.0
    work: str = ""
    watch: Watch = UNWATCHED
    poll_seconds: float = 0.05


AT_ONCE = Turn()


def check_wait(wait: Any) -> Wait:
    """Return how long to wait.

    Raises
    ------
    InvalidInputError
        If it is nothing of the kind.
    """
    if wait is None or (isinstance(wait, str) and wait == "threads"):
        return None if wait is None else "threads"
    is_number = isinstance(wait, Real) and not isinstance(wait, bool)
    if not is_number or not wait >= 0:
        raise InvalidInputError(
            f"wait is {shown(wait)}; expected seconds from 0 on, None for as long as it takes, or 'threads'",
            field="wait",
        )
    return None if wait > _FOREVER else float(wait)


@contextlib.contextmanager
def writer_lock(folder: Path, turn: Turn = AT_ONCE) -> Iterator[None]:
    """Hold the writer's lock of the collection in `folder`.

    Who had to wait finds a collection that others have changed meanwhile.

    Parameters
    ----------
    folder : Path
        The ``.lookalike`` folder.
    turn : Turn
        Whether to wait for another writer, and who is told.

    Raises
    ------
    LockedError
        If another still holds it when the time is up, or this very thread does; the message says which.
    CancelledError
        If whoever watches has had enough of waiting.
    """
    import filelock

    # Kept by instance, not by thread: a generator may be closed by another.
    lock = filelock.FileLock(folder / "lock", timeout=0, thread_local=False)
    holder, place = folder / "lock.json", (os.getpid(), os.path.realpath(folder))
    wait = check_wait(turn.wait)
    ends = math.inf if wait is None or wait == "threads" else time.monotonic() + wait
    to_say = time.monotonic() + _SAID_AFTER
    own = _threads.setdefault(place, threading.Lock())
    while True:
        is_free_here = own.acquire(blocking=False)
        if is_free_here:
            is_taken = False
            try:
                lock.acquire()
                is_taken = True
                break
            except filelock.Timeout:
                pass
            except (OSError, NotImplementedError) as error:
                reason = getattr(error, "strerror", None) or error
                raise StoreResourceError(f"cannot write to {folder}: {reason}", hint=ANOTHER_DISK) from error
            finally:
                if not is_taken:
                    own.release()
        is_self = _writing.get(place) == threading.get_ident()
        is_foreign = wait == "threads" and is_free_here
        if is_self or is_foreign or time.monotonic() >= ends:
            raise LockedError(
                f"another lookalike is writing to {folder} ({_describe(holder, place)})",
                hint=Hint("wait_turn") if is_foreign else "wait for it to end, then run this again",
            )
        if time.monotonic() >= to_say:
            turn.watch.say("waiting", f"waiting for another lookalike ({_describe(holder, place)})")
            to_say = time.monotonic() + _SAID_AGAIN
        turn.watch.check()
        time.sleep(min(turn.poll_seconds, max(0.0, ends - time.monotonic())))
    _writing[place] = threading.get_ident()
    try:
        _tell(holder, turn.work)
        yield
    finally:
        with contextlib.suppress(OSError):  # before the next one writes his
            holder.unlink(missing_ok=True)
        _writing.pop(place, None)
        lock.release()
        own.release()


def _tell(holder: Path, work: str) -> None:
    """Write down who writes; where that cannot be, at least nobody else stands there."""
    me = {
        "pid": os.getpid(),
        "host": platform.node(),
        "since": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
        "work": work,
    }
    with contextlib.suppress(OSError):
        try:
            replace_file(holder, json.dumps(me).encode())
        except OSError:
            holder.unlink(missing_ok=True)


def _describe(holder: Path, place: tuple[int, str]) -> str:
    """Say who writes, as far as that is known."""
    try:
        facts: Any = json.loads(holder.read_text(encoding="utf-8"))
        pid, host, since, work = facts["pid"], facts["host"], facts["since"], facts.get("work", "")
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return "it has not said which"
    doing = f", {work}" if work else ""
    if host == platform.node():
        if pid == os.getpid():
            is_self = _writing.get(place) == threading.get_ident()
            who = "this very thread, further up" if is_self else "another thread of this process"
            return f"{who}, since {since}{doing}"
        if not _lives(pid):  # killed; who writes now has not said so yet
            return "it has not said which"
    return f"process {pid} on {host}, since {since}{doing}"


def _lives(pid: object) -> bool:
    """Tell whether there is a process of a number on this machine; where that cannot be told, there is."""
    if this_system.WINDOWS or not isinstance(pid, int) or pid <= 0:
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True
