"""What is left of a collection once it is closed, and in a process that is a copy of its own."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

from lookalike.errors import CollectionConflictError
from lookalike.system.forks import INSTEAD


class Closed:
    """Stands in for every part of a collection that was closed: who asks anything of it is told so.

    The parts themselves are let go of, and with them mapped indexes, models and tables, as soon as whoever is
    still at work with them has come to an end.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __getattr__(self, name: str) -> NoReturn:
        """Raise CollectionError, whatever is asked for."""
        raise CollectionConflictError(f"the collection in {self._folder} is closed")


class LeftBehind(Closed):
    """Stands in for every part of a collection in a process that is a copy of the one that opened it."""

    def __getattr__(self, name: str) -> NoReturn:
        """Raise CollectionError, whatever is asked for."""
        raise CollectionConflictError(
            f"the collection in {self._folder} was opened in another process, of which this one is a copy"
            " (fork)",
            hint=INSTEAD,
        )
