"""A database with a little of everything, and checks of one, for tests."""

from service.checking.check import check_database
from service.checking.findings import Findings, Violation
from service.crossing_rule import changed
from service.store.database import Database
from tests.service.workshop import Workshop, box
from tests.stores import Store


def checked(
    database: Database, *, fixes_at_once: int = 1_000, unknown_altitude_inside: bool = False
) -> tuple[Findings, list[Violation]]:
    """What a check counts, and the violations that it tells."""
    violations: list[Violation] = []
    findings = Findings(violations.append)
    check_database(
        database,
        findings,
        fixes_at_once=fixes_at_once,
        unknown_altitude_inside=unknown_altitude_inside,
    )
    return findings, violations


def fly(store: Store) -> None:
    """A little of everything: geofences of which one asks for visits and two are crossed between positions,
    late and waiting positions, a tombstone, an edited and a deleted geofence."""
    made = Workshop(store, window=20, channels=["mqtt"])
    made.catalog.create_collection("paths")
    made.catalog.update_collection("paths", lambda rule: changed(rule, "segment", 300, 1e6))
    made.catalog.link("default", "paths")
    made.catalog.put("default", [box("A", 0, 10), box("B", 5, 15, dwellSeconds=2, exitAfterSeconds=3)])
    made.catalog.put("paths", [box("P", 2, 3), box("gone", 0, 40)])
    made.ingest(made.fix("lost", 0, 1))
    made.tracker.forget("default", "lost")
    for second in range(20):
        made.ingest(
            *(
                made.fix(name, 1000 * second, (3 * second + offset) % 25)
                for name, offset in (("x", 0), ("y", 9))
            )
        )
    made.seconds += 60
    made.ingest()
    made.catalog.put("default", [box("A", 0, 9)])
    made.catalog.delete("paths", "gone")
    made.ingest(made.fix("x", 20_000, 7, altitude=300.5), made.fix("z", 0, 1))
    made.seconds += 60
    made.ingest(made.fix("y", 7, 1))
    made.seconds += 60
    made.ingest(made.fix("x", 30_000, 1))
    made.database.close()
