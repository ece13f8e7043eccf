"""Geofences as they were given, where GeoJSON says it otherwise; trackers that are part of a collection.

Only adds: the version before goes on working.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column("geofence_version", sa.Column("given", sa.Text(), nullable=True))
    key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column("tracker", sa.Column("of_collection", key, nullable=True))
    op.create_index("tracker_of_collection", "tracker", ["of_collection"], unique=True)
