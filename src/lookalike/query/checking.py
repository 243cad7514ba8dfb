"""What is checked of a request at its door: numbers, switches, and the fields of documents."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeGuard

import numpy as np

from lookalike.errors import InvalidInputError
from lookalike.system.checked_calls import shown

_MOST = 10**308
_TOO_MANY = 2**63  # of anything that can be counted here

_MOST_SECONDS = 1_000_000


def check_count(name: str, value: int, least: int = 1) -> None:
    """Raise InvalidInputError unless a number of things is whole, at least so large, and of 63 bits."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not least <= value < _TOO_MANY:
        raise InvalidInputError(
            f"{name} is {shown(value)}; expected a whole number, {least} or more", field=name
        )


def check_seconds(name: str, value: float) -> float:
    """Return a number of seconds, checked to be positive, and finite."""
    if not is_number(value) or not 0 < value < _MOST_SECONDS:
        raise InvalidInputError(
            f"{name} is {shown(value)}; expected a number of seconds above 0, and at most {_MOST_SECONDS:,}",
            field=name,
        )
    return float(value)


def check_switch(name: str, value: object) -> bool:
    """Return a switch, checked to be on or off."""
    if not isinstance(value, bool | np.bool_):
        raise InvalidInputError(f"{name} is {shown(value)}; expected true or false", field=name)
    return bool(value)


def is_number(value: object) -> bool:
    """Tell whether something is a number that float64 holds; truth values are none."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        return False
    return isinstance(value, float | np.floating) or bool(-_MOST < value < _MOST)


def check_text(name: str, value: object, expected: str) -> str:
    """Return a text, checked to be one, and not empty."""
    if not isinstance(value, str) or not value:
        raise InvalidInputError(f"{name} is {shown(value)}; expected {expected}", field=name)
    return value


def near_misses(word: str, known: Iterable[str], likeness: float = 0.5) -> list[str]:
    """Return the words that somebody may have meant by one that is not known, the nearest first."""
    return difflib.get_close_matches(word, list(known), n=3, cutoff=likeness)


def is_list(value: object) -> TypeGuard[Sequence[Any]]:
    """Tell whether something is a list of things, or an array of them; texts and bytes are none."""
    if isinstance(value, np.ndarray):
        return value.ndim > 0
    return isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray | memoryview)


def check_list(name: str, value: Any) -> Sequence[Any]:
    """Return a list, checked to be one."""
    if not isinstance(value, Sequence) or isinstance(value, str | bytes):
        raise InvalidInputError(f"{name} is {shown(value)}; expected a list", field=name)
    return value


def check_object(name: str, value: object) -> Mapping[str, Any]:
    """Return an object of JSON, checked to be one; its fields may be any."""
    if not isinstance(value, Mapping):
        raise InvalidInputError(f"{name} is {shown(value)}; expected an object", field=name)
    return value


def check_document(what: str, document: object, fields: Iterable[str]) -> Mapping[str, Any]:
    """Return a document of JSON, checked to be an object of no other fields than these.

    Raises
    ------
    InvalidInputError
        Its `field` is the one that is not known.

    Examples
    --------
    >>> check_document("a search", {"colours": []}, ["colors", "like"])
    Traceback (most recent call last):
    ...
    lookalike.errors.InvalidInputError: a search has no field 'colours'; did you mean colors?
    """
    known = tuple(fields)
    if not isinstance(document, Mapping):
        raise InvalidInputError(f"{what} is {shown(document)}; expected an object with {', '.join(known)}")
    for name in document:
        if name not in known:
            close = difflib.get_close_matches(name if isinstance(name, str) else "", known, n=1)
            expected = f"did you mean {close[0]}?" if close else f"expected {', '.join(known)}"
            field = name if isinstance(name, str) else shown(name)
            raise InvalidInputError(f"{what} has no field {shown(name)}; {expected}", field=field)
    return document
