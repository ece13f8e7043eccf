"""Alerts: what was sent to whom; one that changes is listed anew, at the end."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from service.store.schema import alert, event, outbox


class AlertRow(NamedTuple):
    """One message to one recipient; `changed` is its place in the order of commit."""

    key: int
    changed: int
    channel: str
    recipient: str
    message_id: str
    status: str
    attempts: int
    outcome: str | None
    created_time: int
    attempted_time: int | None
    next_attempt_time: int
    finished_time: int | None


class ToldEvents(NamedTuple):
    """How many events an alert tells of, and the ids of the first of them."""

    total: int
    event_ids: list[str]


COLUMNS = tuple(alert.c[name] for name in AlertRow._fields)


def alerts(
    connection: Connection,
    tracker_key: int,
    after: int,
    limit: int,
    *,
    status: str | None = None,
    channel: str | None = None,
) -> Sequence[AlertRow]:
    """Alerts changed after the place `after`."""
    statement = select(*COLUMNS).where(alert.c.tracker_key == tracker_key, alert.c.changed > after)
    if status is not None:
        statement = statement.where(alert.c.status == status)
    if channel is not None:
        statement = statement.where(alert.c.channel == channel)
    return [AlertRow(*row) for row in connection.execute(statement.order_by(alert.c.changed).limit(limit))]


def told_events(
    connection: Connection, alert_keys: Collection[int], at_most: int
) -> Mapping[int, ToldEvents]:
    """What each alert tells of, with the ids of its first `at_most` events.

    An alert whose events are gone is left out.
    """
    of_alert = outbox.c.alert_key
    ranked = (
        select(
            of_alert,
            event.c.event_id,
            func.row_number().over(partition_by=of_alert, order_by=outbox.c.key).label("rank"),
            func.count().over(partition_by=of_alert).label("total"),
        )
        .join(event, event.c.seq == outbox.c.event_seq)
        .where(of_alert.in_(alert_keys))
        .subquery()
    )
    statement = (
        select(ranked.c.alert_key, ranked.c.total, ranked.c.event_id)
        .where(ranked.c.rank <= at_most)
        .order_by(ranked.c.alert_key, ranked.c.rank)
    )
    told: dict[int, ToldEvents] = {}
    for alert_key, total, event_id in connection.execute(statement):
        told.setdefault(alert_key, ToldEvents(total, [])).event_ids.append(event_id)
    return told
