"""A bar for downloads, drawn only where somebody sees it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def byte_progress(title: str, total: int, *, quiet: bool) -> Iterator[Callable[[int], None]]:
    """Show how much has come; on standard error, and only on a terminal.

    Parameters
    ----------
    title : str
        What is on its way.
    total : int
        Bytes expected.
    quiet : bool
        Never draw.

    Yields
    ------
    callable
        Call it with the bytes that have come so far.
    """
    if quiet or not sys.stderr.isatty():
        yield lambda done: None
        return

    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.progress import TransferSpeedColumn as SpeedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), SpeedColumn())
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=total)
        yield lambda done: bar.update(task, completed=done)
