"""Who changed what: one row a change, in the order of their commits."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, delete, func, insert, select

from service.store.access_tables import audit
from service.store.turns import Turn, wait_for_turn

KEPT_AT_MOST = 1_000_000


class AuditEntry(NamedTuple):
    """A change, or an attempt at one. `calls`: how many alike are gathered in it; time in milliseconds."""

    time: int
    caller: str
    account_id: str
    operation: str
    target: str
    status: int
    address: str
    calls: int = 1


class AuditRow(NamedTuple):
    """As it is listed; `key` grows."""

    key: int
    entry: AuditEntry


COLUMNS = (audit.c.key, *(audit.c[name] for name in AuditEntry._fields))


def insert_audit(connection: Connection, entries: Sequence[AuditEntry]) -> None:
    wait_for_turn(connection, Turn.AUDIT)
    connection.execute(insert(audit), [entry._asdict() for entry in entries])


def audited(
    connection: Connection, after: int, limit: int, *, caller: str | None = None, since: int | None = None
) -> Sequence[AuditRow]:
    """Entries whose key is above `after`; of one caller, or from a time on."""
    statement = select(*COLUMNS).where(audit.c.key > after)
    if caller is not None:
        statement = statement.where(audit.c.caller == caller)
    if since is not None:
        statement = statement.where(audit.c.time >= since)
    rows = connection.execute(statement.order_by(audit.c.key).limit(limit))
    return [AuditRow(row[0], AuditEntry(*row[1:])) for row in rows]


def delete_old_audit(connection: Connection, before: int) -> int:
    """Drops what is older, and the oldest beyond the number that is kept."""
    newest = connection.scalar(select(func.max(audit.c.key))) or 0
    outdated = (audit.c.time < before) | (audit.c.key <= newest - KEPT_AT_MOST)
    return connection.execute(delete(audit).where(outdated)).rowcount
