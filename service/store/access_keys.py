"""Access keys and API keys: adding, finding and ending one. No secret is stored."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, Row, insert, select, update

from service.store.access_tables import access_key
from service.store.reading.trackers import read_tags


class KeyRow(NamedTuple):
    """A key; times in milliseconds. `kind`: access (signs requests) or api (is sent with them).

    `digest`: of an API key its SHA-256, of an access key that of the secret which its own is derived from.
    `rate_limit`: requests a second, None for the usual.
    """

    key_id: str
    kind: str
    name: str
    account_id: str
    scopes: frozenset[str]
    tags: Mapping[str, str]
    rate_limit: float | None
    digest: bytes
    created_time: int
    expires_time: int | None
    revoked_time: int | None
    last_used_time: int | None


COLUMNS = tuple(access_key.c[name] for name in KeyRow._fields)


def insert_key(connection: Connection, row: KeyRow) -> None:
    values = row._asdict()
    values["scopes"] = ",".join(sorted(row.scopes))
    values["tags"] = msgspec.json.encode(row.tags).decode()
    connection.execute(insert(access_key).values(values))


def key_by_id(connection: Connection, key_id: str) -> KeyRow | None:
    row = connection.execute(select(*COLUMNS).where(access_key.c.key_id == key_id)).one_or_none()
    return None if row is None else _key_row(row)


def keys(connection: Connection) -> Sequence[KeyRow]:
    """All there are, also those that have ended, by the time of their making."""
    statement = select(*COLUMNS).order_by(access_key.c.created_time, access_key.c.key_id)
    return [_key_row(row) for row in connection.execute(statement)]


def any_key(connection: Connection) -> bool:
    """Whether there is one that was not revoked."""
    statement = select(access_key.c.key_id).where(access_key.c.revoked_time.is_(None)).limit(1)
    return connection.scalar(statement) is not None


def revoke_key(connection: Connection, key_id: str, time: int) -> bool:
    """Answers whether there was one to revoke."""
    lives = (access_key.c.key_id == key_id) & access_key.c.revoked_time.is_(None)
    return connection.execute(update(access_key).where(lives).values(revoked_time=time)).rowcount > 0


def note_use(connection: Connection, used: Iterable[tuple[str, int]]) -> None:
    """used: key id and when it was used last."""
    for key_id, time in used:
        connection.execute(
            update(access_key).where(access_key.c.key_id == key_id).values(last_used_time=time)
        )


def _key_row(row: Row[*tuple[Any, ...]]) -> KeyRow:
    read = KeyRow(*row)
    scopes = frozenset(row.scopes.split(",")) - {""}
    return read._replace(scopes=scopes, tags=read_tags(row.tags), digest=bytes(row.digest))
