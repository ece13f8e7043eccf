"""Duties: a row each, which is a lease; see leases.py."""

from collections.abc import Sequence

from sqlalchemy import Connection

from service.store.columns import upsert
from service.store.schema import duty


def add_duties(connection: Connection, names: Sequence[str]) -> None:
    """Those that are not there yet, for anybody to take."""
    rows = [{"name": name} for name in sorted(set(names))]
    connection.execute(upsert(connection, duty).on_conflict_do_nothing(), rows)
