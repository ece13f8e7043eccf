"""The first tables."""

import time

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "collection",
        sa.Column("key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("created_time", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("collection_pk")),
        sa.UniqueConstraint("name", name=op.f("collection_name_key")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "revision",
        sa.Column("revision", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("committed_time", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("revision", name=op.f("revision_pk")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "sequence",
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("sequence_pk")),
    )
    op.create_table(
        "shard",
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("epoch", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("shard", name=op.f("shard_pk")),
    )
    op.create_table(
        "tracker",
        sa.Column("key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("created_time", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("tracker_pk")),
        sa.UniqueConstraint("name", name=op.f("tracker_name_key")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "alert",
        sa.Column("key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("changed", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("tracker_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("message_id", sa.String(length=100), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("created_time", sa.BigInteger(), nullable=False),
        sa.Column("attempted_time", sa.BigInteger(), nullable=True),
        sa.Column("next_attempt_time", sa.BigInteger(), nullable=False),
        sa.Column("finished_time", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tracker_key"], ["tracker.key"], name=op.f("alert_tracker_key_fk"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("alert_pk")),
        sa.UniqueConstraint("changed", name=op.f("alert_changed_key")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("alert", schema=None) as batch_op:
        batch_op.create_index(
            "alert_pending",
            ["channel", "key"],
            unique=False,
            sqlite_where=sa.text("status = 'pending'"),
            postgresql_where=sa.text("status = 'pending'"),
        )

    op.create_table(
        "device",
        sa.Column("key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("tracker_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("device_id", sa.String(length=100), nullable=False),
        sa.Column("shard", sa.Integer(), nullable=False),
        sa.Column("watermark", sa.BigInteger(), nullable=True),
        sa.Column("sample_time", sa.BigInteger(), nullable=False),
        sa.Column("received_time", sa.BigInteger(), nullable=False),
        sa.Column("longitude", sa.Float(precision=53), nullable=False),
        sa.Column("latitude", sa.Float(precision=53), nullable=False),
        sa.Column("accuracy", sa.Float(precision=53), nullable=True),
        sa.Column("properties", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tracker_key"], ["tracker.key"], name=op.f("device_tracker_key_fk"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("device_pk")),
        sa.UniqueConstraint("tracker_key", "device_id", name=op.f("device_tracker_key_device_id_key")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("device", schema=None) as batch_op:
        batch_op.create_index("device_by_receipt", ["tracker_key", "received_time", "key"], unique=False)

    op.create_table(
        "geofence",
        sa.Column("key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("collection_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("geofence_id", sa.String(length=100), nullable=False),
        sa.Column("revision", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("created_time", sa.BigInteger(), nullable=False),
        sa.Column("updated_time", sa.BigInteger(), nullable=False),
        sa.Column("deleted_revision", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(
            ["collection_key"],
            ["collection.key"],
            name=op.f("geofence_collection_key_fk"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("geofence_pk")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("geofence", schema=None) as batch_op:
        batch_op.create_index("geofence_by_revision", ["collection_key", "revision", "key"], unique=False)
        batch_op.create_index(
            "geofence_current",
            ["collection_key", "geofence_id"],
            unique=True,
            sqlite_where=sa.text("deleted_revision IS NULL"),
            postgresql_where=sa.text("deleted_revision IS NULL"),
        )

    op.create_table(
        "reject",
        sa.Column("key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("tracker_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("received_time", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=True),
        sa.Column("device_id", sa.Text(), nullable=True),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=16), nullable=False),
        sa.ForeignKeyConstraint(
            ["tracker_key"], ["tracker.key"], name=op.f("reject_tracker_key_fk"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("reject_pk")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("reject", schema=None) as batch_op:
        batch_op.create_index("reject_by_device", ["device_id", "key"], unique=False)
        batch_op.create_index("reject_by_reason", ["reason", "key"], unique=False)
        batch_op.create_index(batch_op.f("reject_digest"), ["digest"], unique=False)
        batch_op.create_index(batch_op.f("reject_received_time"), ["received_time"], unique=False)

    op.create_table(
        "tombstone",
        sa.Column("tracker_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("device_id", sa.String(length=100), nullable=False),
        sa.Column("forgotten_time", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tracker_key"], ["tracker.key"], name=op.f("tombstone_tracker_key_fk"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tracker_key", "device_id", name=op.f("tombstone_pk")),
    )
    op.create_table(
        "tracker_consumer",
        sa.Column("tracker_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("collection_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("linked_revision", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("unlinked_revision", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(
            ["collection_key"],
            ["collection.key"],
            name=op.f("tracker_consumer_collection_key_fk"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tracker_key"], ["tracker.key"], name=op.f("tracker_consumer_tracker_key_fk"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint(
            "tracker_key", "collection_key", "linked_revision", name=op.f("tracker_consumer_pk")
        ),
    )
    op.create_table(
        "event",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("event_id", sa.String(length=32), nullable=False),
        sa.Column("tracker_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("device_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("geofence_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("event_type", sa.String(length=10), nullable=False),
        sa.Column("collection_name", sa.String(length=100), nullable=False),
        sa.Column("geofence_id", sa.String(length=100), nullable=False),
        sa.Column("device_id", sa.String(length=100), nullable=False),
        sa.Column("sample_time", sa.BigInteger(), nullable=False),
        sa.Column("received_time", sa.BigInteger(), nullable=False),
        sa.Column("committed_time", sa.BigInteger(), nullable=False),
        sa.Column("longitude", sa.Float(precision=53), nullable=False),
        sa.Column("latitude", sa.Float(precision=53), nullable=False),
        sa.Column("accuracy", sa.Float(precision=53), nullable=True),
        sa.Column("properties", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["device_key"], ["device.key"], name=op.f("event_device_key_fk"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["geofence_key"], ["geofence.key"], name=op.f("event_geofence_key_fk"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["tracker_key"], ["tracker.key"], name=op.f("event_tracker_key_fk"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("seq", name=op.f("event_pk")),
        sa.UniqueConstraint("event_id", name=op.f("event_event_id_key")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.create_index("event_by_device", ["device_key", "seq"], unique=False)
        batch_op.create_index("event_by_geofence", ["geofence_id", "seq"], unique=False)
        batch_op.create_index(batch_op.f("event_geofence_key"), ["geofence_key"], unique=False)

    op.create_table(
        "geofence_version",
        sa.Column("geofence_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("revision", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("feature", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["geofence_key"],
            ["geofence.key"],
            name=op.f("geofence_version_geofence_key_fk"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("geofence_key", "revision", name=op.f("geofence_version_pk")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("geofence_version", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("geofence_version_revision"), ["revision"], unique=False)

    op.create_table(
        "inside",
        sa.Column("device_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("geofence_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["device_key"], ["device.key"], name=op.f("inside_device_key_fk"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["geofence_key"], ["geofence.key"], name=op.f("inside_geofence_key_fk"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("device_key", "geofence_key", name=op.f("inside_pk")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("inside", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("inside_geofence_key"), ["geofence_key"], unique=False)

    op.create_table(
        "position",
        sa.Column("device_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sample_time", sa.BigInteger(), nullable=False),
        sa.Column("received_time", sa.BigInteger(), nullable=False),
        sa.Column("longitude", sa.Float(precision=53), nullable=False),
        sa.Column("latitude", sa.Float(precision=53), nullable=False),
        sa.Column("accuracy", sa.Float(precision=53), nullable=True),
        sa.Column("properties", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("late", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.ForeignKeyConstraint(
            ["device_key"], ["device.key"], name=op.f("position_device_key_fk"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("device_key", "sample_time", name=op.f("position_pk")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("position", schema=None) as batch_op:
        batch_op.create_index(
            "position_waiting",
            ["received_time"],
            unique=False,
            sqlite_where=sa.text("revision IS NULL AND late = 0"),
            postgresql_where=sa.text("revision IS NULL AND late = false"),
        )

    op.create_table(
        "outbox",
        sa.Column("key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("channel", sa.String(length=330), nullable=False),
        sa.Column("event_seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("alert_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(
            ["alert_key"], ["alert.key"], name=op.f("outbox_alert_key_fk"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["event_seq"], ["event.seq"], name=op.f("outbox_event_seq_fk"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("outbox_pk")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("outbox_alert_key"), ["alert_key"], unique=False)
        batch_op.create_index(batch_op.f("outbox_event_seq"), ["event_seq"], unique=False)
        batch_op.create_index(
            "outbox_ungathered",
            ["channel", "key"],
            unique=False,
            sqlite_where=sa.text("alert_key IS NULL"),
            postgresql_where=sa.text("alert_key IS NULL"),
        )

    fill()


def fill() -> None:
    """What exists from the start: tracker and collection `default`, linked; shards; the alerts' sequence."""
    now = time.time_ns() // 1_000_000
    for name in ("tracker", "collection"):
        table = sa.table(name, sa.column("key"), sa.column("name"), sa.column("created_time"))
        op.bulk_insert(table, [{"key": 1, "name": "default", "created_time": now}])
    revision = sa.table("revision", sa.column("revision"), sa.column("kind"), sa.column("committed_time"))
    op.bulk_insert(revision, [{"revision": 1, "kind": "link", "committed_time": now}])
    link = sa.table(
        "tracker_consumer",
        sa.column("tracker_key"),
        sa.column("collection_key"),
        sa.column("linked_revision"),
    )
    op.bulk_insert(link, [{"tracker_key": 1, "collection_key": 1, "linked_revision": 1}])
    op.bulk_insert(sa.table("shard", sa.column("shard")), [{"shard": number} for number in range(64)])
    sequence = sa.table("sequence", sa.column("name"), sa.column("value"))
    op.bulk_insert(sequence, [{"name": "alert_changed", "value": 0}])
    if op.get_context().dialect.name == "postgresql":
        count_on()


def count_on() -> None:
    """These rows were given their keys: the next ones follow them."""
    for table, key in (("tracker", "key"), ("collection", "key"), ("revision", "revision")):
        last = sa.select(sa.func.max(sa.column(key))).select_from(sa.table(table)).scalar_subquery()
        counter = sa.func.pg_get_serial_sequence(table, key)
        op.execute(sa.select(sa.func.setval(counter, last)))
