"""Events and the outbox rows that are committed with them."""

from collections.abc import Sequence

from sqlalchemy import Connection, delete, func, insert, literal, or_, select

from service.store.columns import insert_columns
from service.store.schema import alert, event, outbox
from service.store.turns import Turn, wait_for_turn


def insert_events(connection: Connection, rows: Sequence[dict[str, object]], channels: Sequence[str]) -> None:
    """Adds events, at least one, in their order of commit, and for each channel a row in the outbox."""
    wait_for_turn(connection, Turn.EVENTS)
    before = connection.scalar(select(func.coalesce(func.max(event.c.seq), 0))) or 0
    insert_columns(connection, event, {name: [row[name] for row in rows] for name in rows[0]})
    for channel in channels:
        new = select(literal(channel), event.c.seq).where(event.c.seq > before).order_by(event.c.seq)
        connection.execute(insert(outbox).from_select(["channel", "event_seq"], new))


def delete_events_before(
    connection: Connection, sample_time: int, channels: Sequence[str], limit: int
) -> int:
    """Drops up to `limit` events measured before `sample_time` that none of the channels is still to tell."""
    waiting = (
        select(outbox.c.key)
        .outerjoin(alert, alert.c.key == outbox.c.alert_key)
        .where(
            outbox.c.event_seq == event.c.seq,
            outbox.c.channel.in_(channels),
            or_(alert.c.key.is_(None), alert.c.status == "pending"),
        )
        .exists()
    )
    old = (
        select(event.c.seq)
        .where(event.c.sample_time < sample_time, ~waiting)
        .order_by(event.c.seq)
        .limit(limit)
    )
    return connection.execute(delete(event).where(event.c.seq.in_(old.scalar_subquery()))).rowcount
