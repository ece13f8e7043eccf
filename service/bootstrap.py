"""The composition root of `serve`, `track` and `dispatch`: builds all that they run from settings.

What settings name, the `named_*` modules make; `bridge` and `republish` are put together by their commands.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
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
from service.errors import OverflyError, SettingsError, StoreAway
from service.intake import intake
from service.live_geofences import LiveGeofences
from service.metrics import Metrics
from service.named_access import named_access
from service.named_channels import channel_faults, event_bus, named_channels
from service.named_database import database_weakness, named_postgres
from service.named_home import named_home
from service.named_hops import hop_faults
from service.named_replica import check_read_url, named_replica
from service.named_source import named_source
from service.ownership.duties import Duty, OwnDuty
from service.ownership.membership import Membership
from service.ownership.owned_shards import FixedShards, Shards
from service.ownership.sharing import sharing_of
from service.pipeline import Pipeline
from service.read_replica import ReadReplica
from service.readiness import Dependency, Readiness
from service.reorder import ReorderClock
from service.retention import Retention
from service.settings import Settings
from service.store.database import Database
from service.store.folder import OTHER_FOLDER, hold
from service.store.partitions import DaysOfHistory
from service.store.schema_state import prepare
from service.store.shards import take_over_all
from service.store.sqlite import open_sqlite
from service.timestamps import now
from service.tracker import Tracker
from service.workers import Worker, Workers

POSITION_EVENTS = "position events"
RETENTION = "retention"
"""Duties beside those that are named after channels."""

log = structlog.get_logger("overfly")


@dataclass(frozen=True, slots=True)
class Service:
    """Everything that `overfly serve` runs."""

    app: FastAPI
    workers: Workers
    close: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Running:
    """What runs in a process without the API."""

    database: Database
    tracker: Tracker
    catalog: GeofenceCatalog
    dependencies: Readiness
    metrics: CollectorRegistry
    workers: Workers
    membership: Membership | None

    def close(self) -> None:
        """When the workers have ended: another process may go on at once."""
        try:
            if self.membership is not None:
                self.membership.give_back()
        except StoreAway as error:
            log.warning("lease.not_given_back", error=str(error))
        self.database.close()


@dataclass(frozen=True, slots=True)
class Parts:
    """What a process does beside serving the API."""

    tracks: bool
    dispatches: bool


def build_service(
    settings: Settings, served_at: str, *, api_only: bool = False, at_home: bool = True
) -> Service:
    """served_at: the URL at which the API is served; api_only: others track and dispatch; at_home: only this
    machine reaches it.

    Raises SettingsError, StoreAway, SchemaNotReady.
    """
    if api_only:
        _need_postgres(settings, "`overfly serve --api-only` leaves tracking to other processes")
    parts = Parts(tracks=not api_only, dispatches=not api_only)
    source = named_source(settings) if parts.tracks else None
    running = _running(settings, parts, source, settings.public_url or served_at)
    try:
        replica = named_replica(settings, running.database)
        access = named_access(settings, running.database, at_home=at_home)
    except OverflyError:
        running.close()
        raise
    api = ApiServices(
        database=running.database,
        tracker=running.tracker,
        catalog=running.catalog,
        dependencies=_dependencies(running, replica),
        metrics=running.metrics,
        version=version("overfly"),
        default_tracker=settings.tracker,
        topics=settings.topics,
        hosts=_hosts(settings.public_url) if at_home else None,
        replica=replica,
        home=named_home(settings),
        limits=settings.location_limits,
        access=access,
    )
    workers = running.workers.joined_by(Worker("audit", access.audit.run, access.audit.stop))
    if replica is None:
        return Service(create_app(api), workers, running.close)

    def close() -> None:
        replica.close()
        running.close()

    workers = workers.joined_by(Worker("read replica", replica.run, replica.stop))
    return Service(create_app(api), workers, close)


def build_tracking(settings: Settings) -> Running:
    """The tracker, on SQLite with dispatch. Raises SettingsError, also where nothing is to be read, and as
    above."""
    source = named_source(settings)
    if source is None:
        raise SettingsError(
            "`overfly track` has nothing to read: set OVERFLY_MQTT_URL for a broker, or OVERFLY_QUEUE_URL"
        )
    parts = Parts(tracks=True, dispatches=settings.database_url is None)
    return _running(settings, parts, source, settings.public_url or "")


def build_dispatch(settings: Settings) -> Running:
    """Dispatch alone. Raises SettingsError, also where nobody is to be told, and as above."""
    _need_postgres(settings, "`overfly dispatch` delivers what other processes track")
    running = _running(settings, Parts(tracks=False, dispatches=True), None, settings.public_url or "")
    if len(running.workers.names) < 2:  # the heartbeat alone
        running.close()
        raise SettingsError(
            "`overfly dispatch` has nobody to tell: set a channel, such as OVERFLY_EVENT_BUS, "
            "OVERFLY_ALERT_EMAIL with OVERFLY_SMTP_URL, or OVERFLY_EVENTS_TOPIC"
        )
    return running


def _need_postgres(settings: Settings, what: str) -> None:
    if settings.database_url is None:
        raise SettingsError(
            f"{what}, which needs a database that several can use: set "
            "OVERFLY_DATABASE_URL=postgresql+psycopg://..., or run `overfly serve`, which does all in one "
            "process"
        )


def _running(settings: Settings, parts: Parts, source: Source | None, public_url: str) -> Running:
    channels, bus = named_channels(settings, public_url), event_bus(settings)
    outbox_names = [channel.gathering.outbox_name for channel in channels]
    database = open_database(settings)
    weakness = database_weakness(settings)
    if weakness is not None:
        log.warning("database.weak_tls", problem=weakness)
    prepare(database)
    membership = _membership(settings, parts, database, source, [*outbox_names, POSITION_EVENTS])
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
        shards=_shards(parts, membership),
        history=None if settings.database_url is None else DaysOfHistory(database, settings.retention_days),
    )
    workers = [] if membership is None else [Worker("lease", membership.run, membership.stop)]
    pipeline = None
    if parts.tracks:
        pipeline = Pipeline(tracker, settings.tracker, source, metrics)
        fixes_posted.listen(pipeline.wake)
        retention = Retention(
            database,
            settings.retention_days,
            outbox_names,
            _duty(membership, RETENTION),
            audit_days=settings.audit_days,
        )
        workers.append(Worker("pipeline", pipeline.run, pipeline.stop))
        workers.append(Worker("retention", retention.run, retention.stop))
    positions = None
    if parts.dispatches:
        dispatchers: dict[str, Dispatcher | PositionUpdates] = {}
        for channel in channels:
            name = channel.gathering.outbox_name
            dispatchers[name] = Dispatcher(database, channel, now, metrics, _duty(membership, name))
        if bus is not None:
            positions = PositionUpdates(database, bus, metrics, duty=_duty(membership, POSITION_EVENTS))
            dispatchers[POSITION_EVENTS] = positions
        for dispatcher in dispatchers.values():
            events_committed.listen(dispatcher.wake)
        workers += [_dispatch_worker(name, each) for name, each in dispatchers.items()]
    elif parts.tracks and outbox_names:
        log.info("track.only", channels=outbox_names, next="`overfly dispatch` or `overfly serve` tells them")
    dependencies = Readiness(
        database,
        source,
        outbox_names,
        positions,
        lambda: None if pipeline is None else pipeline.trouble,
        shared=settings.database_url is not None,
    )
    return Running(database, tracker, catalog, dependencies, metrics.registry, Workers(workers), membership)


def _membership(
    settings: Settings, parts: Parts, database: Database, source: Source | None, channels: Sequence[str]
) -> Membership | None:
    """None where nobody else can be there. Raises StoreAway where another worker has what is needed here."""
    if settings.database_url is None:
        with database.write() as connection:
            take_over_all(connection, settings.worker_id)
        return None
    duties = [*(channels if parts.dispatches else ()), *((RETENTION,) if parts.tracks else ())]
    if not duties:
        return None
    sharing = sharing_of(source, settings.reorder_seconds) if parts.tracks else None
    reads = _reads(settings, source) if parts.tracks else None
    name = settings.worker_id if parts.tracks else f"{settings.worker_id} (dispatch)"
    return Membership(database, name, settings.lease_seconds, duties, sharing, reads)


def _shards(parts: Parts, membership: Membership | None) -> Shards:
    if not parts.tracks:
        return FixedShards(frozenset())
    if membership is None or membership.shards is None:
        return FixedShards()
    return membership.shards


def _duty(membership: Membership | None, name: str) -> Duty:
    return OwnDuty() if membership is None else membership.duties.of(name)


def _reads(settings: Settings, source: Source | None) -> str:
    """As one worker tells it of another."""
    if source is None:
        return "nothing but what is posted"
    if isinstance(source, QueueSource):
        return f"the queue {source.url}"
    return f"the topics {', '.join(settings.topics)} of a broker"


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
    return named_postgres(settings.database_url.get_secret_value(), settings)


def start_faults(settings: Settings) -> list[str]:
    """Each reason for which `serve`, `track`, `bridge` or `republish` would refuse what is set for them;
    opens and connects nothing.
    """
    return list(dict.fromkeys(_refusals(settings)))


def _refusals(settings: Settings) -> Iterator[str]:
    try:
        if settings.database_url is not None:
            named_postgres(settings.database_url.get_secret_value(), settings).close()
        check_read_url(settings)
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


def _dependencies(running: Running, replica: ReadReplica | None) -> Callable[[], Mapping[str, Dependency]]:
    if replica is None:
        return running.dependencies
    return lambda: {**running.dependencies(), "read replica": replica.dependency()}


def _hosts(public_url: str | None) -> tuple[str, ...]:
    """The name under which people reach the API, besides loopback's own."""
    host = urlsplit(public_url).hostname if public_url else None
    return (host,) if host else ()
