"""Dates as people write them: what each covers, and what is none."""

import datetime
from datetime import date
from datetime import datetime as at

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lookalike.dates import last_before, read_period
from lookalike.errors import InvalidInputError

END = {"hour": 23, "minute": 59, "second": 59, "microsecond": 999_999}


@pytest.mark.parametrize(
    ("written", "first", "last"),
    [
        ("2019", at(2019, 1, 1), at(2019, 12, 31, **END)),
        ("2019-05", at(2019, 5, 1), at(2019, 5, 31, **END)),
        ("2019-5", at(2019, 5, 1), at(2019, 5, 31, **END)),
        ("2020-02", at(2020, 2, 1), at(2020, 2, 29, **END)),
        ("2019-05-04", at(2019, 5, 4), at(2019, 5, 4, **END)),
        (date(2019, 5, 4), at(2019, 5, 4), at(2019, 5, 4, **END)),
        ("2019-05-04 12:30", at(2019, 5, 4, 12, 30), at(2019, 5, 4, 12, 30, 59, 999_999)),
        ("2019-05-04T12:30:15", at(2019, 5, 4, 12, 30, 15), at(2019, 5, 4, 12, 30, 15, 999_999)),
        ("2019-05-04T12:30:15.5", at(2019, 5, 4, 12, 30, 15, 500_000), at(2019, 5, 4, 12, 30, 15, 500_000)),
        (at(2019, 5, 4, 12, 30), at(2019, 5, 4, 12, 30), at(2019, 5, 4, 12, 30)),
        (" 0001 ", at(1, 1, 1), at(1, 12, 31, **END)),
        ("9999-12", at(9999, 12, 1), at(9999, 12, 31, **END)),
    ],
)
def test_a_date_covers_all_of_what_it_names(written, first, last):
    period = read_period("the date", written)
    assert (period.first, period.last) == (first, last)


@pytest.mark.parametrize(
    "written",
    [
        *("", "19", "20191", "2019-13", "2019-00", "2019-02-29", "2019-05-04 25:00", "2019-05-04 12", "0000"),
        *(
            "may 2019",
            "04.05.2019",
            "2019:05:04",
            "2019-05-04T12:30Z",
            "2019-05-04T12:30+02:00",
            "-2019",
            "٢٠١٩",
        ),
        *("2019-05-04 12:30:15.1234567", 2019, 2019.5, True, ["2019"], datetime.time(12)),
    ],
)
def test_what_is_no_date_is_refused_with_examples_of_what_is(written):
    with pytest.raises(InvalidInputError, match=r"the date is .*; expected a year, .* such as 2019, 2019-05"):
        read_period("the date", written)


def test_a_time_zone_is_refused_as_cameras_know_none():
    with pytest.raises(InvalidInputError, match="has a time zone; expected the time that the camera's clock"):
        read_period("the date", at(2019, 5, 4, tzinfo=datetime.UTC))


@given(st.datetimes())
def test_a_moment_read_again_is_itself(moment):
    period = read_period("the date", moment)
    assert period.first == period.last == moment
    assert read_period("the date", moment.isoformat(timespec="microseconds")).first == moment


@given(st.dates(min_value=date(1, 1, 2)))
def test_days_follow_one_another_without_a_gap(day):
    before = read_period("the date", (day - datetime.timedelta(days=1)).isoformat())
    assert before.last == last_before("the date", day)
    assert read_period("the date", day).first - before.last == datetime.timedelta(microseconds=1)


def test_before_a_year_is_the_last_moment_of_the_year_before():
    assert last_before("the date", "2020") == at(2019, 12, 31, **END)
    with pytest.raises(InvalidInputError, match="nothing was before that"):
        last_before("the date", "0001")
