"""Bars that show how far long work has come: a line on a terminal or in a notebook, gone when it is done."""

from __future__ import annotations

import html
import time
from typing import TYPE_CHECKING, Any, Protocol

from lookalike.system.pace import Pace

if TYPE_CHECKING:
    from lookalike.system.progress import Progress

_REDRAWN = 0.2  # seconds between two updates of a notebook


class Bar(Protocol):
    """Something that shows how far work has come."""

    def show(self, progress: Progress) -> None:
        """Show it, in place of what was shown before."""

    def close(self) -> None:
        """Take it away."""


class TerminalBar:
    """A bar on standard error, which has to be a terminal.

    Parameters
    ----------
    delay : float
        Seconds of work before anything is drawn: what is over sooner needs no bar.
    """

    def __init__(self, delay: float = 0.0) -> None:
        self._begins = time.monotonic() + delay
        self._pace = Pace()
        self._phase = ""
        self._drawn: Any = None  # rich's

    def show(self, progress: Progress) -> None:
        """Show it, in place of what was shown before."""
        self._pace.note(progress)
        if time.monotonic() < self._begins:
            return
        if self._drawn is None:
            self._drawn = _make_drawn()
        facts = {
            "description": _printable(title(progress)),
            "total": progress.total,
            "completed": progress.done,
            "figures": _printable(figures(progress, self._pace)),
        }
        if progress.phase != self._phase:  # of another: rich cannot make a total unknown again
            for task in self._drawn.task_ids:
                self._drawn.remove_task(task)
            self._phase = progress.phase
            self._drawn.add_task(**facts)
        else:
            self._drawn.update(*self._drawn.task_ids, **facts)
        self._drawn.start()

    def close(self) -> None:
        """Take it away."""
        if self._drawn is not None:
            self._drawn.stop()
            self._drawn = None


class NotebookBar:
    """A bar in the output of a notebook's cell.

    Parameters
    ----------
    delay : float
        Seconds of work before anything is drawn.
    """

    def __init__(self, delay: float = 0.0) -> None:
        self._next = time.monotonic() + delay
        self._pace = Pace()
        self._handle: Any = None

    def show(self, progress: Progress) -> None:
        """Show it, in place of what was shown before."""
        self._pace.note(progress)
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + _REDRAWN
        words = f"{title(progress)} {figures(progress, self._pace)}".strip()
        value = "" if progress.total is None else f' value="{progress.done}" max="{max(progress.total, 1)}"'
        self._put(words, f"<progress{value}></progress> {html.escape(words)}")

    def close(self) -> None:
        """Take it away."""
        if self._handle is not None:
            self._put("", "")
            self._handle = None

    def _put(self, text: str, markup: str) -> None:
        from lookalike.system.on_demand import load

        display = load("IPython.display:display")

        shown = {"text/plain": text, "text/html": markup}
        if self._handle is None:
            self._handle = display(shown, raw=True, display_id=True)
        else:
            self._handle.update(shown, raw=True)


def title(progress: Progress) -> str:
    """Return what the work is at, in words.

    Examples
    --------
    >>> from lookalike.system.progress import Progress
    >>> title(Progress("neighbors", words="looking for neighbours"))
    'Looking for neighbours'
    """
    words = progress.words or progress.phase
    return words[:1].upper() + words[1:]


def figures(progress: Progress, pace: Pace) -> str:
    """Return what there is to say in numbers: done of all, the rate, what failed, the time left.

    Examples
    --------
    >>> from lookalike.system.progress import Progress
    >>> figures(Progress("embedding", 1200, 5000, failed=2, unit="images"), Pace())
    '1,200/5,000, 2 failed'
    """
    is_bytes = progress.unit == "bytes"
    parts = []
    if progress.total is not None and is_bytes:
        parts.append(f"{progress.done / 1e6:,.1f}/{progress.total / 1e6:,.1f} MB")
    elif progress.total is not None:
        parts.append(f"{progress.done:,}/{progress.total:,}")
    elif progress.done:
        parts.append(f"{progress.done:,} {progress.unit}".rstrip())
    if pace.rate is not None and is_bytes:
        parts.append(f"{pace.rate / 1e6:,.1f} MB/s")
    elif pace.rate is not None and progress.unit:
        parts.append(f"{pace.rate:,.0f} {progress.unit}/s")
    if progress.failed:
        parts.append(f"{progress.failed:,} failed")
    if pace.seconds_left is not None and progress.done < (progress.total or 0):
        parts.append(f"{clock(pace.seconds_left)} left")
    return ", ".join(parts)


def clock(seconds: float) -> str:
    """Return a time as clocks show it.

    Examples
    --------
    >>> clock(65.2), clock(3661)
    ('1:05', '1:01:01')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _make_drawn() -> Any:
    """Return a bar of rich's, not on the screen yet."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, Task, TextColumn
    from rich.text import Text

    class Facts(TextColumn):
        """The figures; where nobody knows of how many, the time that it has taken so far."""

        def render(self, task: Task) -> Text:
            elapsed = clock(task.elapsed or 0.0) if task.total is None else ""
            return Text(", ".join(part for part in (task.fields["figures"], elapsed) if part))

    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(24), Facts(""))
    return Progress(*columns, console=Console(stderr=True), transient=True)


def _printable(text: str) -> str:
    """Replace what a terminal cannot show."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)
