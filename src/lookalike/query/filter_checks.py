"""What a filter is checked for: numbers, words, places, formats."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from lookalike.errors import InvalidInputError
from lookalike.images.formats import FORMATS
from lookalike.query.checking import is_list, is_number
from lookalike.query.conditions import ClusterRef, FieldCondition
from lookalike.system.checked_calls import shown
from lookalike.types import ImageId

_REJECTED, _MOST_STARS = -1, 5
_HEX_ID = re.compile("[0-9a-f]{16}")
_FORMATS = {ending.lstrip("."): row.name for row in FORMATS for ending in row.extensions} | {
    name.lower(): name for name in (*(row.name for row in FORMATS), "PIXELS")
}


def check_bound(name: str, value: Any) -> float | None:
    """Return a least or greatest value, checked to be a number, 0 or more."""
    if value is None:
        return None
    if not is_number(value) or not 0 <= value < math.inf:
        raise InvalidInputError(f"{name} is {shown(value)}; expected a number, 0 or more")
    return float(value)


def check_rating(name: str, value: Any) -> float | None:
    """Return a least or greatest rating, checked."""
    if value is None or (is_number(value) and _REJECTED <= value <= _MOST_STARS):
        return None if value is None else float(value)
    raise InvalidInputError(f"{name} is {shown(value)}; expected stars, 1 to 5, or -1 for what was rejected")


def check_near(value: Any) -> tuple[float, float, float] | None:
    """Return latitude, longitude and distance, checked."""
    if value is None:
        return None
    numbers = tuple(value) if is_list(value) else ()
    if len(numbers) != 3 or not all(map(is_number, numbers)):
        raise InvalidInputError(
            f"near is {shown(value)}; expected a latitude, a longitude and a distance in kilometres, such as"
            " (48.858, 2.294, 5)"
        )
    latitude, longitude, radius = map(float, numbers)
    for name, degrees, most in (("latitude", latitude, 90), ("longitude", longitude, 180)):
        if not -most <= degrees <= most:
            raise InvalidInputError(f"the {name} of near is {degrees:g}; expected degrees, -{most} to {most}")
    if not 0 <= radius < math.inf:
        raise InvalidInputError(f"the distance of near is {radius:g}; expected kilometres, 0 or more")
    return latitude, longitude, radius


def check_words(name: str, value: object) -> tuple[str, ...]:
    """Return a word, or a list of them, as a tuple."""
    words = (value,) if isinstance(value, str) else value
    if not isinstance(words, Sequence) or not all(isinstance(word, str) for word in words):
        raise InvalidInputError(f"{name} is {shown(value)}; expected a list of words", field=name)
    return tuple(words)


def check_full_words(name: str, value: object) -> tuple[str, ...]:
    """Return a word, or a list of them, none empty, as a tuple."""
    words = check_words(name, value)
    if not all(word.strip() for word in words):
        raise InvalidInputError(f"{name} is {shown(value)}; expected words that are not empty", field=name)
    return words


def check_choice(name: str, value: object, words: Sequence[str]) -> str | tuple[str, ...] | None:
    """Return one of some words, or several of them as a tuple; None for none."""
    if value is None or isinstance(value, str):
        chosen: tuple[Any, ...] = () if value is None else (value,)
    else:
        chosen = tuple(value) if isinstance(value, Iterable) and not _is_alone(value) else (value,)
    for word in chosen:
        if not isinstance(word, str) or word not in words:
            raise InvalidInputError(f"the {name} is {shown(word)}; expected {' or '.join(words)}")
    found = tuple(word for word in words if word in chosen)
    return found if len(found) > 1 else next(iter(found), None)


def _is_alone(value: object) -> bool:
    """Tell whether something is an array without axes, which cannot be gone through."""
    return isinstance(value, np.ndarray) and not value.ndim


def check_paths(name: str, value: object) -> tuple[str, ...]:
    """Return a path, or a list of them, as a tuple of texts."""
    paths = (value,) if isinstance(value, str | os.PathLike) else value
    if not isinstance(paths, Sequence) or not all(isinstance(path, str | os.PathLike) for path in paths):
        raise InvalidInputError(f"{name} is {shown(value)}; expected a list of paths", field=name)
    return tuple(map(os.fspath, paths))


def check_format(word: str) -> str:
    """Return the name of a format, known by it or by an ending of file names."""
    name = _FORMATS.get(word.lower().lstrip("."))
    if name is None:
        known = ", ".join(dict.fromkeys(name.lower() for name in _FORMATS.values()))
        raise InvalidInputError(f"there is no format {word!r}; expected one of {known}")
    return name


def check_ids(value: object) -> tuple[ImageId, ...]:
    """Return ids, given as numbers or as 16 hexadecimal digits, as a tuple of numbers."""
    given = (value,) if isinstance(value, str | int) else value
    if not is_list(given):
        raise InvalidInputError(f"ids is {shown(value)}; expected a list of ids", field="ids")
    return tuple(map(_check_id, given))


def check_clusters(value: object) -> tuple[ClusterRef, ...]:
    """Return clusters by clustering and number, as a tuple."""
    given = (value,) if isinstance(value, ClusterRef) else value
    if not isinstance(given, Sequence) or not all(isinstance(each, ClusterRef) for each in given):
        raise InvalidInputError(
            f"clusters is {shown(value)}; expected a list of ClusterRef", field="clusters"
        )
    if any(each.number is None for each in given):
        raise InvalidInputError(
            "clusters has a clustering without a number; expected the number of a cluster", field="clusters"
        )
    return tuple(given)


def check_fields(value: object) -> tuple[FieldCondition, ...]:
    """Return what is asked of the user's own columns, by name or as conditions, as a tuple."""
    if isinstance(value, Mapping):
        return tuple(FieldCondition.read(name, asked) for name, asked in value.items())
    if not isinstance(value, Sequence) or not all(isinstance(each, FieldCondition) for each in value):
        raise InvalidInputError(
            f"fields is {shown(value)}; expected values or ranges by the names of fields, such as"
            " {'price': {'max': 20}, 'shop': 'Berlin'}",
            field="fields",
        )
    return tuple(value)


def _check_id(value: object) -> ImageId:
    if isinstance(value, str) and _HEX_ID.fullmatch(value.lower()):
        number = int(value, 16)
    elif isinstance(value, int | np.integer) and not isinstance(value, bool):
        number = int(value)
    else:
        number = -1
    if not 0 <= number < 1 << 63:
        raise InvalidInputError(f"ids has {shown(value)}; expected 16 hexadecimal digits", field="ids")
    return ImageId(number)
