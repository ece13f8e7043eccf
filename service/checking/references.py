"""Each row names only rows that there are, and what it repeats of them is what they say."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, FromClause, Table, and_, exists, func, or_, select

from service.checking.findings import Findings, Violation
from service.store.alerts import CHANGED
from service.store.geofences import OF_NOW
from service.store.schema import (
    alert,
    collection,
    collection_version,
    device,
    event,
    geofence,
    geofence_version,
    metadata,
    outbox,
    passed_over,
    position,
    position_update,
    reject,
    revision,
    sequence,
    tombstone,
    tracker,
    tracker_consumer,
)

READ_AT_ONCE = 1_000


class Rule(NamedTuple):
    """Rows of `table`, joined with what `of` says, for which `wrong` is true are violations."""

    table: Table
    of: FromClause
    wrong: ColumnElement[bool]
    stored: ColumnElement[Any]
    expected: str


def check_references(connection: Connection, findings: Findings) -> None:
    """Of all tables but position, which is read through elsewhere."""
    for rule in (*_orphans(connection.dialect.name), *_repeated(), *_revisions()):
        named = [rule.table.c[column.name] for column in rule.table.primary_key]
        statement = select(*named, rule.stored).select_from(rule.of).where(rule.wrong)
        statement = statement.execution_options(yield_per=READ_AT_ONCE)
        for *key, stored in connection.execute(statement):
            at = ", ".join(f"{column.name} {value}" for column, value in zip(named, key, strict=True))
            row = f"{rule.table.name} of {at}"
            findings.add(Violation("reference", row, f"{rule.stored.key} {stored}", rule.expected))
    for table in COUNTED:
        findings.proved[f"rows of {table.name}"] += (
            connection.scalar(select(func.count()).select_from(table)) or 0
        )


COUNTED = (
    tracker,
    collection,
    geofence,
    geofence_version,
    outbox,
    alert,
    reject,
    tombstone,
    position_update,
    passed_over,
)


def _orphans(dialect: str) -> Iterator[Rule]:
    """What foreign keys promise, looked up all the same."""
    for table in metadata.sorted_tables:
        if table is position or table.info.get("only", dialect) != dialect:
            continue
        for column in table.columns:
            for foreign in column.foreign_keys:
                there = exists(select(foreign.column).where(foreign.column == column).correlate(table))
                expected = f"a {foreign.column.table.name} that there is"
                yield Rule(table, table, and_(column.is_not(None), ~there), column, expected)


def _repeated() -> Iterator[Rule]:
    """What an event says of its device and its geofence, what an alert says of its tracker."""
    with_device = event.join(device, device.c.key == event.c.device_key)
    for name in ("device_id", "tracker_key"):
        yield Rule(event, with_device, event.c[name] != device.c[name], event.c[name], "that of its device")
    with_geofence = event.join(geofence, geofence.c.key == event.c.geofence_key)
    other_id = event.c.geofence_id != geofence.c.geofence_id
    yield Rule(event, with_geofence, other_id, event.c.geofence_id, "that of its geofence")
    with_collection = with_geofence.join(collection, collection.c.key == geofence.c.collection_key)
    other_name = event.c.collection_name != collection.c.name
    yield Rule(event, with_collection, other_name, event.c.collection_name, "that of its geofence")
    told = outbox.join(alert, alert.c.key == outbox.c.alert_key).join(
        event, event.c.seq == outbox.c.event_seq
    )
    other_tracker = alert.c.tracker_key != event.c.tracker_key
    yield Rule(outbox, told, other_tracker, outbox.c.alert_key, "an alert of the event's tracker")
    numbers = select(sequence.c.value).where(sequence.c.name == CHANGED).scalar_subquery()
    beyond = alert.c.changed > func.coalesce(numbers, 0)
    yield Rule(alert, alert, beyond, alert.c.changed, "no more than the sequence has given")


def _revisions() -> Iterator[Rule]:
    """Each names a revision that there was, and a geofence is what its last version says."""
    naming = (
        geofence.c.revision,
        geofence.c.deleted_revision,
        geofence_version.c.revision,
        collection_version.c.revision,
        tracker_consumer.c.linked_revision,
        tracker_consumer.c.unlinked_revision,
        event.c.revision,
    )
    for column in naming:
        there = exists(
            select(revision.c.revision).where(revision.c.revision == column).correlate(column.table)
        )
        missing = and_(column.is_not(None), ~there)
        yield Rule(column.table, column.table, missing, column, "a revision that there was")
    of_geofence = geofence_version.c.geofence_key == geofence.c.key
    newest = select(func.max(geofence_version.c.revision)).where(of_geofence).scalar_subquery()
    other = or_(newest.is_(None), geofence.c.revision != newest)
    yield Rule(geofence, geofence, other, geofence.c.revision, "that of its last version")
    now = geofence.outerjoin(geofence_version, OF_NOW)
    lives_on = geofence.c.deleted_revision.is_(None) & geofence_version.c.feature.is_(None)
    gone = geofence.c.deleted_revision.is_not(None) & or_(
        geofence_version.c.feature.is_not(None), geofence.c.deleted_revision != geofence.c.revision
    )
    expected = "that of its last version, where this has no feature, else none"
    yield Rule(geofence, now, or_(lives_on, gone), geofence.c.deleted_revision, expected)
    ended = tracker_consumer.c.unlinked_revision <= tracker_consumer.c.linked_revision
    yield Rule(
        tracker_consumer, tracker_consumer, ended, tracker_consumer.c.unlinked_revision, "a later revision"
    )
    again = tracker_consumer.alias("again")
    twice = tracker_consumer.join(
        again,
        and_(
            again.c.tracker_key == tracker_consumer.c.tracker_key,
            again.c.collection_key == tracker_consumer.c.collection_key,
            again.c.linked_revision > tracker_consumer.c.linked_revision,
        ),
    )
    open_yet = or_(
        tracker_consumer.c.unlinked_revision.is_(None),
        tracker_consumer.c.unlinked_revision > again.c.linked_revision,
    )
    column = tracker_consumer.c.unlinked_revision
    yield Rule(tracker_consumer, twice, open_yet, column, "a revision before it was linked again")
