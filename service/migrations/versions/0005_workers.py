"""Several workers at one database: who they are, what each one does, and what was erased of a shard.

Only adds: the version before goes on working, alone as it was.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("shard", sa.Column("erased", sa.BigInteger(), server_default="0", nullable=False))
    op.create_table(
        "duty",
        sa.Column("name", sa.String(length=330), nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("epoch", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("duty_pk")),
    )
    op.create_table(
        "worker",
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("incarnation", sa.String(length=32), nullable=False),
        sa.Column("reads", sa.Text(), nullable=True),
        sa.Column("lease_until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("worker_pk")),
    )
