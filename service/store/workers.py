"""The workers of a database: one row each, while it lives.

A worker that starts under a name takes that name over: whoever ran under it before finds another incarnation
there, and ends.
"""

from typing import NamedTuple

from sqlalchemy import Connection, delete, select

from service.store.columns import upsert
from service.store.leases import CLOCK
from service.store.schema import worker


class LiveWorker(NamedTuple):
    """`reads`: what it reads, as a sentence; workers that share shards read the same."""

    name: str
    incarnation: str
    reads: str


def enter(connection: Connection, name: str, incarnation: str, reads: str | None, lease: int) -> None:
    """From now on this is the worker of that name."""
    values = {"incarnation": incarnation, "reads": reads, "lease_until": CLOCK + lease}
    statement = upsert(connection, worker).values(name=name, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=values))
    connection.execute(delete(worker).where(worker.c.lease_until < CLOCK - 10 * lease))


def stay(connection: Connection, name: str, incarnation: str, reads: str | None, lease: int) -> bool:
    """For another `lease` ms, also where the row was swept away meanwhile; False where somebody else has the
    name."""
    values = {"incarnation": incarnation, "reads": reads, "lease_until": CLOCK + lease}
    statement = upsert(connection, worker).values(name=name, **values)
    mine = worker.c.incarnation == incarnation
    kept = statement.on_conflict_do_update(index_elements=["name"], set_=values, where=mine)
    return connection.scalar(kept.returning(worker.c.name)) is not None


def leave(connection: Connection, name: str, incarnation: str) -> None:
    """There is no such worker any more."""
    mine = (worker.c.name == name) & (worker.c.incarnation == incarnation)
    connection.execute(delete(worker).where(mine))


def live_workers(connection: Connection) -> list[LiveWorker]:
    """Those that share the shards, by name."""
    alive = (worker.c.lease_until >= CLOCK) & worker.c.reads.is_not(None)
    statement = select(*(worker.c[name] for name in LiveWorker._fields)).where(alive)
    return [LiveWorker(*row) for row in connection.execute(statement.order_by(worker.c.name))]
