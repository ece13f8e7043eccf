"""What is said of trackers and collections: description, tags, key, filtering of positions, last change.

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
