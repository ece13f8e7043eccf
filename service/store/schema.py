"""The tables, one metadata for every store.

Times are int64 milliseconds since the epoch (UTC), longitudes and latitudes degrees (WGS84), accuracy metres.
`key` is a number that names a row inside the database; what a user calls it is its `name` or `..._id`.

    tracker --- tracker_consumer --- collection --- geofence --- geofence_version
       |                                 |             |
     device --- position         collection_version   inside (which device is in which geofence)
       |    `-- passed_over                          |
     event --- outbox --- alert                        +--- device
     position_update, reject, tombstone, revision, sequence, shard, duty, worker

A `revision` numbers each commit that changed what can be evaluated: a geofence put or deleted, a collection
linked, unlinked or changed. A position records the revision it met, so that the past can be evaluated again.
Who may call, and who changed what, is in access_tables.
"""

from geoalchemy2 import Geometry
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    func,
    text,
    true,
)

from service.store import access_tables  # noqa: F401 - so that metadata has them, too
from service.store.metadata import Identifier, Key, Milliseconds
from service.store.metadata import metadata as metadata  # noqa: PLC0414 - given on, with all tables

tracker = Table(
    "tracker",
    metadata,
    Column("key", Key, primary_key=True),
    Column("name", Identifier, nullable=False, unique=True),
    Column("created_time", Milliseconds, nullable=False),
    Column(
        "position_events", Boolean, nullable=False, server_default=false()
    ),  # each position stored is put on the event bus
    Column("description", Text, nullable=False, server_default=""),
    Column("tags", Text, nullable=False, server_default="{}"),  # JSON object of texts
    Column("position_filtering", String(20)),  # TimeBased, DistanceBased, AccuracyBased; null: none
    Column("kms_key_id", Text),
    Column("kms_geospatial", Boolean, nullable=False, server_default=false()),
    Column("updated_time", Milliseconds),  # null: never since it was created
    # key of the collection of which it is a part: it holds the devices that are evaluated without a tracker
    Column("of_collection", Key),
    sqlite_autoincrement=True,  # a key is never used again: what is kept in memory by key stays right
)
Index("tracker_of_collection", tracker.c.of_collection, unique=True)

collection = Table(
    "collection",
    metadata,
    Column("key", Key, primary_key=True),
    Column("name", Identifier, nullable=False, unique=True),
    Column("created_time", Milliseconds, nullable=False),
    Column("description", Text, nullable=False, server_default=""),
    Column("tags", Text, nullable=False, server_default="{}"),  # JSON object of texts
    Column("kms_key_id", Text),
    Column("updated_time", Milliseconds),  # null: never since it was created
    sqlite_autoincrement=True,  # a key is never used again: what is kept in memory by key stays right
)

revision = Table(
    "revision",
    metadata,
    Column("revision", Key, primary_key=True),
    Column("kind", String(10), nullable=False),  # put, delete, link, unlink, collection
    Column("committed_time", Milliseconds, nullable=False),
    sqlite_autoincrement=True,
)

collection_version = Table(
    "collection_version",
    metadata,
    Column("collection_key", ForeignKey("collection.key", ondelete="CASCADE"), primary_key=True),
    Column("revision", Key, primary_key=True, index=True),
    # how its geofences are crossed from this revision on; a collection without a row has the defaults
    Column("crossing", String(10), nullable=False),  # fix, segment
    Column("max_gap", Milliseconds, nullable=False),
    Column("max_speed", Float(53), nullable=False),  # metres per second
    sqlite_with_rowid=False,
)

tracker_consumer = Table(
    "tracker_consumer",
    metadata,
    Column("tracker_key", ForeignKey("tracker.key", ondelete="CASCADE"), primary_key=True),
    Column("collection_key", ForeignKey("collection.key", ondelete="CASCADE"), primary_key=True),
    Column("linked_revision", Key, primary_key=True),
    Column("unlinked_revision", Key),
)

geofence = Table(
    "geofence",
    metadata,
    Column("key", Key, primary_key=True),
    Column("collection_key", ForeignKey("collection.key", ondelete="CASCADE"), nullable=False),
    Column("geofence_id", Identifier, nullable=False),
    Column("revision", Key, nullable=False),  # of its current version
    Column("created_time", Milliseconds, nullable=False),
    Column("updated_time", Milliseconds, nullable=False),
    Column("deleted_revision", Key),
    sqlite_autoincrement=True,
)
Index(
    "geofence_current",
    geofence.c.collection_key,
    geofence.c.geofence_id,
    unique=True,
    sqlite_where=geofence.c.deleted_revision.is_(None),
    postgresql_where=geofence.c.deleted_revision.is_(None),
)
Index("geofence_by_revision", geofence.c.collection_key, geofence.c.revision, geofence.c.key)

geofence_version = Table(
    "geofence_version",
    metadata,
    Column("geofence_key", ForeignKey("geofence.key", ondelete="CASCADE"), primary_key=True),
    Column("revision", Key, primary_key=True, index=True),
    Column("feature", Text),  # GeoJSON Feature; null where this revision deleted it
    # the geometry as it was given, JSON, where the feature does not say it just so: Amazon Location's
    # {"Geobuf": "<Base64>"}, or {"MultiPolygon": [...]} of polygons that overlap
    Column("given", Text),
    sqlite_with_rowid=False,
)

geofence_area = Table(
    "geofence_area",
    metadata,
    Column("geofence_key", ForeignKey("geofence.key", ondelete="CASCADE"), primary_key=True),
    Column("area", Geometry("GEOMETRY", 4326, spatial_index=False), nullable=False),
    Column("radius", Float(53)),  # metres around the area, which is a point; null where it is none
    info={"only": "postgresql"},  # for whoever looks at the database with a GIS
)
Index("geofence_area_by_place", geofence_area.c.area, postgresql_using="gist")

device = Table(
    "device",
    metadata,
    Column("key", Key, primary_key=True),
    Column("tracker_key", ForeignKey("tracker.key", ondelete="CASCADE"), nullable=False),
    Column("device_id", Identifier, nullable=False),
    Column("shard", Integer, nullable=False),
    Column("watermark", Milliseconds),  # sample_time last evaluated
    # the latest position: that of the greatest sample_time stored
    Column("sample_time", Milliseconds, nullable=False),
    Column("received_time", Milliseconds, nullable=False),
    Column("longitude", Float(53), nullable=False),
    Column("latitude", Float(53), nullable=False),
    Column("accuracy", Float(53)),
    Column("properties", Text, nullable=False),
    UniqueConstraint("tracker_key", "device_id"),
    sqlite_autoincrement=True,
)
PLACE = func.ST_SetSRID(func.ST_MakePoint(device.c.longitude, device.c.latitude), 4326)
"""The latest position as a geometry. A query must say it just so, or the index does not serve it."""
Index("device_by_place", PLACE, postgresql_using="gist", info={"only": "postgresql"}).ddl_if(
    dialect="postgresql"
)
Index("device_by_receipt", device.c.tracker_key, device.c.received_time, device.c.key)

position = Table(
    "position",
    metadata,
    Column("device_key", Key, primary_key=True),
    Column("sample_time", Milliseconds, primary_key=True),
    Column("received_time", Milliseconds, nullable=False),
    Column("longitude", Float(53), nullable=False),
    Column("latitude", Float(53), nullable=False),
    Column("accuracy", Float(53)),
    Column("properties", Text, nullable=False),  # JSON object, members sorted; '' where there are none
    Column("revision", Key),  # that it met when it was evaluated
    Column(
        "late", Boolean, nullable=False, server_default=false()
    ),  # came after its turn: stored, not evaluated
    # PostgreSQL would look the device up for each row, which costs more than the row
    ForeignKeyConstraint(["device_key"], ["device.key"], ondelete="CASCADE").ddl_if(dialect="sqlite"),
    sqlite_with_rowid=False,
    postgresql_partition_by="RANGE (sample_time)",  # a day each, see partitions.py
)
Index(
    "position_by_time", position.c.sample_time, postgresql_using="brin", info={"only": "postgresql"}
).ddl_if(dialect="postgresql")
WAITING = position.c.revision.is_(None) & (position.c.late == false())
"""Fixes whose turn is still to come. A query must say it just so, or the index does not serve it."""
Index("position_waiting", position.c.received_time, sqlite_where=WAITING, postgresql_where=WAITING)

inside = Table(
    "inside",
    metadata,
    Column("device_key", ForeignKey("device.key", ondelete="CASCADE"), primary_key=True),
    Column("geofence_key", ForeignKey("geofence.key", ondelete="CASCADE"), primary_key=True, index=True),
    # what is remembered of the visit, where the geofence asks for its length or the way it ends
    Column("entered_time", Milliseconds),  # null: nothing is remembered
    Column("outside_since", Milliseconds),  # null while the device is in the area
    Column("dwelled", Boolean, nullable=False, server_default=false()),  # DWELL has been told
    sqlite_with_rowid=False,
)

event = Table(
    "event",
    metadata,
    Column("seq", Key, primary_key=True),  # the order of commit
    Column("event_id", String(32), nullable=False, unique=True),
    Column("tracker_key", Key, nullable=False),
    Column("device_key", Key, nullable=False),
    Column("geofence_key", Key, nullable=False, index=True),
    Column("event_type", String(10), nullable=False),  # ENTER, EXIT, DWELL
    Column("collection_name", Identifier, nullable=False),
    Column("geofence_id", Identifier, nullable=False),
    Column("device_id", Identifier, nullable=False),
    Column("sample_time", Milliseconds, nullable=False),
    Column("received_time", Milliseconds, nullable=False),
    Column("committed_time", Milliseconds, nullable=False),
    Column("longitude", Float(53), nullable=False),
    Column("latitude", Float(53), nullable=False),
    Column("accuracy", Float(53)),
    Column("properties", Text, nullable=False),
    Column("revision", Key, nullable=False),
    Column(
        "interpolated", Boolean, nullable=False, server_default=false()
    ),  # time and place are between two fixes; all else is of the later one
    # PostgreSQL would look each up for each row: there triggers do it for all rows of a statement
    *(
        ForeignKeyConstraint([f"{of}_key"], [f"{of}.key"], ondelete="CASCADE").ddl_if(dialect="sqlite")
        for of in ("tracker", "device", "geofence")
    ),
    sqlite_autoincrement=True,
)
Index("event_by_device", event.c.device_key, event.c.seq)
Index("event_by_geofence", event.c.geofence_id, event.c.seq)
Index("event_by_time", event.c.tracker_key, event.c.sample_time, event.c.seq)

alert = Table(
    "alert",
    metadata,
    Column("key", Key, primary_key=True),
    Column(
        "changed", Key, nullable=False, unique=True
    ),  # from `sequence`; an alert that changes is listed anew
    Column("tracker_key", ForeignKey("tracker.key", ondelete="CASCADE"), nullable=False),
    Column("channel", String(20), nullable=False),  # email, sms, mqtt, eventbridge, sns
    Column("recipient", Text, nullable=False),  # address, number, topic, bus
    Column("message_id", String(100), nullable=False),
    Column("status", String(10), nullable=False),  # pending, sent, failed
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("outcome", Text),  # what the receiver answered last
    Column("created_time", Milliseconds, nullable=False),
    Column("attempted_time", Milliseconds),
    Column("next_attempt_time", Milliseconds, nullable=False),
    Column("finished_time", Milliseconds),
    sqlite_autoincrement=True,
)
PENDING = text("status = 'pending'")
Index("alert_pending", alert.c.channel, alert.c.key, sqlite_where=PENDING, postgresql_where=PENDING)

outbox = Table(
    "outbox",
    metadata,
    Column("key", Key, primary_key=True),
    Column("channel", String(330), nullable=False),  # mqtt, eventbridge, sns; email: or sms: and whose
    Column("event_seq", ForeignKey("event.seq", ondelete="CASCADE"), nullable=False, index=True),
    Column(
        "alert_key", ForeignKey("alert.key", ondelete="SET NULL"), index=True
    ),  # null: not yet in a message
    sqlite_autoincrement=True,
)
UNGATHERED = text("alert_key IS NULL")
Index(
    "outbox_ungathered", outbox.c.channel, outbox.c.key, sqlite_where=UNGATHERED, postgresql_where=UNGATHERED
)

passed_over = Table(
    "passed_over",
    metadata,
    # of a device of which fixes had their turn that are not stored
    Column("device_key", ForeignKey("device.key", ondelete="CASCADE"), primary_key=True),
    Column("until", Milliseconds, nullable=False),  # sample_time of the last one that had its turn
    Column("watermark", Milliseconds),  # then, and the fix that was evaluated last; null where there is none
    Column("longitude", Float(53)),
    Column("latitude", Float(53)),
    Column("altitude", Float(53)),
    Column("accuracy", Float(53)),
    Column("all_stored", Boolean, nullable=False, server_default=true()),  # all that was ever evaluated
    sqlite_with_rowid=False,
)

position_update = Table(
    "position_update",
    metadata,
    Column("key", Key, primary_key=True),  # the order of commit
    # of a position that is still to be put on the event bus; no foreign keys: one that is gone is not told
    Column("device_key", Key, nullable=False),
    Column("sample_time", Milliseconds, nullable=False),
    sqlite_autoincrement=True,
)

reject = Table(
    "reject",
    metadata,
    Column("key", Key, primary_key=True),
    Column("tracker_key", ForeignKey("tracker.key", ondelete="CASCADE"), nullable=False),
    Column("received_time", Milliseconds, nullable=False, index=True),
    Column("reason", String(40), nullable=False),
    Column("detail", Text, nullable=False),
    Column("topic", Text),
    Column("device_id", Text),
    Column("payload", LargeBinary, nullable=False),  # its first 4 KiB
    Column("digest", LargeBinary(16), nullable=False, index=True),  # knows a redelivered one again
    sqlite_autoincrement=True,
)
Index("reject_by_device", reject.c.device_id, reject.c.key)
Index("reject_by_reason", reject.c.reason, reject.c.key)

tombstone = Table(
    "tombstone",
    metadata,
    Column("tracker_key", ForeignKey("tracker.key", ondelete="CASCADE"), primary_key=True),
    Column("device_id", Identifier, primary_key=True),
    Column("forgotten_time", Milliseconds, nullable=False),  # fixes measured up to then are refused
)

shard = Table(
    "shard",
    metadata,
    Column("shard", Integer, primary_key=True, autoincrement=False),  # CRC-32 of the device id modulo 64
    Column("owner", Text),
    Column("epoch", BigInteger, nullable=False, server_default="0"),
    Column("lease_until", Milliseconds),
    Column("erased", BigInteger, nullable=False, server_default="0"),  # how often devices of it were
)

duty = Table(
    "duty",
    metadata,
    Column("name", String(330), primary_key=True),  # what one process does for all: a channel, retention
    Column("owner", Text),
    Column("epoch", BigInteger, nullable=False, server_default="0"),
    Column("lease_until", Milliseconds),
)

worker = Table(
    "worker",
    metadata,
    Column("name", String(255), primary_key=True),
    Column("incarnation", String(32), nullable=False),
    Column("reads", Text),  # what its source is; null where it evaluates nothing
    Column("lease_until", Milliseconds, nullable=False),
)

sequence = Table(
    "sequence",
    metadata,
    Column("name", String(20), primary_key=True),
    Column("value", BigInteger, nullable=False),
)
