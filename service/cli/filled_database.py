"""What `overfly import amazon-location` is put together of: a tracker that tells nobody, alone at its
database."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from service.bootstrap import open_database, sole_use
from service.catalog import GeofenceCatalog
from service.intake import intake
from service.live_geofences import LiveGeofences
from service.metrics import Metrics
from service.moving.amazon_location.filled_database import FilledDatabase
from service.moving.amazon_location.summary import Summary
from service.ownership.owned_shards import FixedShards, OwnedShards, Shards
from service.ownership.sharing import Sharing
from service.reorder import ReorderClock
from service.settings import Settings
from service.store.database import Database
from service.store.leases import extend
from service.store.partitions import DaysOfHistory
from service.store.schema import shard
from service.store.schema_state import prepare
from service.store.shards import take_over_all
from service.tracker import Tracker

OWNER: Final = "overfly import"
LEASE_SECONDS: Final = 300
"""How long others wait for what an import had that was cut off; it is made longer in half that time."""


@contextmanager
def filled_database(settings: Settings, summary: Summary) -> Iterator[FilledDatabase]:
    """Raises StoreAway, also where others use the database; SettingsError, SchemaNotReady."""
    with sole_use(settings, "import"):
        database = open_database(settings)
        try:
            prepare(database)
            with _alone(settings, database) as (shards, stay):
                live = LiveGeofences(unknown_altitude_inside=settings.unknown_altitude == "inside")
                catalog = GeofenceCatalog(database, live, fed=settings.tracker)
                catalog.ensure_fed()
                days = settings.retention_days
                tracker = Tracker(
                    database,
                    live,
                    intake(settings.max_ahead, days),
                    ReorderClock(0),
                    Metrics(),
                    shards=shards,
                    history=None if settings.database_url is None else DaysOfHistory(database, days),
                )
                yield FilledDatabase(database, catalog, tracker, stay, summary)
        finally:
            database.close()


@contextmanager
def _alone(settings: Settings, database: Database) -> Iterator[tuple[Shards, Callable[[], object]]]:
    """All shards, and what keeps them."""
    if settings.database_url is None:
        with database.write() as connection:
            take_over_all(connection, settings.worker_id)
        yield FixedShards(), lambda: None
        return
    shards = OwnedShards(database, OWNER, lambda _: True, LEASE_SECONDS * 1000, Sharing.WHOLE)
    shards.start()
    since = time.monotonic()

    def stay() -> None:
        nonlocal since
        if time.monotonic() - since > LEASE_SECONDS / 2:
            with database.write() as connection:
                extend(connection, shard, shards.epochs, LEASE_SECONDS * 1000)
            since = time.monotonic()

    try:
        yield shards, stay
    finally:
        shards.give_back(shards.owned)
