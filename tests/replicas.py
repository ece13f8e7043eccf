"""A primary and its streaming replica, whose replay tests can stop."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self

from sqlalchemy import make_url

from tests.postgres import Postgres, session
from tests.waiting import wait_until

SOON = {"wal_retrieve_retry_interval": "100ms"}
"""What was away is asked for again so soon."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A primary and its replica."""

    primary: Postgres
    replica: Postgres

    @classmethod
    @contextmanager
    def of_its_own(cls) -> Iterator[Self]:
        with Postgres.of_its_own(SOON) as primary, primary.replica() as replica:
            yield cls(primary, replica)

    def replica_url(self, url: str) -> str:
        """Where the replica has a database of the primary."""
        return self.replica.url(make_url(url).database or "")

    def stands(self) -> None:
        """From now on the replica replays nothing."""
        _asked(self.replica, "SELECT pg_wal_replay_pause()")
        wait_until(lambda: _asked(self.replica, "SELECT pg_get_wal_replay_pause_state()") == "paused", 30)

    def goes_on(self) -> None:
        """It replays again; waits until it has all."""
        _asked(self.replica, "SELECT pg_wal_replay_resume()")
        place = _asked(self.primary, "SELECT pg_current_wal_insert_lsn()")
        has_it = f"SELECT pg_last_wal_replay_lsn() >= '{place}'"
        wait_until(lambda: _asked(self.replica, has_it) is True, 30)


def _asked(server: Postgres, statement: str) -> object:
    with session(server.url("postgres"), autocommit=True) as connection:
        row = connection.execute(statement.encode()).fetchone()
    return row and row[0]
