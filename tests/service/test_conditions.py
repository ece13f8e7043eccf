"""Conditions of geofences through the tracker: on arrival, after a wait in the window, after a restart."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.messages import Message
from tests.service.workshop import Workshop, box
from tests.stores import Store

WAYS = ("at once", "after a wait", "after a wait and a restart", "posted")


def arrive(workshop: Workshop, way: str, *messages: Message) -> None:
    """Gives the tracker these messages, each in a commit of its own, and lets it evaluate them."""
    for message in messages:
        if way == "posted":
            workshop.tracker.post(message.payload, "default")
        else:
            workshop.ingest(message)
    if way == "after a wait and a restart":
        workshop.reopen()
    workshop.seconds += 61
    workshop.tracker.evaluate_due()


def workshop_of(store: Store, way: str, **more: Any) -> Workshop:
    return Workshop(store, window=60 if way.startswith("after") else 0, **more)


@pytest.mark.parametrize("way", WAYS)
def test_a_volume_is_entered_and_left_by_climbing_alone(store: Store, way: str) -> None:
    workshop = workshop_of(store, way)
    workshop.catalog.put("default", [box("V", 0, 10, minAltitude=1000, maxAltitude=2000.5), box("A", 0, 10)])
    heights: list[object] = [999, 1000, 2000.5, 2000.6, None, 1500, "1500", 1500, True, {"altitude": 1500}]
    fixes = [workshop.fix("x", time, 5, altitude=height) for time, height in enumerate(heights)]
    arrive(workshop, way, *fixes)

    assert [event for event in workshop.events() if event[2] == "A"] == [("ENTER", "x", "A", 0)]
    assert [(event[0], event[3]) for event in workshop.events() if event[2] == "V"] == [
        ("ENTER", 1),
        ("EXIT", 3),
        ("ENTER", 5),
        ("EXIT", 6),
        ("ENTER", 7),
        ("EXIT", 8),
    ]


@pytest.mark.parametrize("way", WAYS)
def test_a_position_without_altitude_is_in_a_volume_where_that_is_chosen(store: Store, way: str) -> None:
    workshop = workshop_of(store, way, unknown_altitude_inside=True)
    workshop.catalog.put("default", [box("V", 0, 10, minAltitude=1000)])
    arrive(workshop, way, workshop.fix("x", 0, 5), workshop.fix("x", 1, 5, altitude=900))

    assert [(event[0], event[3]) for event in workshop.events()] == [("ENTER", 0), ("EXIT", 1)]


@pytest.mark.parametrize("way", WAYS)
def test_poor_fixes_are_ignored_by_a_geofence_that_says_so_and_by_no_other(store: Store, way: str) -> None:
    workshop = workshop_of(store, way)
    workshop.catalog.put("default", [box("P", 0, 10, maxAccuracy=50), box("A", 0, 10)])
    arrive(
        workshop,
        way,
        workshop.fix("x", 0, 5, accuracy={"Horizontal": 50.5}),
        workshop.fix("x", 1, 5, accuracy=50),
        workshop.fix("x", 2, 50, accuracy=51),
        workshop.fix("x", 3, 50),
    )

    assert workshop.events() == [
        ("ENTER", "x", "A", 0),
        ("ENTER", "x", "P", 1),
        ("EXIT", "x", "A", 2),
        ("EXIT", "x", "P", 3),
    ]


@pytest.mark.parametrize("way", WAYS)
def test_a_geofence_counts_for_the_devices_it_names(store: Store, way: str) -> None:
    workshop = workshop_of(store, way)
    workshop.catalog.put("default", [box("D", 0, 10, devices=["4b1*", "?x"])])
    devices = ("4b17", "4B17", "x", "yx")
    arrive(workshop, way, *(workshop.fix(device, 0, 5) for device in devices))

    assert sorted(event[1] for event in workshop.events()) == ["4b17", "yx"]


def test_a_device_inside_is_kept_inside_over_poor_fixes_and_restarts(store: Store) -> None:
    workshop = Workshop(store)
    workshop.catalog.put("default", [box("P", 0, 10, maxAccuracy=50)])
    workshop.ingest(workshop.fix("x", 0, 5))
    for time in (1, 2):
        workshop.reopen()
        workshop.ingest(workshop.fix("x", time, 50, accuracy=51))
    workshop.reopen()
    workshop.ingest(workshop.fix("x", 3, 50, accuracy=49))

    assert workshop.events() == [("ENTER", "x", "P", 0), ("EXIT", "x", "P", 3)]


def test_edited_conditions_hold_from_the_next_fix_and_a_deleted_geofence_has_none(store: Store) -> None:
    workshop = Workshop(store)
    edits = [{"devices": ["y"]}, {"devices": ["x"]}, {"minAltitude": 1}, {}, {"maxAltitude": 0}]
    for time, edit in enumerate(edits):
        workshop.catalog.put("default", [box("G", 0, 10, **edit)])
        workshop.ingest(workshop.fix("x", time, 5))
    workshop.catalog.delete("default", "G")
    workshop.catalog.put("default", [box("G", 0, 10)])
    workshop.ingest(workshop.fix("x", 9, 5))

    assert [(event[0], event[3]) for event in workshop.events()] == [
        ("ENTER", 1),
        ("EXIT", 2),
        ("ENTER", 3),
        ("EXIT", 4),
        ("ENTER", 9),
    ]


@given(
    heights=st.lists(st.sampled_from([None, 0, 100, 200.5, "100"]), min_size=1, max_size=8),
    accuracies=st.lists(st.sampled_from([None, 5, 60]), min_size=8, max_size=8),
    places=st.lists(st.sampled_from([5, 50]), min_size=8, max_size=8),
    seed=st.integers(0, 1 << 30),
)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_shuffle_within_the_window_and_a_restart_give_the_events_of_the_sorted_stream(
    new_store: Callable[[], Store],
    heights: list[object],
    accuracies: list[object],
    places: list[float],
    seed: int,
) -> None:
    fences = [
        box("V", 0, 10, minAltitude=50, maxAltitude=200, maxAccuracy=50),
        box("D", 0, 10, devices=["x*"]),
    ]
    events = []
    for way in ("at once", "after a wait and a restart"):
        workshop = workshop_of(new_store(), way)
        workshop.catalog.put("default", fences)
        fixes = [
            workshop.fix("xy", time, places[time], altitude=height, accuracy=accuracies[time])
            for time, height in enumerate(heights)
        ]
        if way != "at once":
            np.random.default_rng(seed).shuffle(fixes)  # type: ignore[arg-type]  # a list is shuffled too
        arrive(workshop, way, *fixes)
        events.append(workshop.events())
        workshop.database.close()
    assert events[0] == events[1]
