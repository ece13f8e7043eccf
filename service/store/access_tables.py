"""The tables of who may call, and of who changed what. Times are int64 milliseconds since the epoch (UTC)."""

from sqlalchemy import Column, Float, Integer, LargeBinary, String, Table, Text

from service.store.metadata import Key, Milliseconds, metadata

access_key = Table(
    "access_key",
    metadata,
    Column("key_id", String(40), primary_key=True),  # what names it; no secret
    Column("kind", String(10), nullable=False),  # access (signs requests), api (is sent with them)
    Column("name", String(100), nullable=False),
    Column("account_id", String(12), nullable=False),
    Column("scopes", Text, nullable=False),  # of read, write, admin, separated by commas
    Column("tags", Text, nullable=False, server_default="{}"),  # JSON object of texts
    Column("rate_limit", Float(53)),  # requests a second; null: as OVERFLY_RATE_LIMIT has it
    Column("digest", LargeBinary(32), nullable=False),  # api: SHA-256 of it; access: which secret it is of
    Column("created_time", Milliseconds, nullable=False),
    Column("expires_time", Milliseconds),
    Column("revoked_time", Milliseconds),
    Column("last_used_time", Milliseconds),  # a minute or less ago may be missing
)

audit = Table(
    "audit",
    metadata,
    Column("key", Key, primary_key=True),
    Column("time", Milliseconds, nullable=False, index=True),
    Column("caller", Text, nullable=False),
    Column("account_id", String(12), nullable=False),
    Column("operation", String(100), nullable=False),
    Column("target", Text, nullable=False),  # the path, or the key
    Column("status", Integer, nullable=False),  # of the answer
    Column("address", Text, nullable=False),
    Column("calls", Integer, nullable=False, server_default="1"),  # more than one: positions, by the minute
    sqlite_autoincrement=True,
)
