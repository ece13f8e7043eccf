"""When a device measured, in whole milliseconds."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import ROUND_FLOOR, Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ingest.timestamps import EARLIEST, LATEST, iso, milliseconds

FIVE = 1_533_099_600_000
"""2018-08-01T05:00:00Z."""


@pytest.mark.parametrize(
    "timestamp",
    [
        "2018-08-01T05:00:00Z",
        "2018-08-01T05:00:00.000Z",
        "2018-08-01T05:00:00.0009Z",
        "2018-08-01 05:00:00Z",
        "2018-08-01T05:00Z",
        "20180801T050000Z",
        "2018-08-01T07:00:00+02:00",
        "2018-07-31T23:00:00.000-06",
        "2018-W31-3T05:00:00Z",
        1533099600,
        1533099600.0,
        1533099600000,
        1533099600000.9,
    ],
)
def test_each_way_to_write_a_time_is_the_same_time(timestamp: object) -> None:
    assert milliseconds(timestamp) == FIVE


@pytest.mark.parametrize(
    ("timestamp", "expected"),
    [
        (1533100000.123, 1533100000123),
        (1533100000.1239, 1533100000123),
        (0, 0),
        (-1, -1000),
        (-0.5, -500),
        (-0.0001, -1),
        (5e-324, 0),
        (99_999_999_999, 99_999_999_999_000),
        (100_000_000_000, 100_000_000_000),
        ("1969-12-31T23:59:59.999Z", -1),
        ("1969-12-31T23:59:59.9999Z", -1),
        ("0001-01-01T00:00:00Z", EARLIEST),
        ("9999-12-31T23:59:59.999999Z", LATEST),
        (253_402_300_799_999, LATEST),
        (-62_135_596_800, EARLIEST),
    ],
)
def test_time_is_cut_to_whole_milliseconds_toward_the_past(timestamp: object, expected: int) -> None:
    assert milliseconds(timestamp) == expected


@pytest.mark.parametrize(
    "timestamp",
    [
        "2018-08-01T05:00:00",
        "2018-08-01",
        "2018-08-01T05:00:00z",
        "2018-08-01T24:00:00Z",
        "2018-08-01T05:00:60Z",
        "2018-02-30T05:00:00Z",
        "2018-08-01T05:00:00+24:00",
        "2018-08-01é05:00:00Z",
        "2018-08-01\ud80005:00:00Z",
        "99999-01-01T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
        " 2018-08-01T05:00:00Z",
        "2018-08-01T05:00:00Z" + " " * 100,
        "1533099600",
        "now",
        "",
        253_402_300_800_000,
        -62_135_596_801,
        10**4000,
        -(10**4000),
        float("nan"),
        float("inf"),
        float("-inf"),
        1e300,
        True,
        None,
        [],
        {},
    ],
)
def test_what_is_no_time_of_the_years_1_to_9999_is_none(timestamp: object) -> None:
    assert milliseconds(timestamp) is None


@given(st.floats(min_value=-62_135_596_800, max_value=99_999_999_999))
@example(1533100000.123)
@example(0.29)
def test_seconds_are_cut_exactly_as_their_shortest_decimal_form(seconds: float) -> None:
    exact = (Decimal(repr(seconds)) * 1000).to_integral_value(ROUND_FLOOR)

    assert milliseconds(seconds) == int(exact)


@given(st.integers(EARLIEST // 1000 * 1000, 99_999_999_999_000))
def test_every_millisecond_written_as_seconds_comes_back(time: int) -> None:
    assert milliseconds(time / 1000) == time


@given(
    st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1)),  # noqa: DTZ001 - the zone is drawn below
    st.integers(-1439, 1439),
)
def test_every_iso_time_in_every_zone_is_its_moment(local: datetime, minutes: int) -> None:
    moment = local.replace(tzinfo=timezone(timedelta(minutes=minutes)))

    since_epoch = moment - datetime(1970, 1, 1, tzinfo=UTC)
    assert milliseconds(moment.isoformat()) == since_epoch // timedelta(milliseconds=1)


@given(st.integers(EARLIEST, LATEST))
def test_time_written_as_text_comes_back(time: int) -> None:
    assert milliseconds(iso(time)) == time


@given(st.text(max_size=70) | st.floats() | st.integers())
def test_no_value_makes_it_raise(timestamp: object) -> None:
    milliseconds(timestamp)
