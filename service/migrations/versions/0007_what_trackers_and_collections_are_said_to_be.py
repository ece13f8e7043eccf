"""What is said of trackers and collections: description, tags, key, filtering of positions, last change.

And of devices of which not all positions are stored, what had its turn last.

Only adds: the version before goes on working.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    for table in ("tracker", "collection"):
        op.add_column(table, sa.Column("description", sa.Text(), server_default="", nullable=False))
        op.add_column(table, sa.Column("tags", sa.Text(), server_default="{}", nullable=False))
        op.add_column(table, sa.Column("kms_key_id", sa.Text(), nullable=True))
        op.add_column(table, sa.Column("updated_time", sa.BigInteger(), nullable=True))
    op.add_column("tracker", sa.Column("position_filtering", sa.String(length=20), nullable=True))
    op.add_column(
        "tracker", sa.Column("kms_geospatial", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    op.create_table(
        "passed_over",
        sa.Column("device_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("watermark", sa.BigInteger(), nullable=True),
        sa.Column("longitude", sa.Float(precision=53), nullable=True),
        sa.Column("latitude", sa.Float(precision=53), nullable=True),
        sa.Column("altitude", sa.Float(precision=53), nullable=True),
        sa.Column("accuracy", sa.Float(precision=53), nullable=True),
        sa.Column("all_stored", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.ForeignKeyConstraint(
            ["device_key"], ["device.key"], name=op.f("passed_over_device_key_fk"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("device_key", name=op.f("passed_over_pk")),
        sqlite_with_rowid=False,
    )
