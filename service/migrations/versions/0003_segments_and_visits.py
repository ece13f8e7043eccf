"""How collections are crossed, what is remembered of visits, and events between two fixes.

Only adds: the version before goes on working.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "collection_version",
        sa.Column("collection_key", KEY, nullable=False),
        sa.Column("revision", KEY, nullable=False),
        sa.Column("crossing", sa.String(length=10), nullable=False),
        sa.Column("max_gap", sa.BigInteger(), nullable=False),
        sa.Column("max_speed", sa.Float(precision=53), nullable=False),
        sa.ForeignKeyConstraint(
            ["collection_key"],
            ["collection.key"],
            name=op.f("collection_version_collection_key_fk"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("collection_key", "revision", name=op.f("collection_version_pk")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("collection_version_revision"), "collection_version", ["revision"], unique=False)
    op.add_column("inside", sa.Column("entered_time", sa.BigInteger(), nullable=True))
    op.add_column("inside", sa.Column("outside_since", sa.BigInteger(), nullable=True))
    op.add_column("inside", _false("dwelled"))
    op.add_column("event", _false("interpolated"))


def _false(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), server_default=sa.false(), nullable=False)
