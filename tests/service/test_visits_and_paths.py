"""Paths and visits through the tracker: on arrival, after a wait in the window, after restarts."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from geofence.geofence import Geofence
from ingest.messages import Message
from service.crossing_rule import CrossingRule, changed
from service.store.schema import inside, position
from tests.service.workshop import Workshop, box
from tests.stores import Store

WAYS = ("at once", "all together", "after a wait", "after restarts", "posted")
DEGREE = 111_320
"""Metres of longitude at the equator."""


def crossed_by(**rule: Any) -> Callable[[CrossingRule], CrossingRule]:
    return lambda before: changed(before, **rule)


SEGMENT = crossed_by(crossing="segment", max_gap_seconds=60, max_speed=1_000_000)


def arrive(workshop: Workshop, way: str, *messages: Message) -> None:
    """Gives the tracker these messages, each in a commit of its own but for "all together"."""
    if way == "all together":
        workshop.ingest(*messages)
    for message in messages if way != "all together" else ():
        if way == "after restarts":
            workshop.reopen()
        if way == "posted":
            workshop.tracker.post(message.payload, "default")
        else:
            workshop.ingest(message)
    workshop.seconds += 61
    workshop.tracker.evaluate_due()


def workshop_of(store: Store, way: str, *geofences: Geofence) -> Workshop:
    workshop = Workshop(store, window=60 if way == "after a wait" else 0)
    workshop.catalog.put("default", geofences)
    return workshop


def told(workshop: Workshop) -> list[tuple[Any, ...]]:
    """Type, geofence, time, longitude, whether interpolated."""
    return [
        (kind, geofence_id, time, native["position"][0], "interpolated" in native)
        for (kind, _, geofence_id, time), native in zip(workshop.events(), workshop.native(), strict=True)
    ]


@pytest.mark.parametrize("way", WAYS)
def test_a_geofence_that_is_flown_through_between_two_fixes_is_entered_and_left(
    store: Store, way: str
) -> None:
    workshop = workshop_of(store, way, box("A", 0, 10), box("B", 4, 6), box("C", 15, 20))
    workshop.catalog.update_collection("default", SEGMENT)
    arrive(
        workshop,
        way,
        workshop.fix("x", 0, -5, accuracy=3),
        workshop.fix("x", 20_000, 15, callsign="X"),
        workshop.fix("x", 21_000, 14),
    )

    assert told(workshop) == [
        ("ENTER", "A", 5_000, 0, True),
        ("ENTER", "B", 9_000, 4, True),
        ("EXIT", "B", 11_000, 6, True),
        ("EXIT", "A", 15_000, 10, True),
        ("ENTER", "C", 20_000, 15, True),
        ("EXIT", "C", 20_001, 15, True),
    ]
    assert all(native["interpolated"] is True for native in workshop.native())


@pytest.mark.parametrize("way", WAYS)
def test_a_path_holds_to_bands_and_a_longer_gap_or_a_greater_speed_is_none(store: Store, way: str) -> None:
    workshop = workshop_of(store, way, box("V", 0, 10, minAltitude=100, maxAltitude=300))
    rule = crossed_by(crossing="segment", max_gap_seconds=20, max_speed=1.001 * DEGREE)
    workshop.catalog.update_collection("default", rule)
    arrive(
        workshop,
        way,
        workshop.fix("x", 0, -5, altitude=0),
        workshop.fix("x", 20_000, 15, altitude=400),
        workshop.fix("x", 40_001, -5, altitude=200),
        workshop.fix("x", 59_000, 15, altitude=200),
    )

    assert told(workshop) == [("ENTER", "V", 5_000, 0, True), ("EXIT", "V", 15_000, 10, True)]


@pytest.mark.parametrize("way", WAYS)
def test_a_stay_is_told_once_and_a_jitter_on_the_boundary_is_not(store: Store, way: str) -> None:
    workshop = workshop_of(
        store, way, box("A", 0, 10, dwellSeconds=5, exitAfterSeconds=3, exitAfterMetres=DEGREE / 2)
    )
    places = [9.5, 10.1, 9.9, 10.2, 10.1, 9.5, 9.5, 10.3, 9, 10.9, 10.2, 10.3, 10.6]
    arrive(
        workshop, way, *(workshop.fix("x", 1000 * time, longitude) for time, longitude in enumerate(places))
    )

    assert told(workshop) == [
        ("ENTER", "A", 0, 9.5, False),
        ("DWELL", "A", 5_000, 9.5, False),
        ("EXIT", "A", 12_000, 10.6, False),
    ]
    if way == "at once":
        counted = workshop.metrics.registry.get_sample_value("overfly_events_total", {"type": "DWELL"})
        assert counted == 1


def test_what_a_visit_has_come_to_is_kept_until_the_device_leaves(store: Store) -> None:
    workshop = workshop_of(
        store, "at once", box("A", 0, 10, dwellSeconds=5, exitAfterSeconds=9), box("B", 0, 10)
    )

    def kept() -> list[tuple[Any, ...]]:
        with workshop.database.read() as connection:
            rows = connection.execute(select(inside).order_by(inside.c.geofence_key)).all()
        since = [(None if time is None else time - workshop.began) for _, _, time, *_ in rows]
        out = [(None if time is None else time - workshop.began) for *_, time, _ in rows]
        return [(row.geofence_key, *each, row.dwelled) for row, *each in zip(rows, since, out, strict=True)]

    workshop.ingest(workshop.fix("x", 1_000, 5))
    assert kept() == [(1, 1_000, None, False), (2, None, None, False)]
    workshop.ingest(workshop.fix("x", 6_000, 5))
    assert kept() == [(1, 1_000, None, True), (2, None, None, False)]
    workshop.ingest(workshop.fix("x", 7_000, 15))
    assert kept() == [(1, 1_000, 7_000, True)]
    workshop.ingest(workshop.fix("x", 16_000, 15))
    assert kept() == []


def test_a_collection_told_to_be_crossed_by_segments_is_so_from_the_next_fix_also_after_a_restart(
    new_store: Callable[[], Store],
) -> None:
    for restarts in (False, True):
        workshop = workshop_of(new_store(), "at once", box("A", 0, 10, minAltitude=50))
        workshop.ingest(workshop.fix("x", 0, -5, altitude=100))
        workshop.catalog.update_collection("default", SEGMENT)
        if restarts:
            workshop.reopen()
        workshop.ingest(workshop.fix("x", 20_000, 15, altitude=100))
        workshop.catalog.update_collection("default", crossed_by(crossing="fix"))
        workshop.ingest(workshop.fix("x", 40_000, -5, altitude=100))

        assert told(workshop) == [("ENTER", "A", 5_000, 0, True), ("EXIT", "A", 15_000, 10, True)]


def test_a_path_begins_at_the_last_fix_also_where_its_history_is_gone_and_the_process_was_restarted(
    store: Store,
) -> None:
    workshop = workshop_of(store, "at once", box("A", 0, 10, minAltitude=50))
    workshop.catalog.update_collection("default", SEGMENT)
    workshop.ingest(workshop.fix("x", 0, -5, altitude=100))
    with workshop.database.write() as connection:
        connection.execute(delete(position))
    workshop.reopen()
    workshop.ingest(workshop.fix("x", 20_000, 5, altitude=100))

    assert told(workshop) == [("ENTER", "A", 10_000, 0, True)]


def test_a_geofence_put_on_the_way_behind_a_device_is_entered_at_its_next_fix(store: Store) -> None:
    workshop = workshop_of(store, "at once")
    workshop.catalog.update_collection("default", SEGMENT)
    workshop.ingest(workshop.fix("x", 0, 5))
    workshop.catalog.put("default", [box("A", 0, 10)])
    workshop.ingest(workshop.fix("x", 1_000, 6))
    workshop.ingest(workshop.fix("x", 11_000, 16))

    assert told(workshop) == [("ENTER", "A", 1_000, 6, False), ("EXIT", "A", 5_000, 10, True)]


def test_a_device_that_was_forgotten_has_no_path_from_before(store: Store) -> None:
    workshop = workshop_of(store, "at once", box("A", 0, 10, dwellSeconds=6))
    workshop.catalog.update_collection("default", SEGMENT)
    workshop.ingest(workshop.fix("x", 0, -5), workshop.fix("x", 10_000, 5))
    workshop.tracker.forget("default", "x")
    hour = 3_600_000
    workshop.ingest(workshop.fix("x", hour + 30_000, 15), workshop.fix("x", hour + 40_000, 5))

    assert told(workshop) == [("ENTER", "A", hour + 35_000, 10, True)]


def test_events_of_one_commit_are_told_by_time_then_as_they_lie_on_the_path(store: Store) -> None:
    boxes = [box("A", 0, 1e-4), box("B", 1.5e-4, 2e-4), box("C", -3e-4, -2e-4)]
    workshop = workshop_of(store, "at once", *boxes)
    workshop.catalog.update_collection("default", SEGMENT)
    workshop.ingest(
        workshop.fix("x", 0, -5e-4), workshop.fix("x", 1, -4.999e-4), workshop.fix("x", 4, 6.001e-4)
    )

    assert [(kind, geofence_id, time) for kind, _, geofence_id, time in workshop.events()] == [
        ("ENTER", "C", 2),
        ("EXIT", "C", 2),
        ("ENTER", "A", 3),
        ("EXIT", "A", 3),
        ("ENTER", "B", 3),
        ("EXIT", "B", 3),
    ]


CONDITIONS: list[dict[str, Any]] = [
    {},
    {"dwellSeconds": 3},
    {"exitAfterSeconds": 2},
    {"exitAfterMetres": 1.5 * DEGREE, "dwellSeconds": 2},
    {"maxAccuracy": 50, "exitAfterSeconds": 1, "dwellSeconds": 1.5},
    {"minAltitude": 50},
]
FIX = st.tuples(st.integers(-2, 12), st.sampled_from([None, 0, 100]), st.sampled_from([None, 5, 60]))


@given(
    fixes=st.lists(FIX, min_size=2, max_size=9),
    asked=st.lists(st.sampled_from(CONDITIONS), min_size=2, max_size=2),
    edited=st.tuples(st.integers(0, 8), st.sampled_from(CONDITIONS)),
    segments_from=st.integers(0, 4),
)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_restart_before_every_fix_changes_nothing(
    new_store: Callable[[], Store],
    fixes: list[tuple[int, int | None, int | None]],
    asked: list[dict[str, Any]],
    edited: tuple[int, dict[str, Any]],
    segments_from: int,
) -> None:
    told_of = []
    for restarts in (False, True):
        workshop = workshop_of(new_store(), "at once", box("A", 0, 6, **asked[0]), box("B", 3, 9, **asked[1]))
        for time, (longitude, altitude, accuracy) in enumerate(fixes):
            if time == segments_from:
                workshop.catalog.update_collection("default", SEGMENT)
            if time == edited[0]:
                workshop.catalog.put("default", [box("A", 0, 6, **edited[1])])
            if restarts:
                workshop.reopen()
            workshop.ingest(workshop.fix("x", 1000 * time, longitude, altitude=altitude, accuracy=accuracy))
        told_of.append(told(workshop))
        workshop.database.close()
    assert told_of[0] == told_of[1]
