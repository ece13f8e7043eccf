"""Shards: who evaluates which devices. Order within a device rests on one writer a shard; see leases.py.

A shard's row counts, too, what was erased of its devices by others than its owner: he reads it in each
commit, and what he remembers of the shard anew where it has changed.
"""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from sqlalchemy import Connection, select, update

from ingest.topics import SHARDS
from service.store.leases import at_epochs
from service.store.schema import shard


class Version(NamedTuple):
    """Of what the owner of a shard remembers of it: while both are the same, nobody else has changed it."""

    epoch: int
    erased: int


def take_over_all(connection: Connection, owner: str) -> None:
    """One process owns the whole database: it takes every shard, and each one's epoch rises."""
    connection.execute(update(shard).values(owner=owner, epoch=shard.c.epoch + 1, lease_until=None))


def confirmed_shards(
    connection: Connection, owned: Mapping[int, int], *, alone: bool = False
) -> dict[int, Version]:
    """Which shards are still one's own, and stay so until the transaction ends.

    alone: waits for what others do under the same leases, such as a commit of one's own whose connection was
    cut: it may still be under way, and what it does is seen by the statements that follow.
    """
    statement = (
        select(shard.c.shard, shard.c.epoch, shard.c.erased)
        .where(at_epochs(shard, owned))
        .order_by(shard.c.shard)
    )
    # holds off a take-over, and not the one who makes the lease longer meanwhile
    locked = statement.with_for_update() if alone else statement.with_for_update(read=True, key_share=True)
    rows = connection.execute(locked)
    return {number: Version(*version) for number, *version in rows}


def keep_devices(connection: Connection, shards: Collection[int]) -> None:
    """Until the transaction ends no device of these shards is erased."""
    statement = select(shard.c.shard).where(shard.c.shard.in_(sorted(shards))).order_by(shard.c.shard)
    connection.execute(statement.with_for_update(read=True, key_share=True))


def hold_commits(connection: Connection, shards: Collection[int] = range(SHARDS)) -> None:
    """Waits for commits that rest on these shards, and holds off others until the transaction ends."""
    mine = shard.c.shard.in_(sorted(shards))
    connection.execute(select(shard.c.shard).where(mine).order_by(shard.c.shard).with_for_update())


def tell_erased(connection: Connection, shards: Collection[int] = range(SHARDS)) -> None:
    """Devices of these shards are erased: their owners read what they remember of them anew."""
    mine = shard.c.shard.in_(sorted(shards))
    connection.execute(update(shard).where(mine).values(erased=shard.c.erased + 1))
