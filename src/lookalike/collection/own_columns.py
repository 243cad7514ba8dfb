"""The user's own columns, as filters, facets and orders take them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.collection.coding import Coded, CodedLists, Mask, code_lists, code_words, merge_spellings
from lookalike.collection.own_fields import OwnFields
from lookalike.dates import read_period
from lookalike.errors import QueryInputError, QueryNotFoundError
from lookalike.query.checking import near_misses
from lookalike.query.conditions import AskedValue, FieldCondition
from lookalike.query.facts import fold
from lookalike.system.memo import Memo
from lookalike.types import FieldKind

_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_KINDS = {"number": "numbers", "date": "dates", "boolean": "true or false", "text": "texts", "tags": "tags"}


class OwnColumns:
    """The user's own columns, a row a file. Several threads may use them.

    Parameters
    ----------
    fields : OwnFields
    """

    def __init__(self, fields: OwnFields) -> None:
        self._fields = fields
        self._kept: Memo[tuple[str, str], Any] = Memo()

    @property
    def names(self) -> list[str]:
        """Their names."""
        return sorted(self._fields.kinds)

    def kind(self, name: str) -> FieldKind:
        """Return what a column holds.

        Raises
        ------
        QueryError
            If there is none of that name.
        """
        if name not in self._fields.kinds:
            close = near_misses(name, self.names)
            known = f"there are {', '.join(self.names)}" if self.names else "there are none here"
            raise QueryNotFoundError(
                f"there is no field {name!r} ({known})",
                hint=f"did you mean {' or '.join(close)}?" if close else None,
            )
        return self._fields.kinds[name]

    def words(self, name: str) -> Coded | CodedLists:
        """Return a column of texts, tags, or truth values, as words."""

        def code() -> Coded | CodedLists:
            column, kind = self._fields.columns[name], self.kind(name)
            if kind == "tags":
                return code_lists(column, fold)
            if kind == "boolean":
                codes = column.cast("int8").fill_null(-1).to_numpy(zero_copy_only=False)
                return Coded(("false", "true"), codes)
            return merge_spellings(code_words(column), fold)

        found: Coded | CodedLists = self._kept.get(("words", name), code)
        return found

    def numbers(self, name: str) -> npt.NDArray[np.float64]:
        """Return a column of numbers, dates or truth values: (n,), NaN for none; dates as µs since 1970."""

        def read() -> npt.NDArray[np.float64]:
            column = self._fields.columns[name]
            if self.kind(name) in ("date", "boolean"):
                column = column.cast("int64" if self.kind(name) == "date" else "int8")
            return np.array(column.cast("float64").to_numpy(zero_copy_only=False))

        found: npt.NDArray[np.float64] = self._kept.get(("numbers", name), read)
        return found

    def moments(self, name: str) -> npt.NDArray[np.datetime64]:
        """Return a column of dates: (n,) datetime64[us], NaT for none."""
        return as_moments(self.numbers(name))

    @property
    def all_tags(self) -> CodedLists:
        """The tags of all columns of tags."""

        def join() -> CodedLists:
            import pyarrow as pa

            columns = [self._fields.columns[name] for name in self.names if self.kind(name) == "tags"]
            if len(columns) == 1:
                found = self.words(next(name for name in self.names if self.kind(name) == "tags"))
                assert isinstance(found, CodedLists)
                return found
            if not columns:
                return code_lists(pa.array([], pa.list_(pa.string())), fold)
            lists = [column.to_pylist() for column in columns]
            joined = [[tag for tags in row for tag in tags or ()] for row in zip(*lists, strict=True)]
            return code_lists(pa.array(joined, pa.list_(pa.string())), fold)

        found: CodedLists = self._kept.get(("tags", ""), join)
        return found

    def meet(self, asked: FieldCondition) -> Mask:
        """Return which files are as is asked of a column: (n_files,).

        Raises
        ------
        QueryError
            If there is no such column, it holds something else, or no file has such a word.
        """
        kind = self.kind(asked.name)
        if kind in ("text", "tags"):
            if not asked.values:
                raise QueryInputError(
                    f"the field {asked.name!r} holds {_KINDS[kind]}; expected no range of it"
                )
            return has_words(f"the field {asked.name!r}", self.words(asked.name), asked.values)
        numbers = self.numbers(asked.name)
        if asked.values:
            found = np.zeros(len(numbers), bool)
            for value in asked.values:
                low, high = self._ends(asked.name, value)
                found |= (numbers >= low) & (numbers <= high)
            return found
        if kind == "boolean":
            raise QueryInputError(f"the field {asked.name!r} holds true or false; expected no range of it")
        found = ~np.isnan(numbers)
        if asked.min is not None:
            found &= numbers >= self._ends(asked.name, asked.min)[0]
        if asked.max is not None:
            found &= numbers <= self._ends(asked.name, asked.max)[1]
        return found

    def _ends(self, name: str, value: AskedValue) -> tuple[float, float]:
        """Return the least and the greatest number that a value stands for."""
        kind = self.kind(name)
        read: dict[str, Callable[[], tuple[float, float]]] = {
            "number": lambda: _number(value),
            "date": lambda: _date(value),
            "boolean": lambda: _truth(value),
        }
        try:
            return read[kind]()
        except (ValueError, KeyError):
            raise QueryInputError(
                f"the field {name!r} holds {_KINDS[kind]}, and is asked for {value!r}"
            ) from None


def as_moments(numbers: npt.NDArray[np.float64]) -> npt.NDArray[np.datetime64]:
    """Return microseconds since 1970 as dates; NaN as NaT."""
    unknown = np.isnan(numbers)
    found = np.where(unknown, 0, numbers).astype(np.int64).astype("datetime64[us]")
    found[unknown] = np.datetime64("NaT")
    return found


def has_words(where: str, column: Coded | CodedLists, words: Sequence[AskedValue]) -> Mask:
    """Return which rows have one of some words; upper and lower case are one.

    Parameters
    ----------
    where : str
        What to call the column.

    Raises
    ------
    QueryError
        For a word that no row has.
    """
    folded = [fold(value) for value in column.values]
    codes: set[int] = set()
    for word in map(_as_text, words):
        meant = {code for code, value in enumerate(folded) if value == fold(word)}
        if not meant:
            spelled = dict(zip(folded, column.values, strict=True))
            close = [spelled[each] for each in near_misses(fold(word), sorted(folded))]
            hint = f"did you mean {' or '.join(close)}?" if close else None
            raise QueryNotFoundError(f"no image here has {word!r} in {where}", hint=hint)
        codes |= meant
    return column.has_any(sorted(codes))


def _as_text(value: AskedValue) -> str:
    """Write a value as it stands in a column of texts: 3 is no other text than 3.0."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.15g}" if isinstance(value, float) else value


def _number(value: AskedValue) -> tuple[float, float]:
    if isinstance(value, bool):
        raise ValueError(value)
    number = float(value)
    if not np.isfinite(number):
        raise ValueError(value)
    return number, number


def _date(value: AskedValue) -> tuple[float, float]:
    if isinstance(value, float) and not isinstance(value, bool) and value.is_integer():
        value = f"{int(value):04}"  # a year
    if not isinstance(value, str):
        raise ValueError(value)
    try:
        period = read_period("the date", value)
    except ValueError:
        raise ValueError(value) from None
    first, last = (np.datetime64(moment, "us").astype(np.int64) for moment in (period.first, period.last))
    return float(first), float(last)


def _truth(value: AskedValue) -> tuple[float, float]:
    if isinstance(value, bool | float):
        number = float(value)
        if number not in (0, 1):
            raise ValueError(value)
    else:
        number = float(_WORDS[value.strip().lower()])
    return number, number
