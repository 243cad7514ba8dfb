"""Tables of choices: frozen rows in order, the usual one first, each known by its name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar

from lookalike.errors import InvalidInputError


class Named(Protocol):
    """What a row has at least."""

    @property
    def name(self) -> str:
        """As users call it."""
        ...


R = TypeVar("R", bound=Named)


def names_of(rows: Iterable[Named]) -> tuple[str, ...]:
    """Return the names of the rows of a table, in their order."""
    return tuple(row.name for row in rows)


def find_row(rows: Iterable[R], name: str, complaint: str) -> R:
    """Return the row of a name.

    Parameters
    ----------
    rows : iterable of rows
    name : str
    complaint : str
        What is said where there is no such row, before the names that there are.

    Raises
    ------
    InvalidInputError
        If there is none of that name.
    """
    there = tuple(rows)
    for row in there:
        if row.name == name:
            return row
    raise InvalidInputError(f"{complaint}; expected one of {', '.join(names_of(there))}")
