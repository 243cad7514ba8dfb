"""A bound in seconds on what runs in this process."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator


class TooLongError(BaseException):
    """It took longer than it may; nothing that catches errors keeps it."""


@contextlib.contextmanager
def within(seconds: float) -> Iterator[None]:
    """Stop what runs inside after some seconds, in the main thread, by TooLongError."""

    def stop(*_: object) -> None:
        raise TooLongError

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
