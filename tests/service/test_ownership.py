"""Workers at one database: who has what, and that who lost it writes nothing."""

import threading
import time
from collections import Counter

import psycopg
import pytest
from sqlalchemy import text

from ingest.mqtt.connection import MqttEndpoint
from service.dispatch.mqtt_channel import MqttChannel
from service.dispatch.outbox import Dispatcher
from service.doctor.workers import workers_finding
from service.errors import DutyLost, NameTaken, ShardsLost, StoreAway
from service.intake import Intake
from service.live_geofences import LiveGeofences
from service.ownership.membership import Membership
from service.ownership.owned_shards import ALL_SHARDS, FixedShards, OwnedShards
from service.ownership.sharing import Sharing
from service.reorder import ReorderClock
from service.shares import told_shares
from service.store import leases
from service.store.shards import hold_commits
from service.store.workers import live_workers, stay
from service.timestamps import now
from service.tracker import Tracker
from tests.postgres import Postgres, session
from tests.service.workshop import Workshop, box
from tests.stores import PostgresStore

TOPICS = "the topics overfly/positions/+ of a broker"


@pytest.fixture
def workshop(postgres: Postgres) -> Workshop:
    made = Workshop(PostgresStore(postgres.new_database()), channels=("mqtt",))
    made.catalog.put("default", [box("A", 0, 10)])
    return made


def enter(
    workshop: Workshop, name: str, sharing: Sharing = Sharing.LEASED, seconds: float = 60, reads: str = TOPICS
) -> Membership:
    return Membership(workshop.database, name, seconds, ["mqtt"], sharing, reads)


def shards(member: Membership) -> OwnedShards:
    assert member.shards is not None
    return member.shards


def expire(workshop: Workshop, name: str) -> None:
    """As after the time of a worker's leases."""
    with workshop.database.write() as connection:
        connection.execute(text("UPDATE shard SET lease_until = 0 WHERE owner = :name"), {"name": name})
        connection.execute(text("UPDATE duty SET lease_until = 0 WHERE owner = :name"), {"name": name})
        connection.execute(text("UPDATE worker SET lease_until = 0 WHERE name = :name"), {"name": name})


def balanced(*members: Membership) -> list[int]:
    """How many shards each has, after each has looked twice; none belongs to two, and none to nobody."""
    for member in [*members, *members]:
        shards(member).balance()
    everywhere = Counter(each for member in members for each in shards(member).owned)
    assert everywhere == Counter(ALL_SHARDS)
    return [len(shards(member).owned) for member in members]


def tracker_of(workshop: Workshop, member: Membership | None) -> Tracker:
    """None: of a process that has no shards, and only takes what is posted."""
    limits, clock = Intake(600_000, None), ReorderClock(0)
    owned = FixedShards(frozenset()) if member is None else member.shards
    return Tracker(
        workshop.database, LiveGeofences(), limits, clock, workshop.metrics, ("mqtt",), shards=owned
    )


def test_shards_move_as_workers_come_and_go(workshop: Workshop) -> None:
    one = enter(workshop, "one")
    assert balanced(one) == [64]
    two = enter(workshop, "two")
    assert shards(two).owned == frozenset()
    assert balanced(one, two) == [32, 32]
    three = enter(workshop, "three")
    assert sorted(balanced(one, two, three)) == [21, 21, 22]
    two.give_back()
    assert balanced(one, three) == [32, 32]


def test_shards_that_were_lost_unnoticed_are_found_by_those_who_look(workshop: Workshop) -> None:
    """As of a worker that was paused, or of all while the database was away; nothing comes meanwhile."""
    one, two = enter(workshop, "one"), enter(workshop, "two")
    balanced(one, two)
    expire(workshop, "one")
    shards(two).balance()
    assert len(shards(two).owned) == 64
    with workshop.database.write() as connection:
        assert stay(connection, "one", one._incarnation, TOPICS, 60_000)  # awake again
    for member in (two, one, two, one):
        shards(member).balance()
    assert balanced(one, two) == [32, 32]


def test_a_shard_that_comes_back_is_read_anew_though_its_loss_was_not_noticed(workshop: Workshop) -> None:
    one = enter(workshop, "one")
    first = tracker_of(workshop, one)
    first.ingest([workshop.fix("x", 0, 1)], "default")
    expire(workshop, "one")
    two = enter(workshop, "two")
    shards(two).balance()
    tracker_of(workshop, two).ingest([workshop.fix("x", 1, 20)], "default")
    two.give_back()
    for _ in range(2):
        shards(one).balance()
    first.ingest([workshop.fix("x", 2, 1)], "default")
    assert [kind for kind, *_ in workshop.events()] == ["ENTER", "EXIT", "ENTER"]


def test_who_was_long_in_taking_takes_nothing_under_a_name_that_another_has_now(workshop: Workshop) -> None:
    one = enter(workshop, "one")
    again = enter(workshop, "one")
    with pytest.raises(NameTaken):
        shards(one).claim({1})
    with pytest.raises(NameTaken):
        shards(one).balance()
    assert shards(again).owned == ALL_SHARDS


def test_while_a_shard_is_held_the_leases_of_the_others_are_made_longer(workshop: Workshop) -> None:
    one = enter(workshop, "one", Sharing.WHOLE, seconds=3, reads="plain")
    with workshop.database.write() as connection:
        connection.execute(text("UPDATE shard SET lease_until = 0 WHERE shard <> 7"))
    with workshop.database.write() as connection:
        hold_commits(connection, {7})
        began = time.monotonic()
        one._beat()
        assert time.monotonic() - began < 2
    with workshop.database.read() as connection:
        assert told_shares(connection)[0]


def test_who_evaluates_is_said_in_a_sentence(workshop: Workshop) -> None:
    def told() -> tuple[bool, str]:
        with workshop.database.read() as connection:
            return told_shares(connection)

    assert told()[0] is False
    assert "nobody evaluates" in told()[1]
    one, two = enter(workshop, "one"), enter(workshop, "two")
    balanced(one, two)
    assert told() == (True, "all 64 shards are evaluated; workers: one 32, two 32")
    expire(workshop, "two")
    assert told() == (False, "32 of 64 shards are nobody's for the moment; workers: one 32")
    finding = workers_finding(workshop.database)
    assert (finding.subject, finding.verdict) == ("workers", "warning")


def test_a_dead_workers_shards_are_free_after_its_lease_and_not_before(workshop: Workshop) -> None:
    one, two = enter(workshop, "one"), enter(workshop, "two")
    balanced(one, two)
    shards(one).balance()
    assert len(shards(one).owned) == 32
    expire(workshop, "two")
    assert balanced(one) == [64]


def test_a_restarted_worker_has_its_own_shards_at_once_and_the_one_before_ends(workshop: Workshop) -> None:
    one, two = enter(workshop, "one", seconds=6), enter(workshop, "two")
    balanced(one, two)
    before = shards(one).owned
    again = enter(workshop, "one")
    assert shards(again).owned == before
    with workshop.database.write() as connection, pytest.raises(ShardsLost):
        shards(one).confirm(connection)
    with pytest.raises(ShardsLost, match="another process runs as worker 'one'"):
        one.run()
    with pytest.raises(ShardsLost, match="set OVERFLY_WORKER_ID"):
        shards(one).balance()
    one.give_back()
    assert balanced(again, two) == [32, 32]


def test_a_worker_that_was_thought_dead_is_there_again(workshop: Workshop) -> None:
    one = enter(workshop, "one", seconds=2)
    with workshop.database.write() as connection:
        connection.execute(text("DELETE FROM worker"))
    running = threading.Thread(target=one.run)
    running.start()
    one.stop()
    running.join()
    with workshop.database.read() as connection:
        assert [each.name for each in live_workers(connection)] == ["one"]


def test_where_one_reads_all_a_second_is_told_who_it_is(workshop: Workshop) -> None:
    one = enter(workshop, "one", Sharing.WHOLE, reads="plain")
    with pytest.raises(StoreAway, match=r"worker 'one' owns 64 of 64 shards.*wait (59|60) s"):
        enter(workshop, "two", Sharing.WHOLE, reads="plain")
    one.give_back()
    two = enter(workshop, "two", Sharing.WHOLE, reads="plain")
    expire(workshop, "two")
    enter(workshop, "three", Sharing.WHOLE, reads="plain")
    for _ in range(2):
        with workshop.database.write() as connection, pytest.raises(ShardsLost, match="64 of 64"):
            shards(two).confirm(connection)


def test_workers_that_read_something_else_are_refused(workshop: Workshop) -> None:
    enter(workshop, "one")
    with pytest.raises(StoreAway, match="worker 'one' at this database reads the topics overfly"):
        enter(workshop, "two", reads="the queue https://sqs/positions")
    Membership(workshop.database, "one (dispatch)", 60, ["mqtt"])  # which reads nothing


def test_a_restarted_worker_takes_all_that_it_had_and_gives_back_what_is_beyond_its_share(
    workshop: Workshop,
) -> None:
    enter(workshop, "one")
    enter(workshop, "two")
    again = enter(workshop, "one")
    assert shards(again).owned == ALL_SHARDS
    shards(again).balance()
    assert len(shards(again).owned) == 32


def test_of_many_that_start_at_once_each_shard_has_one(workshop: Workshop) -> None:
    gate = threading.Barrier(8)
    made: list[Membership] = []

    def start(name: str) -> None:
        gate.wait()
        made.append(enter(workshop, name))

    threads = [threading.Thread(target=start, args=(f"worker {number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert balanced(*made) == [8] * 8


def test_who_lost_shards_stores_evaluates_and_tells_nothing_of_them(workshop: Workshop) -> None:
    lost = enter(workshop, "one")
    tracker = tracker_of(workshop, lost)
    tracker.ingest([workshop.fix("x", 0, 1)], "default")
    expire(workshop, "one")
    other = enter(workshop, "two")
    assert balanced(other) == [64]
    with pytest.raises(ShardsLost):
        tracker.ingest([workshop.fix("x", 1, 20)], "default")
    channel = MqttChannel(MqttEndpoint("mqtt://127.0.0.1:1", client_id="x"))
    dispatcher = Dispatcher(workshop.database, channel, now, workshop.metrics, lost.duties.of("mqtt"))
    with pytest.raises(DutyLost):
        dispatcher.round(threading.Event())
    assert dispatcher.round(threading.Event()) is False  # it stands by

    assert workshop.positions() == [("x", 0, 2, False)]
    with workshop.database.read() as connection:
        assert connection.scalar(text("SELECT count(*) FROM alert")) == 0


def test_a_duty_is_anothers_when_its_process_ends_and_not_before(workshop: Workshop) -> None:
    one, two = enter(workshop, "one"), enter(workshop, "two")
    two.duties.take_free()
    assert (one.duties.of("mqtt").held, two.duties.of("mqtt").held) == (True, False)
    one.give_back()
    two.duties.take_free()
    two.duties.of("mqtt").check()


def test_what_anybody_stores_its_owner_evaluates(workshop: Workshop) -> None:
    """Also where the owner knows the device, or where it knows nothing of it."""
    one = enter(workshop, "one")
    owner = tracker_of(workshop, one)
    owner.restart_window()
    owner.run_window(True)
    stranger = Tracker(
        workshop.database, LiveGeofences(), Intake(600_000, None), ReorderClock(0), workshop.metrics
    )
    owner.ingest([workshop.fix("x", 0, 1)], "default")
    stranger.post(workshop.fix("x", 2, 2).payload, "default")
    stranger.post(workshop.fix("new", 0, 5).payload, "default")
    owner.notice_stored()
    owner.evaluate_due()
    assert workshop.events() == [("ENTER", "x", "A", 0), ("ENTER", "new", "A", 0)]
    # older than the latest, of which the owner does not know
    stranger.post(workshop.fix("x", 9, 3).payload, "default")
    owner.ingest([workshop.fix("x", 5, 20), workshop.fix("x", 9, 3)], "default")
    assert workshop.events()[2:] == []  # 9 went first, and 5 was late
    with workshop.database.read() as connection:
        latest = text("SELECT sample_time, longitude FROM device WHERE device_id = 'x'")
        assert tuple(connection.execute(latest).one()) == (workshop.began + 9, 3.0)


def test_a_device_that_is_forgotten_elsewhere_is_forgotten_by_its_owner(workshop: Workshop) -> None:
    owner = tracker_of(workshop, enter(workshop, "one"))
    stranger = Tracker(
        workshop.database, LiveGeofences(), Intake(600_000, None), ReorderClock(0), workshop.metrics
    )
    owner.ingest([workshop.fix("x", 0, 1), workshop.fix("y", 0, 1)], "default")
    assert stranger.forget("default", "x")
    owner.ingest([workshop.fix("x", 1, 2), workshop.fix("y", 1, 2)], "default")
    assert workshop.positions() == [("y", 0, 2, False), ("y", 1, 2, False)]
    assert workshop.reject_reasons() == ["forgotten"]


def test_receipt_is_the_take_over(workshop: Workshop) -> None:
    one, two = (enter(workshop, name, Sharing.RECEIVED) for name in ("one", "two"))
    first, second = tracker_of(workshop, one), tracker_of(workshop, two)
    for at in range(6):
        longitude = 1 if at % 3 else 20
        (first, second)[at % 2].ingest([workshop.fix("x", at, longitude)], "default")
    assert workshop.events() == [("ENTER", "x", "A", 1), ("EXIT", "x", "A", 3), ("ENTER", "x", "A", 4)]


def test_who_was_stopped_in_the_middle_of_a_copy_holds_nothing(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "STILL_SECONDS", 0.2)
    enter(workshop, "one", Sharing.WHOLE, seconds=1, reads="plain")
    stopped = session(workshop.store.name)
    stopped.execute("SELECT FROM shard FOR KEY SHARE")
    copy = stopped.cursor().copy('COPY "reject" ("reason") FROM STDIN')
    copy.__enter__()  # waits for its data from now on
    time.sleep(1.1)  # until the lease has ended, and the COPY has stood still for long enough

    began = time.monotonic()
    enter(workshop, "two", Sharing.WHOLE, reads="plain")
    assert time.monotonic() - began < 5
    with pytest.raises(psycopg.OperationalError):
        copy.__exit__(None, None, None)
