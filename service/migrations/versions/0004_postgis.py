"""PostgreSQL: geometries, and history in partitions by day. SQLite stays as it is.

Only adds, and the version before never ran on PostgreSQL.
"""

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry

revision = "0004"
down_revision = "0003"

PLACE = "ST_SetSRID(ST_MakePoint(longitude, latitude), 4326)"

AREAS = """
INSERT INTO geofence_area
SELECT key, ST_SetSRID(ST_GeomFromGeoJSON(feature::json ->> 'geometry'), 4326),
    CASE WHEN feature::json -> 'geometry' ->> 'type' = 'Point'
    THEN (feature::json -> 'properties' ->> 'radius')::double precision END
FROM geofence JOIN geofence_version
ON geofence_version.geofence_key = geofence.key AND geofence_version.revision = geofence.revision
WHERE feature IS NOT NULL AND deleted_revision IS NULL
"""


def upgrade() -> None:
    if op.get_context().dialect.name != "postgresql":
        return
    op.create_table(
        "geofence_area",
        sa.Column("geofence_key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("area", Geometry("GEOMETRY", 4326, spatial_index=False), nullable=False),
        sa.Column("radius", sa.Float(precision=53), nullable=True),
        sa.ForeignKeyConstraint(
            ["geofence_key"], ["geofence.key"], name=op.f("geofence_area_geofence_key_fk"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("geofence_key", name=op.f("geofence_area_pk")),
    )
    op.create_index("geofence_area_by_place", "geofence_area", ["area"], postgresql_using="gist")
    op.execute(AREAS)
    op.create_index("device_by_place", "device", [sa.text(PLACE)], postgresql_using="gist")
    partition_history()


def partition_history() -> None:
    """What there is goes where no day is yet."""
    op.execute("ALTER TABLE position RENAME TO position_before")
    op.execute("ALTER TABLE position_before RENAME CONSTRAINT position_pk TO position_before_pk")
    op.execute("DROP INDEX position_waiting")
    op.create_table(
        "position",
        sa.Column("device_key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("sample_time", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("received_time", sa.BigInteger(), nullable=False),
        sa.Column("longitude", sa.Float(precision=53), nullable=False),
        sa.Column("latitude", sa.Float(precision=53), nullable=False),
        sa.Column("accuracy", sa.Float(precision=53), nullable=True),
        sa.Column("properties", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=True),
        sa.Column("late", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("device_key", "sample_time", name=op.f("position_pk")),
        postgresql_partition_by="RANGE (sample_time)",
    )
    waiting = sa.text("revision IS NULL AND late = false")
    op.create_index("position_waiting", "position", ["received_time"], postgresql_where=waiting)
    op.create_index("position_by_time", "position", ["sample_time"], postgresql_using="brin")
    op.execute("CREATE TABLE position_of_other_days PARTITION OF position DEFAULT")
    op.execute("INSERT INTO position SELECT * FROM position_before")
    op.execute("DROP TABLE position_before")
