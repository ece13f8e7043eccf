"""What /v1/ready says of each thing that the service needs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from ingest.source import Source
from service.dispatch.position_updates import PositionUpdates
from service.errors import StoreAway
from service.shares import told_shares
from service.store.database import Database
from service.store.schema import alert, outbox


@dataclass(frozen=True, slots=True)
class Dependency:
    """How something that we need is. Where one that is `required` is not `ok`, the service is not ready.

    lag: seconds that it is behind, where it can be and that is known.
    """

    ok: bool
    required: bool
    detail: str
    lag: float | None = None


class Readiness:
    """channels: names of the outbox's channels, such as `email:<address>` or `eventbridge`. trouble: why what
    came cannot be stored, such as a full disk, of which a look at the database says nothing."""

    def __init__(
        self,
        database: Database,
        source: Source | None,
        channels: Sequence[str],
        positions: PositionUpdates | None = None,
        trouble: Callable[[], str | None] = lambda: None,
        *,
        shared: bool = False,
    ) -> None:
        """shared: whether several processes may be at the database."""
        self._database = database
        self._source = source
        self._channels = channels
        self._positions = positions
        self._trouble = trouble
        self._shared = shared

    def __call__(self) -> Mapping[str, Dependency]:
        """By name. The database and the source are required; a receiver of alerts that is away is shown."""
        found = {"database": self._of_database()}
        if self._source is not None:
            found["source"] = _of_source(self._source)
        if found["database"].ok and self._shared:
            found["tracking"] = self._of_tracking()
        if found["database"].ok:
            found.update((name, self._of_channel(name)) for name in self._channels)
        if self._positions is not None:
            found["position events"] = _of_positions(self._positions)
        return found

    def _of_database(self) -> Dependency:
        try:
            with self._database.read() as connection:
                connection.execute(select(1))
        except StoreAway as error:
            return Dependency(False, True, str(error))
        trouble = self._trouble()
        return Dependency(trouble is None, True, trouble or "answers")

    def _of_tracking(self) -> Dependency:
        with self._database.read() as connection:
            whole, told = told_shares(connection)
        return Dependency(whole, False, told)

    def _of_channel(self, name: str) -> Dependency:
        """By the oldest alert that is still to be delivered: whether it was tried, and what was answered."""
        first = (
            select(alert.c.attempts, alert.c.outcome)
            .join(outbox, outbox.c.alert_key == alert.c.key)
            .where(alert.c.status == "pending", outbox.c.channel == name)
            .order_by(alert.c.key)
            .limit(1)
        )
        waiting = select(func.count()).where(outbox.c.channel == name, outbox.c.alert_key.is_(None))
        with self._database.read() as connection:
            row = connection.execute(first).first()
            count = connection.scalar(waiting) or 0
        if row is None or row.attempts == 0:
            return Dependency(True, False, f"{count} events wait to be gathered")
        return Dependency(False, False, f"not delivered after {row.attempts} attempts: {row.outcome}")


def _of_positions(positions: PositionUpdates) -> Dependency:
    waiting = f"{positions.waiting} positions wait to be put on the bus"
    return Dependency(not positions.trouble, False, ": ".join(filter(None, (waiting, positions.trouble))))


def _of_source(source: Source) -> Dependency:
    if source.subscribed:
        return Dependency(True, True, "connected and subscribed")
    return Dependency(False, True, source.problem or "connecting")
