"""Conditions of a filter that have parts: a cluster, a value or a range of a column, an outline on a map."""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lookalike.errors import InvalidInputError
from lookalike.query.checking import check_count, check_document, check_text, is_list, is_number
from lookalike.system.checked_calls import checked, shown

_MOST_CORNERS = 10_000
_DATE = re.compile(r"\d{4}(-\d\d){0,2}([T ]|$)")

AskedValue = bool | float | str
"""A value of one of the user's own columns; dates are texts, as `lookalike.dates.read_period` reads them."""


@checked
@dataclass(frozen=True, slots=True)
class ClusterRef:
    """A cluster of a clustering that is kept, or the one that the query is in.

    Attributes
    ----------
    clustering : str
        Its name.
    number : int or None
        -1 for what is in no cluster; None for the query's own.
    """

    clustering: str
    number: int | None = None

    def __post_init__(self) -> None:
        check_text("same_cluster", self.clustering, "the name of a clustering")
        if self.number is not None:
            check_count("the number of the cluster", self.number, least=-1)
            object.__setattr__(self, "number", int(self.number))

    def to_dict(self) -> dict[str, Any]:
        """Return it as a document of JSON.

        >>> ClusterRef("groups", 3).to_dict()
        {'clustering': 'groups', 'number': 3}
        """
        return {"clustering": self.clustering, "number": self.number}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any], what: str = "same_cluster") -> ClusterRef:
        """Make one of a document of JSON, as `to_dict` writes it.

        Raises
        ------
        InvalidInputError
            If it is none.
        """
        check_document(what, document, ("clustering", "number"))
        return cls(document.get("clustering", ""), document.get("number"))


@checked
@dataclass(frozen=True, slots=True)
class FieldCondition:
    """What is asked of one of the user's own columns: any of some values, or a range.

    Attributes
    ----------
    name : str
    values : sequence of bool, number or str
        Any of these; texts without regard to case. A date is the whole of its year, month, day or minute.
    min, max : number or str, optional
        The least and the greatest, both included; of numbers and dates.
    """

    name: str
    values: Sequence[AskedValue] = ()
    min: float | str | None = None
    max: float | str | None = None

    def __post_init__(self) -> None:
        check_text("fields", self.name, "the name of a field")
        given = [self.values] if isinstance(self.values, str) or not is_list(self.values) else self.values
        values = tuple(self._check(value) for value in given)
        low, high = (None if end is None else self._check(end) for end in (self.min, self.max))
        if bool(values) == (low is not None or high is not None):
            raise InvalidInputError(
                f"nothing is asked of the field {self.name!r}; expected a value, a list of values, or a"
                " range such as {'min': 3, 'max': 5}"
                if not values
                else f"values and a range are asked of the field {self.name!r}; expected one of them",
                field="fields",
            )
        if isinstance(low, bool) or isinstance(high, bool):
            raise InvalidInputError(
                f"the range of the field {self.name!r} ends in true or false; expected numbers or dates",
                field="fields",
            )
        if low is not None and high is not None and _is_beyond(low, high):
            least, most = (f"{end:g}" if isinstance(end, float) else end for end in (low, high))
            raise InvalidInputError(
                f"the least {self.name} is {least} and the greatest {most}: no image can be both",
                field="fields",
            )
        for name, value in (("values", values), ("min", low), ("max", high)):
            object.__setattr__(self, name, value)

    @classmethod
    def read(cls, name: str, asked: object) -> FieldCondition:
        """Return what is asked of a field by a value, a list of values, or a mapping with min and max.

        >>> FieldCondition.read("price", {"min": 3})
        FieldCondition(name='price', values=(), min=3.0, max=None)
        >>> FieldCondition.read("shop", "Berlin").values
        ('Berlin',)
        """
        if isinstance(asked, FieldCondition):
            return asked
        if isinstance(asked, Mapping):
            check_document(f"the field {name}", asked, ("min", "max"))
            return cls(name, (), asked.get("min"), asked.get("max"))
        return cls(name, asked)  # type: ignore[arg-type]  # which is checked

    def to_json(self) -> list[bool | float | str] | dict[str, float | str]:
        """Return what is asked, as `read` takes it."""
        ends = {"min": self.min, "max": self.max}
        return list(self.values) or {end: value for end, value in ends.items() if value is not None}

    def _check(self, value: object) -> AskedValue:
        if isinstance(value, datetime.date):
            return value.isoformat()
        if isinstance(value, np.bool_ | bool):
            return bool(value)
        if is_number(value) and math.isfinite(value):  # type: ignore[arg-type]
            return float(value)  # type: ignore[arg-type]
        if isinstance(value, str):
            return value
        raise InvalidInputError(
            f"the field {self.name!r} is asked for {shown(value)}; expected a number, a text, a date, or true"
            " or false",
            field="fields",
        )


@checked
@dataclass(frozen=True, slots=True)
class MapPolygon:
    """An outline on a map that is kept; what lies within passes.

    Attributes
    ----------
    map : str
        Its name.
    points : sequence of (float, float)
        The corners, one after the other, in the map's own units; where the outline crosses itself, what it
        goes around an even number of times is without.
    """

    map: str
    points: Sequence[tuple[float, float]]

    def __post_init__(self) -> None:
        check_text("polygon", self.map, "the name of a map")
        points = tuple(map(_check_corner, self.points)) if is_list(self.points) else ()
        if not 3 <= len(points) <= _MOST_CORNERS:
            raise InvalidInputError(
                f"the polygon has {len(points):,} corners; expected a list of 3 to {_MOST_CORNERS:,} pairs"
                " of numbers",
                field="polygon",
            )
        object.__setattr__(self, "points", points)

    def to_dict(self) -> dict[str, Any]:
        """Return it as a document of JSON."""
        return {"map": self.map, "points": [list(point) for point in self.points]}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> MapPolygon:
        """Make one of a document of JSON, as `to_dict` writes it.

        Raises
        ------
        InvalidInputError
            If it is none.
        """
        check_document("polygon", document, ("map", "points"))
        return cls(document.get("map", ""), document.get("points", ()))


def _is_beyond(low: float | str, high: float | str) -> bool:
    """Tell whether a range ends before it begins, as far as its ends are written alike.

    >>> _is_beyond("9", "10"), _is_beyond("2019-03", "2019"), _is_beyond("2020", "2019-12-31")
    (False, False, True)
    """
    try:
        return float(low) > float(high)
    except ValueError:
        pass
    if not all(isinstance(end, str) and _DATE.match(end) for end in (low, high)):
        return False
    n = min(len(str(low)), len(str(high)))  # a year ends with its last day
    return str(low)[:n] > str(high)[:n]


def _check_corner(point: Any) -> tuple[float, float]:
    if not is_list(point) or len(point) != 2 or not all(is_number(end) for end in point):
        raise InvalidInputError(
            f"a corner of the polygon is {shown(point)}; expected two numbers", field="polygon"
        )
    x, y = map(float, point)
    if not math.isfinite(x) or not math.isfinite(y):
        raise InvalidInputError(
            f"a corner of the polygon is {shown(point)}; expected two numbers", field="polygon"
        )
    return x, y
