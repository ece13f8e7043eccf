"""Alerts and rejects, as they are asked for."""

from collections.abc import Sequence

from sqlalchemy import Connection, func, insert, select, update

from service.store.schema import alert, event, outbox
from tests.service.api.ground import Ground, feature_collection, position, square

CREATED = 1_533_099_600_000


def enter_and_leave(ground: Ground, times: int) -> list[str]:
    """Lets a device yield this many events; answers their ids."""
    ground.client.post("/v1/geofences", json=feature_collection(square("alps", 10, 46)))
    longitudes = [10.5 if number % 2 == 0 else 20 for number in range(times)]
    ground.post_positions(
        *(position("x", f"05:{n // 60:02}:{n % 60:02}", each, 46.5) for n, each in enumerate(longitudes))
    )
    with ground.database.read() as connection:
        return list(connection.scalars(select(event.c.event_id).order_by(event.c.seq)))


def gather(connection: Connection, changed: int, status: str, outbox_keys: Sequence[int]) -> int:
    """Writes an alert as dispatch does."""
    key: int = connection.execute(
        insert(alert)
        .values(
            changed=changed,
            tracker_key=1,
            channel="email",
            recipient="ops@fleet.example",
            message_id=f"<{changed}@fleet.example>",
            status=status,
            attempts=1,
            outcome="250 ok",
            created_time=CREATED,
            attempted_time=CREATED + 1000,
            next_attempt_time=CREATED + 60_000,
            finished_time=None if status == "pending" else CREATED + 1000,
        )
        .returning(alert.c.key)
    ).scalar_one()
    connection.execute(update(outbox).where(outbox.c.key.in_(outbox_keys)).values(alert_key=key))
    return key


def test_an_alert_tells_what_was_sent_to_whom_when_and_what_came_of_it(ground: Ground) -> None:
    event_ids = enter_and_leave(ground, 2)
    with ground.database.write() as connection:
        gather(connection, 1, "sent", list(connection.scalars(select(outbox.c.key))))
    (item,) = ground.get("/v1/alerts")["items"]
    assert item == {
        "alertId": "1",
        "channel": "email",
        "recipient": "ops@fleet.example",
        "status": "sent",
        "attempts": 1,
        "outcome": "250 ok",
        "messageId": "<1@fleet.example>",
        "createdTime": "2018-08-01T05:00:00.000Z",
        "attemptedTime": "2018-08-01T05:00:01.000Z",
        "nextAttemptTime": None,
        "finishedTime": "2018-08-01T05:00:01.000Z",
        "eventIds": event_ids,
        "eventCount": 2,
    }


def test_of_many_events_the_first_hundred_are_named(ground: Ground) -> None:
    event_ids = enter_and_leave(ground, 130)
    with ground.database.write() as connection:
        keys = list(connection.scalars(select(outbox.c.key).order_by(outbox.c.key)))
        gather(connection, 1, "sent", keys[:120])
        gather(connection, 2, "pending", keys[120:])
    first, second = ground.get("/v1/alerts")["items"]
    assert (first["eventCount"], first["eventIds"]) == (120, event_ids[:100])
    assert (second["eventCount"], second["eventIds"]) == (10, event_ids[120:])
    assert second["nextAttemptTime"] == "2018-08-01T05:01:00.000Z"
    assert second["finishedTime"] is None


def test_an_alert_that_changes_is_listed_anew(ground: Ground) -> None:
    with ground.database.write() as connection:
        key = gather(connection, 1, "pending", [])
    page = ground.get("/v1/alerts")
    assert [each["status"] for each in page["items"]] == ["pending"]
    with ground.database.write() as connection:
        newest = connection.scalar(select(func.max(alert.c.changed))) or 0
        changes = {"changed": newest + 1, "status": "sent"}
        connection.execute(update(alert).where(alert.c.key == key).values(changes))
    later = ground.get("/v1/alerts", cursor=page["resumeCursor"])
    assert [(each["alertId"], each["status"]) for each in later["items"]] == [(str(key), "sent")]


def test_filters_say_which_alerts(ground: Ground) -> None:
    with ground.database.write() as connection:
        gather(connection, 1, "sent", [])
        gather(connection, 2, "failed", [])
    assert len(ground.get("/v1/alerts", channel="email")["items"]) == 2
    assert ground.get("/v1/alerts", channel="mqtt")["items"] == []
    assert [each["status"] for each in ground.get("/v1/alerts", status="failed")["items"]] == ["failed"]
    ground.problem(400, "GET", "/v1/alerts", params={"status": "lost"})


def test_a_reject_tells_why_a_message_was_not_stored(ground: Ground) -> None:
    ground.client.post("/v1/positions", content=b'{"deviceId": "x", "timestamp": 1533099600, "latitude": 91}')
    ground.client.post("/v1/positions", content=b"caf\xe9 \x00")
    listed = ground.get("/v1/rejects")["items"]
    assert [each["payload"] for each in listed][1] == "caf\\xe9 \x00"
    assert [each["deviceId"] for each in listed] == ["x", None]
    assert [each["topic"] for each in listed] == [None, None]
    assert all(each["detail"] and each["receivedTime"].endswith("Z") for each in listed)
    of_device = ground.get("/v1/rejects", device="x")["items"]
    assert of_device == listed[:1]
    assert ground.get("/v1/rejects", reason=listed[1]["reason"])["items"] == listed[1:]


def test_a_reason_that_there_is_not_is_answered_with_those_that_there_are(ground: Ground) -> None:
    assert "bad_latitude" in ground.problem(400, "GET", "/v1/rejects", params={"reason": "ugly"})["detail"]
