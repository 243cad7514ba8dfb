"""Dates as people write them: a year, a month, a day or a time, each from its first moment to its last.

All are without a time zone, as the clock of a camera shows them.
"""

from __future__ import annotations

import calendar
import datetime
import re
from dataclasses import dataclass

from lookalike.errors import InvalidInputError
from lookalike.system.checked_calls import shown

_MOMENT = datetime.timedelta(microseconds=1)
_WRITTEN = re.compile(
    r"(?P<year>\d{4})(-(?P<month>\d{1,2})(-(?P<day>\d{1,2})"
    r"([T ](?P<hour>\d{1,2}):(?P<minute>\d{2})(:(?P<second>\d{2})(\.(?P<fraction>\d{1,6}))?)?)?)?)?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Period:
    """From its first moment to its last, both included; moments are a microsecond apart."""

    first: datetime.datetime
    last: datetime.datetime


def read_period(name: str, value: object) -> Period:
    """Return what a date covers.

    Parameters
    ----------
    name : str
        What to call it in errors.
    value : str, datetime.date or datetime.datetime
        A datetime is one moment. In words, the time may lack its seconds.

    Raises
    ------
    InvalidInputError
        If it is none, or has a time zone.

    Examples
    --------
    >>> read_period("the date", "2019-05").last
    datetime.datetime(2019, 5, 31, 23, 59, 59, 999999)
    """
    if isinstance(value, datetime.datetime):
        if value.tzinfo is not None:
            raise InvalidInputError(
                f"{name} is {value}, which has a time zone; expected the time that the camera's clock showed,"
                " without one"
            )
        # Not the value itself: pandas has a datetime of its own, with nanoseconds.
        moment = datetime.datetime.fromisoformat(value.isoformat(timespec="microseconds"))
        return Period(moment, moment)
    if isinstance(value, datetime.date):
        value = value.isoformat()
    try:
        written = _WRITTEN.fullmatch(value.strip()) if isinstance(value, str) else None
        if written is None:
            raise ValueError(value)
        return _period({part: digits for part, digits in written.groupdict().items() if digits is not None})
    except ValueError as error:
        raise InvalidInputError(
            f"{name} is {shown(value)}; expected a year, a month, a day or a time, such as 2019, 2019-05,"
            " 2019-05-04 or '2019-05-04 12:30'"
        ) from error


def last_before(name: str, value: object) -> datetime.datetime:
    """Return the last moment before a date begins; see `read_period`.

    >>> last_before("the date", "2020")
    datetime.datetime(2019, 12, 31, 23, 59, 59, 999999)
    """
    first = read_period(name, value).first
    if first == datetime.datetime.min:
        raise InvalidInputError(
            f"{name} is {shown(value)}, and nothing was before that; expected a later one"
        )
    return first - _MOMENT


def _period(parts: dict[str, str]) -> Period:
    fraction = parts.pop("fraction", None)
    given = {part: int(digits) for part, digits in parts.items()}
    if fraction is not None:
        given["microsecond"] = int(fraction.ljust(6, "0"))
    first = datetime.datetime(**{"month": 1, "day": 1, **given})  # type: ignore[arg-type]
    month = given.get("month", 12)
    day = calendar.monthrange(first.year, month)[1]
    ends = {"month": month, "day": day, "hour": 23, "minute": 59, "second": 59, "microsecond": 999_999}
    return Period(first, first.replace(**{**ends, **given}))  # type: ignore[arg-type]
