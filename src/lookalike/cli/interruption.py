"""Ctrl-C that stops long work in order; a second one stops it at once."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

from lookalike.system.progress import CancelToken


@contextlib.contextmanager
def cancelled_by_interrupt() -> Iterator[CancelToken]:
    """Give a token that the first Ctrl-C cancels; from then on, it interrupts as always.

    Only where Python's own handler is at work, and in the main thread, the only one that may set another:
    elsewhere nobody cancels it.
    """
    token = CancelToken()
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield token
        return

    def handle(_number: int, _frame: FrameType | None) -> None:
        token.cancel()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    signal.signal(signal.SIGINT, handle)
    try:
        yield token
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
