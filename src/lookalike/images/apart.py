"""Where a picture is decoded: in the thread that asks, or in a child that can be killed; how many at once.

| what `lookalike.images.cost` reckons | where |
|---|---|
| little memory, little time, a library that is silent | in the thread |
| more of either, or a library that prints or does what a header does not tell | in a child |

Together they take `ROOM` at most, however many threads there are: who finds no room waits. A picture that
needs more than all of it is decoded alone, in at most half of the memory that is free; where that is too
little, it is not read this time.
"""

from __future__ import annotations

import re
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lookalike.errors import ImageDamagedError, ImageError, ImageResourceError
from lookalike.images.cost import Cost
from lookalike.system.children import FEW_THREADS, Bounds, Children, StoppedError
from lookalike.system.cores import usable_cores
from lookalike.system.memory import free_memory
from lookalike.system.progress import Watch

ROOM = 640_000_000
"""Bytes that all pictures together take that are decoded at a time, but for one that needs more alone."""

A_RETURNED_PIXEL = 10
"""Bytes that it takes to send one from a child: there, on the way, and here."""

_IN_THREAD = 128_000_000  # bytes
_IN_THREAD_SECONDS = 2.0
_WITHOUT_CHILD = 512_000_000, 20.0  # bytes and seconds of what is decoded here if there is no child to be had
_FAR_TOO_SLOW = 8  # times the seconds that a picture has
_MOST_CHILDREN = 8
_SLACK = 96_000_000, 12_000_000  # bytes that libraries reserve, for themselves and for each of their threads
_ASKED_AGAIN = 0.1  # seconds
_MOST_SAID = 160  # characters

_TOO_SLOW = re.compile(r"to decode it (?:took|would take) longer than ([0-9.e+]+) s")

_PREPARE = (
    "numpy",
    "PIL.Image",
    "lookalike.images.decode",
    "lookalike.images.color.profiles",
    "lookalike.images.color.srgb",
)


class _Room:
    """So many bytes, given to those who ask in their order."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._taken = 0
        self._waiting: deque[object] = deque()
        self._changed = threading.Condition()

    @contextmanager
    def take(self, n_bytes: int, watch: Watch) -> Iterator[None]:
        """Wait until there is room, and hold it."""
        n_bytes = min(n_bytes, self._size)
        ticket = object()
        with self._changed:
            self._waiting.append(ticket)
            try:
                while self._waiting[0] is not ticket or self._taken + n_bytes > self._size:
                    watch.check()
                    self._changed.wait(_ASKED_AGAIN)
            except BaseException:
                self._waiting.remove(ticket)
                self._changed.notify_all()
                raise
            self._waiting.popleft()
            self._taken += n_bytes
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._taken -= n_bytes
                self._changed.notify_all()


_room = _Room(ROOM)
_alone = _Room(1)
_children = Children(
    min(usable_cores(), _MOST_CHILDREN),
    _PREPARE,
    {**FEW_THREADS, "MALLOC_ARENA_MAX": "2"},
)


def is_for_thread(cost: Cost) -> bool:
    """Tell whether a picture may be decoded in the thread that asks."""
    return not cost.is_apart and cost.memory <= _IN_THREAD and cost.seconds <= _IN_THREAD_SECONDS


@contextmanager
def room_for(cost: Cost, name: str, n_bytes: int, watch: Watch) -> Iterator[None]:
    """Wait until a picture may be decoded.

    Raises
    ------
    ImageResourceError
        If it needs more than half of the memory that is free.
    CancelledError
    """
    if cost.memory <= ROOM:
        with _room.take(cost.memory, watch):
            yield
        return
    with _alone.take(1, watch):
        half = free_memory() // 2
        if cost.memory + n_bytes > half:
            raise ImageResourceError(
                name,
                f"to decode it takes about {cost.memory / 1e9:,.1f} GB of memory, and half of what is free"
                f" is {half / 1e9:,.1f} GB",
                is_permanent=False,
            )
        yield


def decode_apart(
    function: str, arguments: tuple[Any, ...], cost: Cost, seconds: float, watch: Watch
) -> tuple[Any, str]:
    """Call a function in a child, and return its answer, and what libraries printed.

    Parameters
    ----------
    function : str
        ``module:name``.
    arguments : tuple
        The name of the picture is the second of them.
    cost : Cost
        Of the picture; there is room for it.
    seconds : float
        It may take so long.
    watch : Watch

    Raises
    ------
    ImageError
        If it was stopped, or died.
    MemoryError
        If the memory that was reckoned did not suffice.
    """
    name = arguments[1]
    fixed, a_thread = _SLACK
    memory = cost.memory + cost.memory // 8 + fixed + a_thread * usable_cores()
    try:
        answer = _children.call(function, *arguments, bounds=Bounds(seconds, memory), watch=watch)
    except StoppedError as error:
        raise _stopped(error, name, seconds, cost) from error
    return answer.value, answer.said


def is_far_too_slow(cost: Cost, seconds: float) -> bool:
    """Tell whether it is no use to begin: what is reckoned is some times what it takes."""
    return cost.seconds > _FAR_TOO_SLOW * seconds


def can_do_without_child(cost: Cost) -> bool:
    """Tell whether a picture may be decoded in the thread where no child can be had."""
    memory, seconds = _WITHOUT_CHILD
    return cost.memory <= memory and cost.seconds <= seconds


class NoChildError(Exception):
    """There is no process to be had to decode a picture in."""


def _stopped(error: StoppedError, name: str, seconds: float, cost: Cost) -> Exception:
    if error.why == "start":
        return NoChildError(str(error))
    if error.why == "busy":
        return ImageResourceError(name, f"{too_slow(seconds)} on a machine that is busy", is_permanent=False)
    if error.why == "killed":
        return ImageResourceError(name, "not enough memory to decode it", is_permanent=False)
    if error.why == "time":
        return ImageDamagedError(name, too_slow(seconds))
    return ImageDamagedError(name, with_said(f"its decoder failed: {error}", error.said))


def too_slow(seconds: float) -> str:
    """Say why a picture was stopped."""
    return f"to decode it took longer than {seconds:g} s"


def far_too_slow(seconds: float) -> str:
    """Say why a picture was not begun."""
    return f"to decode it would take longer than {seconds:g} s"


def seconds_of(reason: str) -> float | None:
    """Return how long a picture had that was stopped for the reason given; None for any other reason.

    Examples
    --------
    >>> seconds_of(too_slow(30)), seconds_of(far_too_slow(5)), seconds_of("the file is empty")
    (30.0, 5.0, None)
    """
    found = _TOO_SLOW.fullmatch(reason)
    return None if found is None else float(found[1])


def with_said(reason: str, said: str) -> str:
    """Return a reason, and what libraries printed: on one line, without what a terminal would obey."""
    text = "; ".join(dict.fromkeys(" ".join(line.split()) for line in said.splitlines() if line.strip()))
    text = "".join(c if c.isprintable() else "?" for c in text)
    if not text:
        return reason
    if len(text) > _MOST_SAID:
        text = text[: _MOST_SAID - 1] + "…"
    return f"{reason}: {text}"


def as_child_failed(error: ImageError, said: str) -> ImageError:
    """Return an error of a child's with what was printed before it."""
    if not said or not error.is_permanent or error.reason.endswith("is cut short"):
        return error
    return ImageDamagedError(error.path, with_said(error.reason, said))
