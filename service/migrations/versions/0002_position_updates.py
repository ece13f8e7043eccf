"""Positions that a tracker wants told, and where they wait. Only adds: the version before goes on working."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column(
        "tracker", sa.Column("position_events", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    op.create_table(
        "position_update",
        sa.Column("key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("device_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sample_time", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("position_update_pk")),
        sqlite_autoincrement=True,
    )
