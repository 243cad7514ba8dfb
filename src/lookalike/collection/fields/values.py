"""What may stand in a column of the user's, of each kind; and of which kind a value, or a column, is."""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from numbers import Real
from typing import Any, get_args

import numpy as np

from lookalike.dates import read_period
from lookalike.errors import InvalidInputError
from lookalike.system.checked_calls import shown
from lookalike.types import FieldKind, FieldValue

KINDS: tuple[FieldKind, ...] = get_args(FieldKind)
LONGEST_NAME = 64
TAGS_BY_NAME = ("tags", "keywords")
"""Columns of a table whose words are tags unless its header says otherwise."""

_TRUE, _FALSE = ("true", "yes"), ("false", "no")
_NUMBER = re.compile(r"[+-]?(0|[1-9]\d*)?(\.\d+)?([eE][+-]?\d+)?", re.ASCII)  # 007 is a text
_DAY = re.compile(
    r"\d{4}-\d{1,2}-\d{1,2}"
    r"([T ]\d{1,2}:\d{2}(:\d{2}(\.\d{1,6})?)?(?P<zone>Z|[+-]\d{2}:?\d{2})?)?",
    re.ASCII,
)
HELD = {"number": "numbers", "text": "texts", "date": "dates", "boolean": "booleans", "tags": "tags"}
"""What a column of each kind holds, in words."""

_NAMES = {
    "number": "a number",
    "text": "a text",
    "date": "a date such as 2019-05-04",
    "boolean": "true or false",
    "tags": "a list of texts",
}


def check_name(name: object) -> str:
    """Return the name of a column.

    Raises
    ------
    InvalidInputError
        If it is no text that one can print, is empty, or has more than 64 characters.
    """
    if not isinstance(name, str) or not 0 < len(name) <= LONGEST_NAME or name != name.strip():
        raise InvalidInputError(
            f"the name of a field is {name!r}; expected a text of 1 to {LONGEST_NAME} characters, not blank"
            " at its ends",
            field="fields",
        )
    if not name.isprintable():  # which half a character is not, either
        raise InvalidInputError(f"the name of a field is {name!r}, which cannot be printed", field="fields")
    return name


def check_kind(kind: object) -> FieldKind:
    """Return a kind of column.

    Raises
    ------
    InvalidInputError
        If it is none.
    """
    if kind not in KINDS:
        raise InvalidInputError(f"the kind of a field is {shown(kind)}; expected one of {', '.join(KINDS)}")
    return kind


def kind_of(name: str, value: object) -> FieldKind:
    """Return the kind of column that a value is for.

    Raises
    ------
    InvalidInputError
        If it is for none.

    Examples
    --------
    >>> kind_of("price", 3), kind_of("sold", True), kind_of("seen", datetime.date(2019, 5, 4))
    ('number', 'boolean', 'date')
    """
    if isinstance(value, bool | np.bool_):
        return "boolean"
    if isinstance(value, Real | np.number):
        return "number"
    if isinstance(value, str):
        return "text"
    if isinstance(value, datetime.date | np.datetime64):
        return "date"
    if isinstance(value, Sequence | set | frozenset | np.ndarray) and not isinstance(
        value, bytes | bytearray
    ):
        return "tags"
    raise InvalidInputError(
        f"the field {name!r} is {shown(value)}; expected {', '.join(_NAMES.values())}, or None",
        field="fields",
    )


def check_value(name: str, value: object, kind: FieldKind) -> FieldValue | None:
    """Return a value as a column of a kind keeps it; None where nothing is known.

    Raises
    ------
    InvalidInputError
        If it is of another kind, or not finite.

    Examples
    --------
    >>> check_value("seen", "2019-05-04", "date"), check_value("tags", ["b", "a", "b"], "tags")
    (datetime.datetime(2019, 5, 4, 0, 0), ['b', 'a'])
    """
    if value is None:
        return None
    try:
        return _CHECKS[kind](value)
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidInputError(
            f"the field {name!r} holds {HELD[kind]}; expected {_NAMES[kind]}, got {shown(value)}",
            field="fields",
        ) from error


def kind_of_words(name: str, words: Iterable[str]) -> FieldKind:
    """Return the kind of a column of words, where its header does not say: the narrowest that takes all.

    Words that are empty say nothing. Numbers with zeros before them, such as 007, are texts.

    Examples
    --------
    >>> kind_of_words("price", ["3", "", "1e3"]), kind_of_words("zip", ["01067"])
    ('number', 'text')
    >>> kind_of_words("sold", ["yes", "No"]), kind_of_words("seen", ["2019-05-04"])
    ('boolean', 'date')
    """
    if name.casefold() in TAGS_BY_NAME:
        return "tags"
    said = {word for word in words if word}
    tries: tuple[FieldKind, ...] = ("boolean", "number", "date")
    for kind in tries if said else ():
        try:
            for word in said:
                read_words(name, word, kind)
            return kind
        except InvalidInputError:
            continue
    return "text"


def read_words(name: str, words: str, kind: FieldKind) -> FieldValue | None:
    """Return what words in a table mean in a column of a kind; tags are parted by semicolons.

    Raises
    ------
    InvalidInputError
        If they are of another kind.

    Examples
    --------
    >>> read_words("tags", "red; blue", "tags"), read_words("sold", "Yes", "boolean")
    (['red', 'blue'], True)
    """
    words = words.strip()
    if not words:
        return None
    if kind == "boolean" and words.casefold() in (*_TRUE, *_FALSE):
        return words.casefold() in _TRUE
    is_number = kind == "number" and bool(_NUMBER.fullmatch(words)) and any(map(str.isdigit, words))
    if is_number:
        return check_value(name, float(words), kind)
    if kind == "date" and _DAY.fullmatch(words):
        return check_value(name, words, kind)
    if kind == "text":
        return check_value(name, words, kind)
    if kind == "tags":
        return check_value(name, [each.strip() for each in words.split(";") if each.strip()], kind)
    raise InvalidInputError(f"the field {name!r} holds {HELD[kind]}; expected {_NAMES[kind]}, got {words!r}")


def _as_number(value: Any) -> float:
    if isinstance(value, bool | np.bool_) or not isinstance(value, Real | np.number):
        raise TypeError
    number = float(value)
    if not math.isfinite(number):
        raise ValueError
    return number


def _as_text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    value.encode()  # half a character cannot be kept
    return str(value)


def _as_boolean(value: Any) -> bool:
    if not isinstance(value, bool | np.bool_):
        raise TypeError
    return bool(value)


def _as_date(value: Any) -> datetime.datetime:
    if isinstance(value, np.datetime64):
        value = value.astype("datetime64[us]").item()
        if value is None:  # NaT
            raise ValueError
    written = _DAY.fullmatch(value.strip()) if isinstance(value, str) else None
    if written is not None and written["zone"]:
        value = datetime.datetime.fromisoformat(value.strip())
    if isinstance(value, datetime.datetime) and value.tzinfo is not None:
        value = value.astimezone(datetime.UTC).replace(tzinfo=None)
    return read_period("the field", value).first


def _as_tags(value: Any) -> list[str]:
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
        raise TypeError
    given = sorted(value) if isinstance(value, set | frozenset) else list(value)
    return list(dict.fromkeys(map(_as_text, given)))


_CHECKS: Mapping[FieldKind, Callable[[Any], FieldValue]] = {
    "number": _as_number,
    "text": _as_text,
    "boolean": _as_boolean,
    "date": _as_date,
    "tags": _as_tags,
}
