"""By what images may be listed, where there is no query."""

from __future__ import annotations

from lookalike.errors import InvalidInputError, QueryConflictError
from lookalike.query.checking import near_misses
from lookalike.system.checked_calls import shown

SORTS = ("path", "date", "label", "size", "sharpness", "color", "rating", "central", "random")
"""Beside them ``field:NAME``, one of the user's own columns."""

FIELD = "field:"
_LATER = ("doubtful-label", "outlier", "diverse")


def check_sort(sort: object) -> str | None:
    """Return by what to sort, checked; None where that is left open.

    Raises
    ------
    InvalidInputError
        If nothing can be sorted by it.
    QueryConflictError
        For what this version cannot sort by yet.

    Examples
    --------
    >>> check_sort("date"), check_sort("field:price")
    ('date', 'field:price')
    """
    if sort is None or (isinstance(sort, str) and sort in SORTS):
        return sort
    if isinstance(sort, str) and sort.startswith(FIELD) and len(sort) > len(FIELD):
        return sort
    if isinstance(sort, str) and sort in _LATER:
        raise QueryConflictError(f"images cannot be sorted by {sort} yet; expected {', '.join(SORTS)}")
    close = near_misses(sort if isinstance(sort, str) else "", SORTS, 0.6)  # all are named anyway
    meant = f"did you mean {' or '.join(close)}?" if close else None
    raise InvalidInputError(
        f"sort is {shown(sort)}; expected {', '.join(SORTS)} or {FIELD}NAME", hint=meant, field="sort"
    )
