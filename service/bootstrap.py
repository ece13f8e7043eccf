"""The composition root of `serve` and `track`: builds all that they run from settings.

What settings name, the `named_*` modules make; `bridge` and `republish` are put together by their commands.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from threading import Event
from urllib.parse import urlsplit

import structlog
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from ingest.aws.queue_source import QueueSource
from ingest.source import Source
from service.api.app import create_app
from service.api.services import ApiServices
from service.bell import Bell
from service.catalog import GeofenceCatalog
from service.dispatch.outbox import Dispatcher
from service.dispatch.position_updates import PositionUpdates
from service.errors import SettingsError, StoreAway
from service.intake import intake
from service.live_geofences import LiveGeofences
from service.metrics import Metrics
from service.named_channels import channel_faults, event_bus, named_channels
from service.named_hops import hop_faults
from service.named_source import named_source
from service.ownership import Lease, OwnFolder
from service.pipeline import Pipeline
from service.readiness import Readiness
from service.reorder import ReorderClock
from service.retention import Retention
from service.settings import Settings
from service.store.database import Database
from service.store.folder import OTHER_FOLDER, hold
from service.store.migration import prepare
from service.store.partitions import DaysOfHistory
from service.store.postgres import check_url, open_postgres
from service.store.shards import take_over_all
from service.store.sqlite import open_sqlite
from service.timestamps import now
from service.tracker import Tracker
from service.workers import Worker, Workers

log = structlog.get_logger("overfly")


@dataclass(frozen=True, slots=True)
class Service:
    """Everything that `overfly serve` runs."""

    app: FastAPI
    workers: Workers
    close: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Tracking:
    """Everything that `overfly track` runs: tracker and dispatch, which `serve` puts the API before."""

    database: Database
    tracker: Tracker
    catalog: GeofenceCatalog
    dependencies: Readiness
    metrics: CollectorRegistry
    workers: Workers
    ownership: OwnFolder | Lease

    def close(self) -> None:
        """When the workers have ended: another process may go on at once."""
        try:
            if isinstance(self.ownership, Lease):
                self.ownership.give_back()
        except StoreAway as error:
            log.warning("lease.not_given_back", error=str(error))
        self.database.close()


def build_service(settings: Settings, served_at: str) -> Service:
    """served_at: the URL at which the API is served. Raises SettingsError, StoreAway, SchemaNotReady."""
    tracking = _tracking(settings, named_source(settings), settings.public_url or served_at)
    api = ApiServices(
        database=tracking.database,
        tracker=tracking.tracker,
        catalog=tracking.catalog,
        dependencies=tracking.dependencies,
        metrics=tracking.metrics,
        version=version("overfly"),
        default_tracker=settings.tracker,
        hosts=_hosts(settings.public_url),
    )
    return Service(create_app(api), tracking.workers, tracking.close)


def build_tracking(settings: Settings) -> Tracking:
    """The same without the API. Raises SettingsError, also where nothing is to be read, and as above."""
    source = named_source(settings)
    if source is None:
        raise SettingsError(
            "`overfly track` has nothing to read: set OVERFLY_MQTT_URL for a broker, or OVERFLY_QUEUE_URL"
        )
    return _tracking(settings, source, settings.public_url or "")


def _tracking(settings: Settings, source: Source | None, public_url: str) -> Tracking:
    channels, bus = named_channels(settings, public_url), event_bus(settings)
    outbox_names = [channel.gathering.outbox_name for channel in channels]
    database = open_database(settings)
    prepare(database)
    ownership = _ownership(settings, database)
    metrics = Metrics()
    if isinstance(source, QueueSource):
        metrics.show_queue(lambda: source.depth, lambda: source.held_seconds)
    live = LiveGeofences(unknown_altitude_inside=settings.unknown_altitude == "inside")
    catalog = GeofenceCatalog(database, live, fed=settings.tracker)
    catalog.ensure_fed()
    events_committed, fixes_posted = Bell(), Bell()
    tracker = Tracker(
        database,
        live,
        intake(settings.max_ahead, settings.retention_days),
        ReorderClock(settings.reorder_seconds),
        metrics,
        channels=outbox_names,
        telling_positions=bus is not None,
        told=events_committed.ring,
        stored=fixes_posted.ring,
        ownership=ownership,
        history=None if settings.database_url is None else DaysOfHistory(database, settings.retention_days),
    )
    pipeline = Pipeline(tracker, settings.tracker, source, metrics)
    fixes_posted.listen(pipeline.wake)
    positions = None if bus is None else PositionUpdates(database, bus, metrics, ownership=ownership)
    dispatchers: dict[str, Dispatcher | PositionUpdates] = {
        each.gathering.outbox_name: Dispatcher(database, each, now, metrics, ownership) for each in channels
    }
    if positions is not None:
        dispatchers["position events"] = positions
    for dispatcher in dispatchers.values():
        events_committed.listen(dispatcher.wake)
    retention = Retention(database, settings.retention_days, outbox_names)
    return Tracking(
        database,
        tracker,
        catalog,
        Readiness(database, source, outbox_names, positions),
        metrics.registry,
        Workers(
            [
                Worker("pipeline", pipeline.run, pipeline.stop),
                *(_dispatch_worker(name, each) for name, each in dispatchers.items()),
                Worker("retention", retention.run, retention.stop),
                *([Worker("lease", ownership.run, ownership.stop)] if isinstance(ownership, Lease) else []),
            ]
        ),
        ownership,
    )


def _ownership(settings: Settings, database: Database) -> OwnFolder | Lease:
    """Raises StoreAway where another process evaluates what is in the database."""
    if settings.database_url is not None:
        return Lease.taken(database, settings.worker_id, settings.lease_seconds)
    with database.write() as connection:
        take_over_all(connection, settings.worker_id)
    return OwnFolder()


@contextmanager
def sole_use(settings: Settings, command: str, otherwise: str = OTHER_FOLDER) -> Iterator[None]:
    """SQLite's folder belongs to one process at a time; PostgreSQL is held by leases. Raises StoreAway."""
    if settings.database_url is not None:
        yield
        return
    with hold(settings.data_dir, command, otherwise):
        yield


def open_database(settings: Settings) -> Database:
    """Raises SettingsError, StoreAway."""
    if settings.database_url is None:
        return open_sqlite(settings.data_dir)
    return open_postgres(settings.database_url.get_secret_value())


def start_faults(settings: Settings) -> list[str]:
    """Each reason for which `serve`, `track`, `bridge` or `republish` would refuse what is set for them;
    opens and connects nothing.
    """
    return list(dict.fromkeys(_refusals(settings)))


def _refusals(settings: Settings) -> Iterator[str]:
    try:
        if settings.database_url is not None:
            check_url(settings.database_url.get_secret_value())
    except SettingsError as error:
        yield str(error)
    try:
        named_source(settings)
    except SettingsError as error:
        yield str(error)
    yield from hop_faults(settings)
    yield from channel_faults(settings)


def _dispatch_worker(name: str, dispatcher: Dispatcher | PositionUpdates) -> Worker:
    stop = Event()

    def end() -> None:
        stop.set()
        dispatcher.wake()

    return Worker(f"dispatch {name}", lambda: dispatcher.run(stop), end)


def _hosts(public_url: str | None) -> tuple[str, ...]:
    """The name under which people reach the API, besides loopback's own."""
    host = urlsplit(public_url).hostname if public_url else None
    return (host,) if host else ()
