"""Values in what is said of them, and dates at the borders of the years that are taken."""

import math
import sys

import pytest

from geofence.faults import GeofenceFault
from geofence.reading.json_values import number_of, shown
from geofence.reading.local_times import date_of


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (math.inf, "inf"),
        (-math.inf, "-inf"),
        ("a" * 118, f'"{"a" * 118}"'),
        ("a" * 119, f'"{"a" * 116}...'),
    ],
)
def test_values_are_shown_as_json_and_no_longer_than_120_characters(value: object, text: str) -> None:
    assert shown(value) == text
    assert len(text) <= 120


def test_a_fault_that_is_nowhere_says_what_is_wrong_alone() -> None:
    assert str(GeofenceFault("json", "no JSON: expected some")) == "no JSON: expected some"


def test_dates_are_taken_from_1900_to_2199() -> None:
    dates = [date_of(date) for date in ("1899-12-31", "1900-01-01", "2199-12-31", "2200-01-01")]
    assert dates == [None, -25567, 84005, None]


def test_a_number_is_one_as_far_as_doubles_go() -> None:
    assert number_of(sys.float_info.max) == sys.float_info.max
    assert number_of(10**308) == 1e308
    assert number_of(10**309) is None
