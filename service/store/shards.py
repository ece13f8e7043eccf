"""Shards: who evaluates which devices. Order within a device rests on one writer a shard."""

from sqlalchemy import Connection, update

from service.store.schema import shard


def take_over_all(connection: Connection, owner: str) -> None:
    """One process owns the whole database: it takes every shard, and each one's epoch rises."""
    connection.execute(update(shard).values(owner=owner, epoch=shard.c.epoch + 1, lease_until=None))
