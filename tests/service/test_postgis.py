"""What PostGIS is for: an index of places, and geometries for a GIS."""

import time
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from service.errors import SchemaNotReady
from service.intake import DAY
from service.retention import Retention
from service.store.partitions import partitions
from service.store.reading.devices import BoundingBox, devices
from service.store.schema_state import prepare
from service.timestamps import now
from tests.postgres import Postgres, session
from tests.service.plans import plans
from tests.service.workshop import Workshop, box
from tests.stores import PostgresStore


@pytest.fixture
def workshop(postgres: Postgres) -> Workshop:
    return Workshop(PostgresStore(postgres.new_database()))


@pytest.mark.parametrize(
    ("sides", "there"),
    [
        ((0, 0, 10, 10), ["on the corner", "within"]),
        ((170, -10, -170, 10), ["east of the seam", "on the seam", "west of the seam"]),
        ((170, -10, 180, 10), ["on the seam", "west of the seam"]),
    ],
)
def test_devices_in_a_box_are_found_by_their_place(
    workshop: Workshop, sides: tuple[float, float, float, float], there: list[str]
) -> None:
    places = {
        "within": (5, 5),
        "on-the-corner": (10, 10),
        "beside": (10.001, 5),
        "west-of-the-seam": (175, 0),
        "east-of-the-seam": (-175, 0),
        "on-the-seam": (-180, 0),
    }
    workshop.ingest(*(workshop.fix(name, 0, *place) for name, place in places.items()))
    with workshop.database.read() as connection:
        rows = devices(connection, 1, (0, 0), 100, box=BoundingBox(*sides))

    assert sorted(row.device_id.replace("-", " ") for row in rows) == there


def test_among_many_devices_those_in_a_box_are_found_by_their_index(workshop: Workshop) -> None:
    with workshop.database.write() as connection:
        connection.execute(
            text(
                "INSERT INTO device (tracker_key, device_id, shard, sample_time, received_time, longitude, "
                "latitude, properties) SELECT 1, n::text, n % 64, n, n, n % 180, n % 90, '' "
                "FROM generate_series(1, 5000) AS n"
            )
        )
        connection.execute(text("ANALYZE device"))
    with plans(workshop.database) as found, workshop.database.read() as connection:
        rows = devices(connection, 1, (0, 0), 100, box=BoundingBox(9.5, 9.5, 10.5, 10.5))

    assert len(rows) == 28
    assert ["device_by_place" in plan for plan in found] == [True], found


def test_geofences_are_geometries_as_long_as_they_are_there(workshop: Workshop) -> None:
    def areas() -> list[tuple[str, float | None, float]]:
        statement = (
            "SELECT ST_GeometryType(area), radius, ST_Area(area) FROM geofence_area ORDER BY geofence_key"
        )
        with workshop.database.read() as connection:
            return [tuple(row) for row in connection.execute(text(statement))]

    workshop.catalog.put("default", [box("A", 0, 10), box("B", 0, 1)])
    workshop.catalog.put("default", [box("A", 0, 2)])
    assert areas() == [("ST_Polygon", None, 4), ("ST_Polygon", None, 2)]

    workshop.catalog.delete("default", "A")
    assert areas() == [("ST_Polygon", None, 2)]


def partitions_of(workshop: Workshop) -> dict[str, int]:
    """Rows by partition, of those that have any."""
    statement = "SELECT tableoid::regclass::text, count(*) FROM position GROUP BY 1 ORDER BY 1"
    with workshop.database.read() as connection:
        return {name: count for name, count in connection.execute(text(statement))}


def named(workshop: Workshop, time: int) -> str:
    return f"position_{datetime.fromtimestamp((workshop.began + time) / 1000, UTC):%Y%m%d}"


def test_each_day_has_its_partition_and_invented_times_make_none(workshop: Workshop) -> None:
    times = (0, -DAY, -30 * DAY, -399 * DAY, -4000 * DAY, -4100 * DAY)
    workshop.ingest(*(workshop.fix("x", time, 1) for time in sorted(times)))
    workshop.ingest(workshop.fix("y", -DAY, 1))

    assert partitions_of(workshop) == {
        named(workshop, 0): 1,
        named(workshop, -DAY): 2,
        named(workshop, -30 * DAY): 1,
        named(workshop, -399 * DAY): 1,
        "position_of_other_days": 2,
    }
    with workshop.database.read() as connection:
        assert named(workshop, DAY) in partitions(connection).values()


def test_a_day_that_came_while_no_partition_could_be_made_stays_where_it_is(workshop: Workshop) -> None:
    with workshop.database.write() as connection:
        connection.execute(
            text("INSERT INTO position VALUES (1, :time, 1, 1, 1, NULL, '', 1, false)"),
            {"time": workshop.began - 5 * DAY},
        )
    workshop.ingest(workshop.fix("x", -5 * DAY, 1), workshop.fix("x", 0, 1))

    assert partitions_of(workshop) == {named(workshop, 0): 1, "position_of_other_days": 2}


def test_a_long_reader_of_history_holds_up_neither_positions_nor_days_for_long(workshop: Workshop) -> None:
    """Such as a backup, which reads all partitions in one transaction."""
    workshop.ingest(workshop.fix("x", 0, 1))
    with workshop.database.engine.connect() as reader:
        reader.execute(text("SELECT count(*) FROM position"))
        began = time.monotonic()
        for late in range(5):
            workshop.ingest(workshop.fix("x", -3 * DAY + late, 1))
        Retention(workshop.database, 0.01).expire(now() + 30 * DAY)
        assert time.monotonic() - began < 5
    assert partitions_of(workshop) == {named(workshop, 0): 1, "position_of_other_days": 5}
    Retention(workshop.database, 0.01).expire(now() + 30 * DAY)
    assert partitions_of(workshop) == {}


def test_days_older_than_is_kept_are_dropped_whole_but_not_what_still_waits(postgres: Postgres) -> None:
    workshop = Workshop(PostgresStore(postgres.new_database()), window=30)
    workshop.ingest(workshop.fix("x", -40 * DAY, 1), workshop.fix("x", 0, 1))
    Retention(workshop.database, 30).expire(now())
    assert len(partitions_of(workshop)) == 2

    workshop.seconds = 60
    workshop.tracker.evaluate_due()
    Retention(workshop.database, 30).expire(now())
    assert partitions_of(workshop) == {named(workshop, 0): 1}
    with workshop.database.read() as connection:
        assert named(workshop, -40 * DAY) not in partitions(connection).values()


def test_a_role_that_may_not_create_postgis_is_told_who_may(postgres: Postgres) -> None:
    url = postgres.empty_database()
    with session(url) as connection:
        connection.execute("CREATE ROLE weak LOGIN; GRANT ALL ON SCHEMA public TO weak")
    database = PostgresStore(url.replace("overfly@", "weak@")).open()
    with pytest.raises(SchemaNotReady, match="have a superuser run `CREATE EXTENSION postgis`"):
        prepare(database)
    database.close()

    prepare(PostgresStore(url).open())
