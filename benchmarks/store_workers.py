"""Trackers at one PostGIS, a process each, that share real flights by shard: two beside one.

Two need the cores for themselves and for the database's processes; the machine's are told.
"""

import multiprocessing
import os
import time
from contextlib import closing
from multiprocessing.synchronize import Barrier

from geofence.geofence import Geofence
from ingest.messages import Message
from ingest.topics import shard_of
from service.catalog import GeofenceCatalog
from service.intake import Intake
from service.live_geofences import LiveGeofences
from service.logs import configure_logs
from service.metrics import Metrics
from service.ownership.membership import Membership
from service.ownership.sharing import Sharing
from service.reorder import ReorderClock
from service.store.partitions import DaysOfHistory
from service.store.postgres import open_postgres
from service.tracker import Tracker
from tests.postgres import Postgres
from tests.stores import PostgresStore

SPAWN = multiprocessing.get_context("spawn")


def seconds_of(server: Postgres, messages: list[Message], geofences: list[Geofence], workers: int) -> float:
    """From when all have started until the last has committed all of its share."""
    store = PostgresStore(server.new_database())
    with closing(store.open()) as database:
        GeofenceCatalog(database, LiveGeofences()).put("default", geofences)
    ready = SPAWN.Barrier(workers + 1)
    shares = [_share(messages, part, workers) for part in range(workers)]
    processes = [
        SPAWN.Process(target=_work, args=(store.name, f"bench {part}", share, ready))
        for part, share in enumerate(shares)
    ]
    for process in processes:
        process.start()
    ready.wait()
    began = time.perf_counter()
    for process in processes:
        process.join()
    took = time.perf_counter() - began
    assert all(process.exitcode == 0 for process in processes)
    return took


def say(alone: float, together: float) -> None:
    """Prints what two are beside one."""
    print(f"  two trackers       {alone / together:5.2f} of one, on {os.cpu_count()} cores (wanted: 1.5)")


def _share(messages: list[Message], part: int, workers: int) -> list[bytes]:
    """The lines of the shards that are this one's, in as many messages."""
    lines = [line for message in messages for line in message.payload.splitlines(keepends=True)]
    mine = [line for line in lines if shard_of(_device(line)) % workers == part]
    size = 5_000
    return [b"".join(mine[at : at + size]) for at in range(0, len(mine), size)]


def _device(line: bytes) -> str:
    return line.split(b'"deviceId":', 1)[1].split(b'"', 2)[1].decode()


def _work(url: str, name: str, payloads: list[bytes], ready: Barrier) -> None:
    configure_logs("console", "error")
    database = open_postgres(url)
    shards = Membership(database, name, 600, [], Sharing.RECEIVED, "bench").shards
    tracker = Tracker(
        database,
        LiveGeofences(),
        Intake(600_000, None),
        ReorderClock(0),
        Metrics(),
        shards=shards,
        history=DaysOfHistory(database, None),
    )
    tracker.run_window(True)
    tracker.ingest([], "default")
    ready.wait()
    for payload in payloads:
        tracker.ingest([Message(payload)], "default")
    database.close()
