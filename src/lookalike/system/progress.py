"""How far long work has come, and how it is stopped: the same for all of it.

Work that takes a while is given a `Watch`. It says what it is at with ``watch(Progress(...))``, often enough
that a bar moves and that who cancels need not wait: between two reports lies a second at most. Where it
has been cancelled, the report raises, in the thread that works, at a point where nothing is half done.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from lookalike.errors import CancelledError


@dataclass(frozen=True, slots=True)
class Progress:
    """How far long work has come.

    Attributes
    ----------
    phase : str
        What it is at, in a word that programs may look at: ``"embedding"``.
    done : int
        Steps of the phase that are done.
    total : int or None
        Of how many; None where nobody knows.
    words : str
        The same for people, in a few words.
    failed : int
        How many of the steps came to nothing.
    """

    phase: str
    done: int = 0
    total: int | None = None
    words: str = ""
    failed: int = 0

    @property
    def share(self) -> float | None:
        """The share of the phase that is done, 0 to 1; None where nobody knows."""
        return None if self.total is None else self.done / self.total if self.total else 1.0


ProgressReport = Callable[[Progress], None]
"""Told how far long work has come, in the thread that works."""


class CancelToken:
    """Stops long work, from any thread, for good.

    Examples
    --------
    >>> token = CancelToken()
    >>> token.cancel()
    >>> token.check()
    Traceback (most recent call last):
    ...
    lookalike.errors.CancelledError: cancelled
    """

    def __init__(self) -> None:
        self._event = threading.Event()

    def cancel(self) -> None:
        """Stop the work at its next report; to do so twice is fine."""
        self._event.set()

    @property
    def is_cancelled(self) -> bool:
        """Whether it is to stop."""
        return self._event.is_set()

    def check(self) -> None:
        """Raise CancelledError if the work is to stop."""
        if self.is_cancelled:
            raise CancelledError("cancelled")


@dataclass(frozen=True, slots=True)
class Watch:
    """Who is told how far work has come, and may stop it."""

    report: ProgressReport = lambda progress: None
    cancel: CancelToken | None = None

    def __call__(self, progress: Progress) -> None:
        """Tell how far the work has come; raise CancelledError if it is to stop."""
        self.check()
        self.report(progress)

    def check(self) -> None:
        """Raise CancelledError if the work is to stop."""
        if self.cancel is not None:
            self.cancel.check()


UNWATCHED = Watch()
