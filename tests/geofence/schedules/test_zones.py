"""What clocks say, on every machine the same."""

from datetime import UTC, datetime, timedelta
from importlib.resources import files
from itertools import pairwise
from zoneinfo import ZoneInfo
from zoneinfo._zoneinfo import ZoneInfo as OpenZoneInfo  # the one that shows its transitions

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geofence.schedules import zones
from geofence.schedules.zones import is_zone, utc
from tests.geofence.schedules.reference import ZONES

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def minutes_of(when: datetime) -> int:
    return (when - EPOCH) // timedelta(minutes=1)


def test_zones_are_of_the_pinned_package_and_not_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zoneinfo.TZPATH", ("/nowhere",))
    zones._zone.cache_clear()
    zones._block.cache_clear()
    minutes = np.array([minutes_of(datetime(2026, 7, 1, tzinfo=UTC))])
    assert (utc("Europe/Zurich", minutes) // 60_000 - minutes).tolist() == [-120]


def test_only_names_of_zones_are_zones() -> None:
    assert all(map(is_zone, ZONES))
    wrong = ("", "Europe", "europe/zurich", "../Europe/Zurich", "/etc/localtime", "zones", "Europe/Zurich\n")
    assert not any(map(is_zone, wrong))


def transitions(name: str) -> list[int]:
    """When the clock of a zone changes, in seconds since the epoch."""
    with files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return list(OpenZoneInfo.from_file(file)._trans_utc)


def test_no_clock_changes_twice_within_days() -> None:
    since = (datetime(1900, 1, 1, tzinfo=UTC) - EPOCH).total_seconds()
    pairs = (pair for name in zones._names() for pair in pairwise(transitions(name)))
    assert min(later - earlier for earlier, later in pairs if earlier > since) > 2 * 86_400


@given(
    zone=st.sampled_from(ZONES),
    minutes=st.lists(
        st.integers(
            minutes_of(datetime(1900, 1, 1, tzinfo=UTC)), minutes_of(datetime(2200, 1, 1, tzinfo=UTC))
        )
        | st.integers(
            minutes_of(datetime(2026, 3, 28, tzinfo=UTC)), minutes_of(datetime(2026, 4, 6, tzinfo=UTC))
        )
        | st.integers(
            minutes_of(datetime(2011, 12, 29, tzinfo=UTC)), minutes_of(datetime(2012, 1, 1, tzinfo=UTC))
        ),
        max_size=20,
    ),
)
@settings(max_examples=300, deadline=None)
def test_local_times_are_read_as_datetime_reads_them(zone: str, minutes: list[int]) -> None:
    with files("tzdata.zoneinfo").joinpath(*zone.split("/")).open("rb") as file:
        clock = ZoneInfo.from_file(file)  # the pinned one, not the machine's
    expected = [
        ((EPOCH + timedelta(minutes=minute)).replace(tzinfo=clock).astimezone(UTC) - EPOCH)
        // timedelta(milliseconds=1)
        for minute in minutes
    ]
    assert utc(zone, np.array(minutes, np.int64)).tolist() == expected


def test_many_local_times_of_a_day_take_no_step_each() -> None:
    minutes = np.arange(0, 64 * 24 * 60)
    zones._block.cache_clear()
    assert (utc("Asia/Kathmandu", minutes) == minutes * 60_000 - 19_800_000).all()
    assert zones._block.cache_info().misses == 2
