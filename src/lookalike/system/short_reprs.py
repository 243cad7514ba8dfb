"""Reprs of dataclasses with many fields, most of which nobody has given."""

from __future__ import annotations

from dataclasses import MISSING, Field, fields
from typing import Any


def repr_of_given(value: Any) -> str:
    """Return the repr of a dataclass without the fields that are as by default.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @dataclass
    ... class Photo:
    ...     path: str
    ...     rating: int | None = None
    ...     tags: tuple[str, ...] = ()
    >>> repr_of_given(Photo("a.png", tags=("sea",)))
    "Photo(path='a.png', tags=('sea',))"
    """
    given = [
        f"{each.name}={getattr(value, each.name)!r}"
        for each in fields(value)
        if each.repr and not _is_default(each, getattr(value, each.name))
    ]
    return f"{type(value).__name__}({', '.join(given)})"


def _is_default(each: Field[Any], value: object) -> bool:
    if each.default_factory is not MISSING:
        return bool(value == each.default_factory())
    return each.default is not MISSING and bool(value == each.default)
