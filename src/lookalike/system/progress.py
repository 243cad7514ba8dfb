"""How far long work has come, and how it is stopped: the same for all of it.

Work that takes a while is given a `Watch`. It says what it is at with ``watch(Progress(...))``, often enough
that a bar moves and that who cancels need not wait: between two reports, or checks, lies a second at most.
Where it has been cancelled, the report raises, in the thread that works, at a point where nothing is half
done. Public calls take the two parts of it, ``report`` and ``cancel``; `lookalike.system.watching` makes one
of them.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from lookalike.errors import CancelledError, InvalidInputError

_Thing = TypeVar("_Thing")


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
    unit : str
        What is counted: ``"images"``, ``"bytes"``; empty where that is nothing that has a name.

    Examples
    --------
    >>> Progress("embedding", 3, 12).share
    0.25
    """

    phase: str
    done: int = 0
    total: int | None = None
    words: str = ""
    failed: int = 0
    unit: str = ""

    @property
    def share(self) -> float | None:
        """The share of the phase that is done, 0 to 1; None where nobody knows."""
        return None if self.total is None else self.done / self.total if self.total else 1.0

    def to_dict(self) -> dict[str, Any]:
        """Return what JSON says of it; `Pace.to_dict` has the rest.

        Examples
        --------
        >>> Progress("sweeping", words="sweeping up").to_dict()
        {'phase': 'sweeping', 'done': 0, 'total': None, 'words': 'sweeping up'}
        """
        return {"phase": self.phase, "done": self.done, "total": self.total, "words": self.words}

    if not TYPE_CHECKING:  # there, only what is here today is

        def __getattr__(self, name: str) -> Any:
            """Return what an old name stands for now."""
            if name != "step":
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            warnings.warn("Progress.step is called Progress.phase now", DeprecationWarning, stacklevel=2)
            return self.phase


ProgressReport = Callable[[Progress], None]
"""Told how far long work has come, in the thread that works."""


def silent(progress: Progress) -> None:
    """Tell nobody: a `report` for who wants no bar.

    Examples
    --------
    >>> silent(Progress("embedding"))
    """


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

    def __reduce__(self) -> NoReturn:
        raise InvalidInputError(
            "a CancelToken cannot be pickled or copied: it stops work of its own process",
            hint="make one in the process that does the work",
        )


@dataclass(frozen=True, slots=True)
class Watch:
    """Who is told how far work has come, and may stop it."""

    report: ProgressReport = silent
    cancel: CancelToken | None = None

    def __call__(self, progress: Progress) -> None:
        """Tell how far the work has come; raise CancelledError if it is to stop."""
        self.check()
        self.report(progress)

    def say(self, phase: str, words: str) -> None:
        """Tell what the work is at, of which nobody knows how long it takes."""
        self(Progress(phase, words=words))

    def check(self) -> None:
        """Raise CancelledError if the work is to stop."""
        if self.cancel is not None:
            self.cancel.check()

    @property
    def is_cancelled(self) -> bool:
        """Whether the work is to stop."""
        return self.cancel is not None and self.cancel.is_cancelled

    @property
    def told(self) -> dict[str, Any]:
        """The two as a public call takes them: ``report`` and ``cancel``."""
        return {"report": self.report, "cancel": self.cancel}

    def quiet(self) -> Watch:
        """Return one for a part of the work, that tells nobody and is stopped with the whole."""
        return Watch(cancel=self.cancel)

    def each(self, things: Iterable[_Thing]) -> Iterator[_Thing]:
        """Yield what there is; raise CancelledError in between if the work is to stop."""
        for thing in things:
            self.check()
            yield thing


UNWATCHED = Watch()
