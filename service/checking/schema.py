"""The tables are those that the code uses; on PostgreSQL the days of history, geometries and numbers, too."""

from sqlalchemy import Connection, func, select, text

from geofence.faults import InvalidGeofences
from geofence.reading.geojson import read_accepted_geofence
from ingest.topics import SHARDS
from service.checking.findings import Findings, Violation
from service.intake import DAY
from service.store.columns import on_postgres
from service.store.geofences import OF_NOW
from service.store.migration import differences
from service.store.numbers import given_number
from service.store.partitions import OTHERS, partitions
from service.store.schema import geofence, geofence_area, geofence_version, metadata, shard

READ_AT_ONCE = 500


def check_schema(connection: Connection, findings: Findings) -> None:
    """Raises StoreAway."""
    for difference in differences(connection):
        findings.add(Violation("schema", "table", str(difference), "what the code uses"))
    if not on_postgres(connection):
        for line in connection.execute(text("PRAGMA quick_check(100)")).scalars():
            if line != "ok":
                findings.add(Violation("file", "database", line, "a file that is whole"))
    numbers = set(connection.scalars(select(shard.c.shard)))
    for number in sorted(numbers ^ set(range(SHARDS))):
        stored = "one" if number in numbers else "none"
        expected = "none" if number in numbers else "one"
        findings.add(Violation("shard", f"shard {number}", stored, expected))
    _check_numbers(connection, findings)
    if on_postgres(connection):
        _check_days(connection, findings)
        _check_areas(connection, findings)


BOUNDS = text(
    "SELECT relname, pg_get_expr(relpartbound, pg_class.oid) FROM pg_class JOIN pg_namespace "
    "ON pg_namespace.oid = relnamespace WHERE nspname = current_schema() AND relkind = 'r' "
    "AND (relname LIKE 'position\\_2%' OR relname LIKE 'position\\_1%' OR relname = :others)"
)


def _check_days(connection: Connection, findings: Findings) -> None:
    """Each partition has the day that its name says."""
    bounds = {name: bound for name, bound in connection.execute(BOUNDS, {"others": OTHERS})}
    expected = {
        name: f"FOR VALUES FROM ('{day * DAY}') TO ('{(day + 1) * DAY}')"
        for day, name in partitions(connection).items()
    }
    expected[OTHERS] = "DEFAULT"
    for name in sorted(expected.keys() | bounds.keys()):
        bound = bounds.get(name) or "no partition of position"
        should = expected.get(name, "one, or no such table")
        if bound != should:
            findings.add(Violation("partition", f"table {name}", bound, should))
    findings.proved["partitions"] += len(bounds)


def _check_numbers(connection: Connection, findings: Findings) -> None:
    """The next number of each table that is numbered by itself is one that no row has."""
    for table in metadata.sorted_tables:
        given = given_number(connection, table)
        if given is None:
            continue
        (column, *_) = table.primary_key.columns
        greatest = connection.scalar(select(func.max(column))) or 0
        if given < greatest:
            expected = f"{greatest} or more, as there is a row of that {column.name}"
            findings.add(Violation("numbers", f"greatest that {table.name} gave", str(given), expected))


def _check_areas(connection: Connection, findings: Findings) -> None:
    """The geometries of geofences are those of their features."""
    statement = (
        select(
            geofence.c.key,
            geofence.c.geofence_id,
            geofence_version.c.feature,
            func.ST_AsBinary(geofence_area.c.area, "NDR"),
            func.ST_SRID(geofence_area.c.area),
            geofence_area.c.radius,
        )
        .select_from(geofence)
        .join(geofence_version, OF_NOW)
        .outerjoin(geofence_area, geofence_area.c.geofence_key == geofence.c.key)
        .execution_options(yield_per=READ_AT_ONCE)
    )
    for key, geofence_id, feature, area, srid, radius in connection.execute(statement):
        row = f"area of geofence {geofence_id!r} ({key})"
        if feature is None:
            if area is not None:
                findings.add(Violation("area", row, "a geometry", "none, as it was deleted"))
            continue
        try:
            read = read_accepted_geofence(feature.encode(), geofence_id)
        except InvalidGeofences:
            continue  # told by those who evaluate with it
        if area is None or (bytes(area), srid, radius) != (read.geometry.wkb, 4326, read.radius):
            stored = "none" if area is None else f"SRID {srid}, radius {radius}, another geometry or radius"
            findings.add(Violation("area", row, stored, f"{read.geometry.wkt[:200]}, radius {read.radius}"))
        findings.proved["areas"] += 1
