"""Revisions: one for each change of what can be evaluated, so that any state of it can be had again."""

from sqlalchemy import Connection, func, insert, select

from service.store.schema import revision


def new_revision(connection: Connection, kind: str, committed_time: int) -> int:
    statement = insert(revision).values(kind=kind, committed_time=committed_time)
    return int(connection.execute(statement.returning(revision.c.revision)).scalar_one())


def newest_revision(connection: Connection) -> int:
    return connection.scalar(select(func.max(revision.c.revision))) or 0
