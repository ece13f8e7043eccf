"""All checks of a database, in one state of it, while others work with it."""

from collections.abc import Callable

import numpy as np
from sqlalchemy import select

from service.checking.comparison import Comparison
from service.checking.devices import DeviceChecks
from service.checking.evaluation import Reevaluation
from service.checking.findings import Expiry, Findings
from service.checking.history import FIXES_AT_ONCE, history_parts
from service.checking.past_geofences import kept_changes
from service.checking.references import check_references
from service.checking.schema import check_schema
from service.store.database import Database
from service.store.expiry import expired_before
from service.store.reading.trackers import tracker_names
from service.store.schema import revision, tombstone
from service.store.snapshot import snapshot


def check_database(
    database: Database,
    findings: Findings,
    progress: Callable[[int], object] = lambda _: None,
    *,
    unknown_altitude_inside: bool = False,
    fixes_at_once: int = FIXES_AT_ONCE,
) -> None:
    """Adds all that is found. Raises StoreAway.

    `progress` is told how many more positions are done. `unknown_altitude_inside`: whether a fix without
    altitude was within every band of altitude. `fixes_at_once`: how many are in memory.
    """
    with snapshot(database) as state:
        with state.read() as connection:
            check_schema(connection, findings)
            check_references(connection, findings)
            trackers = tracker_names(connection)
            revisions = np.array(sorted(connection.scalars(select(revision.c.revision))), np.int64)
            forgotten = {
                (row.tracker_key, row.device_id): row.forgotten_time
                for row in connection.execute(select(tombstone))
            }
            kept = kept_changes(connection, findings)
        expiry = Expiry()
        devices = DeviceChecks(findings, trackers, revisions, forgotten, expiry)
        again = Reevaluation(
            findings, kept, trackers, expiry, unknown_altitude_inside=unknown_altitude_inside
        )
        comparison = Comparison(state, findings, kept, trackers, expiry)
        for part in history_parts(state, fixes_at_once):
            # not of that state: a day that is dropped is gone from it, too
            with database.read() as connection:
                expiry.before = expired_before(connection)
            devices.take(part)
            told = again.take(part)
            if told is not None:
                comparison.compare(told)
            progress(len(part.fixes))
