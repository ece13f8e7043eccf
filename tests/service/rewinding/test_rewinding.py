"""Exported fixes, evaluated under exported revisions, give the events that were stored."""

import json
from pathlib import Path

import pytest
from sqlalchemy import delete

from service.store.schema import position
from tests.service.rewinding.past import Past, in_any_order
from tests.service.workshop import box
from tests.stores import Store


@pytest.fixture
def past(store: Store, tmp_path: Path) -> Past:
    return Past(store, tmp_path)


def test_each_fix_meets_the_geofence_as_it_was(past: Past) -> None:
    past.catalog.put("default", [box("A", 0, 10)])
    past.ingest(past.fix("x", 0, 5))
    past.catalog.put("default", [box("A", 20, 30)])
    past.ingest(past.fix("x", 1, 5), past.fix("x", 2, 25))
    assert [event["eventType"] for event in past.rewound()] == ["ENTER", "EXIT", "ENTER"]
    assert past.rewound() == past.stored()


def test_what_a_device_met_first_counts_for_it_whatever_the_times_of_others(past: Past) -> None:
    past.catalog.put("default", [box("A", 0, 10)])
    past.ingest(past.fix("x", 10, 5))
    past.catalog.put("default", [box("A", 20, 30)])
    past.ingest(past.fix("y", 5, 25))
    assert [event["deviceId"] for event in past.rewound()] == ["y", "x"]
    assert in_any_order(past.rewound()) == in_any_order(past.stored())


def test_deleting_and_unlinking_end_the_state_without_an_event(past: Past) -> None:
    past.catalog.link("default", "harbours")
    for name in ("default", "harbours"):
        past.catalog.put(name, [box("A", 0, 10)])
    past.ingest(past.fix("x", 0, 5))
    past.catalog.delete("default", "A")
    past.catalog.put("default", [box("A", 0, 10)])
    past.catalog.unlink("default", "harbours")
    past.catalog.link("default", "harbours")
    past.ingest(past.fix("x", 1, 5))
    assert [event["eventType"] for event in past.rewound()] == ["ENTER"] * 4
    assert in_any_order(past.rewound()) == in_any_order(past.stored())


def test_a_collection_that_is_gone_has_no_events_in_either(past: Past) -> None:
    past.catalog.link("default", "harbours")
    past.catalog.put("harbours", [box("A", 0, 10)])
    past.ingest(past.fix("x", 0, 5))
    past.catalog.unlink("default", "harbours")
    past.catalog.delete_collection("harbours")
    past.catalog.create_collection("harbours")
    past.catalog.put("harbours", [box("A", 0, 10)])
    past.catalog.link("default", "harbours")
    past.ingest(past.fix("x", 1, 5))
    assert [event["sampleTime"] for event in past.stored()] == [past.rewound()[0]["sampleTime"]]
    assert past.rewound() == past.stored()


def test_late_fixes_are_exported_marked_and_change_nothing(past: Past) -> None:
    past.catalog.put("default", [box("A", 0, 10)])
    past.ingest(past.fix("x", 10, 5, altitude=300.5, accuracy=7))
    past.ingest(past.fix("x", 5, 20))
    late, evaluated = map(json.loads, past.fixes())
    assert (late["late"], late["revision"]) == (True, None)
    assert (evaluated["late"], evaluated["revision"], evaluated["trackerName"]) == (False, 2, "default")
    assert (evaluated["accuracy"], evaluated["properties"]) == (7, {"altitude": 300.5})
    assert past.rewound() == past.stored()


def test_what_still_waits_for_its_turn_is_left_out(store: Store, tmp_path: Path) -> None:
    past = Past(store, tmp_path, window=30)
    past.catalog.put("default", [box("A", 0, 10)])
    past.ingest(past.fix("x", 0, 5))
    assert past.fixes() == []


def test_after_retention_only_what_happened_at_the_first_fix_left_differs(past: Past) -> None:
    past.catalog.put("default", [box("A", 0, 10), box("B", 0, 20)])
    past.ingest(*(past.fix("x", time, longitude) for time, longitude in enumerate([5, 15, 5, 25])))
    with past.database.write() as connection:
        connection.execute(delete(position).where(position.c.sample_time < past.began + 1))
    first = past.rewound()[0]["sampleTime"]
    later = [event for event in past.stored() if event["sampleTime"] > first]
    assert [(event["eventType"], event["geofenceId"]) for event in past.rewound()[:1]] == [("ENTER", "B")]
    assert past.rewound()[1:] == later
