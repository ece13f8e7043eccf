"""Revisions: one for each change of what can be evaluated, so that any state of it can be had again."""

from sqlalchemy import Connection, func, insert, select

from service.store.schema import revision
from service.store.turns import Turn, wait_for_turn


def new_revision(connection: Connection, kind: str, committed_time: int) -> int:
    """Nobody else gets one until the transaction ends, so that whoever sees it sees all before it."""
    wait_for_turn(connection, Turn.REVISIONS)
    statement = insert(revision).values(kind=kind, committed_time=committed_time)
    return int(connection.execute(statement.returning(revision.c.revision)).scalar_one())


def newest_revision(connection: Connection) -> int:
    return connection.scalar(select(func.max(revision.c.revision))) or 0
