"""The law of several workers: whoever ingests, takes over, dies or erases, what is stored and told is what
one tracker makes of the same."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from service.catalog import GeofenceCatalog
from service.intake import Intake
from service.live_geofences import LiveGeofences
from service.ownership.membership import Membership
from service.ownership.sharing import Sharing
from service.reorder import ReorderClock
from service.store.schema import device, inside
from service.tracker import Tracker
from tests.postgres import Postgres
from tests.service.workshop import Workshop, box
from tests.stores import PostgresStore, SqliteStore

WORKERS = range(3)
DEVICES = ("a", "b", "c", "d", "e", "f")

workers = st.sampled_from(WORKERS)
fixes = st.lists(
    st.tuples(st.sampled_from(DEVICES), st.integers(0, 40), st.sampled_from([-5, 2, 7, 12, 20])),
    min_size=1,
    max_size=5,
)
steps = st.one_of(
    st.tuples(st.just("ingest"), workers, fixes),
    st.tuples(st.just("ingest"), workers, fixes),
    st.tuples(st.just("post"), workers, fixes),
    st.tuples(st.just("die"), workers, st.none()),
    st.tuples(st.just("forget"), workers, st.sampled_from(DEVICES)),
    st.tuples(st.just("put"), workers, st.sampled_from([(0, 10), (5, 15), (-10, 0)])),
)


class OneOfMany:
    """A worker as the composition root makes it; `seconds` is what its clock shows."""

    def __init__(self, workshop: Workshop, number: int, sharing: Sharing) -> None:
        self._workshop, self._number, self._sharing = workshop, number, sharing
        self.start()

    def start(self) -> None:
        """Also again, as after a kill: nothing of its memory is left."""
        database = self._workshop.database
        self.member = Membership(database, f"worker {self._number}", 600, [], self._sharing, "the same")
        live = LiveGeofences()
        self.catalog = GeofenceCatalog(database, live)
        clock = ReorderClock(0)
        metrics, limits = self._workshop.metrics, Intake(600_000, None)
        self.tracker = Tracker(database, live, limits, clock, metrics, shards=self.member.shards)
        self.tracker.restart_window()
        self.tracker.run_window(True)

    def look(self) -> None:
        """What its thread does between two batches."""
        assert self.member.shards is not None
        self.member.shards.balance()
        self.tracker.notice_stored()
        self.tracker.evaluate_due()


class Many:
    """Three of them at one PostgreSQL."""

    def __init__(self, workshop: Workshop, sharing: Sharing) -> None:
        self.workshop = workshop
        self.workers = [OneOfMany(workshop, number, sharing) for number in WORKERS]
        self.settle()

    def settle(self) -> None:
        """Whoever has something to evaluate does; shares are as they should be after two looks."""
        for _ in range(2):
            for worker in self.workers:
                worker.look()


def state(workshop: Workshop) -> dict[str, Any]:
    """What is stored; keys of rows are left out."""
    latest = select(device.c.device_id, device.c.sample_time, device.c.longitude, device.c.watermark)
    within = select(device.c.device_id).join(inside, inside.c.device_key == device.c.key)
    with workshop.database.read() as connection:
        return {
            "events": sorted(workshop.events()),
            "positions": [(name, time, late) for name, time, _, late in workshop.positions()],
            "rejects": sorted(workshop.reject_reasons()),
            "latest": [
                (row[0], row[1] - workshop.began, row[2], row[3] and row[3] - workshop.began)
                for row in connection.execute(latest.order_by(device.c.device_id))
            ],
            "inside": sorted(connection.scalars(within)),
        }


@pytest.mark.parametrize(
    "examples", [5, pytest.param(200, marks=[pytest.mark.soak, pytest.mark.timeout(1200)])]
)
@pytest.mark.parametrize("sharing", [Sharing.LEASED, Sharing.RECEIVED])
def test_many_workers_store_and_tell_what_one_does(
    sharing: Sharing,
    examples: int,
    postgres: Postgres,
    migrated: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    @given(st.lists(steps, min_size=1, max_size=12))
    @settings(
        max_examples=examples,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    def holds(taken: Sequence[tuple[str, int, Any]]) -> None:
        alone = Workshop(SqliteStore.copied(migrated, tmp_path_factory.mktemp("alone")))
        shared = Workshop(PostgresStore(postgres.new_database()))
        many = Many(shared, sharing)
        shared.began = alone.began
        for workshop in (alone, shared):
            workshop.catalog.put("default", [box("A", 0, 10)])
        for what, number, given_ in taken:
            worker = many.workers[number]
            if what == "die":
                worker.start()
            elif what == "forget":
                assert alone.tracker.forget("default", given_) == worker.tracker.forget("default", given_)
            elif what == "put":
                alone.catalog.put("default", [box("A", *given_)])
                worker.catalog.put("default", [box("A", *given_)])
            elif what == "post":
                for fix in given_:
                    alone.tracker.post(alone.fix(*fix).payload, "default")
                    alone.tracker.evaluate_due()
                    worker.tracker.post(shared.fix(*fix).payload, "default")
                    many.settle()
            else:
                for fix in given_:
                    alone.ingest(alone.fix(*fix))
                    worker.tracker.ingest([shared.fix(*fix)], "default")
                    many.settle()
            many.settle()
            assert state(shared) == state(alone)
        alone.database.close()
        shared.database.close()

    holds()
