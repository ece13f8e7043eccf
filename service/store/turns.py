"""Turns: of transactions that write the same list, one commits after the other.

A list that is read with a cursor, by a number that grows, may show a row only when all rows of smaller
numbers are to be seen. On PostgreSQL a number is taken in one moment and seen in another, so whoever takes
one first waits until the last who did has committed. The turn ends with the transaction; how long others
take elsewhere does not matter. Alerts, which change, lock the row of their `sequence` instead. SQLite has one
writer at a time.
https://www.postgresql.org/docs/15/explicit-locking.html#ADVISORY-LOCKS
"""

from enum import IntEnum

from sqlalchemy import Connection, func, select

from service.store.columns import on_postgres

OVERFLY = 0x6F76
"""The first half of our locks' numbers: others may use the same database."""


class Turn(IntEnum):
    """What is written in turns. Whoever takes several takes them in this order."""

    MIGRATION = 1
    REVISIONS = 2
    EVENTS = 3
    REJECTS = 4
    AUDIT = 5


def wait_for_turn(connection: Connection, turn: Turn) -> None:
    """Until the transaction ends nobody else has this turn."""
    if on_postgres(connection):
        connection.execute(select(func.pg_advisory_xact_lock(OVERFLY, int(turn))))
