"""Leases: rows of which each belongs to one process at a time, until a time by the database's clock.

A row has an owner, an epoch and `lease_until`. Each change of hands raises the epoch. Who owns a row locks it
in each commit that rests on it and compares the epoch, so that a process which was paused past a take-over
writes nothing. What holds is in rows alone: a pooler that lends connections does no harm.

A table of leases has one key; `owned` says at which epoch each key was taken.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Table,
    cast,
    false,
    func,
    or_,
    select,
    text,
    update,
)

Key = TypeVar("Key", int, str)

CLOCK = cast(func.extract("epoch", func.clock_timestamp()) * 1000, BigInteger)
"""Milliseconds since the epoch by the database's clock, which all who use it share."""

STILL_SECONDS = 10
"""As long as the server itself lets a transaction stand still, but for a COPY that waits for its data."""
END_WHO_STANDS_STILL = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
    "AND usename = current_user AND state = 'active' AND wait_event = 'ClientRead' "
    "AND query LIKE 'COPY \"%\" (%) FROM STDIN%' "
    "AND query_start < clock_timestamp() - make_interval(secs => :still)"
)


class Held(NamedTuple):
    """A row that somebody owns. `left` is how long yet, in milliseconds, if he does not go on."""

    key: Any
    owner: str
    left: int


class Free(NamedTuple):
    """Keys that can be taken: the owner's by name, and those that nobody owns now."""

    own: list[Any]
    nobodys: list[Any]


def free(connection: Connection, table: Table, owner: str) -> Free:
    """What an owner may take."""
    mine = func.coalesce(table.c.owner == owner, false())
    statement = select(_key(table), mine).where(_takeable(table, owner)).order_by(_key(table))
    rows = connection.execute(statement).all()
    return Free([key for key, own in rows if own], [key for key, own in rows if not own])


def take(
    connection: Connection,
    table: Table,
    keys: Collection[Key],
    owner: str,
    lease: int,
    *,
    forced: bool = False,
) -> dict[Key, int]:
    """Takes those of the keys that are free, for `lease` ms; forced: whoever has them. Key -> epoch.

    Who owned them under the same name before, and still runs, owns them no longer. A process of ours that
    was stopped in the middle of a COPY loses its connection, else it would hold its rows until it ends.
    """
    wanted = _key(table).in_(list(keys))
    connection.execute(END_WHO_STANDS_STILL, {"still": STILL_SECONDS})
    # waits for commits that go on, which lock rows by their keys, in the same order
    connection.execute(select(_key(table)).where(wanted).order_by(_key(table)).with_for_update())
    condition = wanted if forced else wanted & _takeable(table, owner)
    taken = (
        update(table)
        .where(condition)
        .values(owner=owner, epoch=table.c.epoch + 1, lease_until=CLOCK + lease)
        .returning(_key(table), table.c.epoch)
    )
    return {key: epoch for key, epoch in connection.execute(taken)}


def held(connection: Connection, table: Table) -> list[Held]:
    """The rows that somebody owns now, by key."""
    left = table.c.lease_until - CLOCK
    statement = select(_key(table), table.c.owner, left).where(table.c.owner.is_not(None), left > 0)
    return [Held(*row) for row in connection.execute(statement.order_by(_key(table)))]


def holders(connection: Connection, table: Table) -> dict[str, int]:
    """Who owns rows now, by name, and how many."""
    return dict(sorted(Counter(each.owner for each in held(connection, table)).items()))


def owned_still(connection: Connection, table: Table, owned: Mapping[Key, int]) -> set[Key]:
    """Which rows are one's own, as far as this moment."""
    return set(connection.scalars(select(_key(table)).where(at_epochs(table, owned))))


def extend(connection: Connection, table: Table, owned: Mapping[Key, int], lease: int) -> set[Key]:
    """Makes rows one's own for another `lease` ms; answers which still are.

    A row that somebody has locked stays as it is: nobody takes it over before he ends.
    """
    mine = select(_key(table)).where(at_epochs(table, owned)).order_by(_key(table))
    free_now = list(connection.scalars(mine.with_for_update(key_share=True, skip_locked=True)))
    connection.execute(update(table).where(_key(table).in_(free_now)).values(lease_until=CLOCK + lease))
    return owned_still(connection, table, owned)


def release(connection: Connection, table: Table, owned: Mapping[Key, int]) -> None:
    """Gives rows back: whoever wants them need not wait."""
    connection.execute(update(table).where(at_epochs(table, owned)).values(owner=None, lease_until=None))


def confirmed(connection: Connection, table: Table, owned: Mapping[Key, int]) -> set[Key]:
    """Which rows are still one's own, and stay so until the transaction ends."""
    statement = select(_key(table)).where(at_epochs(table, owned)).order_by(_key(table))
    # holds off a take-over, and not the one who makes the lease longer meanwhile
    return set(connection.scalars(statement.with_for_update(read=True, key_share=True)))


def at_epochs(table: Table, owned: Mapping[Key, int]) -> ColumnElement[bool]:
    """Each at the epoch at which it was taken: whoever took it since has raised that."""
    by_epoch: dict[int, list[Key]] = {}
    for key, epoch in owned.items():
        by_epoch.setdefault(epoch, []).append(key)
    return or_(
        _key(table).in_([]),
        *((table.c.epoch == epoch) & _key(table).in_(keys) for epoch, keys in by_epoch.items()),
    )


def _takeable(table: Table, owner: str) -> ColumnElement[bool]:
    return or_(table.c.owner.is_(None), table.c.owner == owner, table.c.lease_until < CLOCK)


def _key(table: Table) -> Column[Any]:
    (key,) = table.primary_key.columns
    return key
