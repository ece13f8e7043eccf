"""The schema and how a database comes to it."""

import json
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import text

from geofence.events import event_id
from ingest.topics import shard_of
from service.errors import SchemaNotReady, StoreAway
from service.store.folder import hold, holder_of
from service.store.migration import differences, migrate
from service.store.schema_state import MIGRATIONS, SchemaState, prepare, schema_state
from tests.service.checking.checked import checked
from tests.stores import Store


def test_migrations_lead_to_exactly_the_schema_that_the_code_uses(empty_store: Store) -> None:
    database = empty_store.open()
    prepare(database)
    with database.read() as connection:
        assert differences(connection) == []
        state = schema_state(connection)
    assert state.current == state.newest


def test_from_the_start_there_are_default_tracker_and_collection_linked_and_64_shards(
    empty_store: Store,
) -> None:
    database = empty_store.open()
    prepare(database)
    with database.read() as connection:
        linked = connection.execute(
            text(
                "SELECT tracker.name, collection.name FROM tracker_consumer "
                "JOIN tracker ON tracker.key = tracker_key JOIN collection ON collection.key = collection_key"
            )
        ).all()
        shards = connection.execute(text("SELECT count(*), min(shard), max(shard) FROM shard")).one()
    assert linked == [("default", "default")]
    assert tuple(shards) == (64, 0, 63)


def test_a_database_with_data_of_another_schema_is_only_moved_by_migrate(empty_store: Store) -> None:
    database = empty_store.open()
    prepare(database)
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))

    with pytest.raises(SchemaNotReady, match="overfly migrate"):
        prepare(database)


TRUCKS = "INSERT INTO tracker (name, created_time) VALUES ('trucks', 1)"
DEVICE = (
    "INSERT INTO device (tracker_key, device_id, shard, watermark, sample_time, received_time, longitude, "
    "latitude, properties) VALUES (1, :name, :shard, 5, 5, 6, 7.5, 46.5, '')"
)
GEOFENCE = (
    "INSERT INTO geofence (collection_key, geofence_id, revision, created_time, updated_time) "
    "VALUES (1, :name, 1, 1, 1)"
)
VERSION = "INSERT INTO geofence_version (geofence_key, revision, feature) VALUES (:key, 1, :feature)"
POSITIONS = (
    "INSERT INTO position (device_key, sample_time, received_time, longitude, latitude, properties, "
    "revision, late) VALUES (:key, 5, 6, 7.5, 46.5, '', 1, false), (:key, 4, 6, 7.5, 46.5, '', NULL, true), "
    "(:key, 6, 6, 8.5, 46.5, '', NULL, false)"
)
OUTBOX = "INSERT INTO outbox (channel, event_seq) VALUES ('mqtt', :key)"
LATEST = "UPDATE device SET sample_time = 6, longitude = 8.5 WHERE key = :key"
POINT = {"type": "Point", "coordinates": [7.5, 46.5]}
RING = [[7, 46], [8, 46], [8, 47], [7, 47], [7, 46]]
FEATURES = {
    "before": {"properties": {"radius": 900}, "geometry": POINT},
    "after": {"properties": {}, "geometry": {"type": "Polygon", "coordinates": [RING]}},
}
INSIDE = "INSERT INTO inside (device_key, geofence_key) VALUES (:key, :key)"
EVENT = (
    "INSERT INTO event (event_id, tracker_key, device_key, geofence_key, event_type, collection_name, "
    "geofence_id, device_id, sample_time, received_time, committed_time, longitude, latitude, properties, "
    "revision) VALUES (:id, 1, :key, :key, 'ENTER', 'default', :name, :name, 5, 6, 7, 7.5, 46.5, '', 1)"
)
"""As the version before the newest writes."""


@pytest.mark.parametrize("schema", ["0001", "0002"])
def test_a_database_with_data_of_an_earlier_schema_keeps_it_and_serves_the_version_before(
    empty_store: Store, schema: str
) -> None:
    database = empty_store.open()
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))

    def written(key: int, name: str) -> None:
        feature = json.dumps({"type": "Feature", "id": name, **FEATURES[name]})
        values: dict[str, object] = {"key": key, "name": name, "shard": shard_of(name), "feature": feature}
        values["id"] = event_id("default", "default", name, name, "ENTER", 5)
        for statement in (DEVICE, GEOFENCE, VERSION, POSITIONS, LATEST, INSIDE, EVENT, OUTBOX):
            connection.execute(text(statement), values)

    with database.write() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, schema)
        connection.execute(text(TRUCKS))
        written(1, "before")

    assert migrate(database) == SchemaState(schema, "0009")
    findings, violations = checked(database)
    assert violations == []
    assert (findings.proved["positions"], findings.proved["evaluated positions"]) == (3, 1)
    assert (findings.proved["events"], findings.proved["visits"]) == (1, 1)
    with database.write() as connection:
        assert differences(connection) == []
        connection.execute(text(TRUCKS.replace("trucks", "ships")))
        written(2, "after")
        trackers = connection.execute(text("SELECT name, position_events FROM tracker ORDER BY key")).all()
        inside = connection.execute(text("SELECT * FROM inside")).all()
        events = connection.execute(text("SELECT event_id, longitude, interpolated FROM event")).all()
        versions = connection.execute(text("SELECT * FROM collection_version")).all()
    assert [tuple(row) for row in trackers] == [("default", 0), ("trucks", 0), ("ships", 0)]
    assert [tuple(row) for row in inside] == [(1, 1, None, None, 0), (2, 2, None, None, 0)]
    ids = [event_id("default", "default", name, name, "ENTER", 5) for name in ("before", "after")]
    assert [tuple(row) for row in events] == [(ids[0], 7.5, 0), (ids[1], 7.5, 0)]
    assert versions == []


def test_migrate_on_the_newest_schema_changes_nothing(empty_store: Store) -> None:
    database = empty_store.open()
    prepare(database)

    assert migrate(database).current == migrate(database).newest


def test_a_data_folder_belongs_to_one_process_at_a_time(tmp_path: Path) -> None:
    with hold(tmp_path, "serve"):
        assert "overfly serve" in str(holder_of(tmp_path))
        with pytest.raises(StoreAway, match="held by overfly serve, process"):
            hold(tmp_path, "migrate")
    assert holder_of(tmp_path) is None
    hold(tmp_path, "migrate").close()
