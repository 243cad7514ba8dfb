"""A bound on what runs in this process: in seconds of processor time, and of the clock."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator

_WAITED = 15
"""How many times as long by the clock: of a machine with other work, and for what only waits."""


class TooLongError(BaseException):
    """It took longer than it may; nothing that catches errors keeps it."""


@contextlib.contextmanager
def within(seconds: float) -> Iterator[None]:
    """Stop what runs inside after some seconds of processor time, in the main thread, by TooLongError.

    What takes no processor time at all is stopped, too, after many times as long by the clock. Who catches
    whatever comes, and goes on, has taken too long at its end.
    """
    stopped = False

    def stop(*_: object) -> None:
        nonlocal stopped
        stopped = True
        raise TooLongError

    bounds = (
        (signal.ITIMER_PROF, signal.SIGPROF, seconds),
        (signal.ITIMER_REAL, signal.SIGALRM, _WAITED * seconds),
    )
    before = [signal.signal(number, stop) for _, number, _ in bounds]
    for timer, _, most in bounds:
        signal.setitimer(timer, most)
    try:
        yield
    finally:
        for timer, _, _ in bounds:
            signal.setitimer(timer, 0)
        for (_, number, _), handler in zip(bounds, before, strict=True):
            signal.signal(number, handler)
    if stopped:
        raise TooLongError
