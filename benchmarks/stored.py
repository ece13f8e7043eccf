"""What a position costs the tracker on PostGIS where 1, 10 and 50 million fixes are stored already.

10,000 simulated devices that fly on, 5,000 positions a message and a commit, against 1,000 geofences. The
databases take the messages in turn, so that what else the machine does is shared by all; the median of the
messages counts, and is said beside that of the smallest database.
"""

import statistics
import time
from contextlib import ExitStack, closing
from typing import NamedTuple

from benchmarks.store import BATCH, started_tracker
from benchmarks.stored_flights import Flying, stored_flights
from service.live_geofences import LiveGeofences
from service.logs import configure_logs
from service.store.database import Database
from service.store.postgres import open_postgres
from service.tracker import Tracker

WARMING, MEASURED = 6, 24
"""Messages: two are a step of all devices."""
WITHIN = 0.2


class _Measured(NamedTuple):
    database: Database
    tracker: Tracker
    flying: Flying
    seconds: list[float]


def run() -> None:
    configure_logs("console", "warning")
    with stored_flights() as urls, ExitStack() as stack:
        measured: dict[int, _Measured] = {}
        for millions, url in urls.items():
            database = stack.enter_context(closing(open_postgres(url)))
            tracker = started_tracker(database, LiveGeofences())
            measured[millions] = _Measured(database, tracker, Flying(database), [])
        for turn in range(WARMING + MEASURED):
            for each in measured.values():
                message = each.flying.message(turn, BATCH)
                began = time.perf_counter()
                each.tracker.ingest([message], "default")
                if turn >= WARMING:
                    each.seconds.append(time.perf_counter() - began)
    least = statistics.median(measured[min(measured)].seconds)
    for millions, each in measured.items():
        took = statistics.median(each.seconds)
        print(f"  {millions:3} million stored  {took / BATCH * 1e6:6.1f} us a position  {took / least:5.2f}")
    print(f"  (target: flat within {WITHIN:.0%})")
