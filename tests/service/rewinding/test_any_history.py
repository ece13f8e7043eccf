"""Laws of rewinding: whatever happened, also while it is exported, the stored events come out again."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.api.histories import evaluated_position_page
from service.crossing_rule import changed
from service.errors import Conflict, NotFound
from service.filtering.passing import ACCURACY_BASED, DISTANCE_BASED
from tests.service.rewinding.past import Past, in_any_order
from tests.service.workshop import HOUR, box
from tests.stores import SqliteStore

LATER = HOUR // 1000 + 120
"""Second after which a device that has been forgotten is known again: fixes measured since."""

COLLECTIONS = ("default", "harbours")
TRACKERS = ("default", "ships")

REPORTED = (
    {},
    {},
    {"altitude": 500},
    {"altitude": 1500.5, "accuracy": 9, "callsign": "SWR1"},
    {"accuracy": 100, "speed": 3},
)
CONDITIONS = (
    {},
    {},
    {"minAltitude": 1000},
    {"maxAltitude": 1000, "dwellSeconds": 2},
    {"maxAccuracy": 50, "exitAfterSeconds": 3},
    {"devices": ["x", "y*"]},
    {"deviceProperties": {"callsign": ["SWR*"]}},
    {"dwellSeconds": 4.5},
    {"exitAfterMetres": 150_000, "dwellSeconds": 1},
    {"exitAfterSeconds": 4, "exitAfterMetres": 300_000},
    {"open": 0},
    {"open": 1},
)
RULES = (("fix", 300, 1000), ("segment", 4, 1e6), ("segment", 60, 1e6), ("segment", 60, 3e5))

FIX = st.tuples(
    st.sampled_from(TRACKERS),
    st.sampled_from("xyz"),
    st.integers(-4, 4),
    st.integers(-2, 12),
    st.sampled_from(REPORTED),
)
"""Tracker, device, seconds (from the clock on), longitude, what else it reports."""
FIXES = st.tuples(st.just("fixes"), st.lists(FIX, min_size=1, max_size=6))
COLLECTION, TRACKER, ID = st.sampled_from(COLLECTIONS), st.sampled_from(TRACKERS), st.sampled_from("AB")
PUT = st.tuples(
    st.just("put"), COLLECTION, ID, st.integers(0, 8), st.integers(1, 6), st.sampled_from(CONDITIONS)
)
FILTER = st.tuples(
    st.just("filter"), TRACKER, st.sampled_from([None, DISTANCE_BASED, DISTANCE_BASED, ACCURACY_BASED])
)
"""Kinds of filtering with which all is stored that is evaluated."""
ACTION = st.one_of(
    FILTER,
    FIXES,
    FIXES,
    FIXES,
    PUT,
    st.tuples(st.just("delete"), COLLECTION, ID),
    st.tuples(st.just("cross"), COLLECTION, st.sampled_from(RULES)),
    st.tuples(st.sampled_from(["link", "unlink"]), TRACKER, COLLECTION),
    st.tuples(st.just("recreate"), COLLECTION),
    st.tuples(st.just("forget"), TRACKER, st.sampled_from("xyz")),
    st.tuples(st.just("pass"), st.sampled_from([10, 40])),
    st.tuples(st.just("restart")),
)
BEGINNING = [
    *(("link", tracker, collection) for tracker in TRACKERS for collection in COLLECTIONS),
    ("put", "default", "A", 0, 6, {"dwellSeconds": 3}),
    ("put", "harbours", "A", 4, 4, {"maxAccuracy": 50}),
    ("put", "harbours", "B", 0, 5, {"exitAfterSeconds": 6}),
    ("cross", "harbours", ("segment", 60, 1e6)),
]


def act(past: Past, action: tuple[Any, ...]) -> None:  # noqa: PLR0912 - a branch for each kind there is
    """Does it, where it can be done, and goes on in time."""
    past.clock += 4
    try:
        match action:
            case "fixes", fixes:
                for tracker in TRACKERS:
                    messages = [
                        past.fix(device_id, 1000 * (past.clock + step), longitude, **more)
                        for of, device_id, step, longitude, more in fixes
                        if of == tracker
                    ]
                    past.tracker.ingest(messages, tracker)
            case "filter", tracker, how:
                past.catalog.update_tracker(tracker, position_filtering=how)
            case "put", collection, geofence_id, west, width, conditions:
                asked = past.conditions(conditions)
                past.catalog.put(collection, [box(geofence_id, west, west + width, **asked)])
            case "cross", collection, rule:
                past.catalog.update_collection(collection, lambda before: changed(before, *rule))
            case "delete", collection, geofence_id:
                past.catalog.delete(collection, geofence_id)
            case "link", tracker, collection:
                past.catalog.link(tracker, collection)
            case "unlink", tracker, collection:
                past.catalog.unlink(tracker, collection)
            case "recreate", collection:
                past.catalog.delete_collection(collection)
                past.catalog.create_collection(collection)
            case "forget", tracker, device_id:
                past.tracker.forget(tracker, device_id)
                past.clock = max(past.clock, LATER)
            case "pass", seconds:
                past.seconds += seconds
            case ("restart",):
                past.reopen()
    except (NotFound, Conflict):
        pass
    past.tracker.evaluate_due()


@contextmanager
def fresh_past(migrated: Path, window: float) -> Iterator[Past]:
    """The schema is copied: migrations take a while."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(migrated, folder, dirs_exist_ok=True)
        past = Past(SqliteStore(Path(folder)), Path(folder), window)
        yield past
        past.database.close()


QUICK = settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=20)


@QUICK
@given(st.lists(ACTION, min_size=5, max_size=25), st.sampled_from([0, 20]))
def test_whatever_happened_the_stored_events_come_out_again(
    migrated: Path, actions: list[tuple[Any, ...]], window: float
) -> None:
    with fresh_past(migrated, window) as past:
        for action in [*BEGINNING, *actions, ("pass", 40)]:
            act(past, action)
        assert in_any_order(past.rewound()) == in_any_order(past.stored())


@QUICK
@given(st.lists(ACTION, min_size=5, max_size=15), st.lists(ACTION, max_size=15), st.sampled_from([0, 20]))
def test_exported_page_by_page_while_the_tracker_works_the_events_up_to_there_come_out_again(
    migrated: Path, before: list[tuple[Any, ...]], meanwhile: list[tuple[Any, ...]], window: float
) -> None:
    with fresh_past(migrated, window) as past:
        for action in [*BEGINNING, *before]:
            act(past, action)
        cursor, fixes = None, []
        still = [each for each in meanwhile if each[0] not in ("forget", "recreate")]
        while True:
            page = evaluated_position_page(past.database.read, "default", cursor, limit=3)
            fixes += [msgspec.json.encode(item) for item in page.items]
            cursor = page.next_cursor
            if cursor is None:
                break
            if still:
                act(past, still.pop())
        exported = {fix["deviceId"]: fix["sampleTime"] for fix in map(json.loads, fixes) if not fix["late"]}
        stored = [
            event
            for event in past.stored()
            if event["trackerName"] == "default"
            and event["sampleTime"] <= exported.get(event["deviceId"], "")
        ]
        assert in_any_order(past.rewound(fixes)) == in_any_order(stored)
