"""One writer at a time. The system lifts the lock when its process ends, however it ends."""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import platform
from collections.abc import Iterator
from pathlib import Path

from lookalike.errors import LockedError, StoreResourceError
from lookalike.store.commits import ANOTHER_DISK


@contextlib.contextmanager
def writer_lock(folder: Path, timeout: float = 0.0, poll_seconds: float = 0.05) -> Iterator[None]:
    """Hold the writer's lock of the collection in `folder`.

    Parameters
    ----------
    folder : Path
        The ``.lookalike`` folder.
    timeout : float
        Seconds to wait for another writer.
    poll_seconds : float
        How long to wait before looking again.

    Raises
    ------
    LockedError
        If another process still holds it; the message says which.
    """
    import filelock

    lock = filelock.FileLock(folder / "lock", timeout=timeout)
    holder = folder / "lock.json"
    try:
        lock.acquire(poll_interval=poll_seconds)
    except filelock.Timeout as error:
        raise LockedError(
            f"another lookalike is writing to {folder} ({_describe(holder)})",
            hint="wait for it to end, then run this again",
        ) from error
    except (OSError, NotImplementedError) as error:
        reason = getattr(error, "strerror", None) or error
        raise StoreResourceError(f"cannot write to {folder}: {reason}", hint=ANOTHER_DISK) from error
    try:
        me = {
            "pid": os.getpid(),
            "host": platform.node(),
            "since": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
        }
        with contextlib.suppress(OSError):  # only for the message above
            holder.write_text(json.dumps(me), encoding="utf-8")
        yield
    finally:
        lock.release()


def _describe(holder: Path) -> str:
    try:
        facts = json.loads(holder.read_text(encoding="utf-8"))
        return f"process {facts['pid']} on {facts['host']}, since {facts['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "it has not said which"
