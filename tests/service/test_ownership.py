"""The lease of a database's shards: who has it may write, and who lost it may not."""

import threading

import pytest
from sqlalchemy import text

from ingest.mqtt.connection import MqttEndpoint
from service.dispatch.mqtt_channel import MqttChannel
from service.dispatch.outbox import Dispatcher
from service.errors import ShardsLost, StoreAway
from service.intake import Intake
from service.live_geofences import LiveGeofences
from service.ownership import Lease
from service.reorder import ReorderClock
from service.store.database import Database
from service.timestamps import now
from service.tracker import Tracker
from tests.postgres import Postgres
from tests.service.workshop import Workshop, box
from tests.stores import PostgresStore


@pytest.fixture
def workshop(postgres: Postgres) -> Workshop:
    made = Workshop(PostgresStore(postgres.new_database()), channels=("mqtt",))
    made.catalog.put("default", [box("A", 0, 10)])
    return made


def expire(database: Database) -> None:
    """As after the time of the lease."""
    with database.write() as connection:
        connection.execute(text("UPDATE shard SET lease_until = 0"))


def test_others_are_told_who_owns_the_shards_until_they_are_given_back_or_not_asked_for_again(
    workshop: Workshop,
) -> None:
    one = Lease.taken(workshop.database, "one", 60)
    with pytest.raises(StoreAway, match=r"worker 'one' owns 64 of 64 shards: stop it, or wait (59|60) s"):
        Lease.taken(workshop.database, "two", 60)
    one.check()

    one.give_back()
    two = Lease.taken(workshop.database, "two", 60)
    expire(workshop.database)
    three = Lease.taken(workshop.database, "three", 60)
    with pytest.raises(ShardsLost, match="64 of 64 shards were taken over from worker 'two'"):
        two.check()
    three.check()


def test_a_worker_of_the_same_name_takes_over_at_once_and_the_one_before_loses_all(
    workshop: Workshop,
) -> None:
    before = Lease.taken(workshop.database, "one", 1)
    after = Lease.taken(workshop.database, "one", 60)
    with pytest.raises(ShardsLost):
        before.check()
    with pytest.raises(ShardsLost):
        before.run()  # which extends a lease of a second after a third of it
    before.give_back()
    after.check()


def test_of_many_that_start_at_once_one_gets_them(workshop: Workshop) -> None:
    got: list[str] = []
    gate = threading.Barrier(8)

    def start(name: str) -> None:
        gate.wait()
        try:
            Lease.taken(workshop.database, name, 60)
        except StoreAway:
            return
        got.append(name)

    threads = [threading.Thread(target=start, args=(f"worker {number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 1


def test_who_lost_the_shards_stores_evaluates_and_tells_nothing(workshop: Workshop) -> None:
    lost = Lease.taken(workshop.database, "one", 60)
    workshop.ingest(workshop.fix("x", 0, 1))
    Lease.taken(workshop.database, "one", 60)
    limits, clock = Intake(600_000, None), ReorderClock(0)
    tracker = Tracker(
        workshop.database, LiveGeofences(), limits, clock, workshop.metrics, ("mqtt",), ownership=lost
    )
    with pytest.raises(ShardsLost):
        tracker.ingest([workshop.fix("x", 1, 20)], "default")
    channel = MqttChannel(MqttEndpoint("mqtt://127.0.0.1:1", client_id="x"))
    with pytest.raises(ShardsLost):
        Dispatcher(workshop.database, channel, now, workshop.metrics, lost).round(threading.Event())

    assert workshop.positions() == [("x", 0, 2, False)]
    with workshop.database.read() as connection:
        assert connection.scalar(text("SELECT count(*) FROM alert")) == 0
