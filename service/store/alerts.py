"""From outbox rows to alerts, and what becomes of an alert.

An outbox row (channel, event) is first *gathered*: an alert is made and the row names it. That fixes what the
alert tells before anything is sent, so an alert sent twice tells the same twice under the same message id.
Every insert and every change of an alert gives it a new number in `changed`, by which a list of alerts goes
on.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, Select, bindparam, func, insert, select, update

from service.store.schema import PENDING, alert, event, outbox, sequence

EVENTS_IN_ONE = 10_000
"""Events that one alert may tell of."""
PENDING_AT_ONCE = 1_000
"""Alerts of one event each that a channel may have pending; the rest waits in the outbox."""
OUTCOME_LENGTH = 1_000
CHANGED = "alert_changed"


@dataclass(frozen=True, slots=True)
class PendingAlert:
    """An alert that is still to be delivered. Times in ms.

    `lane`: nothing later may overtake a pending alert of the same lane (a device, or the whole channel).
    """

    key: int
    lane: int
    recipient: str
    message_id: str
    attempts: int
    created_time: int
    next_attempt_time: int


@dataclass(frozen=True, slots=True)
class AlertChange:
    """What an attempt made of an alert. `next_attempt_time` counts while it stays pending. Times in ms."""

    key: int
    status: Literal["pending", "sent", "failed"]
    attempts: int
    outcome: str
    attempted_time: int
    next_attempt_time: int


def message_id(event_ids: Iterable[str]) -> str:
    """`<...@overfly>`: the same for the same events in the same order."""
    digest = hashlib.sha256("\0".join(event_ids).encode()).hexdigest()
    return f"<{digest[:32]}@overfly>"


def anything_waits(connection: Connection, channel: str) -> bool:
    """Whether events are in the outbox of which no alert was made yet."""
    waits = select(outbox.c.key).where(outbox.c.channel == channel, outbox.c.alert_key.is_(None)).limit(1)
    return connection.scalar(waits) is not None


def next_alert_time(connection: Connection, kind: str, recipient: str, interval: int) -> int:
    """From when (ms) on an alert for the recipient may be made: `interval` ms after the last was made or
    tried, however often we were restarted since."""
    last = (
        select(alert.c.created_time, alert.c.attempted_time)
        .where(alert.c.channel == kind, alert.c.recipient == recipient)
        .order_by(alert.c.key.desc())
        .limit(1)
    )
    row = connection.execute(last).first()
    return 0 if row is None else max(row.created_time, row.attempted_time or 0) + interval


def gather_all(connection: Connection, channel: str, kind: str, recipient: str, now: int) -> None:
    """Makes one alert of what waits in the outbox: the events of the tracker whose event waits longest."""
    waiting = _waiting(channel)
    oldest = connection.execute(waiting.limit(1)).first()
    if oldest is None:
        return
    of_tracker = waiting.where(event.c.tracker_key == oldest.tracker_key).limit(EVENTS_IN_ONE)
    rows = connection.execute(of_tracker).all()
    (key,) = _insert_alerts(
        connection,
        [_alert(oldest.tracker_key, kind, recipient, message_id(row.event_id for row in rows), now)],
    )
    _name_alerts(connection, [(row.key, key) for row in rows])


def each_is_due(connection: Connection, channel: str) -> bool:
    """Whether alerts of one event each are to be made: something waits, and not too many are pending."""
    return _room(connection, channel) > 0 and anything_waits(connection, channel)


def gather_each(connection: Connection, channel: str, recipient: Callable[[str, str], str], now: int) -> None:
    """Makes an alert of each event that waits in the outbox, as long as not too many are pending.

    recipient: of a collection's name and a geofence's id.
    """
    rows = connection.execute(_waiting(channel).limit(_room(connection, channel))).all()
    if not rows:
        return
    alerts = [
        _alert(
            row.tracker_key,
            channel,
            recipient(row.collection_name, row.geofence_id),
            message_id([row.event_id]),
            now,
        )
        for row in rows
    ]
    keys = _insert_alerts(connection, alerts)
    _name_alerts(connection, [(row.key, key) for row, key in zip(rows, keys, strict=True)])


def pending_for(connection: Connection, kind: str, recipient: str) -> list[PendingAlert]:
    """The alerts for a recipient that are still to be delivered, in order: one lane."""
    return _pending(connection, select(alert).where(alert.c.channel == kind, alert.c.recipient == recipient))


def pending_by_device(connection: Connection, channel: str) -> list[PendingAlert]:
    """The alerts of one event each that are still to be delivered, in order: a lane for each device."""
    of_device = (
        select(alert, func.coalesce(event.c.device_key, 0).label("lane"))
        .select_from(
            alert.outerjoin(outbox, outbox.c.alert_key == alert.c.key).outerjoin(
                event, event.c.seq == outbox.c.event_seq
            )
        )
        .where(alert.c.channel == channel)
        .limit(PENDING_AT_ONCE)
    )
    return _pending(connection, of_device)


def change_alerts(connection: Connection, changes: Sequence[AlertChange]) -> None:
    """Records what attempts made of alerts."""
    if not changes:
        return
    numbers = _take_numbers(connection, len(changes))
    values = (
        update(alert)
        .where(alert.c.key == bindparam("alert"))
        .values({name: bindparam(f"new_{name}") for name in _CHANGING})
    )
    connection.execute(
        values,
        [
            {
                "alert": each.key,
                "new_changed": number,
                "new_status": each.status,
                "new_attempts": each.attempts,
                "new_outcome": each.outcome[:OUTCOME_LENGTH],
                "new_attempted_time": each.attempted_time,
                "new_next_attempt_time": each.next_attempt_time,
                "new_finished_time": None if each.status == "pending" else each.attempted_time,
            }
            for each, number in zip(changes, numbers, strict=True)
        ],
    )


_CHANGING = (
    "changed",
    "status",
    "attempts",
    "outcome",
    "attempted_time",
    "next_attempt_time",
    "finished_time",
)


def _waiting(channel: str) -> Select[int, str, int, str, str]:
    return (
        select(
            outbox.c.key, event.c.event_id, event.c.tracker_key, event.c.collection_name, event.c.geofence_id
        )
        .join(event, event.c.seq == outbox.c.event_seq)
        .where(outbox.c.channel == channel, outbox.c.alert_key.is_(None))
        .order_by(outbox.c.key)
    )


def _room(connection: Connection, channel: str) -> int:
    pending = select(func.count()).where(alert.c.channel == channel, PENDING)
    return PENDING_AT_ONCE - (connection.scalar(pending) or 0)


def _alert(tracker_key: int, channel: str, recipient: str, message: str, now: int) -> dict[str, object]:
    return {
        "tracker_key": tracker_key,
        "channel": channel,
        "recipient": recipient,
        "message_id": message,
        "status": "pending",
        "created_time": now,
        "next_attempt_time": now,
    }


def _insert_alerts(connection: Connection, rows: list[dict[str, object]]) -> Sequence[int]:
    numbers = _take_numbers(connection, len(rows))
    numbered = [{**row, "changed": number} for row, number in zip(rows, numbers, strict=True)]
    made = insert(alert).returning(alert.c.key, sort_by_parameter_order=True)
    return connection.scalars(made, numbered).all()


def _name_alerts(connection: Connection, pairs: Sequence[tuple[int, int]]) -> None:
    named = update(outbox).where(outbox.c.key == bindparam("row")).values(alert_key=bindparam("alert"))
    connection.execute(named, [{"row": row, "alert": key} for row, key in pairs])


def _pending(connection: Connection, alerts: Select[*tuple[object, ...]]) -> list[PendingAlert]:
    rows = connection.execute(alerts.where(PENDING).order_by(alert.c.key)).mappings()
    return [
        PendingAlert(
            key=row["key"],
            lane=row.get("lane", 0),
            recipient=row["recipient"],
            message_id=row["message_id"],
            attempts=row["attempts"],
            created_time=row["created_time"],
            next_attempt_time=row["next_attempt_time"],
        )
        for row in rows
    ]


def _take_numbers(connection: Connection, count: int) -> range:
    """The next `count` numbers of `alert.changed`. The row stays locked until the commit, so that numbers are
    seen in their order."""
    taken = (
        update(sequence)
        .where(sequence.c.name == CHANGED)
        .values(value=sequence.c.value + count)
        .returning(sequence.c.value)
    )
    last = connection.scalar(taken)
    if last is None:
        connection.execute(insert(sequence).values(name=CHANGED, value=count))
        last = count
    return range(last - count + 1, last + 1)
