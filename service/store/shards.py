"""Shards: who evaluates which devices. Order within a device rests on one writer a shard.

A shard's row says who owns it until when, by the database's clock, and how often it was taken over: its
epoch. Who owns it locks the row in each commit and compares the epoch, so that a process which was paused
past a take-over writes nothing. What holds is in rows alone: a pooler that lends connections does no harm.
"""

from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import BigInteger, ColumnElement, Connection, cast, func, or_, select, update

from service.store.schema import shard

CLOCK = cast(func.extract("epoch", func.clock_timestamp()) * 1000, BigInteger)
"""Milliseconds since the epoch by the database's clock, which all who use it share."""


class Held(NamedTuple):
    """A shard that somebody else owns. `left` is how long yet, in milliseconds, if he does not go on."""

    shard: int
    owner: str
    left: int


def take_over_all(connection: Connection, owner: str) -> None:
    """One process owns the whole database: it takes every shard, and each one's epoch rises."""
    connection.execute(update(shard).values(owner=owner, epoch=shard.c.epoch + 1, lease_until=None))


def take_over(connection: Connection, owner: str, lease: int) -> dict[int, int]:
    """Takes the shards that nobody owns or that were the owner's already, for `lease` ms: shard -> epoch.

    Who owned them under the same name before, and still runs, owns them no longer.
    """
    # waits for commits that go on, which lock rows by their keys, in the same order
    connection.execute(select(shard.c.shard).order_by(shard.c.shard).with_for_update())
    free = or_(shard.c.owner.is_(None), shard.c.owner == owner, shard.c.lease_until < CLOCK)
    taken = (
        update(shard)
        .where(free)
        .values(owner=owner, epoch=shard.c.epoch + 1, lease_until=CLOCK + lease)
        .returning(shard.c.shard, shard.c.epoch)
    )
    return {number: epoch for number, epoch in connection.execute(taken)}


def held_by_others(connection: Connection, owner: str) -> list[Held]:
    """The shards that somebody else owns now."""
    left = shard.c.lease_until - CLOCK
    statement = select(shard.c.shard, shard.c.owner, left).where(shard.c.owner != owner)
    rows = connection.execute(statement.order_by(shard.c.shard))
    return [Held(number, other, max(0, left)) for number, other, left in rows]


def extend(connection: Connection, owned: Mapping[int, int], lease: int) -> set[int]:
    """Makes shards one's own for another `lease` ms; owned: shard -> epoch. Answers which still are."""
    kept = update(shard).where(_at(owned)).values(lease_until=CLOCK + lease)
    return set(connection.scalars(kept.returning(shard.c.shard)))


def release(connection: Connection, owned: Mapping[int, int]) -> None:
    """Gives shards back: whoever wants them need not wait."""
    connection.execute(update(shard).where(_at(owned)).values(owner=None, lease_until=None))


def confirmed(connection: Connection, owned: Mapping[int, int]) -> set[int]:
    """Which of the shards are still one's own, and stay so until the transaction ends."""
    statement = select(shard.c.shard).where(_at(owned)).order_by(shard.c.shard)
    # holds off a take-over, and not the one who makes the lease longer meanwhile
    return set(connection.scalars(statement.with_for_update(read=True, key_share=True)))


def _at(owned: Mapping[int, int]) -> ColumnElement[bool]:
    """Each at the epoch at which it was taken: whoever took it since has raised that."""
    by_epoch: dict[int, list[int]] = {}
    for number, epoch in owned.items():
        by_epoch.setdefault(epoch, []).append(number)
    return or_(
        shard.c.shard.in_([]),
        *((shard.c.epoch == epoch) & shard.c.shard.in_(numbers) for epoch, numbers in by_epoch.items()),
    )
