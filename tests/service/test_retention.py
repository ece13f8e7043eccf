"""What is too old goes, what somebody waits for stays."""

from sqlalchemy import text

from ingest.messages import Message
from service.intake import DAY
from service.retention import Retention
from service.store.expiry import expired_before
from service.timestamps import now
from tests.service.workshop import Workshop, box
from tests.stores import Store


def test_positions_and_events_go_when_they_are_older_than_kept_and_the_latest_position_stays(
    store: Store,
) -> None:
    workshop = Workshop(store)
    workshop.catalog.put("default", [box("A", 0, 10)])
    workshop.ingest(workshop.fix("x", -3 * DAY, 1), workshop.fix("x", -2 * DAY, 20), workshop.fix("x", 0, 1))

    Retention(workshop.database, days=1).expire(now())

    with workshop.database.read() as connection:
        assert now() - DAY - 60_000 < (expired_before(connection) or 0) <= now() - DAY
    assert [time for _, time, _, _ in workshop.positions()] == [0]
    assert workshop.events() == [("ENTER", "x", "A", 0)]


def test_without_a_retention_nothing_goes(store: Store) -> None:
    workshop = Workshop(store)
    workshop.ingest(workshop.fix("x", -4000 * DAY, 1))

    Retention(workshop.database, days=None).expire(now())

    assert len(workshop.positions()) == 1


def test_an_event_that_somebody_is_still_to_be_told_of_stays(store: Store) -> None:
    workshop = Workshop(store, channels=("mqtt", "email:gone@example.org"))
    workshop.catalog.put("default", [box("A", 0, 10)])
    workshop.ingest(workshop.fix("x", -3 * DAY, 1))

    Retention(workshop.database, 1, ["mqtt"]).expire(now())
    assert len(workshop.events()) == 1
    with workshop.database.write() as connection:
        connection.execute(text("DELETE FROM outbox WHERE channel = 'mqtt'"))
    Retention(workshop.database, 1, ["mqtt"]).expire(now())
    assert workshop.events() == []


def test_fixes_that_wait_for_their_turn_stay(store: Store) -> None:
    workshop = Workshop(store, window=30)
    workshop.ingest(workshop.fix("x", -3 * DAY, 1))

    Retention(workshop.database, days=1).expire(now())

    assert len(workshop.positions()) == 1


def test_rejects_go_after_a_week_and_at_most_100_000_are_kept(store: Store) -> None:
    workshop = Workshop(store)
    workshop.ingest(Message(b"{"), Message(b"["))
    Retention(workshop.database, None).expire(now() + 6 * DAY)
    assert len(workshop.reject_reasons()) == 2
    Retention(workshop.database, None).expire(now() + 8 * DAY)
    assert workshop.reject_reasons() == []

    with workshop.database.write() as connection:
        connection.execute(
            text(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100010) "
                "INSERT INTO reject (tracker_key, received_time, reason, detail, payload, digest) "
                "SELECT 1, :now, 'empty', '', :nothing, :nothing FROM n"
            ),
            {"now": now(), "nothing": b""},
        )
    Retention(workshop.database, None).expire(now())
    assert len(workshop.reject_reasons()) == 100_000
