"""What is changed in a database behind Overfly's back is found, and nothing else."""

# ruff: noqa: S608 - damage is done in SQL

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from service.store.columns import on_postgres
from service.store.database import Database
from tests.postgres import Postgres
from tests.service.checking.checked import checked, fly
from tests.stores import PostgresStore, SqliteStore, Store


@pytest.fixture(scope="module")
def flown(tmp_path_factory: pytest.TempPathFactory, postgres: Postgres) -> dict[str, Store]:
    """The same in each store, to be copied."""
    stores: dict[str, Store] = {
        "sqlite": SqliteStore.made(tmp_path_factory.mktemp("flown")),
        "postgres": PostgresStore(postgres.new_database()),
    }
    for store in stores.values():
        fly(store)
    return stores


@pytest.fixture(params=["sqlite", "postgres"])
def store(
    request: pytest.FixtureRequest, flown: dict[str, Store], tmp_path: Path, postgres: Postgres
) -> Store:
    """One that is this test's alone."""
    original = flown[request.param]
    if isinstance(original, SqliteStore):
        return SqliteStore.copied(original.folder, tmp_path)
    return PostgresStore(postgres.copy_of(original.name))


@pytest.fixture
def database(store: Store) -> Iterator[Database]:
    opened = store.open()
    yield opened
    opened.close()


@contextmanager
def damaging(database: Database) -> Iterator[Connection]:
    """A connection that no foreign key holds up."""
    with database.engine.connect() as connection:
        if on_postgres(connection):
            connection.execute(text("SET session_replication_role = replica"))
        else:
            connection.exec_driver_sql("COMMIT")  # within a transaction it would do nothing
            connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
            connection.exec_driver_sql("BEGIN")
        yield connection
        connection.commit()
    database.engine.dispose()


def test_what_was_flown_passes_and_is_counted(database: Database) -> None:
    findings, violations = checked(database)
    assert violations == []
    assert findings.unproved == {}
    assert {name: findings.proved[name] for name in COUNTS} == COUNTS
    assert findings.proved["events"] > 20
    assert findings.proved["visits"] > 1


COUNTS = {
    "positions": 44,
    "late positions": 1,
    "waiting positions": 1,
    "evaluated positions": 42,
    "devices": 3,
}

X, Y, Z = (f"device_key = (SELECT key FROM device WHERE device_id = '{name}')" for name in "xyz")
LAST_OF_X, LAST_OF_Y = (f"seq = (SELECT max(seq) FROM event WHERE device_id = '{name}')" for name in "xy")
AT_WATERMARK = "sample_time = (SELECT watermark FROM device WHERE key = device_key)"
AT_EXIT = (
    "sample_time = (SELECT min(sample_time) FROM event WHERE device_id = 'x' AND event_type = 'EXIT' "
    "AND NOT interpolated)"
)
DAMAGE = {
    "of devices": {
        "latest: tracker default, device x, ": "UPDATE device SET longitude = 3 WHERE device_id = 'x'",
        "watermark: tracker default, device y, ": "UPDATE device SET watermark = watermark + 1 "
        "WHERE device_id = 'y'",
        "shard: tracker default, device z, ": "UPDATE device SET shard = (shard + 1) % 64 "
        "WHERE device_id = 'z'",
        "shard: shard 5: stored none, expected one": "DELETE FROM shard WHERE shard = 5",
        "forgotten: tracker default, device x, ": "UPDATE tombstone SET device_id = 'x'",
    },
    "of other devices": {
        "latest: tracker default, device x, ": "UPDATE device SET properties = '{}' WHERE device_id = 'x'",
        "watermark: tracker default, device y, ": "UPDATE device SET watermark = NULL WHERE device_id = 'y'",
        "latest: tracker default, device z, ": "UPDATE device SET sample_time = sample_time + 1 "
        "WHERE device_id = 'z'",
    },
    "of events that are": {
        "event: tracker default, device x, ": f"DELETE FROM event WHERE {LAST_OF_X}",
        "reference: outbox of ": "INSERT INTO outbox (channel, event_seq) VALUES ('mqtt', 900)",
        "event: tracker default, device y, ": f"UPDATE event SET event_id = 'other' WHERE {LAST_OF_Y}",
    },
    "of times and places": {
        "event: tracker default, device x, ": f"UPDATE event SET sample_time = sample_time + 1 "
        f"WHERE {LAST_OF_X}",
        "event: tracker default, device y, ": f"UPDATE event SET longitude = longitude + 0.5 "
        f"WHERE {LAST_OF_Y}",
    },
    "of what events repeat": {
        "stored properties '{}', expected properties": f"UPDATE event SET properties = '{{}}' "
        f"WHERE {LAST_OF_X}",
        "event: tracker default, device y, ": f"UPDATE event SET revision = revision - 1 WHERE {LAST_OF_Y}",
        "stored device_id z, expected that of its device": "UPDATE event SET device_id = 'z' WHERE seq = 1",
        "stored geofence_id C, expected that of its ge": "UPDATE event SET geofence_id = 'C' WHERE seq = 2",
    },
    "of the order": {"order: tracker default, ": "UPDATE event SET seq = -seq WHERE event_type = 'EXIT'"},
    "of positions": {
        "event: tracker default, device x, ": f"DELETE FROM position WHERE {X} AND {AT_EXIT}",
        "event: tracker default, device y, ": f"UPDATE position SET longitude = 24.5, latitude = 3 WHERE {Y}",
        "orphan: position.device_key 900: stored 1 ": "INSERT INTO position (device_key, sample_time, "
        "received_time, longitude, latitude, properties) VALUES (900, 1, 1, 1, 1, '')",
    },
    "of visits": {
        "inside of geofence default/A: stored nothing": "DELETE FROM inside WHERE geofence_key = "
        f"(SELECT key FROM geofence WHERE geofence_id = 'A') AND {X}",
        "inside of geofence default/B: stored entered_time": "UPDATE inside SET entered_time = "
        f"entered_time + 1 WHERE {X}",
        "device z, inside of geofence default/B: stored ": "INSERT INTO inside (device_key, geofence_key) "
        "SELECT device.key, geofence.key FROM device, geofence WHERE device_id = 'z' AND geofence_id = 'B'",
    },
    "of what became of fixes": {
        "late: tracker default, device y, ": "UPDATE position SET revision = 3 WHERE late",
        "late: tracker default, device x, ": "UPDATE position SET late = true WHERE revision IS NULL "
        f"AND {X}",
        "revision: tracker default, device z, ": f"UPDATE position SET revision = 900 WHERE {Z}",
    },
    "of revisions that fixes met": {
        "revision: tracker default, device x, ": f"UPDATE position SET revision = 1 WHERE {AT_WATERMARK} "
        f"AND {X}",
    },
    "of a device that is gone": {
        "orphan: position.device_key ": "DELETE FROM device WHERE device_id = 'x'",
        "stored deleted_revision None, expected ": "UPDATE geofence SET deleted_revision = NULL "
        "WHERE geofence_id = 'gone'",
        "stored revision 1, expected that of its last": "UPDATE geofence SET revision = 1 "
        "WHERE geofence_id = 'P'",
    },
    "of revisions": {
        "expected a revision that there was": "DELETE FROM revision WHERE revision = 3",
        "expected a collection that there is": "DELETE FROM collection WHERE name = 'paths'",
        "stored unlinked_revision 1, expected a later": "UPDATE tracker_consumer SET unlinked_revision = 1",
    },
    "of geofences": {
        "event: tracker default, device x, ": "UPDATE geofence_version SET feature = (SELECT feature "
        "FROM geofence_version AS other WHERE other.geofence_key = (SELECT key FROM geofence WHERE "
        "geofence_id = 'P')) WHERE geofence_key = (SELECT key FROM geofence WHERE geofence_id = 'B')",
        "geofence: geofence 'P' of 'paths' at revision": "UPDATE geofence_version SET feature = '{}' "
        "WHERE geofence_key = (SELECT key FROM geofence WHERE geofence_id = 'P')",
    },
}
"""By what must be told of each."""


ON_BOTH = ("of devices", "of events that are", "of positions", "of a device that is gone")
"""The others ask PostgreSQL for nothing else: `./run soak` does."""
CASES = [
    pytest.param(
        store,
        damage,
        id=f"{store} {name}",
        marks=[pytest.mark.soak] if store == "postgres" and name not in ON_BOTH else [],
    )
    for store in ("sqlite", "postgres")
    for name, damage in DAMAGE.items()
]


@pytest.mark.parametrize(("store", "damage"), CASES, indirect=["store"])
def test_damage_is_found(database: Database, damage: dict[str, str]) -> None:
    with damaging(database) as connection:
        for statement in damage.values():
            assert connection.execute(text(statement)).rowcount > 0
    told = [str(each) for each in checked(database)[1]]
    assert [expected for expected in damage if not any(expected in each for each in told)] == []


POSTGRES_DAMAGE = {
    "area: area of geofence 'A' (1): stored none, ": "DELETE FROM geofence_area WHERE geofence_key = 1",
    "area: area of geofence 'B' (2): stored SRID 4326, radius 5": "UPDATE geofence_area SET radius = 5 "
    "WHERE geofence_key = 2",
    "area: area of geofence 'P' (3): stored ": "UPDATE geofence_area SET area = ST_Reverse(area) "
    "WHERE geofence_key = 3",
    "area: area of geofence 'gone' (4): stored a ": "INSERT INTO geofence_area SELECT 4, area, radius "
    "FROM geofence_area WHERE geofence_key = 2",
    "partition: table position_of_other_days: stored ": "ALTER TABLE position DETACH PARTITION "
    "position_of_other_days",
    "partition: table position_20200101: stored ": "CREATE TABLE position_20200101 (LIKE position)",
    "numbers: greatest that event gave: stored 1, ": "SELECT setval('event_seq_seq', 1)",
    "schema: ": "DROP INDEX event_by_geofence",
}


def test_damage_of_what_postgresql_alone_has_is_found(flown: dict[str, Store], postgres: Postgres) -> None:
    database = PostgresStore(postgres.copy_of(flown["postgres"].name)).open()
    with damaging(database) as connection:
        for statement in POSTGRES_DAMAGE.values():
            connection.execute(text(statement))
    told = [str(each) for each in checked(database)[1]]
    database.close()
    assert [expected for expected in POSTGRES_DAMAGE if not any(expected in each for each in told)] == []
