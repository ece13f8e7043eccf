"""Exported fixes, evaluated under exported revisions, give the events that were stored."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from service.api.histories import evaluated_position_page
from service.crossing_rule import changed
from service.errors import Conflict, NotFound
from service.kept_history import KeptHistory
from service.rewinding.fixes import read_fixes
from service.rewinding.lines import LineFaults
from service.rewinding.revisions import read_revisions
from service.rewinding.rewind import event_lines, rewound
from service.store.database import open_sqlite
from service.store.migration import prepare
from service.store.reading.events import EventFilter, events
from service.store.reading.trackers import tracker_names
from service.store.schema import position
from tests.service.workshop import HOUR, Workshop, box

Json = dict[str, Any]

LATER = HOUR // 1000 + 120
"""Second after which a device that has been forgotten is known again: fixes measured since."""


class Past(Workshop):
    """Two trackers and two collections, with a history that can be exported."""

    def __init__(self, folder: Path, window: float = 0) -> None:
        super().__init__(folder, window)
        self.began -= self.began % 60_000
        self.clock = 0
        self.catalog.create_tracker("ships")
        self.catalog.create_collection("harbours")

    def conditions(self, asked: Json) -> Json:
        """As they are asked, "open" being the minute, from the beginning on, in which a geofence counts."""
        minute = asked.get("open")
        if minute is None:
            return asked
        opens = datetime.fromtimestamp(self.began / 1000 + 60 * minute, UTC)
        start, rule = opens.strftime("%Y-%m-%dT%H:%M"), "FREQ=DAILY;COUNT=1"
        return {"schedule": {"zone": "UTC", "start": start, "rrule": rule, "duration": "PT1M"}}

    def stored(self) -> list[Json]:
        """The native events of all trackers."""
        with self.database.read() as connection:
            return [
                row.native
                for key in tracker_names(connection)
                for row in events(connection, key, EventFilter(), 0, 100_000)
            ]

    def fixes(self) -> list[bytes]:
        history = KeptHistory(self.database)
        return [
            bytes(item) for name in history.trackers() for page in history.positions(name) for item in page
        ]

    def rewound(self, fixes: list[bytes] | None = None) -> list[Json]:
        """The events of these fixes or of all, in the order in which they are written."""
        revisions = [bytes(item) for page in KeptHistory(self.database).revisions() for item in page]
        exported = self.fixes() if fixes is None else fixes
        fixes_file, revisions_file = self.folder / "fixes.ndjson", self.folder / "revisions.ndjson"
        fixes_file.write_bytes(b"".join(b"%b\n" % each for each in exported))
        revisions_file.write_bytes(b"".join(b"%b\n" % each for each in revisions))
        faults = LineFaults(9)
        history = read_revisions(revisions_file, faults)
        crossed = rewound(read_fixes(fixes_file, history, faults), history)
        assert faults.first == []
        return [json.loads(line) for part in event_lines(crossed) for line in part.splitlines()]


def in_any_order(native: list[Json]) -> list[Json]:
    return sorted(native, key=lambda event: event["eventId"])


@pytest.fixture
def past(tmp_path: Path) -> Past:
    return Past(tmp_path)


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


def test_what_still_waits_for_its_turn_is_left_out(tmp_path: Path) -> None:
    past = Past(tmp_path, window=30)
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
ACTION = st.one_of(
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


def act(past: Past, action: tuple[Any, ...]) -> None:
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


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("empty")
    database = open_sqlite(folder)
    prepare(database)
    database.close()
    return folder


@contextmanager
def fresh_past(empty: Path, window: float) -> Iterator[Past]:
    """The schema is copied: migrations take a while."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(empty, folder, dirs_exist_ok=True)
        past = Past(Path(folder), window)
        yield past
        past.database.close()


QUICK = settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=20)


@QUICK
@given(st.lists(ACTION, min_size=5, max_size=25), st.sampled_from([0, 20]))
def test_whatever_happened_the_stored_events_come_out_again(
    empty: Path, actions: list[tuple[Any, ...]], window: float
) -> None:
    with fresh_past(empty, window) as past:
        for action in [*BEGINNING, *actions, ("pass", 40)]:
            act(past, action)
        assert in_any_order(past.rewound()) == in_any_order(past.stored())


@QUICK
@given(st.lists(ACTION, min_size=5, max_size=15), st.lists(ACTION, max_size=15), st.sampled_from([0, 20]))
def test_exported_page_by_page_while_the_tracker_works_the_events_up_to_there_come_out_again(
    empty: Path, before: list[tuple[Any, ...]], meanwhile: list[tuple[Any, ...]], window: float
) -> None:
    with fresh_past(empty, window) as past:
        for action in [*BEGINNING, *before]:
            act(past, action)
        cursor, fixes = None, []
        still = [each for each in meanwhile if each[0] not in ("forget", "recreate")]
        while True:
            page = evaluated_position_page(past.database, "default", cursor, limit=3)
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
