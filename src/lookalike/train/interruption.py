"""Ctrl-C that waits for the end of a step, so that what was learned can be written down first."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType


@contextlib.contextmanager
def interrupt_awaited() -> Iterator[Callable[[], bool]]:
    """Give a function that says whether Ctrl-C was pressed; the second time, it interrupts as always.

    Only where Python's own handler is at work, and in the main thread, the only one that may set another:
    elsewhere the function says no.
    """
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield lambda: False
        return
    pressed = threading.Event()

    def handle(_number: int, _frame: FrameType | None) -> None:
        pressed.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    signal.signal(signal.SIGINT, handle)
    try:
        yield pressed.is_set
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
