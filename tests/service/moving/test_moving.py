"""A whole database, from one store into another."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select, text

from geofence.reading.geojson import read_geofences
from ingest.messages import Message
from sample_data.flights import FlightFiles
from service.crossing_rule import changed
from service.errors import Conflict, OverflyError, Refused, StoreAway
from service.moving.exporting import exported_lines
from service.moving.importing import import_lines
from service.ownership.membership import Membership
from service.ownership.sharing import Sharing
from service.store.database import Database
from service.store.schema import event
from tests.exact_flights import visited
from tests.postgres import Postgres
from tests.service.checking.checked import checked, fly
from tests.service.workshop import Workshop, box
from tests.stores import PostgresStore, SqliteStore, Store

BOTH_WAYS = pytest.mark.parametrize(("source", "target"), [("sqlite", "postgres"), ("postgres", "sqlite")])
Made = Callable[[str], Store]


@pytest.fixture
def made(migrated: Path, tmp_path_factory: pytest.TempPathFactory, postgres: Postgres) -> Made:
    """Makes a new store of a kind."""

    def make(kind: str) -> Store:
        if kind == "sqlite":
            return SqliteStore.copied(migrated, tmp_path_factory.mktemp("data"))
        return PostgresStore(postgres.new_database())

    return make


def exported(store: Store) -> list[bytes]:
    database = store.open()
    lines = [line for part in exported_lines(database) for line in part]
    database.close()
    return lines


def imported(store: Store, lines: list[bytes]) -> int:
    database = store.open()
    try:
        return import_lines(database, lines, None)
    finally:
        database.close()


@BOTH_WAYS
def test_all_of_it_comes_there_and_back_the_same(made: Made, source: str, target: str) -> None:
    first, second, third = made(source), made(target), made(source)
    fly(first)
    lines = exported(first)
    assert imported(second, lines) == json.loads(lines[-1])["rows"] > 100
    there = exported(second)
    imported(third, there)

    assert there[1:] == lines[1:]
    assert exported(third)[1:] == lines[1:]
    for store in (second, third):
        database = store.open()
        assert checked(database)[1] == []
        database.close()


def told(database: Database) -> list[tuple[object, ...]]:
    """All events, but for when they were received and committed."""
    left_out = ("received_time", "committed_time")
    columns = [column for column in event.columns if column.name not in left_out]
    with database.read() as connection:
        return [tuple(row) for row in connection.execute(select(*columns).order_by(event.c.seq))]


FEW, ALL = 6_000, 139_098


@BOTH_WAYS
@pytest.mark.parametrize("count", [FEW, pytest.param(ALL, marks=pytest.mark.soak)])
def test_moved_halfway_flights_give_the_same_events_as_if_they_had_stayed(
    made: Made, flights: FlightFiles, tmp_path: Path, source: str, target: str, count: int
) -> None:
    geofences = read_geofences(visited(flights.geofences, tmp_path).read_bytes())
    with gzip.open(flights.positions) as stream:
        lines = [line for line, _ in zip(stream, range(count), strict=False)]
    assert len(lines) == count
    stays, leaves, arrives = made(source), made(source), made(target)

    def flown(store: Store, part: list[bytes]) -> Workshop:
        workshop = Workshop(store)
        for start in range(0, len(part), 5_000):
            workshop.ingest(*map(Message, part[start : start + 5_000]))
        return workshop

    for store in (stays, leaves):
        workshop = Workshop(store)
        workshop.catalog.update_collection("default", lambda rule: changed(rule, "segment"))
        workshop.catalog.put("default", geofences)
        workshop.database.close()
    flown(stays, lines[: count // 2]).database.close()
    unmoved = flown(stays, lines[count // 2 :])
    flown(leaves, lines[: count // 2]).database.close()
    imported(arrives, exported(leaves))
    moved = flown(arrives, lines[count // 2 :])

    events = told(moved.database)
    assert len(events) > count / 20
    assert events == told(unmoved.database)
    findings, violations = checked(moved.database, fixes_at_once=50_000)
    assert violations == []
    assert findings.proved["evaluated positions"] == count
    unmoved.database.close()
    moved.database.close()


def test_numbers_that_were_given_are_not_given_again(made: Made) -> None:
    source, target = made("sqlite"), made("postgres")
    workshop = Workshop(source)
    workshop.catalog.put("default", [box("A", 0, 10)])
    workshop.ingest(workshop.fix("x", 0, 1), workshop.fix("x", 1, 20))
    workshop.tracker.forget("default", "x")
    imported(target, exported(source))

    moved = Workshop(target)
    moved.ingest(moved.fix("y", 0, 1))
    with moved.database.read() as connection:
        assert connection.scalar(text("SELECT seq FROM event")) == 3
        assert connection.scalar(text("SELECT key FROM device")) == 2
    moved.database.close()


@pytest.fixture
def lines(sqlite_store: Store) -> list[bytes]:
    workshop = Workshop(sqlite_store)
    workshop.catalog.put("default", [box("A", 0, 10)])
    workshop.ingest(workshop.fix("x", 0, 1), workshop.fix("x", 1, 20))
    workshop.database.close()
    return exported(sqlite_store)


def test_nothing_is_imported_over_what_there_is(new_store: Callable[[], Store], lines: list[bytes]) -> None:
    store = new_store()
    imported(store, lines)
    with pytest.raises(Conflict, match="holds a tracker's data already"):
        imported(store, lines)

    other = new_store()
    workshop = Workshop(other)
    workshop.catalog.create_tracker("ships")
    workshop.database.close()
    with pytest.raises(Conflict, match="has a tracker 'ships' already"):
        imported(other, lines)


def test_a_file_that_is_wrong_leaves_nothing_and_its_lines_are_named(
    new_store: Callable[[], Store], lines: list[bytes]
) -> None:
    store = new_store()
    row = next(number for number, line in enumerate(lines) if line.startswith(b'[1,1,"x",'))
    position = next(number for number, line in enumerate(lines) if b'{"table":"position",' in line) + 1

    def refusal(*changed: bytes) -> str:
        with pytest.raises(OverflyError) as refused:
            imported(store, list(changed))
        assert isinstance(refused.value, Refused)
        return str(refused.value)

    def with_line(number: int, line: bytes) -> list[bytes]:
        return [*lines[:number], line, *lines[number + 1 :]]

    wrong = lines[row].replace(b'"x"', b"5")
    said = refusal(*with_line(row, wrong)[:position], b"[nonsense\n", *lines[position + 1 :])
    assert f"line {row + 1}: row of device: Expected `str`, got `int` - at `$[2]`; expected key, tr" in said
    assert f"line {position + 1}: row of position: " in said
    assert "is cut short" in refusal(*lines[:-1])
    assert "is cut short" in refusal(*lines[:row])
    assert refusal().startswith("line 1: ")
    assert "rows are announced" in refusal(*lines[:position], *lines[position + 1 :])
    assert "line 1: version 2 of the format, expected 1" in refusal(
        lines[0].replace(b'"version":1', b'"version":2'), *lines[1:]
    )
    assert "line 1: schema 0000, expected " in refusal(
        lines[0].replace(json.loads(lines[0])["schema"].encode(), b"0000"), *lines[1:]
    )
    twice = [*lines[: row + 1], lines[row], *lines[row + 1 :]]
    assert "table device: the database refuses one of the last 2 rows" in refusal(*twice)

    assert imported(store, lines) == json.loads(lines[-1])["rows"]


def test_a_database_that_a_worker_uses_is_left_alone(made: Made, lines: list[bytes]) -> None:
    store = made("postgres")
    database = store.open()
    worker = Membership(database, "worker-1", 60, [], Sharing.WHOLE, "topics")
    with pytest.raises(StoreAway, match="worker 'worker-1' uses the database: stop it first"):
        imported(store, lines)
    worker.give_back()
    database.close()
    assert imported(store, lines) > 0


def test_who_worked_with_a_database_is_not_moved_and_hinders_no_import(
    made: Made, lines: list[bytes]
) -> None:
    target = made("postgres")
    database = target.open()
    Membership(database, "worker-1", 60, ["retention"], Sharing.WHOLE, "topics").give_back()
    tables = [json.loads(line)["table"] for line in exported(target) if line.startswith(b'{"table"')]

    assert not {"shard", "duty", "worker"} & set(tables)
    assert imported(target, lines) == json.loads(lines[-1])["rows"]
    database.close()
