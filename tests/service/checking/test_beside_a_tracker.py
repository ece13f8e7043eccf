"""A check sees one state of the database, whatever is written while it goes on."""

import itertools

from service.checking.check import check_database
from service.checking.findings import Findings, Violation
from service.intake import DAY
from service.retention import Retention
from service.timestamps import now
from tests.service.workshop import HOUR, Workshop, box
from tests.stores import Store


def test_what_is_written_meanwhile_is_neither_seen_nor_held_up(store: Store) -> None:
    workshop = Workshop(store)
    workshop.catalog.put("default", [box("A", 0, 10, exitAfterSeconds=2), box("B", 5, 15)])
    names = [f"d{number}" for number in range(9)]
    for second in range(10):
        workshop.ingest(*(workshop.fix(name, 1000 * second, 3 * second) for name in names))
    seconds = itertools.count(10)
    violations: list[Violation] = []
    findings = Findings(violations.append)

    def work(_: int) -> None:
        second = next(seconds)
        workshop.ingest(*(workshop.fix(name, 1000 * second, (3 * second) % 25) for name in names))
        workshop.ingest(workshop.fix(f"new{second}", 1000 * second, 1))
        workshop.catalog.put("default", [box("A", 0, 10 + second % 3)])
        if second == 12:
            workshop.catalog.delete("default", "B")
            workshop.tracker.forget("default", "d8")
            Retention(workshop.database, (HOUR - 5_000) / (24 * HOUR)).expire(now())

    check_database(workshop.database, findings, work, fixes_at_once=20)

    assert violations == []
    assert next(seconds) > 14
    assert findings.proved["positions"] == 90
    assert findings.proved["devices"] == 9
    workshop.database.close()


def test_days_that_are_dropped_meanwhile_are_not_missed(store: Store) -> None:
    workshop = Workshop(store)
    workshop.catalog.put("default", [box("A", 0, 10), box("B", 5, 15, dwellSeconds=60)])
    names = [f"d{number}" for number in range(5)]
    for days in (4, 3, 2, 1):
        for hour in range(12):
            times = hour * HOUR // 8 - days * DAY
            workshop.ingest(*(workshop.fix(name, times, (5 * hour) % 25) for name in names))
    kept = iter([3.5, 2.5, 1.5])
    violations: list[Violation] = []
    findings = Findings(violations.append)

    def drop(_: int) -> None:
        Retention(workshop.database, next(kept, 1.5)).expire(now())

    check_database(workshop.database, findings, drop, fixes_at_once=30)

    assert violations == []
    assert findings.unproved
    assert len(workshop.positions()) == 60
    workshop.database.close()
