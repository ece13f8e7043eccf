"""Geofences as geometries, for whoever looks at a PostGIS database with a GIS; nothing here reads them.

A circle is a point with its radius: as many vertices as are drawn, none would be exact.
"""

from collections.abc import Mapping

from geoalchemy2.shape import from_shape
from sqlalchemy import Connection, delete

from geofence.geofence import Geofence
from service.store.columns import on_postgres, upsert
from service.store.schema import geofence_area


def put_areas(connection: Connection, geofences: Mapping[int, Geofence]) -> None:
    """What geofences are from now on, by key."""
    if not on_postgres(connection):
        return
    rows = [
        {"geofence_key": key, "area": from_shape(each.geometry, 4326), "radius": each.radius}
        for key, each in geofences.items()
    ]
    statement = upsert(connection, geofence_area)
    new = {name: statement.excluded[name] for name in ("area", "radius")}
    connection.execute(statement.on_conflict_do_update(index_elements=["geofence_key"], set_=new), rows)


def delete_area(connection: Connection, key: int) -> None:
    """Of a geofence that is no more."""
    if on_postgres(connection):
        connection.execute(delete(geofence_area).where(geofence_area.c.geofence_key == key))
